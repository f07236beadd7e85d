/* SPDX-License-Identifier: MIT */
/*
 * A virtual server's hash table. One that hashes consistently goes by it (table.h); all others have one too, for what must go
 * somewhere without being recorded (choose.h).
 */
#pragma once

#include "explain.h"
#include "hash.h"
#include "loads.h"
#include "maps.h"
#include "packet.h"

/* The packet's slot in the virtual server's table; {nobody, nobody} where there is no table. */
static __always_inline struct slot slot_of(const struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = packet->virtual_server;
	__u32 index = slot_index(packet->hash, virtual_server->slots);
	__u32 pair = index / 2;
	void *table = bpf_map_lookup_elem(&tables, &id);
	const volatile __u64 *slots;

	if (!table)
		return (struct slot){};
	slots = bpf_map_lookup_elem(table, &pair);
	explain_slot(index);
	/* All at once: user space may be writing the slot. */
	union {
		__u64 word;
		struct slot_pair pair;
	} read = { .word = slots ? *slots : 0 };

	return index % 2 ? read.pair.odd : read.pair.even;
}

/* By hash, without a look at flows: the slot's real server if it may be chosen; else NOBODY. */
static __noinline __u32 by_hash(const struct packet *packet, const struct virtual_server *virtual_server)
{
	struct slot slot = slot_of(packet, virtual_server);
	struct real_server *server = real_server_of(slot.current);

	return server && is_alive(server) ? slot.current : NOBODY;
}
