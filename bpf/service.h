/* SPDX-License-Identifier: MIT */
/*
 * Which virtual server a packet is for: {address, port}, else {address, any port}, else {any address, port}. A first
 * match decides; 0 is none.
 */
#pragma once

#include "explain.h"
#include "maps.h"
#include "packet.h"
#include "stats.h"
#include "switches.h"

/* Written as one word: the look-up reads the key in wider pieces than its fields, and a processor that must put such a
 * read together from several stores waits for them. */
union service4_key {
	struct service4 fields;
	__u64 word;
};

static __always_inline __u64 service4_word(const struct packet *packet, __be32 address, __be16 port)
{
	return address | (__u64)port << 32 | (__u64)packet->protocol << 48;
}

static __always_inline __u32 find_service4(const struct packet *packet)
{
	union service4_key key = { .word = service4_word(packet, packet->destination.word[0], packet->destination_port) };
	__u32 *id = bpf_map_lookup_elem(&services4, &key);

	if (!id && has_any_port) {
		key.word = service4_word(packet, packet->destination.word[0], 0);
		id = bpf_map_lookup_elem(&services4, &key);
	}
	if (!id && has_any_address) {
		key.word = service4_word(packet, 0, packet->destination_port);
		id = bpf_map_lookup_elem(&services4, &key);
	}
	return id ? *id : 0;
}

union service6_key {
	struct service6 fields;
	struct {
		struct address address;
		__u32 rest;
	};
};

static __always_inline __u32 service6_rest(const struct packet *packet, __be16 port)
{
	return port | (__u32)packet->protocol << 16;
}

static __always_inline __u32 find_service6(const struct packet *packet)
{
	union service6_key key = { .address = packet->destination, .rest = service6_rest(packet, packet->destination_port) };
	__u32 *id = bpf_map_lookup_elem(&services6, &key);

	if (!id && has_any_port) {
		key.rest = service6_rest(packet, 0);
		id = bpf_map_lookup_elem(&services6, &key);
	}
	if (!id && has_any_address) {
		key.address = (struct address){};
		key.rest = service6_rest(packet, packet->destination_port);
		id = bpf_map_lookup_elem(&services6, &key);
	}
	return id ? *id : 0;
}

/* The virtual server's id, or 0. */
static __always_inline __u32 find_service(const struct packet *packet)
{
	return packet->family == 4 ? find_service4(packet) : find_service6(packet);
}

/* Does a virtual server have this packet's destination address? Of a later fragment nothing more is known at first. */
static __noinline bool is_virtual_address(const struct packet *packet)
{
	if (packet->family == 4) {
		struct service4 key = { .address = packet->destination.word[0], .protocol = IPPROTO_ICMP };

		return bpf_map_lookup_elem(&services4, &key);
	}
	struct service6 key = { .address = packet->destination, .protocol = IPPROTO_ICMPV6 };

	return bpf_map_lookup_elem(&services6, &key);
}

/* Nobody can take the packet: the sorry server does, or it is dropped for this reason (and NOBODY returned). */
static __always_inline __u32 sorry_or_nobody(const struct virtual_server *virtual_server, enum drop_reason reason)
{
	if (virtual_server->sorry != NOBODY) {
		explain_choice(virtual_server->sorry, REASON_SORRY);
		return virtual_server->sorry;
	}
	drop(reason);
	return NOBODY;
}
