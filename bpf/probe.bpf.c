/* SPDX-License-Identifier: MIT */
/*
 * tcx egress of the director's interfaces: turns a health check of a real server into what a client's packet would be there. It
 * shares its maps with bascule.bpf.c; probe.h tells the whole story. Compiled with -DHOOK_TCX only. Everything that carries no mark
 * of a check passes after one comparison.
 */
#ifndef HOOK_TCX
#error "egress exists at tcx only"
#endif

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "encap.h"
#include "hook.h"
#include "maps.h"
#include "parse.h"
#include "probe.h"

#define ID_OF_MARK 0xffff

static __always_inline bool is_to(const struct packet *packet, const struct real_server *to)
{
	const __be32 *a = packet->destination.word, *b = to->address.word;

	return packet->family == to->family && a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

static __always_inline bool is_on_real_path(const struct packet *packet, const struct real_server *to)
{
	bool has_ports = !(packet->flags & (PACKET_ICMP_ERROR | PACKET_ICMP_ECHO | PACKET_LATER_FRAGMENT));

	return has_ports && is_to(packet, to) && to->method != METHOD_NAT && to->method != METHOD_LOCAL && to->method != METHOD_NONE;
}

/* So that probe_answer knows whose answer it is. */
static __always_inline void expect_answer(const struct packet *packet, const struct address *virtual_address)
{
	struct probe_answer key = {
		.source = *virtual_address, .destination = packet->source,
		.source_port = packet->destination_port, .destination_port = packet->source_port,
		.protocol = packet->protocol, .family = packet->family,
	};

	bpf_map_update_elem(&probe_answers, &key, &packet->destination, BPF_ANY);
}

/* The link header stays: the stack has found the next hop to the real server, which is the tunnel's end. */
static __always_inline enum verdict into_tunnel(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	__u32 most = sizeof(struct ipv6hdr) + sizeof(struct udphdr);

	if (longest(ctx, packet) + most > to->mtu)
		return drop(DROP_TOO_BIG); /* a check asks small questions */
	return encapsulate(ctx, packet, to) == CONTINUE ? PASS : DROP;
}

static __always_inline enum verdict probe_request(struct context *ctx)
{
	struct packet packet = {};
	__u32 id = ctx->mark & ID_OF_MARK;
	struct real_server *to = bpf_map_lookup_elem(&real_servers, &id);
	struct address *virtual_address = bpf_map_lookup_elem(&probe_targets, &id);

	prepare(ctx);
	if (!to || !virtual_address || parse(ctx, &packet) != CONTINUE || !is_on_real_path(&packet, to))
		return PASS;

	expect_answer(&packet, virtual_address);
	if (!replace_address(ctx, &packet, false, virtual_address))
		return PASS;
	packet.destination = *virtual_address;
	return to->method == METHOD_DR ? PASS : into_tunnel(ctx, &packet, to);
}

SEC(HOOK_SECTION)
int bascule_probe(struct context *ctx)
{
	if ((ctx->mark & ~ID_OF_MARK) != PROBE_MARK)
		return finish(PASS);
	return finish(probe_request(ctx));
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
