/* SPDX-License-Identifier: MIT */
/*
 * Tunnels: the packet as it came, behind an outer header to the real server. All eight forms, IPv4 or IPv6 in IPv4 or IPv6:
 *
 *   ipip  outer IP | packet                       RFC 2003, 2473, 4213
 *   gue   outer IP | UDP | packet                 GUE variant 1: the packet's own version nibble says what it is
 *   gre   outer IP | flags 0, EtherType | packet  RFC 2784
 *
 * The outer source (within the prefix user space gives) and GUE's source port come from the flow, so that a flow stays on
 * one receive queue of the real server and flows spread over all of them. TTL 64. TOS and traffic class are the
 * packet's, ECN included (RFC 6040 §4.1). DF is the packet's, always set for IPv6; without DF the outer id is the
 * packet's own, which is as unique as the client made it.
 */
#pragma once

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include "checksum.h"
#include "hash.h"
#include "hook.h"
#include "icmp.h"
#include "stats.h"

#define OUTER_TTL 64
#define GRE_HEADER 4          /* flags and protocol; no key, no checksum */
#define GUE_PORT 6080         /* where the real server says no other */
#define FIRST_DYNAMIC_PORT 49152 /* RFC 6335 §6; as many follow as 14 bits say */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "headers are put together in registers, little end first"
#endif

/* A number that differs from flow to flow even where the virtual server's hash leaves the port out. */
static __always_inline __u32 spread(const struct packet *packet)
{
	__u32 ports = (__u32)packet->source_port << 16 | packet->destination_port;

	return (packet->hash ^ ports) * GOLDEN_RATIO_32;
}

static __always_inline __u32 tunnel_header_length(__u8 method)
{
	if (method == METHOD_IPIP)
		return 0;
	return method == METHOD_GUE ? sizeof(struct udphdr) : GRE_HEADER;
}

static __always_inline __u8 tunnel_protocol(__u8 method, __u8 inner_family)
{
	if (method == METHOD_IPIP)
		return inner_family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	return method == METHOD_GUE ? IPPROTO_UDP : IPPROTO_GRE;
}

static __always_inline __u64 room_flags(__u8 method, __u8 outer_family)
{
	__u64 flags = outer_family == 4 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;

	if (method == METHOD_GUE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	if (method == METHOD_GRE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
	return flags;
}

/* The outer source: the bits the prefix leaves free come from the flow. */
static __always_inline __be32 spread_source(__be32 base, __u32 fixed_bits, __u32 flow)
{
	return fixed_bits >= 32 ? base : base | bpf_htonl(flow >> fixed_bits);
}

/* In registers and with the checksum on the way: one store a word. */
static __always_inline void outer_ip4(__be32 *header, const struct packet *packet, const struct real_server *to,
				      __u32 length, __u32 flow)
{
	__be32 source = spread_source(to->outer_source.word[0], to->outer_prefix, flow);
	__be32 destination = to->address.word[0];
	bool whole = packet->flags & PACKET_DONT_FRAGMENT;
	__u32 first = 0x45 | packet->traffic_class << 8 | (__u32)bpf_htons(length) << 16;
	__u32 second = whole ? (__u32)bpf_htons(IP_DONT_FRAGMENT) << 16 : packet->fragment_id & 0xffff;
	__u32 third = OUTER_TTL | tunnel_protocol(to->method, packet->family) << 8;
	__u64 sum = (__u64)first + second + third + source + destination;

	header[0] = first;
	header[1] = second;
	header[2] = third | (__u32)checksum_of(sum) << 16;
	header[3] = source;
	header[4] = destination;
}

/* Returns the sum of both addresses, for a checksum. */
static __always_inline __u64 outer_ip6(struct ipv6hdr *header, const struct packet *packet, const struct real_server *to,
				       __u32 length, __u32 flow)
{
	const __be32 *base = to->outer_source.word;
	__be32 *source = header->saddr.s6_addr32;
	__be32 last = to->outer_prefix <= 96 ? base[3] | flow : spread_source(base[3], to->outer_prefix - 96, flow);

	/* Flow label as RFC 6438 wants it for tunnels. */
	((__be32 *)header)[0] = bpf_htonl(6U << 28 | packet->traffic_class << 20 | flow >> 12);
	((__be32 *)header)[1] = (__u32)bpf_htons(length - sizeof(*header)) | tunnel_protocol(to->method, packet->family) << 16 | OUTER_TTL << 24;
	((__u64 *)source)[0] = half_of(base, 0);
	source[2] = base[2];
	source[3] = last;
	copy_address(&header->daddr, &to->address);
	return (__u64)base[0] + base[1] + base[2] + last + sum_of_words(&to->address, 4);
}

/* The UDP header over IPv4: the checksum is left out, as GUE recommends. */
static __always_inline void gue_over4(__be32 *udp, const struct real_server *to, __u32 length, __u32 flow)
{
	__be16 port = to->port ? to->port : bpf_htons(GUE_PORT);

	udp[0] = bpf_htons(FIRST_DYNAMIC_PORT | flow >> 18) | (__u32)port << 16;
	udp[1] = bpf_htons(length);
}

/* Over IPv6 it must be there (RFC 8200 §8.1). sum: of the outer addresses and of the packet. */
static __always_inline void gue_over6(__be32 *udp, const struct real_server *to, __u32 length, __u32 flow, __u64 sum)
{
	__u16 checksum;

	gue_over4(udp, to, length, flow);
	/* The pseudo header has the length, too. */
	checksum = checksum_of(sum + udp[0] + 2 * udp[1] + bpf_htons(IPPROTO_UDP));
	udp[1] |= (__u32)(checksum ? checksum : 0xffff) << 16;
}

static __always_inline void gre_header(__be32 *gre, const struct packet *packet)
{
	*gre = (__u32)(packet->family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6)) << 16; /* flags 0 */
}

/* Where the outer IP header begins, with room for the longest tunnel header behind it (at least an IP header follows) and the
 * EtherType before it written. */
static __always_inline void *outer_at(struct context *ctx, const struct packet *packet, __u32 header, __be16 type)
{
	__be16 *before = at(ctx, packet->network - sizeof(*before), sizeof(*before) + header + sizeof(struct udphdr));

	if (!before)
		return NULL;
	*before = type;
	return before + 1;
}

static __always_inline enum verdict encapsulate4(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	const __u32 header = sizeof(struct iphdr);
	__u32 overhead = header + tunnel_header_length(to->method);
	__u32 flow = spread(packet);
	void *outer;

	if (unlikely(longest(ctx, packet) + overhead > to->mtu))
		return too_big(ctx, packet, to->mtu - overhead);
	if (grow(ctx, packet, overhead, room_flags(to->method, 4)))
		return drop(DROP_NO_ROOM);
	outer = outer_at(ctx, packet, header, bpf_htons(ETH_P_IP));
	if (!outer)
		return drop(DROP_NO_ROOM);

	outer_ip4(outer, packet, to, packet->length + overhead, flow);
	if (to->method == METHOD_GUE)
		gue_over4(outer + header, to, packet->length + sizeof(struct udphdr), flow);
	else if (to->method == METHOD_GRE)
		gre_header(outer + header, packet);
	return CONTINUE;
}

static __always_inline enum verdict encapsulate6(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	const __u32 header = sizeof(struct ipv6hdr);
	__u32 overhead = header + tunnel_header_length(to->method);
	__u32 flow = spread(packet);
	__u64 sum = 0;
	void *outer;

	if (unlikely(longest(ctx, packet) + overhead > to->mtu))
		return too_big(ctx, packet, to->mtu - overhead);
	if (to->method == METHOD_GUE)
		sum = sum_of_packet(ctx, packet);
	if (grow(ctx, packet, overhead, room_flags(to->method, 6)))
		return drop(DROP_NO_ROOM);
	outer = outer_at(ctx, packet, header, bpf_htons(ETH_P_IPV6));
	if (!outer)
		return drop(DROP_NO_ROOM);

	sum += outer_ip6(outer, packet, to, packet->length + overhead, flow);
	if (to->method == METHOD_GUE)
		gue_over6(outer + header, to, packet->length + sizeof(struct udphdr), flow, sum);
	else if (to->method == METHOD_GRE)
		gre_header(outer + header, packet);
	return CONTINUE;
}

static __always_inline enum verdict encapsulate(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	return to->family == 4 ? encapsulate4(ctx, packet, to) : encapsulate6(ctx, packet, to);
}
