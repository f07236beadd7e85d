/* SPDX-License-Identifier: MIT */
/*
 * What the other director told of its flows and sessions, taken into our tables: user space calls these two programs, for only here can
 * a flow, its way back and the counts change as one. What we have seen ourselves since is not overwritten.
 *
 * A flow taken in so is marked FLOW_FOLLOWED until its client sends to us (take_over in flows.h); the sweep has more patience with it.
 */
#pragma once

#include "flows.h"
#include "sessions.h"

enum taking {
	TAKING_KEPT,   /* ours is newer, or there is nothing to do */
	TAKING_TAKEN,
	TAKING_REFUSED, /* no room, no such real server, or its way back is another flow's */
};

static __always_inline bool is_older(ticks one, ticks other)
{
	return (__s32)(one - other) < 0;
}

/* Begins it as confirm does. */
static __noinline int begin_followed(const union tuple *key, __u32 family, struct flow *flow)
{
	struct flow *recorded;

	if (!real_server_of(flow->real_server) || put(&flows4, &flows6, key, family, flow, BPF_NOEXIST))
		return TAKING_REFUSED;
	recount(flow->real_server, 0, flow->flags, 0);
	if (!(flow->flags & FLOW_REPLIES) || move_way_back(key, family, flow) == 0)
		return TAKING_TAKEN;
	recorded = look_up(&flows4, &flows6, key, family);
	if (recorded)
		end_flow(key, family, recorded);
	return TAKING_REFUSED;
}

/* The same flow, told of again. */
static __noinline int renew_followed(struct flow *known, const struct flow *told)
{
	union condition before = condition_of(known), after = before;

	after.state = told->state;
	after.flags = (before.flags & ~(FLOW_ACTIVE | FLOW_INACTIVE)) | (told->flags & (FLOW_ACTIVE | FLOW_INACTIVE)) | FLOW_FOLLOWED;
	if (before.flags & FLOW_ENDED || !swap_condition(known, before, after))
		return TAKING_KEPT; /* a packet of it comes here just now */
	recount(known->real_server, before.flags, after.flags, 0);
	known->seen = known->told = told->seen;
	return TAKING_TAKEN;
}

/* Whether what we know stands against what was told. flow.flags: FLOW_FOLLOWED when the other one has only heard of it too. */
static __always_inline bool is_better_known(const struct flow *known, const struct flow *told)
{
	if (told->flags & FLOW_FOLLOWED)
		return true;
	return !(known->flags & FLOW_FOLLOWED) && (told->flags & FLOW_ENDED || !is_older(known->seen, told->seen));
}

/* flow: ids are ours; flags are FLOW_REPLIES and FLOW_EXCEPTION as they are to be, and FLOW_ENDED and FLOW_FOLLOWED as told. */
SEC("syscall")
int take_flow(struct flow_change *change)
{
	struct flow told = change->flow;
	struct tuple6 wide = change->client;
	__u32 family = change->family;
	struct flow *known;
	union tuple key = {};

	narrow_tuple(&key, &wide, family);
	known = look_up(&flows4, &flows6, &key, family);
	if (known && is_better_known(known, &told))
		return TAKING_KEPT;
	if (told.flags & FLOW_ENDED) {
		if (known)
			end_flow(&key, family, known);
		return known ? TAKING_TAKEN : TAKING_KEPT;
	}
	told.flags = (told.flags & (FLOW_REPLIES | FLOW_EXCEPTION)) | FLOW_FOLLOWED;
	if (!(told.flags & FLOW_EXCEPTION))
		told.flags |= counted_as(told.state);
	told.told = told.seen;
	if (known && known->real_server == told.real_server && known->nat_port == told.nat_port)
		return renew_followed(known, &told);
	if (known)
		end_flow(&key, family, known);
	return begin_followed(&key, family, &told);
}

SEC("syscall")
int take_session(struct session_change *change)
{
	struct client client = change->client;
	struct session told = change->session;
	struct session *known = bpf_map_lookup_elem(&sessions, &client);

	if (known && (told.flags & SESSION_FOLLOWED || (!(known->flags & SESSION_FOLLOWED) && !is_older(known->seen, told.seen))))
		return TAKING_KEPT;
	told.flags = SESSION_FOLLOWED;
	told.told = told.seen;
	return bpf_map_update_elem(&sessions, &client, &told, BPF_ANY) ? TAKING_REFUSED : TAKING_TAKEN;
}
