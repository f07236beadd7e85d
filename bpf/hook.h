/* SPDX-License-Identifier: MIT */
/*
 * Where the program hangs: XDP (native or generic), or tcx ingress when compiled with -DHOOK_TCX. Everything that differs
 * between the two is in this file: the context, reading beyond the linear part, making room for an outer header, sending,
 * and checksums, which at tcx may still be left for the hardware to finish (CHECKSUM_PARTIAL).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "maps.h"
#include "packet.h"

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#ifdef HOOK_TCX
#define context __sk_buff
#define HOOK_SECTION "tc"
#else
#define context xdp_md
#define HOOK_SECTION "xdp"
#endif

/* What a step says about the packet. CONTINUE: the next step decides. The others end the packet's way. */
enum verdict {
	CONTINUE = -1,
	DROP = XDP_DROP,
	PASS = XDP_PASS,           /* not ours, or for the director itself: to the stack, unchanged */
	TRANSMIT = XDP_TX,         /* back out of the interface it came from */
	REDIRECTED = XDP_REDIRECT, /* out of another one */
};

/* No frame's headers that we look at reach farther; a bound for the verifier (and a mask, hence 2^n − 1). */
#define MAX_OFFSET 0x3ff

static __always_inline void *frame(const struct context *ctx)
{
	return (void *)(long)ctx->data;
}

static __always_inline void *frame_end(const struct context *ctx)
{
	return (void *)(long)ctx->data_end;
}

/* So many bytes of the frame from this offset on, or NULL where the frame is shorter. */
static __always_inline void *at(const struct context *ctx, __u32 offset, __u32 bytes)
{
	void *data = frame(ctx);
	void *end = frame_end(ctx);

	/* The mask is for the verifier; the compiler must not reason it away. */
	asm volatile("%0 &= %1" : "+r"(offset) : "i"(MAX_OFFSET));
	return data + offset + bytes > end ? NULL : data + offset;
}

#ifdef HOOK_TCX

static __always_inline __u32 frame_length(const struct context *ctx)
{
	return ctx->len;
}

static __always_inline __u32 ingress_interface(const struct context *ctx)
{
	return ctx->ifindex;
}

/* The headers must be in the linear part before anybody looks at them. */
static __always_inline void prepare(struct context *ctx)
{
	__u32 wanted = ctx->len < 192 ? ctx->len : 192;

	if (frame(ctx) + 192 > frame_end(ctx))
		bpf_skb_pull_data(ctx, wanted);
}

static __always_inline long load_bytes(struct context *ctx, __u32 offset, void *to, __u32 bytes)
{
	return bpf_skb_load_bytes(ctx, offset, to, bytes);
}

/* IP length of the largest packet that will leave: a GSO packet is cut up later, into segments of gso_size. */
static __always_inline __u32 longest(const struct context *ctx, const struct packet *packet)
{
	const __u8 *header = at(ctx, packet->transport, 13);
	__u32 header_length = 8; /* UDP */

	if (likely(!ctx->gso_size) || !header)
		return packet->length;
	if (packet->protocol == IPPROTO_TCP)
		header_length = header[12] >> 4 << 2;
	return packet->transport - packet->network + header_length + ctx->gso_size;
}

/* Room for `bytes` between the link header and the IP header. room_flags say what will stand there (BPF_F_ADJ_ROOM_...). */
static __always_inline long grow(struct context *ctx, const struct packet *packet, __u32 bytes, __u64 room_flags)
{
	return bpf_skb_adjust_room(ctx, bytes, BPF_ADJ_ROOM_MAC, room_flags | BPF_F_ADJ_ROOM_FIXED_GSO);
}

/* Leaves so many bytes of the frame. */
static __always_inline long cut_off(struct context *ctx, __u32 bytes)
{
	return bpf_skb_change_tail(ctx, bytes, 0);
}

static __always_inline enum verdict transmit(struct context *ctx, __u32 interface)
{
	return bpf_redirect(interface, 0) == TC_ACT_REDIRECT ? REDIRECTED : DROP;
}

/* Corrects a TCP, UDP or ICMP checksum at this offset. The differences are sums of 32-bit words as bpf_csum_diff gives
 * them: of addresses (or whatever the pseudo header holds) and of everything else. Pointers into the frame are void
 * afterwards. An IPv4 UDP checksum of 0 stays 0 when is_udp. */
static __always_inline void correct_checksum(struct context *ctx, __u32 offset, __u32 pseudo, __u32 rest, bool is_udp)
{
	__u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;

	if (pseudo)
		bpf_l4_csum_replace(ctx, offset, 0, pseudo, mangled | BPF_F_PSEUDO_HDR);
	if (rest)
		bpf_l4_csum_replace(ctx, offset, 0, rest, mangled);
}

/* UNSPEC rather than OK: what is not ours is other programs' on the interface. */
static __always_inline int finish(enum verdict verdict)
{
	switch (verdict) {
	case DROP:
		return TC_ACT_SHOT;
	case TRANSMIT:
	case REDIRECTED:
		return TC_ACT_REDIRECT;
	default:
		return TC_ACT_UNSPEC;
	}
}

#else

static __always_inline __u32 frame_length(const struct context *ctx)
{
	return ctx->data_end - ctx->data;
}

static __always_inline __u32 ingress_interface(const struct context *ctx)
{
	return ctx->ingress_ifindex;
}

static __always_inline void prepare(struct context *ctx)
{
}

static __always_inline long load_bytes(struct context *ctx, __u32 offset, void *to, __u32 bytes)
{
	return bpf_xdp_load_bytes(ctx, offset, to, bytes);
}

static __always_inline __u32 longest(const struct context *ctx, const struct packet *packet)
{
	return packet->length;
}

/* Room for `bytes` between the link header and the IP header. Of the link header only VLAN tags are moved: whoever grows a
 * frame writes the addresses and the last EtherType anew. */
static __always_inline long grow(struct context *ctx, const struct packet *packet, __u32 bytes, __u64 room_flags)
{
	if (bpf_xdp_adjust_head(ctx, -(int)bytes))
		return -1;

	for (__u32 tag = ETH_HLEN - 2; unlikely(tag + 2 < packet->network) && tag < ETH_HLEN + 8; tag += 4) {
		__u32 *to = at(ctx, tag, sizeof(*to));
		__u32 *from = at(ctx, tag + bytes, sizeof(*from));

		if (!to || !from)
			return -1;
		*to = *from;
	}
	return 0;
}

/* Leaves so many bytes of the frame. */
static __always_inline long cut_off(struct context *ctx, __u32 bytes)
{
	int now = frame_length(ctx);

	asm volatile("" : "+r"(now)); /* or the compiler adds to the pointers themselves, which the verifier refuses */
	return bpf_xdp_adjust_tail(ctx, (int)bytes - now);
}

static __always_inline enum verdict transmit(struct context *ctx, __u32 interface)
{
	if (likely(interface == ctx->ingress_ifindex))
		return TRANSMIT;
	return bpf_redirect_map(&interfaces, interface, XDP_DROP) == XDP_REDIRECT ? REDIRECTED : DROP;
}

/* Corrects a TCP, UDP or ICMP checksum at this offset. The differences are sums of 32-bit words as bpf_csum_diff gives
 * them: of addresses (or whatever the pseudo header holds) and of everything else. Pointers into the frame are void
 * afterwards. An IPv4 UDP checksum of 0 stays 0 when is_udp. RFC 1624 §3. */
static __always_inline void correct_checksum(struct context *ctx, __u32 offset, __u32 pseudo, __u32 rest, bool is_udp)
{
	__u16 *checksum = at(ctx, offset, sizeof(*checksum));
	__u64 sum;

	if (!checksum || (is_udp && *checksum == 0))
		return;

	sum = (__u64)(__u16)~*checksum + pseudo + rest;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*checksum = ~sum;
	if (is_udp && *checksum == 0)
		*checksum = 0xffff;
}

static __always_inline int finish(enum verdict verdict)
{
	return verdict;
}

#endif
