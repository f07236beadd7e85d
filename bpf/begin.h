/* SPDX-License-Identifier: MIT */
/*
 * A flow begins: it is remembered as half open, with what is known of the way to its client; NAT takes a port and opens the way back.
 */
#pragma once

#include "flows.h"
#include "replies.h"

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
	if (put(&flows4, &flows6, &key, packet->family, &flow, BPF_NOEXIST) == 0)
		tell_confirmed(&key, packet->family);
	return 0;
}
