/* SPDX-License-Identifier: MIT */
/*
 * Choosing where flows are recorded: NAT, persistence, schedulers that count, one packet.
 *
 *   recorded              → its real server                                   flows.h
 *   new (SYN, UDP)        → session, else scheduler, else the sorry server    sessions.h, schedule.h, localities.h; then begin.h
 *   in a flood            → by hash, not recorded
 *   in the middle of TCP  → by hash; NAT records it, others need no record
 *   one packet (UDP)      → scheduler, each for itself; NAT keeps the way back
 */
#pragma once

#include "begin.h"
#include "flows.h"
#include "guard.h"
#include "localities.h"
#include "schedule.h"
#include "service.h"
#include "sessions.h"
#include "slots.h"

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
