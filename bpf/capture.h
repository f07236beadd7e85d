/* SPDX-License-Identifier: MIT */
/*
 * Packets for `bascule capture`: tcpdump sees none of those that XDP sends on. One of capture_one_in packets of a virtual
 * server marked VS_CAPTURED goes to the ring buffer twice, as it came and as it leaves, with what became of it. A virtual server
 * that is not captured pays one test of a flag. When the reader is slow and the ring is full, packets are missing in the
 * capture and nowhere else.
 */
#pragma once

#include "hook.h"
#include "maps.h"
#include "switches.h"

static __always_inline struct runtime *capture_wanted(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&runtime, &only);
}

static __noinline int capture(struct context *ctx, const struct packet *packet, bool outgoing, __u32 verdict)
{
	__u32 only = 0, bytes;
	struct runtime *wanted = capture_wanted();
	struct capture_scratch *scratch = bpf_map_lookup_elem(&capture_scratches, &only);

	if (!wanted || !scratch)
		return 0;

	scratch->record = (struct captured){
		.time = bpf_ktime_get_ns(),
		.interface = ingress_interface(ctx),
		.length = frame_length(ctx),
		.virtual_server = packet->virtual_server,
		.real_server = packet->real_server,
		.outgoing = outgoing,
		.verdict = verdict,
		.number = packet->captured,
	};
	bytes = wanted->capture_bytes < frame_length(ctx) ? wanted->capture_bytes : frame_length(ctx);
	if (bytes > CAPTURE_BYTES)
		bytes = CAPTURE_BYTES;
	if (outgoing && verdict == DROP)
		bytes = 0;
	if (bytes && load_bytes(ctx, 0, scratch->frame, bytes))
		bytes = 0;
	scratch->record.bytes = bytes;
	bpf_ringbuf_output(&captured, scratch, sizeof(scratch->record) + bytes, 0);
	return 0;
}

/* Once the virtual server is known, before anything is changed. */
static __always_inline void capture_incoming(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server)
{
	struct runtime *wanted;

	if (likely(!(virtual_server->flags & VS_CAPTURED)) || explaining)
		return;
	wanted = capture_wanted();
	if (!wanted || (wanted->capture_one_in > 1 && bpf_get_prandom_u32() % wanted->capture_one_in))
		return;
	packet->captured = bpf_get_prandom_u32() | 1;
	capture(ctx, packet, false, 0);
}

/* The same for an answer on its way through NAT, once its flow is known. */
static __always_inline void capture_answer(struct context *ctx, struct packet *packet)
{
	__u32 id = packet->virtual_server;
	struct virtual_server *virtual_server = bpf_map_lookup_elem(&virtual_servers, &id);

	if (virtual_server)
		capture_incoming(ctx, packet, virtual_server);
}

/* Last of all. */
static __always_inline void capture_outgoing(struct context *ctx, const struct packet *packet, enum verdict verdict)
{
	if (unlikely(packet->captured))
		capture(ctx, packet, true, verdict);
}
