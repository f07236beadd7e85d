/* SPDX-License-Identifier: MIT */
/*
 * Health checks on the way that clients' packets take, so that a check of a real server behind DR or a tunnel fails when that way
 * does: no virtual address on its loopback, no decapsulation, a filter in between.
 *
 *   check → real server's own address     the director's stack routes it, finds the neighbour        (socket mark, types.h)
 *     probe_request (tcx egress, probe.bpf.c)   destination → virtual address; behind a tunnel: encapsulated
 *   real server: virtual address → director     answers as it answers every client
 *     probe_answer (ingress, here)              source → real server's own address, and up to the stack
 *   the check's socket has never seen anything but the real server's own address
 */
#pragma once

#include <linux/in.h>
#include "checksum.h"
#include "hook.h"
#include "maps.h"
#include "packet.h"
#include "parse.h"

/* A checksum field after a difference as bpf_csum_diff gives it. RFC 1624 section 3. */
static __always_inline __u16 corrected(__u16 checksum, __u32 difference)
{
	return checksum_of((__u64)(__u16)~checksum + difference);
}

/* Puts another source or destination into the IP header and corrects the checksums that cover it. For TCP and UDP. Pointers into the
 * frame are void afterwards. */
static __always_inline bool replace_address(struct context *ctx, const struct packet *packet, bool is_source, const struct address *address)
{
	const struct address *old = is_source ? &packet->source : &packet->destination;
	bool is_udp = packet->protocol == IPPROTO_UDP;
	__u32 checksum = packet->transport + (is_udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
	__u32 difference = bpf_csum_diff((__be32 *)old, sizeof(*old), (__be32 *)address, sizeof(*address), 0);

	if (packet->family == 4) {
		struct iphdr *ip = at(ctx, packet->network, sizeof(*ip));

		if (!ip)
			return false;
		*(is_source ? &ip->saddr : &ip->daddr) = address->word[0];
		ip->check = corrected(ip->check, difference);
	} else {
		struct ipv6hdr *ip = at(ctx, packet->network, sizeof(*ip));

		if (!ip)
			return false;
		__builtin_memcpy(is_source ? &ip->saddr : &ip->daddr, address, sizeof(*address));
	}
	correct_checksum(ctx, checksum, difference, 0, is_udp);
	return true;
}

/* Whatever comes for no virtual server may be the answer to a check. PASS in any case. */
static __noinline enum verdict probe_answer(struct context *ctx, const struct packet *packet)
{
	struct probe_answer key = {
		.source = packet->source, .destination = packet->destination,
		.source_port = packet->source_port, .destination_port = packet->destination_port,
		.protocol = packet->protocol, .family = packet->family,
	};
	struct address *real_server;

	if (packet->flags & (PACKET_ICMP_ERROR | PACKET_ICMP_ECHO | PACKET_LATER_FRAGMENT))
		return PASS;
	real_server = bpf_map_lookup_elem(&probe_answers, &key);
	if (real_server)
		replace_address(ctx, packet, true, real_server);
	return PASS;
}
