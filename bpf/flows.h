/* SPDX-License-Identifier: MIT */
/* Recorded flows. */
#pragma once

#include "hook.h"
#include "maps.h"
#include "packet.h"
#include "schedule.h"
#include "service.h"

#define REFUSED 0x10000 /* no real server id: the flow is recorded, its server is gone, the packet was dropped and counted */

/* The real server this packet's flow is recorded with (refreshed; a half-open flow is promoted by its first packet that is
 * not a SYN), NOBODY, or REFUSED. An ICMP error looks, and changes nothing. */
static __noinline __u32 recorded_server(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	return NOBODY;
}

static __noinline void remember_half_open(struct context *ctx, struct packet *packet, __u32 real_server, __u32 flags)
{
}

static __noinline void record_flow(struct context *ctx, struct packet *packet, __u32 real_server, __u32 flags)
{
}

/* For virtual servers that record flows or count: the real server's id, or NOBODY (dropped and counted). Sets
 * PACKET_NEW_FLOW where it schedules. */
static __noinline __u32 choose_stateful(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	return sorry_or_nobody(virtual_server, DROP_UNSUPPORTED);
}
