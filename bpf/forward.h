/* SPDX-License-Identifier: MIT */
/*
 * The packet and its real server: by whichever method, then out to its next hop. User space keeps the next hop (MAC
 * addresses, interface, mtu) in the real server's entry, from the kernel's neighbours and routes.
 */
#pragma once

#include "encap.h"
#include "hook.h"
#include "icmp.h"
#include "nat.h"
#include "stats.h"

/* To the real server's next hop. The EtherType is right already: whoever changes it writes it. */
static __always_inline enum verdict send(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	__u8 *addresses = frame(ctx);

	if ((void *)(addresses + 2 * ETH_ALEN) > frame_end(ctx))
		return drop(DROP_NO_ROOM);
	*(__u64 *)addresses = *(const __u64 *)to->mac_destination; /* and the first two bytes of mac_source */
	*(__u32 *)(addresses + 8) = *(const __u32 *)(to->mac_source + 2);

	count_packet(packet);
	return transmit(ctx, to->interface);
}

static __always_inline enum verdict forward_dr(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	if (unlikely(longest(ctx, packet) > to->mtu))
		return too_big(ctx, packet, to->mtu);
	return send(ctx, packet, to);
}

static __always_inline enum verdict forward_tunnel(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	enum verdict verdict = encapsulate(ctx, packet, to);

	return verdict == CONTINUE ? send(ctx, packet, to) : verdict;
}

static __always_inline enum verdict forward_by_nat(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	enum verdict verdict;

	if (unlikely(longest(ctx, packet) > to->mtu))
		return too_big(ctx, packet, to->mtu);
	verdict = forward_nat(ctx, packet, to);
	return verdict == CONTINUE ? send(ctx, packet, to) : verdict;
}

static __always_inline enum verdict forward(struct context *ctx, struct packet *packet)
{
	__u32 id = packet->real_server;
	struct real_server *to = bpf_map_lookup_elem(&real_servers, &id);

	if (!to)
		return drop(DROP_NO_REAL_SERVER);
	if (to->method == METHOD_LOCAL) {
		count_packet(packet);
		return PASS;
	}
	if (unlikely(!(to->flags & RS_NEIGHBOUR)))
		return drop(DROP_NO_NEIGHBOUR);
	if (to->method == METHOD_NAT)
		return forward_by_nat(ctx, packet, to);
	if (to->method == METHOD_DR)
		return forward_dr(ctx, packet, to);
	return forward_tunnel(ctx, packet, to);
}
