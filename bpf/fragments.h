/* SPDX-License-Identifier: MIT */
/* Ports of later fragments. */
#pragma once

#include "hook.h"
#include "packet.h"
#include "stats.h"

/* First fragment: its ports are kept. Later: they are filled in (CONTINUE), or it is dropped. */
static __noinline enum verdict fragment_ports(struct packet *packet)
{
	return packet->flags & PACKET_LATER_FRAGMENT ? drop(DROP_FRAGMENT_UNKNOWN) : CONTINUE;
}
