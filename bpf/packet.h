/* SPDX-License-Identifier: MIT */
/*
 * What is known about the packet in hand: filled by parse.h, read by everybody, changed only by who says so.
 * Offsets count from the start of the frame and stay small, so that the verifier can follow them.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include "types.h"

enum packet_flag {
	PACKET_SYN = 1 << 0,            /* TCP, without ACK */
	PACKET_SYN_ACK = 1 << 1,
	PACKET_ACK = 1 << 2,
	PACKET_FIN = 1 << 3,
	PACKET_RST = 1 << 4,
	PACKET_FIRST_FRAGMENT = 1 << 5, /* has the ports, more follow */
	PACKET_LATER_FRAGMENT = 1 << 6, /* has no ports of its own; fragments.h fills them in */
	PACKET_DONT_FRAGMENT = 1 << 7,  /* IPv4 DF; always set for IPv6 */
	PACKET_ICMP_ERROR = 1 << 8,     /* source, destination and ports are the inner packet's, turned round: as its other end would send */
	PACKET_ICMP_ECHO = 1 << 9,      /* an echo request */
	PACKET_NEW_FLOW = 1 << 10,      /* set by who gives it to a real server as the first of its flow: counted as a connection */
	PACKET_NO_LOOKUP = 1 << 11,     /* set where the real server was found without a look at any flow table */
	PACKET_BY_HASH = 1 << 12,       /* set where a virtual server that records flows chose by hash instead: nothing is recorded */
};

/* Half of an address, as one word: addresses are read and written by halves, which is half as many steps. */
static __always_inline __u64 half_of(const void *address, int half)
{
	return ((const __u64 *)address)[half];
}

static __always_inline void copy_address(void *to, const void *from)
{
	((__u64 *)to)[0] = half_of(from, 0);
	((__u64 *)to)[1] = half_of(from, 1);
}

struct packet {
	struct address source, destination; /* IPv4 in word[0], the other words are 0 */
	__be16 source_port, destination_port; /* 0 where there are none */
	__u8 protocol;       /* IPPROTO_TCP, IPPROTO_UDP, or another; for an ICMP error the inner packet's */
	__u8 family;         /* 4 or 6 */
	__u16 flags;         /* enum packet_flag */
	__u16 network;       /* offset of the IP header (after up to two VLAN tags) */
	__u16 transport;     /* offset of what follows it (after options and extension headers) */
	__u16 inner;         /* ICMP error: offset of the inner IP header, else 0 */
	__u16 inner_transport;
	__u16 length;        /* IP packet, header included, without the frame's padding */
	__u8 traffic_class;  /* IPv4 TOS or IPv6 traffic class */
	__u8 unused;
	__u32 fragment_id;   /* IPv4: always; IPv6: of a fragment */
	/* What was found out on the way. */
	__u32 hash;          /* of the flow, as the virtual server hashes */
	__u16 virtual_server;/* 0 until it is found */
	__u16 real_server;   /* NOBODY until it is chosen */
	__u32 captured;      /* its number where capture.h has taken it on its way in, and will on its way out; else 0 */
	__be16 nat_port;     /* full NAT: the flow's port from the pool */
	__u16 too_big_for;   /* reply_nat: the mtu it found it does not fit; else 0 */
};
