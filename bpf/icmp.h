/* SPDX-License-Identifier: MIT */
/* ICMP that the director itself says. */
#pragma once

#include "hook.h"
#include "packet.h"
#include "stats.h"

/* An echo request to the address of a virtual server. */
static __noinline enum verdict answer_echo(struct context *ctx, struct packet *packet)
{
	return PASS;
}

/* "Fragmentation needed" or "packet too big" to the client, from the address it wrote to, with the mtu that fits. */
static __noinline enum verdict send_too_big(struct context *ctx, struct packet *packet, __u32 mtu)
{
	return DROP;
}

/* The packet does not fit the way to the real server. Dropped; the client is told, also where it allowed fragments, for
 * the director makes none: it then learns to send smaller ones. Nobody is told about a later fragment (RFC 1122 §3.2.2)
 * or about an ICMP error. */
static __noinline enum verdict too_big(struct context *ctx, struct packet *packet, __u32 mtu)
{
	drop(DROP_TOO_BIG);
	if (packet->flags & (PACKET_LATER_FRAGMENT | PACKET_ICMP_ERROR))
		return DROP;
	return send_too_big(ctx, packet, mtu);
}
