/* SPDX-License-Identifier: MIT */
/*
 * The other director is told what it needs to go on with our flows and sessions: when one is confirmed, when a flow's state changes or
 * it ends, and, by the sweep, when it was seen since (never by the packet that was seen). Where no other director is configured
 * (tells), none of this is in the program. What is told stands in two ring buffers that user space empties when it is time; nobody is
 * woken. What finds no room is counted, and user space tells everything anew.
 */
#pragma once

#include "maps.h"
#include "switches.h"
#include "tuples.h"

static __always_inline void count_untold(__u32 what)
{
	__u64 *count = bpf_map_lookup_elem(&untold, &what);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* The IPv4 tuple takes little room; what is told has one form. */
static __always_inline void widen_tuple(struct tuple6 *wide, const union tuple *key, __u32 family)
{
	if (family != 4) {
		*wide = key->six;
		return;
	}
	*wide = (struct tuple6){
		.source.word[0] = key->four.source,
		.destination.word[0] = key->four.destination,
		.source_port = key->four.source_port,
		.destination_port = key->four.destination_port,
		.protocol = key->four.protocol,
	};
}

static __always_inline void narrow_tuple(union tuple *key, const struct tuple6 *wide, __u32 family)
{
	fill_tuple(key, family, wide->protocol, &wide->source, wide->source_port, &wide->destination, wide->destination_port);
}

/* Whether there was room. */
APART int try_to_tell_flow(const union tuple *key, __u32 family, struct flow *flow)
{
	struct flow_change *change;

	if (!key || !flow)
		return 0;
	change = bpf_ringbuf_reserve(&changed_flows, sizeof(*change), 0);
	if (!change)
		return 0;
	widen_tuple(&change->client, key, family);
	change->flow = *flow;
	change->family = family;
	flow->told = change->flow.seen;
	bpf_ringbuf_submit(change, BPF_RB_NO_WAKEUP);
	return 1;
}

static __always_inline void tell_flow(const union tuple *key, __u32 family, struct flow *flow)
{
	if (tells && !try_to_tell_flow(key, family, flow))
		count_untold(UNTOLD_FLOWS);
}

/* Whether there was room. */
static __noinline bool try_to_tell_session(const struct client *client, struct session *session)
{
	struct session_change *change = bpf_ringbuf_reserve(&changed_sessions, sizeof(*change), 0);

	if (!change)
		return false;
	change->client = *client;
	change->session = *session;
	session->told = change->session.seen;
	bpf_ringbuf_submit(change, BPF_RB_NO_WAKEUP);
	return true;
}

static __always_inline void tell_session(const struct client *client, struct session *session)
{
	if (tells && !try_to_tell_session(client, session))
		count_untold(UNTOLD_SESSIONS);
}
