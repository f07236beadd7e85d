/* SPDX-License-Identifier: MIT */
/*
 * From bytes to struct packet. What this cannot read is not ours: it goes to the stack unchanged, and the stack decides.
 * So every way out but the last is PASS.
 *
 *   Ethernet | 0 to 2 VLAN tags | IPv4 + options, or IPv6 + up to 6 extension headers | TCP, UDP, ICMP, ICMPv6
 *
 * An ICMP error is about a packet that somebody received: the tuple of that inner packet is turned round, so that the
 * error looks up the same virtual server and the same real server as the flow it is about.
 */
#pragma once

#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include "hook.h"

#define EXTENSION_HEADERS 6 /* more of them than any packet of good will has */

#define QUOTED_BYTES 8 /* of TCP or UDP, that every ICMP error must quote (RFC 792, RFC 4443) */

#define IP_FRAGMENT_OFFSET 0x1fff
#define IP_MORE_FRAGMENTS 0x2000
#define IP_DONT_FRAGMENT 0x4000

/* linux/icmp.h has these too, but draws in the C library. */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_FRAG_NEEDED 4 /* code of ICMP_DEST_UNREACH */
#define ICMP_SOURCE_QUENCH 4
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12

struct icmphdr {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	union {
		struct {
			__be16 id;
			__be16 sequence;
		} echo;
		struct {
			__be16 unused;
			__be16 mtu;
		} frag;
		__u32 rest;
	} un;
};

struct vlan_tag {
	__be16 identifier;
	__be16 next;
};

struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* 13 bits, 2 reserved, 1: more follow */
	__be32 id;
};

struct options_header {
	__u8 next;
	__u8 length; /* in units of 8 bytes, the first not counted */
	__u8 type;          /* routing header only */
	__u8 segments_left; /* routing header only */
};

/* What follows an IPv6 header, once the extension headers are skipped. */
struct upper {
	__u32 offset;
	__u32 fragment_id;
	__u8 protocol;
	bool first_fragment, later_fragment;
};

/* The ports, which stand first in TCP and UDP alike. */
static __always_inline void take_ports(struct packet *packet, const void *header)
{
	*(__u32 *)&packet->source_port = *(const __u32 *)header;
}

/* The same, of a packet inside an ICMP error: its sender is the far end. */
static __always_inline void take_ports_turned_round(struct packet *packet, const __be16 *header)
{
	packet->source_port = header[1];
	packet->destination_port = header[0];
}

/* Do the lengths in the header agree with the room that the IP packet leaves? What does not fit is the stack's to refuse: no state
 * of ours may hang on it. Of a first fragment only the header must be there. */
static __always_inline bool tcp_fits(const void *header, __u32 room, bool whole)
{
	__u32 length = ((const __u8 *)header)[12] >> 4 << 2;

	return room >= sizeof(struct tcphdr) && length >= sizeof(struct tcphdr) && (length <= room || !whole);
}

static __always_inline bool udp_fits(const void *header, __u32 room, bool whole)
{
	__u32 length = bpf_ntohs(((const __be16 *)header)[2]);

	return room >= sizeof(struct udphdr) && length >= sizeof(struct udphdr) && (length <= room || !whole);
}

/* ICMP: does it end before the IP packet does? */
static __always_inline bool is_within(const struct packet *packet, __u32 offset, __u32 bytes)
{
	return offset + bytes <= packet->network + packet->length;
}

static __always_inline __u16 tcp_flags(const void *header)
{
	__u8 bits = ((const __u8 *)header)[13];
	__u16 flags = 0;

	if (bits & 0x01)
		flags |= PACKET_FIN;
	if (bits & 0x04)
		flags |= PACKET_RST;
	if (bits & 0x10)
		flags |= PACKET_ACK;
	if (bits & 0x02)
		flags |= bits & 0x10 ? PACKET_SYN_ACK : PACKET_SYN;
	return flags;
}

static __always_inline bool icmp4_is_error(__u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB || type == ICMP_SOURCE_QUENCH;
}

static __noinline enum verdict parse_icmp4(struct context *ctx, struct packet *packet)
{
	struct icmphdr *icmp = at(ctx, packet->transport, sizeof(*icmp));
	__u32 inner_offset = packet->transport + sizeof(*icmp);
	struct iphdr *inner;
	__be16 *ports;

	if (!icmp || !is_within(packet, packet->transport, sizeof(*icmp)))
		return PASS;
	if (icmp->type == ICMP_ECHO) {
		packet->flags |= PACKET_ICMP_ECHO;
		return CONTINUE;
	}
	if (!icmp4_is_error(icmp->type))
		return PASS;

	inner = at(ctx, inner_offset, sizeof(*inner));
	if (!inner || inner->version != 4 || inner->ihl < 5 || inner->frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
		return PASS;
	if (inner->protocol != IPPROTO_TCP && inner->protocol != IPPROTO_UDP)
		return PASS;
	packet->flags |= PACKET_ICMP_ERROR;
	packet->protocol = inner->protocol;
	packet->source.word[0] = inner->daddr;
	packet->destination.word[0] = inner->saddr;
	packet->inner = inner_offset;
	packet->inner_transport = inner_offset + inner->ihl * 4;

	ports = at(ctx, packet->inner_transport, 2 * sizeof(*ports));
	if (!ports || !is_within(packet, packet->inner_transport, QUOTED_BYTES))
		return PASS;
	take_ports_turned_round(packet, ports);
	return CONTINUE;
}

static __always_inline enum verdict parse_ip4(struct context *ctx, struct packet *packet, struct iphdr *ip, void *end)
{
	__u32 network = packet->network, header_length, length, room;
	__u16 fragment, flags;
	void *header;

	if ((void *)(ip + 1) > end || ip->version != 4)
		return PASS;
	header_length = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (header_length < sizeof(*ip) || length < header_length || network + length > frame_length(ctx))
		return PASS;
	room = length - header_length;
	packet->family = 4;
	packet->length = length;
	packet->transport = network + header_length;
	packet->source.word[0] = ip->saddr;
	packet->destination.word[0] = ip->daddr;
	packet->protocol = ip->protocol;
	packet->traffic_class = ip->tos;
	packet->fragment_id = ip->id;
	fragment = bpf_ntohs(ip->frag_off);
	flags = fragment & IP_DONT_FRAGMENT ? PACKET_DONT_FRAGMENT : 0;
	if (unlikely(fragment & IP_FRAGMENT_OFFSET)) {
		packet->flags = flags | PACKET_LATER_FRAGMENT;
		return CONTINUE;
	}
	if (unlikely(fragment & IP_MORE_FRAGMENTS))
		flags |= PACKET_FIRST_FRAGMENT;

	header = (void *)ip + header_length;
	if (ip->protocol == IPPROTO_TCP) {
		if (header + sizeof(struct tcphdr) > end || !tcp_fits(header, room, !(flags & PACKET_FIRST_FRAGMENT)))
			return PASS;
		take_ports(packet, header);
		packet->flags = flags | tcp_flags(header);
		return CONTINUE;
	}
	packet->flags = flags;
	if (ip->protocol == IPPROTO_UDP) {
		if (header + sizeof(struct udphdr) > end || !udp_fits(header, room, !(flags & PACKET_FIRST_FRAGMENT)))
			return PASS;
		take_ports(packet, header);
		return CONTINUE;
	}
	return ip->protocol == IPPROTO_ICMP ? parse_icmp4(ctx, packet) : PASS;
}

/* Skips extension headers. False: cut short, too many, or a routing header that has not done its work. */
static __always_inline bool skip_extensions(struct context *ctx, struct upper *upper)
{
	for (int i = 0; i < EXTENSION_HEADERS; i++) {
		struct options_header *options;
		struct fragment_header *fragment;

		switch (upper->protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			options = at(ctx, upper->offset, sizeof(*options));
			if (!options || (upper->protocol == IPPROTO_ROUTING && options->segments_left))
				return false;
			upper->protocol = options->next;
			upper->offset += 8 + options->length * 8;
			break;
		case IPPROTO_FRAGMENT:
			fragment = at(ctx, upper->offset, sizeof(*fragment));
			if (!fragment || upper->first_fragment)
				return false;
			upper->fragment_id = fragment->id;
			upper->protocol = fragment->next;
			upper->offset += sizeof(*fragment);
			if (fragment->offset & bpf_htons(0xfff8)) {
				upper->later_fragment = true;
				return true;
			}
			upper->first_fragment = fragment->offset & bpf_htons(1);
			break;
		default:
			return true;
		}
		/* Beyond this at() would look at the wrong place, for it masks; also for the checksum, which NAT corrects. */
		if (upper->offset > MAX_OFFSET - sizeof(struct tcphdr))
			return false;
	}
	return false;
}

static __noinline enum verdict parse_icmp6(struct context *ctx, struct packet *packet)
{
	struct icmp6hdr *icmp = at(ctx, packet->transport, sizeof(*icmp));
	struct ipv6hdr *inner;
	struct upper upper = {};
	__be16 *ports;

	if (!icmp || !is_within(packet, packet->transport, sizeof(*icmp)))
		return PASS;
	if (icmp->icmp6_type == ICMPV6_ECHO_REQUEST) {
		packet->flags |= PACKET_ICMP_ECHO;
		return CONTINUE;
	}
	if (icmp->icmp6_type < ICMPV6_DEST_UNREACH || icmp->icmp6_type > ICMPV6_PARAMPROB)
		return PASS;

	packet->inner = packet->transport + sizeof(*icmp);
	inner = at(ctx, packet->inner, sizeof(*inner));
	if (packet->inner > MAX_OFFSET || !inner || inner->version != 6)
		return PASS;
	__builtin_memcpy(&packet->source, &inner->daddr, sizeof(packet->source));
	__builtin_memcpy(&packet->destination, &inner->saddr, sizeof(packet->destination));
	upper.protocol = inner->nexthdr;
	upper.offset = packet->inner + sizeof(*inner);
	if (!skip_extensions(ctx, &upper) || upper.later_fragment)
		return PASS;
	if (upper.protocol != IPPROTO_TCP && upper.protocol != IPPROTO_UDP)
		return PASS;
	packet->flags |= PACKET_ICMP_ERROR;
	packet->protocol = upper.protocol;
	packet->inner_transport = upper.offset;

	ports = at(ctx, upper.offset, 2 * sizeof(*ports));
	if (!ports || !is_within(packet, upper.offset, QUOTED_BYTES))
		return PASS;
	take_ports_turned_round(packet, ports);
	return CONTINUE;
}

/* What is neither plain TCP nor plain UDP. */
static __noinline enum verdict parse_upper6(struct context *ctx, struct packet *packet)
{
	struct upper upper = { .protocol = packet->protocol, .offset = packet->transport };
	__u32 room;
	void *header;

	if (!skip_extensions(ctx, &upper))
		return PASS;
	packet->protocol = upper.protocol;
	packet->transport = upper.offset;
	packet->fragment_id = upper.fragment_id;
	if (upper.later_fragment) {
		packet->flags |= PACKET_LATER_FRAGMENT;
		return CONTINUE;
	}
	if (upper.first_fragment)
		packet->flags |= PACKET_FIRST_FRAGMENT;
	if (upper.offset > packet->network + packet->length)
		return PASS;
	room = packet->network + packet->length - upper.offset;

	if (upper.protocol == IPPROTO_TCP) {
		header = at(ctx, upper.offset, sizeof(struct tcphdr));
		if (!header || !tcp_fits(header, room, !upper.first_fragment))
			return PASS;
		take_ports(packet, header);
		packet->flags |= tcp_flags(header);
		return CONTINUE;
	}
	if (upper.protocol == IPPROTO_UDP) {
		header = at(ctx, upper.offset, sizeof(struct udphdr));
		if (!header || !udp_fits(header, room, !upper.first_fragment))
			return PASS;
		take_ports(packet, header);
		return CONTINUE;
	}
	return upper.protocol == IPPROTO_ICMPV6 ? parse_icmp6(ctx, packet) : PASS;
}

static __always_inline enum verdict parse_ip6(struct context *ctx, struct packet *packet, struct ipv6hdr *ip, void *end)
{
	void *header = ip + 1;
	__u32 room;

	if (header > end || ip->version != 6)
		return PASS;
	packet->family = 6;
	room = bpf_ntohs(ip->payload_len);
	if (packet->network + sizeof(*ip) + room > frame_length(ctx))
		return PASS; /* asked before packet->length, in 16 bits, could overflow */
	packet->length = sizeof(*ip) + room;
	packet->transport = packet->network + sizeof(*ip);
	copy_address(&packet->source, &ip->saddr);
	copy_address(&packet->destination, &ip->daddr);
	packet->protocol = ip->nexthdr;
	packet->traffic_class = ip->priority << 4 | ip->flow_lbl[0] >> 4;

	if (ip->nexthdr == IPPROTO_TCP && header + sizeof(struct tcphdr) <= end && tcp_fits(header, room, true)) {
		take_ports(packet, header);
		packet->flags = PACKET_DONT_FRAGMENT | tcp_flags(header);
		return CONTINUE;
	}
	packet->flags = PACKET_DONT_FRAGMENT;
	if (ip->nexthdr == IPPROTO_UDP && header + sizeof(struct udphdr) <= end && udp_fits(header, room, true)) {
		take_ports(packet, header);
		return CONTINUE;
	}
	return parse_upper6(ctx, packet);
}

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* CONTINUE: *packet describes a packet with ports (or a later fragment, whose ports fragments.h knows), an ICMP error
 * about one, or an echo request. *packet must be zero before. */
static __always_inline enum verdict parse(struct context *ctx, struct packet *packet)
{
	void *data = frame(ctx), *end = frame_end(ctx);
	struct ethhdr *ethernet = data;
	void *next = ethernet + 1;
	__be16 type;

	if (next > end)
		return PASS;
	type = ethernet->h_proto;
	for (int i = 0; i < 2 && unlikely(is_vlan(type)); i++) {
		struct vlan_tag *tag = next;

		next = tag + 1;
		if (next > end)
			return PASS;
		type = tag->next;
	}

	packet->network = next - data;
	if (type == bpf_htons(ETH_P_IP))
		return parse_ip4(ctx, packet, next, end);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ip6(ctx, packet, next, end);
	return PASS;
}
