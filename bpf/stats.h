/* SPDX-License-Identifier: MIT */
/*
 * Counters: one per processor, so that none is ever locked or shared. Nothing counts while explaining.
 */
#pragma once

#include "explain.h"
#include "hook.h"
#include "maps.h"
#include "switches.h"

/* Ends the packet, counted under its reason. */
static __always_inline enum verdict drop(enum drop_reason reason)
{
	__u32 index = reason;
	__u64 *count = bpf_map_lookup_elem(&drops, &index);

	explain_drop(reason);
	if (count && !explaining)
		*count += 1;
	return DROP;
}

static __always_inline void add(struct traffic *traffic, const struct packet *packet)
{
	traffic->packets += 1;
	traffic->bytes += packet->length;
	if (packet->flags & PACKET_NEW_FLOW)
		traffic->connections += 1;
	if (packet->flags & PACKET_NO_LOOKUP)
		traffic->lookups_avoided += 1;
}

/* A packet of a client goes to its real server. */
static __always_inline void count_packet(const struct packet *packet)
{
	__u32 virtual_server = packet->virtual_server, real_server = packet->real_server;
	struct traffic *traffic;

	if (explaining)
		return;
	traffic = bpf_map_lookup_elem(&virtual_server_traffic, &virtual_server);
	if (traffic)
		add(traffic, packet);
	traffic = bpf_map_lookup_elem(&real_server_traffic, &real_server);
	if (traffic)
		add(traffic, packet);
}

/* NAT: a packet of a real server on its way to a client. */
static __always_inline void count_reply(__u32 virtual_server, __u32 real_server, __u32 length)
{
	struct traffic *traffic;

	if (explaining)
		return;
	traffic = bpf_map_lookup_elem(&virtual_server_traffic, &virtual_server);
	if (traffic) {
		traffic->reply_packets += 1;
		traffic->reply_bytes += length;
	}
	traffic = bpf_map_lookup_elem(&real_server_traffic, &real_server);
	if (traffic) {
		traffic->reply_packets += 1;
		traffic->reply_bytes += length;
	}
}
