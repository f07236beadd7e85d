/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors about flows that go by NAT. The error quotes the packet it is about, and that packet was rewritten on its way: the
 * receiver must find the addresses and ports there that it has used itself. RFC 5508 section 4. Five checksums change: the quoted IP
 * header's, the quoted TCP or UDP one (where the quotation reaches so far), the error's own, and that of the IP header around it.
 *
 *   parse.h has turned the quoted tuple round, so the error looks like a packet of the flow from the far end. What nat.h
 *   would turn such a packet into is what this is given; turned back, it is what must stand in the quotation.
 */
#pragma once

#include <linux/in.h>
#include "checksum.h"
#include "hook.h"
#include "packet.h"
#include "parse.h"

/* Of a packet, as its sender sends. */
struct ends {
	struct address source, destination; /* IPv4 in word[0] */
	__be16 source_port, destination_port;
};

/* What a sum gains when these words replace those. */
static __always_inline __u64 gain(const void *old, const void *new, int words)
{
	return sum_of_words(new, words) + (__u16)~fold(sum_of_words(old, words));
}

/* Puts a checksum right after what it covers has gained so much, and returns what the sum around it gains by that. */
static __always_inline __u64 regain(__u16 *checksum, __u64 gained)
{
	__u16 old = *checksum;

	*checksum = checksum_of((__u16)~old + (__u64)fold(gained));
	return *checksum + (__u16)~old;
}

/* The quoted TCP or UDP checksum, where there is one. Returns what the error's sum gains. */
static __always_inline __u64 regain_quoted(struct context *ctx, const struct packet *packet, __u64 gained)
{
	bool is_udp = packet->protocol == IPPROTO_UDP;
	__u32 offset = packet->inner_transport + (is_udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
	__u16 *checksum = at(ctx, offset, sizeof(*checksum)), old;

	if (!checksum || offset + sizeof(*checksum) > packet->network + packet->length || offset > MAX_OFFSET || (is_udp && !*checksum))
		return 0;
	old = *checksum;
	regain(checksum, gained);
	if (is_udp && !*checksum)
		*checksum = 0xffff;
	return *checksum + (__u16)~old;
}

static __always_inline bool quote4(struct context *ctx, const struct packet *packet, const struct ends *as, __u64 *addresses, __u64 *header)
{
	struct iphdr *inner = at(ctx, packet->inner, sizeof(*inner));
	__be32 quoted[2] = { as->destination.word[0], as->source.word[0] };

	if (!inner)
		return false;
	*addresses = gain(&inner->saddr, quoted, 2);
	inner->saddr = quoted[0];
	inner->daddr = quoted[1];
	*header = *addresses + regain(&inner->check, *addresses);
	return true;
}

static __always_inline bool quote6(struct context *ctx, const struct packet *packet, const struct ends *as, __u64 *addresses, __u64 *header)
{
	struct ipv6hdr *inner = at(ctx, packet->inner, sizeof(*inner));
	struct address quoted[2] = { as->destination, as->source };

	if (!inner)
		return false;
	*addresses = gain(&inner->saddr, quoted, 8);
	__builtin_memcpy(&inner->saddr, quoted, sizeof(quoted));
	*header = *addresses;
	return true;
}

/* Around the error: it goes where packets of the flow go. Its source is the router's that sends it, unless it is the far end of the
 * flow itself, which the receiver knows by another address. Returns what a pseudo header gains. */
static __always_inline bool readdress4(struct context *ctx, const struct packet *packet, const struct ends *as, __u64 *gained)
{
	struct iphdr *ip = at(ctx, packet->network, sizeof(*ip));
	__be32 addresses[2] = { 0, as->destination.word[0] };

	if (!ip)
		return false;
	addresses[0] = ip->saddr == packet->source.word[0] ? as->source.word[0] : ip->saddr;
	regain(&ip->check, gain(&ip->saddr, addresses, 2));
	ip->saddr = addresses[0];
	ip->daddr = addresses[1];
	*gained = 0;
	return true;
}

static __always_inline bool readdress6(struct context *ctx, const struct packet *packet, const struct ends *as, __u64 *gained)
{
	struct ipv6hdr *ip = at(ctx, packet->network, sizeof(*ip));
	struct address addresses[2] = { as->source, as->destination };
	const __be32 *source;

	if (!ip)
		return false;
	source = (const __be32 *)&ip->saddr;
	if (source[0] != packet->source.word[0] || source[1] != packet->source.word[1] || source[2] != packet->source.word[2] ||
	    source[3] != packet->source.word[3])
		__builtin_memcpy(&addresses[0], source, sizeof(addresses[0]));
	*gained = gain(&ip->saddr, addresses, 8);
	__builtin_memcpy(&ip->saddr, addresses, sizeof(addresses));
	return true;
}

/* Makes an error (PACKET_ICMP_ERROR) about a NAT flow one that its receiver understands. as: what a packet from packet->source to
 * packet->destination is turned into. The time to live is the caller's. False: the frame is too short, drop it. Pointers into the
 * frame are void afterwards. */
static __noinline bool rewrite_error(struct context *ctx, const struct packet *packet, const struct ends *as)
{
	__u32 checksum = packet->transport + offsetof(struct icmphdr, checksum); /* the same place in ICMPv6 */
	__be16 quoted[2] = { as->destination_port, as->source_port };
	__u64 addresses, header, ports, pseudo;
	__be16 *inner;

	if (packet->family == 4 ? !quote4(ctx, packet, as, &addresses, &header) : !quote6(ctx, packet, as, &addresses, &header))
		return false;
	inner = at(ctx, packet->inner_transport, sizeof(quoted));
	if (!inner)
		return false;
	ports = gain(inner, quoted, 1);
	__builtin_memcpy(inner, quoted, sizeof(quoted));
	header += ports + regain_quoted(ctx, packet, addresses + ports);
	if (packet->family == 4 ? !readdress4(ctx, packet, as, &pseudo) : !readdress6(ctx, packet, as, &pseudo))
		return false;
	correct_checksum(ctx, checksum, fold(pseudo), fold(header), false);
	return true;
}
