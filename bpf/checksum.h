/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071): sums of 16-bit words in whatever order the machine has, folded at the end. Sums are
 * kept in 64 bits and added up from 32-bit words, which comes to the same.
 */
#pragma once

#include "hook.h"

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u16 checksum_of(__u64 sum)
{
	return ~fold(sum);
}

static __always_inline __u64 sum_of_words(const void *from, int words)
{
	const __u32 *word = from;
	__u64 sum = 0;

#pragma unroll
	for (int i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

#define CHUNK 64

struct summing {
	struct context *ctx;
	__u32 offset, left;
	__u64 sum;
};

static long sum_chunk(__u32 index, struct summing *s)
{
	__u32 buffer[CHUNK / 4] = {};
	__u32 bytes = s->left < CHUNK ? s->left : CHUNK;

	if (bytes == 0 || load_bytes(s->ctx, s->offset, buffer, bytes))
		return 1;
	s->sum += sum_of_words(buffer, CHUNK / 4);
	s->offset += bytes;
	s->left -= bytes;
	return 0;
}

/* The sum of the frame's bytes from this offset on. By and by: for packets that cannot be summed by arithmetic. */
static __noinline __u64 sum_of_bytes(struct context *ctx, __u32 offset, __u32 bytes)
{
	struct summing s = { .ctx = ctx, .offset = offset, .left = bytes };

	bpf_loop(0x10000 / CHUNK, sum_chunk, &s, 0);
	return s.sum;
}

/* Of a packet whose checksum cannot be trusted to say what the rest comes to: there is none, or not for this part. */
static __noinline __u64 sum_of_packet_by_bytes(struct context *ctx, const struct packet *packet)
{
	return sum_of_bytes(ctx, packet->network, packet->length);
}

/* The sum of the whole IP packet, for a checksum around it. Where the packet's own checksum is there, hardly anything is read:
 *
 *   IPv4  the header comes to nothing (that is what its checksum is for), and the segment to whatever makes it and its pseudo
 *         header come to nothing: to the complement of the pseudo header
 *   IPv6  the same, and the addresses cancel out: they stand in the header and, taken away, in the pseudo header
 *
 * Should the packet's own checksum be wrong, the outer one is too, and the far end drops it all the same. It also is what a
 * checksum that the hardware has yet to fill in will come to. */
static __always_inline __u64 sum_of_packet(struct context *ctx, const struct packet *packet)
{
	__u32 ip_header = packet->family == 4 ? 0 : 40;
	const __u16 *udp = at(ctx, packet->transport, 8);
	const __u32 *ip = at(ctx, packet->network, 8);
	__u32 pseudo = bpf_htons(packet->network + packet->length - packet->transport) + bpf_htons(packet->protocol);

	if (packet->flags & (PACKET_FIRST_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_ICMP_ERROR) || !udp || !ip)
		return sum_of_packet_by_bytes(ctx, packet);
	if ((packet->protocol == IPPROTO_UDP && udp[3] == 0) || (ip_header && packet->transport != packet->network + ip_header))
		return sum_of_packet_by_bytes(ctx, packet);

	if (packet->family == 4)
		return (__u16)~fold((__u64)packet->source.word[0] + packet->destination.word[0] + pseudo);
	return (__u64)ip[0] + ip[1] + (__u16)~fold(pseudo);
}
