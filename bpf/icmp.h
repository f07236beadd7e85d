/* SPDX-License-Identifier: MIT */
/*
 * ICMP and ICMPv6 of the virtual addresses: echo requests are answered here, and a client whose packet does not fit the way to its
 * real server is told so. Errors that come in from outside go to the real server of the packet they are about: parse.h turns
 * the inner tuple round, so they take the way of that flow; nat.h rewrites what is inside.
 */
#pragma once

#include "checksum.h"
#include "guard.h"
#include "hook.h"
#include "packet.h"
#include "parse.h"
#include "stats.h"

#define ANSWER_TTL 64

/* As much of the packet as an error may carry: 576 bytes in all for ICMP (RFC 1812 section 4.3.2.3), the least MTU for ICMPv6 (RFC 4443
 * section 2.4 c). */
#define LONGEST_ERROR4 576
#define LONGEST_ERROR6 1280
#define LEAST_MTU6 1280

/* Of one processor, as many as Linux's icmp_msgs_per_sec; and of that one client so many. */
#define TOO_BIG_PER_SECOND 1000
#define TOO_BIG_PER_SOURCE 10

#define INTERNETWORK_CONTROL 0xc0 /* RFC 1812 section 4.3.2.5: precedence of an ICMP error */

/* RFC 1624 section 3, equation 3. One's complement sums do not care for byte order. */
static __always_inline __u16 replace_in_checksum(__u16 checksum, __u16 old, __u16 new)
{
	__u32 sum = (__u16)~checksum + (__u16)~old + new;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* An answer to anything else would go to many, or nowhere. */
static __always_inline bool can_be_answered(const struct packet *packet)
{
	__u8 first = *(const __u8 *)&packet->source;

	if (packet->family == 6)
		return first != 0xff && (packet->source.word[0] | packet->source.word[1] | packet->source.word[2] | packet->source.word[3]);
	return first != 0 && first != 127 && first < 224;
}

static __always_inline void turn_round_ethernet(struct ethhdr *ethernet)
{
	__u8 mine[ETH_ALEN];

	__builtin_memcpy(mine, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, mine, ETH_ALEN);
}

/* ---- echo ------------------------------------------------------------------------------------------------------------- */

static __always_inline bool turn_round_echo4(struct context *ctx, const struct packet *packet)
{
	struct iphdr *ip = at(ctx, packet->network, sizeof(*ip) + sizeof(struct icmphdr));
	struct icmphdr *icmp = (void *)(ip + 1);
	__u16 *lifetime, old;

	if (!ip)
		return false;
	ip->saddr = packet->destination.word[0];
	ip->daddr = packet->source.word[0];
	lifetime = (__u16 *)&ip->ttl; /* with the protocol, a word of the checksum */
	old = *lifetime;
	ip->ttl = ANSWER_TTL;
	ip->check = replace_in_checksum(ip->check, old, *lifetime);
	icmp->checksum = replace_in_checksum(icmp->checksum, bpf_htons(ICMP_ECHO << 8), bpf_htons(ICMP_ECHOREPLY << 8));
	icmp->type = ICMP_ECHOREPLY;
	return true;
}

static __always_inline bool turn_round_echo6(struct context *ctx, const struct packet *packet)
{
	struct ipv6hdr *ip = at(ctx, packet->network, sizeof(*ip) + sizeof(struct icmp6hdr));
	struct icmp6hdr *icmp = (void *)(ip + 1);

	if (!ip)
		return false;
	__builtin_memcpy(&ip->saddr, &packet->destination, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &packet->source, sizeof(ip->daddr));
	ip->hop_limit = ANSWER_TTL;
	icmp->icmp6_cksum = replace_in_checksum(icmp->icmp6_cksum, bpf_htons(ICMPV6_ECHO_REQUEST << 8), bpf_htons(ICMPV6_ECHO_REPLY << 8));
	icmp->icmp6_type = ICMPV6_ECHO_REPLY;
	return true;
}

/* For an echo request to a virtual address. One with IP options or in fragments is the stack's: it can put them together and turn
 * a route round, where the address is its own. */
static __noinline enum verdict answer_echo(struct context *ctx, const struct packet *packet)
{
	struct ethhdr *ethernet = at(ctx, 0, sizeof(*ethernet));
	__u16 header = packet->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (!ethernet || packet->transport - packet->network != header || packet->flags & PACKET_FIRST_FRAGMENT || !can_be_answered(packet))
		return PASS;
	if (packet->family == 4 ? !turn_round_echo4(ctx, packet) : !turn_round_echo6(ctx, packet))
		return PASS;
	turn_round_ethernet(ethernet);
	return transmit(ctx, ingress_interface(ctx));
}

/* ---- too big ---------------------------------------------------------------------------------------------------------- */

static __always_inline bool may_send_too_big(const struct packet *packet)
{
	__u32 only = 0;
	struct rate *sent = bpf_map_lookup_elem(&too_big_sent, &only);

	/* None about an error, or about a fragment that is not the first (RFC 1122 section 3.2.2, RFC 4443 section 2.4 e). */
	if (packet->flags & (PACKET_ICMP_ERROR | PACKET_LATER_FRAGMENT) || !can_be_answered(packet) || explaining)
		return false;
	if (count_of_source(packet, 0) > TOO_BIG_PER_SOURCE)
		return false;
	return sent && one_more(sent, current_second()) <= IN_A_SECOND(TOO_BIG_PER_SECOND);
}

static __always_inline bool write_too_big4(struct context *ctx, const struct packet *packet, __u32 quoted, __u32 mtu)
{
	struct iphdr header = {
		.version = 4, .ihl = 5, .tos = INTERNETWORK_CONTROL,
		.tot_len = bpf_htons(sizeof(struct iphdr) + sizeof(struct icmphdr) + quoted),
		.frag_off = bpf_htons(IP_DONT_FRAGMENT), .ttl = ANSWER_TTL, .protocol = IPPROTO_ICMP,
		.saddr = packet->destination.word[0], .daddr = packet->source.word[0],
	};
	struct icmphdr error = { .type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED, .un.frag.mtu = bpf_htons(mtu) };
	struct iphdr *ip;
	__u64 sum = sum_of_bytes(ctx, packet->network + sizeof(header) + sizeof(error), quoted);

	header.check = checksum_of(sum_of_words(&header, sizeof(header) / 4));
	error.checksum = checksum_of(sum + sum_of_words(&error, sizeof(error) / 4));
	ip = at(ctx, packet->network, sizeof(header) + sizeof(error));
	if (!ip)
		return false;
	*ip = header;
	*(struct icmphdr *)(ip + 1) = error;
	return true;
}

static __always_inline bool write_too_big6(struct context *ctx, const struct packet *packet, __u32 quoted, __u32 mtu)
{
	struct ipv6hdr header = {
		.version = 6, .payload_len = bpf_htons(sizeof(struct icmp6hdr) + quoted),
		.nexthdr = IPPROTO_ICMPV6, .hop_limit = ANSWER_TTL,
	};
	struct icmp6hdr error = { .icmp6_type = ICMPV6_PKT_TOOBIG };
	__u64 sum = sum_of_bytes(ctx, packet->network + sizeof(header) + sizeof(error), quoted);
	struct ipv6hdr *ip;

	error.icmp6_mtu = bpf_htonl(mtu);
	__builtin_memcpy(&header.saddr, &packet->destination, sizeof(header.saddr));
	__builtin_memcpy(&header.daddr, &packet->source, sizeof(header.daddr));
	sum += sum_of_words(&header.saddr, 8) + header.payload_len + bpf_htons(IPPROTO_ICMPV6); /* the pseudo header */
	error.icmp6_cksum = checksum_of(sum + sum_of_words(&error, sizeof(error) / 4));
	ip = at(ctx, packet->network, sizeof(header) + sizeof(error));
	if (!ip)
		return false;
	*ip = header;
	*(struct icmp6hdr *)(ip + 1) = error;
	return true;
}

/* "Fragmentation needed" (RFC 1191) or "packet too big" (RFC 8201) to the client, from the virtual address, in place of its packet. */
static __noinline enum verdict send_too_big(struct context *ctx, const struct packet *packet, __u32 mtu)
{
	__u32 headers = packet->family == 4 ? sizeof(struct iphdr) + sizeof(struct icmphdr) : sizeof(struct ipv6hdr) + sizeof(struct icmp6hdr);
	__u32 most = (packet->family == 4 ? LONGEST_ERROR4 : LONGEST_ERROR6) - headers;
	__u32 quoted = (packet->length < most ? packet->length : most) & ~3U;
	struct ethhdr *ethernet = at(ctx, 0, sizeof(*ethernet)), turned;
	__be16 *type;

	if (!ethernet)
		return DROP;
	turned = *ethernet;
	turn_round_ethernet(&turned);
	if (cut_off(ctx, packet->network + quoted) || grow(ctx, packet, headers, 0))
		return DROP;

	ethernet = at(ctx, 0, sizeof(*ethernet));
	type = at(ctx, packet->network - sizeof(*type), sizeof(*type));
	if (!ethernet || !type)
		return DROP;
	__builtin_memcpy(ethernet, &turned, 2 * ETH_ALEN);
	*type = packet->family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	if (packet->family == 4 ? !write_too_big4(ctx, packet, quoted, mtu) : !write_too_big6(ctx, packet, quoted, mtu))
		return DROP;
	return transmit(ctx, ingress_interface(ctx));
}

/* The packet does not fit the way to the real server, on which this mtu would. Counted as DROP_TOO_BIG; the client is told, also where it
 * allowed fragments, for the director makes none: it then learns to send smaller ones. */
static __noinline enum verdict too_big(struct context *ctx, const struct packet *packet, __u32 mtu)
{
	enum verdict dropped = drop(DROP_TOO_BIG);

	/* No IPv6 node goes below; where the way is narrower still, nothing can be told. */
	if (packet->family == 6 && mtu < LEAST_MTU6)
		mtu = LEAST_MTU6;
	return mtu < packet->length && may_send_too_big(packet) ? send_too_big(ctx, packet, mtu) : dropped;
}
