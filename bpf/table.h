/* SPDX-License-Identifier: MIT */
/*
 * Choosing by consistent hash (mh, sh, dh): a slot of the virtual server's table. A stable slot answers by itself: no
 * flow table is read or written, not even for a SYN. Only while a slot is in transition, or flows recorded then are
 * still alive, does the flow table have a say; docs/design/affinity.md has the rules and why no flow is torn.
 *
 *   slot {A, A}       stable       → A
 *   slot {B, A}       transition   recorded → its server; new (SYN) → B, remembered as half open; else → A, recorded
 *   slot {B, nobody}  tracked      recorded → its server; else → B
 *   slot {nobody, A}  nobody new   recorded → its server; new (SYN), or A is down → the sorry server; else → A, recorded
 */
#pragma once

#include "explain.h"
#include "begin.h"
#include "flows.h"
#include "maps.h"
#include "service.h"
#include "slots.h"
#include "stats.h"

/* The slot's previous server is not its current one. */
static __noinline __u32 choose_in_transition(struct context *ctx, struct packet *packet,
					     const struct virtual_server *virtual_server, const struct slot *slot)
{
	__u32 current = slot->current, previous = slot->previous;
	__u32 recorded = recorded_server(ctx, packet, virtual_server);
	bool is_error = packet->flags & PACKET_ICMP_ERROR;
	struct real_server *owner;

	if (recorded == REFUSED)
		return NOBODY;
	if (recorded != NOBODY)
		return recorded;

	if (packet->flags & PACKET_SYN && !is_error) {
		if (current == NOBODY)
			return sorry_or_nobody(virtual_server, DROP_NO_REAL_SERVER);
		packet->flags |= PACKET_NEW_FLOW;
		if (previous != NOBODY)
			remember_half_open(ctx, packet, current, FLOW_EXCEPTION);
		explain_choice(current, REASON_TABLE_CURRENT);
		return current;
	}
	owner = real_server_of(previous);
	if (owner && is_alive(owner)) { /* the last of all may stand here although it is down */
		if (!is_error)
			record_flow(ctx, packet, previous, FLOW_EXCEPTION);
		explain_choice(previous, REASON_TABLE_PREVIOUS);
		return previous;
	}
	if (current == NOBODY)
		return sorry_or_nobody(virtual_server, DROP_NO_REAL_SERVER);
	explain_choice(current, REASON_TABLE_CURRENT);
	return current;
}

/* The real server's id, or NOBODY: the packet is dropped and counted. */
static __always_inline __u32 choose_from_table(struct context *ctx, struct packet *packet,
					       const struct virtual_server *virtual_server)
{
	bool is_new = (packet->flags & (PACKET_SYN | PACKET_ICMP_ERROR)) == PACKET_SYN;
	struct slot slot;

	if (unlikely(is_new && virtual_server->flags & VS_CLOSED)) {
		drop(DROP_CLOSED);
		return NOBODY;
	}
	slot = slot_of(packet, virtual_server);
	if (unlikely(slot.current != slot.previous))
		return choose_in_transition(ctx, packet, virtual_server, &slot);
	if (unlikely(slot.current == NOBODY))
		return sorry_or_nobody(virtual_server, DROP_NO_REAL_SERVER);

	packet->flags |= is_new ? PACKET_NO_LOOKUP | PACKET_NEW_FLOW : PACKET_NO_LOOKUP;
	explain_choice(slot.current, packet->flags & PACKET_ICMP_ERROR ? REASON_ICMP_INNER : REASON_TABLE);
	return slot.current;
}
