/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071): sums of 16-bit words in whatever order the machine has, folded at the end. Sums are
 * kept in 64 bits and added up from 32-bit words, which comes to the same.
 */
#pragma once

#include "hook.h"

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u16 checksum_of(__u64 sum)
{
	return ~fold(sum);
}

static __always_inline __u64 sum_of_words(const void *from, int words)
{
	const __u32 *word = from;
	__u64 sum = 0;

#pragma unroll
	for (int i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

#define CHUNK 64

struct summing {
	struct context *ctx;
	__u32 offset, left;
	__u64 sum;
};

static long sum_chunk(__u32 index, struct summing *s)
{
	__u32 buffer[CHUNK / 4] = {};
	__u32 bytes = s->left < CHUNK ? s->left : CHUNK;

	if (bytes == 0 || load_bytes(s->ctx, s->offset, buffer, bytes))
		return 1;
	s->sum += sum_of_words(buffer, CHUNK / 4);
	s->offset += bytes;
	s->left -= bytes;
	return 0;
}

/* The sum of the frame's bytes from this offset on. By and by: for packets that cannot be summed by arithmetic. */
static __noinline __u64 sum_of_bytes(struct context *ctx, __u32 offset, __u32 bytes)
{
	struct summing s = { .ctx = ctx, .offset = offset, .left = bytes };

	bpf_loop(0x10000 / CHUNK, sum_chunk, &s, 0);
	return s.sum;
}

/* The sum of a TCP or UDP segment whose own checksum is right: whatever makes it and its pseudo header come to 0xffff. */
static __always_inline __u64 sum_of_valid_segment(const struct packet *packet)
{
	int words = packet->family == 4 ? 1 : 4;
	__u32 length = packet->network + packet->length - packet->transport;
	__u64 pseudo = bpf_htons(length) + bpf_htons(packet->protocol);

	for (int i = 0; i < words; i++)
		pseudo += (__u64)packet->source.word[i] + packet->destination.word[i];
	return (__u16)~fold(pseudo);
}

/* The sum of the whole IP packet, for a checksum around it. Nothing but the headers is read where the packet's own
 * checksum says what the rest comes to; should that be wrong, the outer one is too, and the far end drops it all the same.
 * It also is what a checksum that the hardware has yet to fill in will come to. */
static __noinline __u64 sum_of_packet(struct context *ctx, const struct packet *packet)
{
	bool arithmetic = !(packet->flags & (PACKET_FIRST_FRAGMENT | PACKET_LATER_FRAGMENT | PACKET_ICMP_ERROR));
	const __u16 *udp = at(ctx, packet->transport, 8);
	const void *ip = at(ctx, packet->network, 40);

	if (packet->protocol == IPPROTO_UDP && (!udp || udp[3] == 0))
		arithmetic = false;
	if (arithmetic && packet->family == 4)
		return sum_of_valid_segment(packet); /* the header itself comes to 0xffff, which is nothing */
	if (arithmetic && packet->transport == packet->network + 40 && ip)
		return sum_of_words(ip, 10) + sum_of_valid_segment(packet);

	return sum_of_bytes(ctx, packet->network, packet->length);
}
