/* SPDX-License-Identifier: MIT */
/*
 * Only the first fragment of a packet has the ports. They are kept under what all fragments of the packet share, so that the
 * others go to the same virtual server and real server. Linux gives a packet 30 seconds to come together, and so does this.
 * A fragment that overtakes the first is dropped: the sender sends the packet again.
 */
#pragma once

#include <linux/in.h>
#include "hook.h"
#include "maps.h"
#include "packet.h"
#include "service.h"
#include "states.h"
#include "stats.h"

#define FRAGMENTS_PATIENCE 30 /* seconds; ipfrag_time */

static __always_inline struct fragment fragment_key(const struct packet *packet)
{
	return (struct fragment){
		.source = packet->source,
		.destination = packet->destination,
		.id = packet->fragment_id,
		.protocol = packet->protocol,
		.family = packet->family,
	};
}

/* Of a first fragment, by whoever has found that it is ours: others' fragments leave nothing here. */
static __noinline void keep_ports(const struct packet *packet)
{
	struct fragment_ports ports = { .source = packet->source_port, .destination = packet->destination_port, .seen = now() };
	struct fragment key = fragment_key(packet);

	if (!explaining && !(packet->flags & (PACKET_ICMP_ERROR | PACKET_ICMP_ECHO)))
		bpf_map_update_elem(&fragments, &key, &ports, BPF_ANY);
}

/* Fills in the ports of a later fragment (CONTINUE), or it is dropped, or it is nothing of ours (PASS). */
static __noinline enum verdict fragment_ports(struct packet *packet)
{
	struct fragment key = fragment_key(packet);
	struct fragment_ports *ports;

	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return PASS;
	ports = bpf_map_lookup_elem(&fragments, &key);
	if (!ports || (__s32)(now() - ports->seen) > (__s32)ticks_of(FRAGMENTS_PATIENCE))
		return is_virtual_address(packet) ? drop(DROP_FRAGMENT_UNKNOWN) : PASS;
	packet->source_port = ports->source;
	packet->destination_port = ports->destination;
	return CONTINUE;
}
