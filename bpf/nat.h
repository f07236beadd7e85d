/* SPDX-License-Identifier: MIT */
/*
 * NAT: addresses and ports are exchanged in the packet itself.
 *
 *             client's packet                         real server's answer
 *   arrives   client:p → virtual:80                   real:8080 → client:p         full NAT: real:8080 → outer:n
 *   leaves    client:p → real:8080                    virtual:80 → client:p
 *             full NAT: outer:n → real:8080
 *
 * Full NAT (RS_FULL_NAT) makes the director the one that the real server answers: it then needs no route back, and clients in
 * its own network work too. Both directions cost one hop of the time to live. Checksums are corrected by the difference
 * (RFC 1624), never computed anew, so that damage done elsewhere is still seen. Of later fragments only the addresses change,
 * the ports and the checksum are in the first. In ICMP errors the packet they are about is translated too, the other way round.
 */
#pragma once

#include "capture.h"
#include "checksum.h"
#include "flows.h"
#include "fragments.h"
#include "hook.h"
#include "icmp.h"
#include "icmp_nat.h"
#include "packet.h"
#include "replies.h"
#include "stats.h"

#define AF_INET 2
#define AF_INET6 10

static __always_inline __u64 difference(__u32 before, __u32 after)
{
	return (__u64)(__u32)~before + after;
}

static __always_inline __u64 difference6(const struct in6_addr *before, const struct address *after)
{
	__u64 sum = 0;

	for (int i = 0; i < 4; i++)
		sum += difference(before->s6_addr32[i], after->word[i]);
	return sum;
}

/* One hop of the packet's time to live. False: it is over. */
static __always_inline bool spend_hop(struct context *ctx, const struct packet *packet)
{
	if (packet->family == 4) {
		struct iphdr *ip = at(ctx, packet->network, sizeof(*ip));

		if (!ip || ip->ttl <= 1)
			return false;
		ip->ttl--;
		ip->check = checksum_of((__u64)(__u16)~ip->check + (__u16)~bpf_htons(0x0100));
		return true;
	}
	struct ipv6hdr *ip = at(ctx, packet->network, sizeof(*ip));

	if (!ip || ip->hop_limit <= 1)
		return false;
	ip->hop_limit--;
	return true;
}

/* The ports and the checksum, after addresses whose sum changed by so much. */
static __always_inline bool translate_transport(struct context *ctx, const struct packet *packet, const struct ends *to, __u64 addresses)
{
	bool is_udp = packet->protocol == IPPROTO_UDP;
	__u32 before, after = (__u32)to->destination_port << 16 | to->source_port; /* as the two stand in memory, little end first */
	__u32 *ports;

	if (unlikely(packet->flags & PACKET_LATER_FRAGMENT))
		return true;
	ports = at(ctx, packet->transport, sizeof(*ports));
	if (!ports)
		return false;
	before = *ports;
	*ports = after;
	correct_checksum(ctx, packet->transport + (is_udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check)), fold(addresses),
			 fold(difference(before, after)), is_udp);
	return true;
}

static __always_inline bool translate4(struct context *ctx, const struct packet *packet, const struct ends *to)
{
	struct iphdr *ip = at(ctx, packet->network, sizeof(*ip));
	__u64 addresses;

	if (!ip)
		return false;
	addresses = difference(ip->saddr, to->source.word[0]) + difference(ip->daddr, to->destination.word[0]);
	ip->saddr = to->source.word[0];
	ip->daddr = to->destination.word[0];
	ip->check = checksum_of((__u64)(__u16)~ip->check + addresses);
	return translate_transport(ctx, packet, to, addresses);
}

static __noinline bool translate6(struct context *ctx, const struct packet *packet, const struct ends *to)
{
	struct ipv6hdr *ip = at(ctx, packet->network, sizeof(*ip));
	__u64 addresses;

	if (!ip)
		return false;
	addresses = difference6(&ip->saddr, &to->source) + difference6(&ip->daddr, &to->destination);
	__builtin_memcpy(&ip->saddr, &to->source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &to->destination, sizeof(ip->daddr));
	return translate_transport(ctx, packet, to, addresses);
}

static __always_inline enum verdict translate(struct context *ctx, const struct packet *packet, const struct ends *to)
{
	bool done;

	if (unlikely(!spend_hop(ctx, packet)))
		return drop(DROP_TTL);
	if (unlikely(packet->flags & PACKET_ICMP_ERROR))
		done = rewrite_error(ctx, packet, to);
	else
		done = packet->family == 4 ? translate4(ctx, packet, to) : translate6(ctx, packet, to);
	return done ? CONTINUE : drop(DROP_MALFORMED);
}

/* ---- to the real server ------------------------------------------------------------------------------------------------- */

static __noinline enum verdict forward_nat(struct context *ctx, struct packet *packet, const struct real_server *server)
{
	bool full = server->flags & RS_FULL_NAT;
	struct ends to = {
		.source = packet->source,
		.source_port = packet->source_port,
		.destination = server->address,
		.destination_port = server->port ? server->port : packet->destination_port,
	};

	if (unlikely(server->family != packet->family))
		return drop(DROP_UNSUPPORTED);
	if (full) {
		to.source = server->outer_source;
		to.source_port = packet->nat_port;
	}
	return translate(ctx, packet, &to);
}

/* ---- back to the client ------------------------------------------------------------------------------------------------- */

/* The link header for the client: its next hop and ours, and the interface. */
struct next_hop {
	__u8 destination[ETH_ALEN];
	__u8 source[ETH_ALEN];
	__u32 interface;
};

static __always_inline bool can_send_on(const struct context *ctx, __u32 interface)
{
#ifdef HOOK_TCX
	return true;
#else
	return interface == ctx->ingress_ifindex || bpf_map_lookup_elem(&interfaces, &interface);
#endif
}

/* As the routing table says for an answer from the virtual address; where it does not know (no route, no neighbour, forwarding is
 * off), the way that the client's packets come. False: neither. */
static __noinline bool find_next_hop(struct context *ctx, struct packet *packet, const struct ends *to, const struct reply *way,
				     struct next_hop *hop)
{
	struct bpf_fib_lookup route = {
		.family = packet->family == 4 ? AF_INET : AF_INET6,
		.l4_protocol = packet->protocol,
		.tot_len = longest(ctx, packet),
		.ifindex = ingress_interface(ctx),
	};
	long result;

	__builtin_memcpy(route.ipv6_src, &to->source, sizeof(to->source));
	__builtin_memcpy(route.ipv6_dst, &to->destination, sizeof(to->destination));
	result = bpf_fib_lookup(ctx, &route, sizeof(route), 0);
	if (result == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		packet->too_big_for = route.mtu_result;
	if (result == BPF_FIB_LKUP_RET_SUCCESS && can_send_on(ctx, route.ifindex)) {
		__builtin_memcpy(hop->destination, route.dmac, ETH_ALEN);
		__builtin_memcpy(hop->source, route.smac, ETH_ALEN);
		hop->interface = route.ifindex;
		return true;
	}
	__builtin_memcpy(hop->destination, way->client_mac, 2 * ETH_ALEN);
	hop->interface = way->client_interface;
	return way->client_interface && can_send_on(ctx, way->client_interface);
}

/* The end of a connection begins at the real server. */
static __noinline void advance_client_flow(const struct packet *packet, const struct ends *to)
{
	struct flow *flow;
	union tuple key;

	fill_tuple(&key, packet->family, packet->protocol, &to->destination, to->destination_port, &to->source, to->source_port);
	flow = look_up(&flows4, &flows6, &key, packet->family);
	if (flow)
		advance(packet, &key, flow, SIDE_REAL_SERVER, VIEW_BOTH_SIDES);
	else if (packet->flags & PACKET_RST) {
		flow = look_up(&half_open4, &half_open6, &key, packet->family);
		if (flow) /* refused: the client's next try may go elsewhere */
			forget_half_open(&key, packet->family, flow->real_server);
	}
}

/* The way back of the flow that the packet answers, and what it is to be translated to; NULL: no answer to any flow. */
static __noinline struct reply *find_reply(const struct packet *packet, struct ends *to)
{
	union tuple key;

	tuple_of(&key, packet);
	if (packet->family == 4) {
		struct reply4 *four = bpf_map_lookup_elem(&replies4, &key.four);

		if (!four)
			four = bpf_map_lookup_elem(&half_open_replies4, &key.four);
		if (!four)
			return NULL;
		to->source.word[0] = four->client.destination;
		to->source_port = four->client.destination_port;
		to->destination.word[0] = four->client.source;
		to->destination_port = four->client.source_port;
		return &four->way;
	}
	struct reply6 *six = bpf_map_lookup_elem(&replies6, &key.six);

	if (!six)
		six = bpf_map_lookup_elem(&half_open_replies6, &key.six);
	if (!six)
		return NULL;
	to->source = six->client.destination;
	to->source_port = six->client.destination_port;
	to->destination = six->client.source;
	to->destination_port = six->client.source_port;
	return &six->way;
}

static __always_inline void touch_reply(const struct packet *packet, struct reply *way, const struct ends *to)
{
	ticks at = now();

	if (at - way->seen > REFRESH)
		way->seen = at;
	if (unlikely(packet->flags & (PACKET_FIN | PACKET_RST)))
		advance_client_flow(packet, to);
}

/* CONTINUE: too big for the way back. */
static __noinline enum verdict reply_or_pass(struct context *ctx, struct packet *packet)
{
	struct ends to = {};
	struct reply *way = find_reply(packet, &to);
	struct next_hop hop = {};
	__u8 *link;
	enum verdict verdict;

	if (!way)
		return PASS;
	packet->virtual_server = way->virtual_server;
	packet->real_server = way->real_server;
	capture_answer(ctx, packet);
	if (unlikely(packet->flags & PACKET_FIRST_FRAGMENT))
		keep_ports(packet);
	explain_virtual_server(packet);
	explain_choice(way->real_server, REASON_REPLY);
	if (!explaining && !(packet->flags & PACKET_ICMP_ERROR))
		touch_reply(packet, way, &to);

	if (unlikely(!find_next_hop(ctx, packet, &to, way, &hop)))
		return drop(DROP_NO_NEIGHBOUR);
	if (unlikely(packet->too_big_for))
		return CONTINUE;
	verdict = translate(ctx, packet, &to);
	if (verdict != CONTINUE)
		return verdict;
	link = at(ctx, 0, 2 * ETH_ALEN);
	if (!link)
		return drop(DROP_MALFORMED);
	__builtin_memcpy(link, hop.destination, 2 * ETH_ALEN);
	count_reply(packet->virtual_server, packet->real_server, packet->length);
	return transmit(ctx, hop.interface);
}

/* A packet that is for no virtual server: the answer of a real server behind NAT, or not ours (PASS). */
static __always_inline enum verdict reply_nat(struct context *ctx, struct packet *packet)
{
	enum verdict verdict = reply_or_pass(ctx, packet);

	return unlikely(verdict == CONTINUE) ? too_big(ctx, packet, packet->too_big_for) : verdict; /* from here: it needs much stack */
}
