/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Bascule's datapath: every packet that comes in on an interface of the director goes through bascule() below, before
 * the kernel's own network stack sees it. A packet for a virtual server leaves for a real server from here; everything
 * else goes on to the stack, unchanged.
 *
 *   parse             what is it?                      parse.h      unreadable, or not IP, TCP, UDP, ICMP → PASS
 *   fragment_ports    of which flow is this fragment?  fragments.h
 *   find_service      for which virtual server?        service.h    none → reply_nat (nat.h), probe_answer (probe.h), else PASS
 *   answer_echo       ping of a virtual server         icmp.h
 *   guard             may it come in?                  guard.h      prefixes, rates
 *   choose            to which real server?            table.h      by hash, no state (mh, sh, dh)
 *                                                      choose.h     recorded flow (flows.h), session (sessions.h), scheduler (schedule.h)
 *   forward           by which method?                 forward.h    dr; tunnels: encap.h; nat: nat.h; local → PASS
 *
 * Each step returns CONTINUE or the packet's verdict; who drops a packet counts it under its reason (stats.h). hook.h hides
 * whether this is XDP or tcx; switches.h has what user space decided before the load; maps.h says who owns which data.
 *
 * The way of a packet whose virtual server hashes consistently is the short one: the service, remembered from the look-up
 * that the last timer tick allowed; one hash; three array look-ups (virtual server, slot, real server); two counters. No
 * clock is read but the tick count, nothing is locked, nothing about the flow is kept. Everything that is rare is a
 * function of its own (__noinline), so that the short way stays short.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "types.h"
#include "maps.h"
#include "packet.h"
#include "switches.h"
#include "hook.h"
#include "parse.h"
#include "explain.h"
#include "stats.h"
#include "hash.h"
#include "service.h"
#include "fragments.h"
#include "guard.h"
#include "capture.h"
#include "icmp.h"
#include "flows.h"
#include "begin.h"
#include "choose.h"
#include "table.h"
#include "forward.h"
#include "probe.h"
#include "sweep.h"
#include "follow.h"

/* The packet is for no virtual server. */
static __always_inline enum verdict not_for_us(struct context *ctx, struct packet *packet)
{
	enum verdict verdict = PASS;

	if (has_nat)
		verdict = reply_nat(ctx, packet);
	if (has_probes && verdict == PASS)
		verdict = probe_answer(ctx, packet);
	return verdict;
}

/* Fragments carry ports only in the first. Later ones that cannot be ours are not looked up. */
static __noinline enum verdict join_fragment(struct context *ctx, struct packet *packet)
{
	return has_nat || has_any_address || is_virtual_address(packet) ? fragment_ports(packet) : PASS;
}

static __always_inline __u32 choose(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	if (virtual_server->flags & (VS_STATEFUL | VS_ONE_PACKET | VS_PERSISTENT) || virtual_server->scheduler != SCHEDULER_TABLE)
		return choose_stateful(ctx, packet, virtual_server);
	return choose_from_table(ctx, packet, virtual_server);
}

static __always_inline enum verdict balance(struct context *ctx, struct packet *packet)
{
	struct virtual_server *virtual_server;
	enum verdict verdict;
	__u32 id;

	if (unlikely(packet->flags & PACKET_LATER_FRAGMENT)) {
		verdict = join_fragment(ctx, packet);
		if (verdict != CONTINUE)
			return verdict;
	}

	id = find_service(packet);
	virtual_server = bpf_map_lookup_elem(&virtual_servers, &id);
	if (unlikely(virtual_server && !virtual_server->slots)) {
		/* Id 0, or one that was given up since it was remembered. */
		id = id ? look_up_service(packet) : 0;
		virtual_server = bpf_map_lookup_elem(&virtual_servers, &id);
	}
	if (!id || !virtual_server) {
		verdict = not_for_us(ctx, packet);
		if (!tells || verdict != PASS)
			return verdict;
		id = service_of_flow(ctx, packet);
		virtual_server = bpf_map_lookup_elem(&virtual_servers, &id);
		if (!id || !virtual_server)
			return PASS;
	}
	packet->virtual_server = id;

	capture_incoming(ctx, packet, virtual_server);
	if (unlikely(packet->flags & PACKET_ICMP_ECHO))
		return answer_echo(ctx, packet);
	verdict = guard(packet, virtual_server, packet->flags & PACKET_SYN);
	if (verdict != CONTINUE)
		return verdict;

	if (unlikely(packet->flags & PACKET_FIRST_FRAGMENT))
		keep_ports(packet);
	packet->hash = hash_of(packet, virtual_server->hash);
	explain_virtual_server(packet);
	packet->real_server = choose(ctx, packet, virtual_server);
	return packet->real_server == NOBODY ? DROP : forward(ctx, packet);
}

SEC(HOOK_SECTION)
int bascule(struct context *ctx)
{
	struct packet packet = {};
	enum verdict verdict;

	explain_start();
	prepare(ctx);
	verdict = parse(ctx, &packet);
	if (verdict == CONTINUE)
		verdict = balance(ctx, &packet);
	capture_outgoing(ctx, &packet, verdict);
	return finish(verdict);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
