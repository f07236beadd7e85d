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
#define GUE_PORT 6080         /* where the real server says no other */
#define FIRST_DYNAMIC_PORT 49152 /* RFC 6335 §6; as many follow as 14 bits say */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "outer_ip4 puts a header together in registers, little end first"
#endif

struct gre_header {
	__be16 flags;
	__be16 protocol;
};

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
	return method == METHOD_GUE ? sizeof(struct udphdr) : sizeof(struct gre_header);
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

static __always_inline void outer_ip6(struct ipv6hdr *header, const struct packet *packet, const struct real_server *to,
				      __u32 length, __u32 flow)
{
	struct address source = to->outer_source;

	if (to->outer_prefix <= 96)
		source.word[3] |= flow;
	else
		source.word[3] = spread_source(source.word[3], to->outer_prefix - 96, flow);
	/* Flow label as RFC 6438 wants it for tunnels. */
	*(__be32 *)header = bpf_htonl(6U << 28 | packet->traffic_class << 20 | flow >> 12);
	header->payload_len = bpf_htons(length - sizeof(*header));
	header->nexthdr = tunnel_protocol(to->method, packet->family);
	header->hop_limit = OUTER_TTL;
	__builtin_memcpy(&header->saddr, &source, sizeof(source));
	__builtin_memcpy(&header->daddr, &to->address, sizeof(to->address));
}

/* The UDP header, which over IPv6 must have a checksum (RFC 8200 §8.1); over IPv4 it is left out, as GUE recommends. */
static __always_inline void gue_header(struct udphdr *udp, const struct real_server *to, __u32 length, __u32 flow)
{
	udp->source = bpf_htons(FIRST_DYNAMIC_PORT | flow >> 18);
	udp->dest = to->port ? to->port : bpf_htons(GUE_PORT);
	udp->len = bpf_htons(length);
	udp->check = 0;
}

static __always_inline void gue_checksum6(const struct ipv6hdr *ip, struct udphdr *udp, __u64 inner_sum)
{
	__u64 sum = inner_sum + sum_of_words(&ip->saddr, 8) + sum_of_words(udp, 2);
	__u16 checksum;

	sum += (__u32)udp->len + bpf_htons(IPPROTO_UDP);
	checksum = checksum_of(sum);
	udp->check = checksum ? checksum : 0xffff;
}

static __always_inline enum verdict encapsulate(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	__u8 method = to->method;
	bool over4 = to->family == 4;
	__u32 ip_length = over4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u32 overhead = ip_length + tunnel_header_length(method);
	__u32 length = packet->length + overhead;
	__u32 flow = spread(packet);
	__u64 inner_sum = 0;
	void *ip, *tunnel;

	if (unlikely(longest(ctx, packet) + overhead > to->mtu))
		return too_big(ctx, packet, to->mtu - overhead);
	if (method == METHOD_GUE && !over4)
		inner_sum = sum_of_packet(ctx, packet);
	if (grow(ctx, packet, overhead, room_flags(method, to->family)))
		return drop(DROP_NO_ROOM);

	ip = at(ctx, packet->network, sizeof(struct iphdr) + 0);
	if (over4) {
		if (!ip)
			return drop(DROP_NO_ROOM);
		outer_ip4(ip, packet, to, length, flow);
	} else {
		ip = at(ctx, packet->network, sizeof(struct ipv6hdr));
		if (!ip)
			return drop(DROP_NO_ROOM);
		outer_ip6(ip, packet, to, length, flow);
	}
	if (method == METHOD_IPIP)
		return CONTINUE;

	tunnel = at(ctx, packet->network + ip_length, sizeof(struct udphdr));
	if (!tunnel)
		return drop(DROP_NO_ROOM);
	if (method == METHOD_GRE) {
		struct gre_header *gre = tunnel;

		gre->flags = 0;
		gre->protocol = packet->family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
		return CONTINUE;
	}
	gue_header(tunnel, to, length - ip_length, flow);
	if (!over4) {
		ip = at(ctx, packet->network, sizeof(struct ipv6hdr) + sizeof(struct udphdr));
		if (!ip)
			return drop(DROP_NO_ROOM);
		gue_checksum6(ip, ip + sizeof(struct ipv6hdr), inner_sum);
	}
	return CONTINUE;
}
