/* SPDX-License-Identifier: MIT */
/*
 * Recorded flows: which real server a client's flow has, and in which state it is. How one begins is in begin.h.
 *
 *   first packet    → half_open: an LRU table, so a flood evicts only its like. NAT: and its way back (replies.h)
 *   next packet     → flows: confirmed, if it is no SYN and no RST. Counted as active or inactive (loads.h) from here on
 *   closing, silent → taken out by the sweep (sweep.h), or by the SYN of a new connection on the same ports
 *
 * All processors work on these at once. A flow is confirmed once: by whoever puts it in first (BPF_NOEXIST). State and flags stand in
 * one word that is changed by compare-and-swap, and whoever changes it moves the counts; so none is lost or counted twice.
 */
#pragma once

#include "guard.h"
#include "hook.h"
#include "maps.h"
#include "packet.h"
#include "replies.h"
#include "sessions.h"
#include "states.h"
#include "tell.h"
#include "tuples.h"

#define REFUSED 0x10000 /* no real server id: the packet was dropped and counted */

#define EXISTS (-17) /* EEXIST */

#define REFRESH 256 /* ticks (0.27 s): a busy flow's entry is not written for every packet */

/* What of a flow changes at once. */
union condition {
	struct {
		__u8 state;
		__u8 flags;
		__be16 nat_port;
	};
	__u32 word;
};

_Static_assert(offsetof(struct flow, flags) == offsetof(struct flow, state) + 1, "union condition");
_Static_assert(offsetof(struct flow, nat_port) == offsetof(struct flow, state) + 2, "union condition");

static __always_inline union condition condition_of(const struct flow *flow)
{
	return (union condition){ .word = *(const volatile __u32 *)&flow->state };
}

static __always_inline bool swap_condition(struct flow *flow, union condition before, union condition after)
{
	return __sync_val_compare_and_swap((__u32 *)&flow->state, before.word, after.word) == before.word;
}

/* The first packet of a connection, or its retransmission. */
static __always_inline bool is_opening(const struct packet *packet)
{
	return (packet->flags & (PACKET_SYN | PACKET_ICMP_ERROR)) == PACKET_SYN;
}

static __always_inline enum view view_of(const struct real_server *server)
{
	return server->method == METHOD_NAT ? VIEW_BOTH_SIDES : VIEW_CLIENT_ONLY;
}

/* ---- a recorded flow goes on ------------------------------------------------------------------------------------------- */

/* Moves the state on, and the counts with it. */
APART int advance(const struct packet *packet, const union tuple *key, struct flow *flow, enum side side, enum view view)
{
	if (!packet || !key || !flow)
		return 0;
	for (int i = 0; i < 4; i++) { /* the other direction may be changing it on another processor */
		union condition before = condition_of(flow), after = before;

		if (before.flags & FLOW_ENDED)
			return 0;
		after.state = next_state(before.state, packet, side, view);
		if (before.flags & (FLOW_ACTIVE | FLOW_INACTIVE))
			after.flags = (before.flags & ~(FLOW_ACTIVE | FLOW_INACTIVE)) | counted_as(after.state);
		if (swap_condition(flow, before, after)) {
			recount(flow->real_server, before.flags, after.flags, 0);
			if (after.state != before.state)
				tell_flow(key, packet->family, flow);
			return 0;
		}
	}
	return 0;
}

/* Takes a flow out of the tables and the counts. */
APART int end_flow(const union tuple *key, __u32 family, struct flow *flow)
{
	union condition before, after;
	struct real_server *server;
	union tuple answer;

	if (!key || !flow)
		return 0;
	before = after = condition_of(flow);
	after.flags = (before.flags & ~(FLOW_ACTIVE | FLOW_INACTIVE)) | FLOW_ENDED;
	if (explaining || before.flags & FLOW_ENDED || !swap_condition(flow, before, after))
		return 0; /* somebody else is at it; the sweep comes again */
	recount(flow->real_server, before.flags, after.flags, 0);
	if (!(before.flags & FLOW_FOLLOWED)) /* else it is not ours to end */
		tell_flow(key, family, flow);

	server = real_server_of(flow->real_server);
	if (before.flags & FLOW_REPLIES && server) {
		answering_tuple(&answer, key, family, server, before.nat_port);
		if (owner_of(&replies4, &replies6, &answer, key, family) == OWNER_THIS_FLOW)
			forget(&replies4, &replies6, &answer, family);
	}
	forget(&flows4, &flows6, key, family);
	return 0;
}

/* The way to the client, as the packet in hand came. */
static __always_inline void learn_way(struct context *ctx, struct flow *flow)
{
	struct ethhdr *ethernet = frame(ctx);

	if ((void *)(ethernet + 1) > frame_end(ctx))
		return;
	__builtin_memcpy(flow->client_mac, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(flow->director_mac, ethernet->h_dest, ETH_ALEN);
	flow->client_interface = ingress_interface(ctx);
}

/* The client of a flow that the other director carried until now sends its packets here: it is ours. What the other one knew of the way
 * to the client is not our way. */
static __noinline void take_over(struct context *ctx, const struct packet *packet, const union tuple *key, struct flow *flow)
{
	struct real_server *server = real_server_of(flow->real_server);
	union condition before = condition_of(flow), after = before;
	struct reply *way;
	union tuple answer;

	after.flags &= ~FLOW_FOLLOWED;
	if (before.word == after.word || before.flags & FLOW_ENDED || !server || !swap_condition(flow, before, after))
		return;
	flow->seen = now();
	learn_way(ctx, flow);
	if (before.flags & FLOW_REPLIES) {
		answering_tuple(&answer, key, packet->family, server, before.nat_port);
		way = look_up(&replies4, &replies6, &answer, packet->family);
		if (way)
			fill_way(way, flow);
	}
	tell_flow(key, packet->family, flow);
}

static __always_inline void touch(const struct packet *packet, const union tuple *key, struct flow *flow, const struct real_server *server)
{
	enum view view = view_of(server);
	ticks at = now();

	if (at - flow->seen > REFRESH)
		flow->seen = at;
	if (unlikely(next_state(flow->state, packet, SIDE_CLIENT, view) != flow->state))
		advance(packet, key, flow, SIDE_CLIENT, view);
}

/* Its real server is down or off the list: the flow is forgotten where the virtual server says so, else the packet is dropped and the
 * flow stays, for the real server may come back. */
static __noinline __u32 without_server(const struct packet *packet, const struct virtual_server *virtual_server,
				       const union tuple *key, struct flow *flow)
{
	struct real_server *server = real_server_of(flow->real_server);
	bool may_come_back = server && server->flags & RS_VALID && server->virtual_server == packet->virtual_server;

	if (may_come_back && !(virtual_server->flags & VS_EXPIRE_NO_DESTINATION)) {
		drop(DROP_REAL_SERVER_GONE);
		return REFUSED;
	}
	if (!(packet->flags & PACKET_ICMP_ERROR))
		end_flow(key, packet->family, flow);
	return NOBODY;
}

static __always_inline __u32 follow(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server,
				    const union tuple *key, struct flow *flow)
{
	struct real_server *server = real_server_of(flow->real_server);
	bool alive = server && is_alive(server);

	if (unlikely(is_opening(packet)) &&
	    (!alive || is_closing(flow->state) || is_over(flow->seen, flow->state, virtual_server, now()))) {
		end_flow(key, packet->family, flow);
		return NOBODY;
	}
	if (unlikely(!alive))
		return without_server(packet, virtual_server, key, flow);

	packet->nat_port = flow->nat_port;
	explain_choice(flow->real_server, packet->flags & PACKET_ICMP_ERROR ? REASON_ICMP_INNER : REASON_FLOW);
	if (!explaining && likely(!(packet->flags & PACKET_ICMP_ERROR))) {
		if (tells && unlikely(flow->flags & FLOW_FOLLOWED))
			take_over(ctx, packet, key, flow);
		touch(packet, key, flow, server);
	}
	return flow->real_server;
}

/* ---- a flow is confirmed ----------------------------------------------------------------------------------------------- */

static __always_inline void forget_half_open(const union tuple *key, __u8 family, __u32 real_server)
{
	if (!explaining && forget(&half_open4, &half_open6, key, family) == 0)
		recount(real_server, 0, 0, -1);
}

/* The way back stands among the confirmed ones from now on. 0, or EXISTS: another flow has the tuple, or another error: the table is full. */
static __noinline long move_way_back(const union tuple *key, __u32 family, const struct flow *flow)
{
	struct real_server *server = real_server_of(flow->real_server);
	struct reply_entry reply;
	union tuple answer;
	long error;

	if (!server)
		return EXISTS;
	fill_way(&reply.way, flow);
	reply.client = *key;
	answering_tuple(&answer, key, family, server, flow->nat_port);
	error = put(&replies4, &replies6, &answer, family, &reply, BPF_NOEXIST);
	if (error == EXISTS && owner_of(&replies4, &replies6, &answer, key, family) == OWNER_THIS_FLOW)
		error = 0;
	if (!error)
		forget(&half_open_replies4, &half_open_replies6, &answer, family);
	return error;
}

/* The table is full. By NAT nothing goes without an entry; else the flow stays half open for as long as that table remembers it. */
static __noinline __u32 no_room(const union tuple *key, __u32 family, const struct flow *flow, const struct real_server *server)
{
	if (server->method != METHOD_NAT) {
		explain_choice(flow->real_server, REASON_HALF_OPEN);
		return flow->real_server;
	}
	drop(DROP_FLOW_TABLE_FULL);
	return REFUSED;
}

static __always_inline void tell_confirmed(const union tuple *key, __u32 family)
{
	struct flow *recorded = tells ? look_up(&flows4, &flows6, key, family) : NULL;

	if (recorded)
		tell_flow(key, family, recorded);
}

/* The client answered: this is no flood. */
static __noinline __u32 confirm(const struct packet *packet, const struct virtual_server *virtual_server, const union tuple *key,
				const struct flow *half_open)
{
	struct real_server *server = real_server_of(half_open->real_server);
	struct flow flow = *half_open;
	struct flow *recorded;
	bool waited;
	long error;

	if (!server)
		return NOBODY;
	flow.seen = now();
	flow.state = next_state(flow.state, packet, SIDE_CLIENT, view_of(server));
	if (!(flow.flags & FLOW_EXCEPTION))
		flow.flags |= counted_as(flow.state);
	error = put(&flows4, &flows6, key, packet->family, &flow, BPF_NOEXIST);
	if (error == EXISTS)
		return flow.real_server; /* another processor was first, and does the rest */
	if (error)
		return no_room(key, packet->family, &flow, server);

	waited = forget(&half_open4, &half_open6, key, packet->family) == 0;
	recount(flow.real_server, 0, flow.flags, waited ? -1 : 0);
	if (packet->protocol == IPPROTO_TCP)
		remember_source(packet);
	error = flow.flags & FLOW_REPLIES ? move_way_back(key, packet->family, &flow) : 0;
	if (error) {
		recorded = look_up(&flows4, &flows6, key, packet->family);
		if (recorded)
			end_flow(key, packet->family, recorded);
		drop(error == EXISTS ? DROP_NO_PORT_LEFT : DROP_FLOW_TABLE_FULL);
		return REFUSED;
	}
	tell_confirmed(key, packet->family);
	if (virtual_server->flags & VS_PERSISTENT)
		confirm_session(packet, virtual_server);
	return flow.real_server;
}

static __always_inline __u32 follow_half_open(struct packet *packet, const struct virtual_server *virtual_server, const union tuple *key,
					      struct flow *flow)
{
	struct real_server *server = real_server_of(flow->real_server);
	__u32 id = flow->real_server;

	if (!server || !is_alive(server) || is_over(flow->seen, flow->state, virtual_server, now())) {
		if (!(packet->flags & PACKET_ICMP_ERROR))
			forget_half_open(key, packet->family, id);
		return NOBODY;
	}
	packet->nat_port = flow->nat_port;
	explain_choice(id, packet->flags & PACKET_ICMP_ERROR ? REASON_ICMP_INNER : REASON_HALF_OPEN);
	if (explaining || packet->flags & PACKET_ICMP_ERROR)
		return id;
	flow->seen = now();
	if (packet->flags & (PACKET_SYN | PACKET_RST | PACKET_LATER_FRAGMENT))
		return id;
	return confirm(packet, virtual_server, key, flow);
}

/* As recorded_server, of a flow that was begun and is not confirmed. */
APART __u32 half_open_server(struct packet *packet, const struct virtual_server *virtual_server)
{
	struct flow *flow;
	union tuple key;

	if (!packet || !virtual_server)
		return NOBODY;
	tuple_of(&key, packet);
	flow = look_up(&half_open4, &half_open6, &key, packet->family);
	return flow ? follow_half_open(packet, virtual_server, &key, flow) : NOBODY;
}

/* As recorded_server, of a flow that is confirmed. */
static __noinline __u32 confirmed_server(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	struct flow *flow;
	union tuple key;

	tuple_of(&key, packet);
	flow = look_up(&flows4, &flows6, &key, packet->family);
	return likely(flow && !(flow->flags & FLOW_ENDED)) ? follow(ctx, packet, virtual_server, &key, flow) : NOBODY;
}

static __always_inline bool is_same_mac(const __u8 *one, const __u8 *other)
{
	const __u16 *a = (const __u16 *)one, *b = (const __u16 *)other;

	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]));
}

/* The virtual server of a recorded flow whose address is not ours, or not yet: between the moment that an address is taken over and the
 * moment that its services stand in the map, the network stack would reset every connection. Only for what was sent to us: a switch may
 * show us what is sent to the other director. 0: none. */
static __noinline __u32 service_of_flow(struct context *ctx, const struct packet *packet)
{
	struct ethhdr *ethernet = frame(ctx);
	struct real_server *server;
	struct flow *flow;
	union tuple key;

	if ((void *)(ethernet + 1) > frame_end(ctx))
		return 0;
	tuple_of(&key, packet);
	flow = look_up(&flows4, &flows6, &key, packet->family);
	if (!flow || flow->flags & FLOW_ENDED || !is_same_mac(ethernet->h_dest, flow->director_mac))
		return 0;
	server = real_server_of(flow->real_server);
	return server ? server->virtual_server : 0;
}

/* The real server this packet's flow is recorded with (refreshed; a half-open flow is confirmed by its first packet that is
 * not a SYN), NOBODY, or REFUSED. An ICMP error looks, and changes nothing. */
static __always_inline __u32 recorded_server(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = confirmed_server(ctx, packet, virtual_server);

	return likely(id != NOBODY) ? id : half_open_server(packet, virtual_server);
}
