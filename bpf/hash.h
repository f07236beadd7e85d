/* SPDX-License-Identifier: MIT */
/*
 * What a flow hashes to. The twin is src/Bascule.Core/Scheduling/FlowHash.cs: both must give the same number for the same
 * client, or the daemon's table and the kernel's disagree.
 *
 * Keyed kinds: the low 32 bits of SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) with the
 * 128-bit secret of switches.h. The key's 16 bytes are hash_key[0] then hash_key[1], each little-endian, as in the
 * paper. The message is bytes as on the wire: the source address (4 or 16 bytes), then for ..._PORT the source port
 * (2 bytes, high byte first). One compression round and three at the end is what Linux uses for its own hash tables;
 * it costs four rounds for IPv4 and six for IPv6, half of what 2-4 does. An attacker who cannot guess the key cannot
 * aim all his flows at one slot.
 *
 * sh and dh are IPVS's and have no key: the address's 32-bit words, as numbers, xored, plus (sh-port) the source port, times
 * the golden ratio, of which slot_index() takes the top 8 bits (their tables have 256 slots). dh does so with the destination address.
 *
 * A hash leads to a slot by a multiplication, slot_index(), not by a remainder, which would be a division a packet.
 *
 * With the key 00 01 02 … 0f, from port 4242:      198.51.100.7    2001:db8::7
 *   HASH_KEYED_SOURCE                                0x9020926a     0x6aecf92e
 *   HASH_KEYED_SOURCE_PORT                           0x9d82a6bd     0x62c5e024
 *   HASH_SOURCE                                      0xab1467f1     0x89b4c9f9
 *   HASH_SOURCE_PORT                                 0xf7d56c6f     0xd675ce77
 */
#pragma once

#include <bpf/bpf_endian.h>
#include "packet.h"
#include "switches.h"

#define GOLDEN_RATIO_32 0x61C88647 /* 2^32 × (1 − 1/φ) */

struct sip {
	__u64 a, b, c, d;
};

static __always_inline __u64 rotate_left(__u64 word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static __always_inline void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = rotate_left(s->b, 13) ^ s->a;
	s->a = rotate_left(s->a, 32);
	s->c += s->d;
	s->d = rotate_left(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotate_left(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotate_left(s->b, 17) ^ s->c;
	s->c = rotate_left(s->c, 32);
}

static __always_inline struct sip sip_start(void)
{
	return (struct sip){
		.a = hash_key[0] ^ 0x736f6d6570736575,
		.b = hash_key[1] ^ 0x646f72616e646f6d,
		.c = hash_key[0] ^ 0x6c7967656e657261,
		.d = hash_key[1] ^ 0x7465646279746573,
	};
}

static __always_inline void sip_take(struct sip *s, __u64 word)
{
	s->d ^= word;
	sip_round(s);
	s->a ^= word;
}

/* rest: the message's last bytes (at most 7), of so many in all. */
static __always_inline __u32 sip_end(struct sip *s, __u64 rest, __u64 length)
{
	sip_take(s, rest | length << 56);
	s->c ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

/* port: as on the wire, or 0 with port_bytes 0. */
static __always_inline __u32 keyed_hash(const struct packet *packet, __u64 port, __u64 port_bytes)
{
	const __be32 *word = packet->source.word;
	struct sip s = sip_start();

	if (packet->family == 4)
		return sip_end(&s, word[0] | port << 32, 4 + port_bytes);

	sip_take(&s, half_of(word, 0));
	sip_take(&s, half_of(word, 1));
	return sip_end(&s, port, 16 + port_bytes);
}

/* IPVS's ip_vs_sh_hashkey and ip_vs_dh_hashkey. */
static __always_inline __u32 golden_hash(const struct address *address, __u32 plus)
{
	__be32 folded = address->word[0] ^ address->word[1] ^ address->word[2] ^ address->word[3];

	return (bpf_ntohl(folded) + plus) * GOLDEN_RATIO_32;
}

static __always_inline __u32 hash_of(const struct packet *packet, __u8 kind)
{
	switch (kind) {
	case HASH_KEYED_SOURCE:
	case HASH_KEYED_SOURCE_PORT:
		return kind == HASH_KEYED_SOURCE ? keyed_hash(packet, 0, 0) : keyed_hash(packet, packet->source_port, 2);
	case HASH_SOURCE:
		return golden_hash(&packet->source, 0);
	case HASH_SOURCE_PORT:
		return golden_hash(&packet->source, bpf_ntohs(packet->source_port));
	default: /* HASH_DESTINATION */
		return golden_hash(&packet->destination, 0);
	}
}

/* The slot of a table of so many: (hash × slots) / 2^32. */
static __always_inline __u32 slot_index(__u32 hash, __u32 slots)
{
	return (__u64)hash * slots >> 32;
}
