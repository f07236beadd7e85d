/* SPDX-License-Identifier: MIT */
/*
 * lblc and lblcr, for caches that stand before many addresses: what was asked of a cache before, it has. Twin of
 * src/Bascule.Core/Scheduling/Locality.cs.
 *
 *   lblc   the real server that served the destination address before, unless it is overloaded; else as wlc
 *   lblcr  likewise with a set of up to LOCALITY_SERVERS real servers, of which the least loaded serves; when that is overloaded,
 *          wlc's choice joins. A set that did not change for a day loses its most loaded one
 */
#pragma once

#include "schedule.h"
#include "states.h"

#define LOCALITY_EXPIRATION 86400 /* seconds; IPVS: lblc_expiration */

/* A member with less than half the active connections that its weight allows. */
static long has_plenty(__u32 index, struct pass *pass)
{
	struct real_server *server;
	__u32 id;

	server = usable_member(pass, index, &id);
	return server && (__u64)load_of(id).active * 2 < server->weight ? found(pass, index, id) : 0;
}

/* More active connections than its weight, while another has plenty of room. */
static __noinline bool has_too_many(struct pass *pass, __u32 id)
{
	struct real_server *server = real_server_of(id);

	if (!server || load_of(id).active <= server->weight)
		return false;
	pass->id = NOBODY;
	bpf_loop(pass->members, has_plenty, pass, 0);
	return pass->id != NOBODY;
}

/* Not if its id has been given to another virtual server's: what is remembered here keeps no id from that. */
static __always_inline bool can_serve(__u32 id, __u32 virtual_server)
{
	struct real_server *server = real_server_of(id);

	return server && server->virtual_server == virtual_server && is_usable(server, id);
}

/* ---- the set: in the order in which they joined, NOBODY after the last */

static __noinline __u32 least_of_set(const struct locality *set, __u32 virtual_server)
{
	__u32 least = NOBODY;

	for (int i = 0; i < LOCALITY_SERVERS; i++) {
		__u32 id = set->real_servers[i];

		if (can_serve(id, virtual_server) && (least == NOBODY || is_less_loaded(id, least)))
			least = id;
	}
	return least;
}

/* One that is quiesced counts as the most loaded of all, so it is the first to leave. */
static __noinline void drop_most_loaded(struct locality *set)
{
	__u32 most = set->real_servers[0], place = 0;

	for (int i = 1; i < LOCALITY_SERVERS; i++) {
		__u32 id = set->real_servers[i];

		if (id != NOBODY && is_less_loaded(most, id)) {
			most = id;
			place = i;
		}
	}
	for (int i = 0; i < LOCALITY_SERVERS; i++)
		if (i >= place)
			set->real_servers[i] = i + 1 < LOCALITY_SERVERS ? set->real_servers[i + 1] : NOBODY;
}

/* Whether it is one more. */
static __noinline bool join(struct locality *set, __u32 id)
{
	for (int i = 0; i < LOCALITY_SERVERS; i++) {
		if (set->real_servers[i] == id)
			return false;
		if (set->real_servers[i] == NOBODY) {
			set->real_servers[i] = id;
			return true;
		}
	}
	return false; /* a ninth serves without joining */
}

/* ---- */

static __always_inline void choose_replicated(struct pass *pass, __u64 *turn, struct locality *set, ticks at)
{
	__u32 least = least_of_set(set, pass->virtual_server);

	if (set->real_servers[1] != NOBODY && (__s32)(at - set->changed) > (__s32)ticks_of(LOCALITY_EXPIRATION)) {
		drop_most_loaded(set);
		set->changed = at;
	}
	if (least != NOBODY && !has_too_many(pass, least)) {
		pass->id = least;
		return;
	}
	least_loaded(pass, turn);
	if (pass->id != NOBODY && join(set, pass->id))
		set->changed = at;
}

static __always_inline void choose_single(struct pass *pass, __u64 *turn, struct locality *set)
{
	__u32 known = set->real_servers[0];

	if (can_serve(known, pass->virtual_server) && !has_too_many(pass, known)) {
		pass->id = known;
		return;
	}
	least_loaded(pass, turn);
	if (pass->id != NOBODY)
		set->real_servers[0] = pass->id;
}

static __noinline void choose_by_locality(struct pass *pass, __u64 *turn, const struct packet *packet)
{
	struct locality_key key = { .destination = packet->destination, .virtual_server = pass->virtual_server };
	struct locality *known = bpf_map_lookup_elem(&localities, &key);
	struct locality set = {};
	ticks at = now();

	if (known && (__s32)(at - known->seen) <= (__s32)ticks_of(LOCALITY_EXPIRATION))
		set = *known;
	set.seen = at;
	if (pass->kind == SCHEDULER_LBLC)
		choose_single(pass, turn, &set);
	else
		choose_replicated(pass, turn, &set, at);
	if (pass->id != NOBODY && !explaining)
		bpf_map_update_elem(&localities, &key, &set, BPF_ANY);
}
