/* SPDX-License-Identifier: MIT */
/*
 * How many connections a real server has, counted as IPVS counts them, and whether that is too many. One struct for all
 * processors, because "fewest connections" needs one truth; it is written only when a flow changes what it counts as.
 */
#pragma once

#include "maps.h"
#include "switches.h"

static __always_inline struct real_server *real_server_of(__u32 id)
{
	return id == NOBODY ? NULL : bpf_map_lookup_elem(&real_servers, &id);
}

/* Up and on the list: recorded flows may go on, whatever its weight. Of which virtual server it is does not matter: one that
 * gets another shape gets another id and keeps its real servers, who cannot all change in the same instant; and an id is
 * given to another real server only when nothing refers to it any more. */
static __always_inline bool is_alive(const struct real_server *server)
{
	return (server->flags & (RS_VALID | RS_UP | RS_GONE)) == (RS_VALID | RS_UP);
}

static __always_inline __u32 half_open_of(const struct load *load)
{
	__s32 half_open = load->half_open; /* may be below 0 for a moment after the sweep set it right */

	return half_open > 0 ? half_open : 0;
}

static __always_inline __u64 connections_of(const struct load *load)
{
	return (__u64)load->active + load->inactive + half_open_of(load);
}

/* IPVS's weight of a connection: an active one costs 256 times one that only waits. */
static __always_inline __u64 overhead_of(const struct load *load)
{
	return ((__u64)load->active << 8) + connections_of(load);
}

/* Overloaded from `upper` connections on, until they are fewer than `lower`, or than three quarters of `upper` where that is
 * not set. The mark is the bound that was reached: a greater one ends it at once. */
static __always_inline void watch_thresholds(const struct real_server *server, struct load *load)
{
	__u64 connections = connections_of(load);
	__u32 upper = server->upper, lower = server->lower;

	if (upper && connections >= upper)
		load->overloaded = upper;
	else if (load->overloaded && (upper > load->overloaded || (lower ? connections < lower : connections * 4 < (__u64)upper * 3)))
		load->overloaded = 0;
}

static __always_inline bool is_overloaded(const struct real_server *server, __u32 id)
{
	struct load *load;

	if (!server->upper)
		return false;
	load = bpf_map_lookup_elem(&loads, &id);
	return load && load->overloaded && load->overloaded >= server->upper;
}

/* Whether a scheduler may choose it. */
static __always_inline bool is_usable(const struct real_server *server, __u32 id)
{
	return is_alive(server) && server->weight > 0 && !is_overloaded(server, id);
}

/* A flow that counted as `before` counts as `after` now (FLOW_ACTIVE, FLOW_INACTIVE, or neither), and so many more are half open. Both
 * at once: a flow that is confirmed must not look like two. */
static __always_inline void recount(__u32 id, __u8 before, __u8 after, __s32 half_open)
{
	struct real_server *server = real_server_of(id);
	struct load *load = bpf_map_lookup_elem(&loads, &id);
	__u32 changed = before ^ after;

	if (!server || !load)
		return;
	if (half_open)
		__sync_fetch_and_add(&load->half_open, half_open);
	if (changed & FLOW_ACTIVE)
		__sync_fetch_and_add(&load->active, after & FLOW_ACTIVE ? 1 : -1);
	if (changed & FLOW_INACTIVE)
		__sync_fetch_and_add(&load->inactive, after & FLOW_INACTIVE ? 1 : -1);
	watch_thresholds(server, load);
}
