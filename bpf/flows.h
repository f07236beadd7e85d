/* SPDX-License-Identifier: MIT */
/*
 * Recorded flows: which real server a client's flow has, and in which state it is.
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
#include "localities.h"
#include "maps.h"
#include "packet.h"
#include "replies.h"
#include "schedule.h"
#include "service.h"
#include "sessions.h"
#include "slots.h"
#include "states.h"
#include "tuples.h"

#define REFUSED 0x10000 /* no real server id: the packet was dropped and counted */

#define TOO_BIG (-7) /* E2BIG: a hash table is full */
#define EXISTS (-17)

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
APART int advance(const struct packet *packet, struct flow *flow, enum side side, enum view view)
{
	if (!packet || !flow)
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

static __always_inline void touch(const struct packet *packet, struct flow *flow, const struct real_server *server)
{
	enum view view = view_of(server);
	ticks at = now();

	if (at - flow->seen > REFRESH)
		flow->seen = at;
	if (unlikely(next_state(flow->state, packet, SIDE_CLIENT, view) != flow->state))
		advance(packet, flow, SIDE_CLIENT, view);
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

static __always_inline __u32 follow(struct packet *packet, const struct virtual_server *virtual_server, const union tuple *key, struct flow *flow)
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
	if (!explaining && likely(!(packet->flags & PACKET_ICMP_ERROR)))
		touch(packet, flow, server);
	return flow->real_server;
}

/* ---- a flow is confirmed ----------------------------------------------------------------------------------------------- */

static __always_inline void forget_half_open(const union tuple *key, __u8 family, __u32 real_server)
{
	if (!explaining && forget(&half_open4, &half_open6, key, family) == 0)
		recount(real_server, 0, 0, -1);
}

/* The way back stands among the confirmed ones from now on. 0, or EXISTS: another flow has the tuple, or TOO_BIG. */
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
static __noinline __u32 confirmed_server(struct packet *packet, const struct virtual_server *virtual_server)
{
	struct flow *flow;
	union tuple key;

	tuple_of(&key, packet);
	flow = look_up(&flows4, &flows6, &key, packet->family);
	return likely(flow && !(flow->flags & FLOW_ENDED)) ? follow(packet, virtual_server, &key, flow) : NOBODY;
}

/* The real server this packet's flow is recorded with (refreshed; a half-open flow is confirmed by its first packet that is
 * not a SYN), NOBODY, or REFUSED. An ICMP error looks, and changes nothing. */
static __always_inline __u32 recorded_server(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = confirmed_server(packet, virtual_server);

	return likely(id != NOBODY) ? id : half_open_server(packet, virtual_server);
}

/* ---- a flow begins ----------------------------------------------------------------------------------------------------- */

static __always_inline void new_flow(struct flow *flow, struct context *ctx, const struct packet *packet, __u32 real_server, __u32 flags)
{
	*flow = (struct flow){
		.seen = now(),
		.real_server = real_server,
		.virtual_server = packet->virtual_server,
		.flags = flags,
		.state = STATE_UDP,
	};
	if (packet->protocol == IPPROTO_TCP)
		flow->state = packet->flags & PACKET_SYN ? STATE_SYN_RECEIVED : STATE_ESTABLISHED;
	learn_way(ctx, flow);
}

/* Begins a flow with this real server. Returns it; or another, where another processor began the same flow at the same
 * moment; or REFUSED. One packet: nothing is kept but the way back, which only NAT needs. */
APART __u32 begin_flow(struct context *ctx, struct packet *packet, __u32 real_server, __u32 flags, bool one_packet)
{
	struct real_server *server = real_server_of(real_server);
	struct opening o = {};
	struct flow *other;

	if (explaining || !packet || !server || (one_packet && server->method != METHOD_NAT))
		return real_server;
	o.family = packet->family;
	new_flow(&o.flow, ctx, packet, real_server, flags);
	tuple_of(&o.reply.client, packet);
	if (server->method == METHOD_NAT) {
		if (!open_way_back(packet, server, &o)) {
			drop(DROP_NO_PORT_LEFT);
			return REFUSED;
		}
		packet->nat_port = o.flow.nat_port;
		o.flow.flags |= FLOW_REPLIES;
	}
	if (one_packet)
		return real_server;

	if (put(&half_open4, &half_open6, &o.reply.client, packet->family, &o.flow, BPF_NOEXIST) == 0) {
		recount(real_server, 0, 0, 1);
		return real_server;
	}
	other = look_up(&half_open4, &half_open6, &o.reply.client, packet->family);
	if (!other)
		return real_server;
	packet->nat_port = other->nat_port;
	return other->real_server;
}

static __always_inline void remember_half_open(struct context *ctx, struct packet *packet, __u32 real_server, __u32 flags)
{
	begin_flow(ctx, packet, real_server, flags, false);
}

/* Without the detour by half_open: the flow is known to be an old one. Full: it goes on by hash. */
APART int record_flow(struct context *ctx, const struct packet *packet, __u32 real_server, __u32 flags)
{
	struct flow flow;
	union tuple key;

	if (explaining || !packet)
		return 0;
	new_flow(&flow, ctx, packet, real_server, flags);
	tuple_of(&key, packet);
	put(&flows4, &flows6, &key, packet->family, &flow, BPF_NOEXIST);
	return 0;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------------- */

APART __u32 schedule(struct packet *packet, const struct virtual_server *virtual_server)
{
	struct pass pass = {};
	__u64 *turn;
	__u32 id;

	if (!packet || !virtual_server)
		return NOBODY;
	if (virtual_server->scheduler == SCHEDULER_TABLE)
		return by_hash(packet, virtual_server);
	id = packet->virtual_server;
	turn = bpf_map_lookup_elem(&turns, &id);
	if (!turn || !begin_pass(&pass, id, virtual_server))
		return NOBODY;

	switch (virtual_server->scheduler) {
	case SCHEDULER_RR:
		round_robin(&pass, turn);
		break;
	case SCHEDULER_WRR:
		weighted_round_robin(&pass, turn);
		break;
	case SCHEDULER_LC:
	case SCHEDULER_WLC:
	case SCHEDULER_SED:
		least_loaded(&pass, turn);
		break;
	case SCHEDULER_NQ:
		never_queue(&pass, turn);
		break;
	case SCHEDULER_FO:
	case SCHEDULER_OVF:
		bpf_loop(pass.members, higher_weight, &pass, 0);
		break;
	case SCHEDULER_LBLC:
	case SCHEDULER_LBLCR:
		choose_by_locality(&pass, turn, packet);
		break;
	case SCHEDULER_TWOS:
		return better_of_two(&pass);
	case SCHEDULER_RANDOM:
		return draw(&pass);
	}
	return pass.id;
}

/* For a flow that begins: the client's session, else the scheduler, else the sorry server. NOBODY: dropped and counted. */
static __noinline __u32 choose_new(struct packet *packet, const struct virtual_server *virtual_server)
{
	bool persistent = virtual_server->flags & VS_PERSISTENT;
	__u32 id = persistent ? session_server(packet, virtual_server) : NOBODY;

	if (id != NOBODY) {
		explain_choice(id, REASON_SESSION);
		return id;
	}
	id = schedule(packet, virtual_server);
	if (id == NOBODY)
		return sorry_or_nobody(virtual_server, DROP_NO_REAL_SERVER);
	explain_choice(id, REASON_SCHEDULER);
	return persistent ? begin_session(packet, virtual_server, id) : id;
}

/* In the middle of a connection that is not recorded (the director has lost its state, or taken over from another): by hash, so that all
 * packets of the flow meet one real server, if not the right one. */
static __noinline __u32 choose_midstream(struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = by_hash(packet, virtual_server);

	if (id == NOBODY)
		return sorry_or_nobody(virtual_server, DROP_NO_REAL_SERVER);
	explain_choice(id, REASON_FALLBACK);
	return id;
}

static __always_inline bool is_one_packet(const struct packet *packet, const struct virtual_server *virtual_server)
{
	return packet->protocol == IPPROTO_UDP && virtual_server->flags & VS_ONE_PACKET;
}

/* Not recorded, not an opening: a record is begun only where NAT needs one. */
static __noinline __u32 go_on_unrecorded(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = choose_midstream(packet, virtual_server);
	struct real_server *server = real_server_of(id);

	if (!server || server->method != METHOD_NAT)
		return id;
	/* An error about a flow that is not known; a reset, which ends what there is not. */
	if (packet->flags & (PACKET_ICMP_ERROR | PACKET_RST)) {
		drop(DROP_NO_REAL_SERVER);
		return REFUSED;
	}
	return begin_flow(ctx, packet, id, 0, false);
}

/* What goes by hash is found again without a record. In a flood, so that it leaves no trace; a datagram of a one-packet virtual server
 * that comes in fragments, so that they meet. */
static __always_inline bool goes_by_hash(const struct packet *packet, const struct virtual_server *virtual_server)
{
	if (is_one_packet(packet, virtual_server))
		return packet->flags & (PACKET_FIRST_FRAGMENT | PACKET_LATER_FRAGMENT);
	return !(virtual_server->flags & VS_PERSISTENT) && in_flood();
}

static __always_inline __u32 choose_first(struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = unlikely(goes_by_hash(packet, virtual_server)) ? by_hash(packet, virtual_server) : NOBODY;

	if (id == NOBODY)
		return choose_new(packet, virtual_server);
	explain_choice(id, REASON_FALLBACK);
	packet->flags |= PACKET_BY_HASH;
	return id;
}

APART __u32 choose_unrecorded(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	struct real_server *server;
	bool one_packet;
	__u32 id;

	if (!packet || !virtual_server)
		return NOBODY;
	if (packet->flags & PACKET_ICMP_ERROR || (packet->protocol == IPPROTO_TCP && !(packet->flags & PACKET_SYN)))
		return go_on_unrecorded(ctx, packet, virtual_server);
	if (virtual_server->flags & VS_CLOSED) {
		drop(DROP_CLOSED);
		return NOBODY;
	}
	one_packet = is_one_packet(packet, virtual_server);
	if (packet->protocol == IPPROTO_UDP && !one_packet && guard_new_flow(packet, virtual_server) != CONTINUE)
		return NOBODY;

	id = choose_first(packet, virtual_server);
	server = real_server_of(id);
	if (!server)
		return NOBODY;
	if (!(packet->flags & PACKET_LATER_FRAGMENT))
		packet->flags |= PACKET_NEW_FLOW;
	if (packet->flags & PACKET_BY_HASH && server->method != METHOD_NAT)
		return id;
	return begin_flow(ctx, packet, id, 0, one_packet);
}

/* For virtual servers that record flows or count: the real server's id, or NOBODY (dropped and counted). Sets
 * PACKET_NEW_FLOW where it schedules. */
static __noinline __u32 choose_stateful(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = NOBODY;

	if (likely(!is_one_packet(packet, virtual_server)))
		id = recorded_server(ctx, packet, virtual_server);
	if (unlikely(id == NOBODY))
		id = choose_unrecorded(ctx, packet, virtual_server);
	return id == REFUSED ? NOBODY : id;
}
