/* SPDX-License-Identifier: MIT */
/* Ports of later fragments. */
#pragma once

#include "hook.h"
#include "packet.h"
#include "service.h"
#include "stats.h"

/* A later fragment whose first was not seen. To a virtual address it is ours and cannot be placed; to any other, or of any other protocol,
 * it is the stack's. */
static __always_inline enum verdict unknown_fragment(const struct packet *packet)
{
	bool has_ports = packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP;

	return has_ports && is_virtual_address(packet) ? drop(DROP_FRAGMENT_UNKNOWN) : PASS;
}

/* First fragment: its ports are kept. Later: they are filled in (CONTINUE), or it is dropped. */
static __noinline enum verdict fragment_ports(struct packet *packet)
{
	return packet->flags & PACKET_LATER_FRAGMENT ? unknown_fragment(packet) : CONTINUE;
}
