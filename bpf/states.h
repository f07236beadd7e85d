/* SPDX-License-Identifier: MIT */
/*
 * Time, and what a TCP packet does to the state of its flow. States, timeouts and what counts as active are IPVS's, so that
 * lists and weights mean what operators know. Sequence numbers are not looked at: the real server does that.
 *
 * Two views. With NAT both directions pass here. With direct routing and tunnels only the client's half does, and the end
 * of a connection is guessed from it: a FIN of the client alone is FIN_WAIT, with its longer patience, since the real
 * server may go on sending.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "packet.h"

enum side {
	SIDE_CLIENT,
	SIDE_REAL_SERVER,
};

enum view {
	VIEW_BOTH_SIDES,  /* NAT */
	VIEW_CLIENT_ONLY, /* direct routing, tunnel */
};

static __always_inline ticks now(void)
{
	return bpf_ktime_get_coarse_ns() >> 20;
}

static __always_inline ticks ticks_of(__u32 seconds)
{
	return (__u64)seconds * 15625000 >> 14; /* × 10^9 / 2^20 */
}

/* How long a flow may be silent in this state, in seconds. */
static __always_inline __u32 patience(__u8 state, const struct virtual_server *vs)
{
	switch (state) {
	case STATE_ESTABLISHED:
		return vs->tcp_timeout;
	case STATE_FIN_WAIT:
		return vs->tcp_fin_timeout;
	case STATE_UDP:
		return vs->udp_timeout;
	case STATE_SYN_SENT:
	case STATE_TIME_WAIT:
		return 120;
	case STATE_LAST_ACK:
		return 30;
	case STATE_CLOSE:
		return 10;
	default: /* STATE_NONE, STATE_SYN_RECEIVED, STATE_CLOSE_WAIT */
		return 60;
	}
}

static __always_inline bool is_over(ticks seen, __u8 state, const struct virtual_server *vs, ticks at)
{
	return at - seen > ticks_of(patience(state, vs)) && (__s32)(at - seen) > 0;
}

/* The connection is ending or has ended: a SYN on the same ports is a new one. */
static __always_inline bool is_closing(__u8 state)
{
	return state >= STATE_FIN_WAIT && state <= STATE_LAST_ACK;
}

/* Only what is ESTABLISHED is active; UDP never is (IPVS). */
static __always_inline __u8 counted_as(__u8 state)
{
	return state == STATE_ESTABLISHED ? FLOW_ACTIVE : FLOW_INACTIVE;
}

static __always_inline __u8 after_reset(__u8 state, enum side side)
{
	/* Before the handshake is through, a client's RST may be forged by whoever guessed the ports: wait for the timeout. */
	if (side == SIDE_CLIENT && state == STATE_SYN_RECEIVED)
		return state;
	return STATE_CLOSE;
}

static __always_inline __u8 after_fin(__u8 state, enum side side, enum view view)
{
	bool client = side == SIDE_CLIENT;

	switch (state) {
	case STATE_ESTABLISHED:
		return client && view == VIEW_BOTH_SIDES ? STATE_CLOSE_WAIT : STATE_FIN_WAIT;
	case STATE_CLOSE_WAIT: /* the client's FIN was first; TIME_WAIT when the real server's comes too */
		return client ? state : STATE_TIME_WAIT;
	case STATE_FIN_WAIT:   /* the real server's was first */
		return client && view == VIEW_BOTH_SIDES ? STATE_TIME_WAIT : state;
	case STATE_SYN_RECEIVED:
		return STATE_TIME_WAIT;
	case STATE_NONE:
		return client ? STATE_CLOSE : STATE_TIME_WAIT;
	default:
		return state;
	}
}

static __always_inline __u8 after_ack(__u8 state, enum side side)
{
	if (state == STATE_NONE || state == STATE_SYN_RECEIVED)
		return STATE_ESTABLISHED;
	if (state == STATE_LAST_ACK && side == SIDE_CLIENT)
		return STATE_CLOSE;
	return state;
}

/* A SYN changes nothing here: in a closing state it begins a new flow (choose.h), in any other it is a retransmission. */
static __always_inline __u8 next_state(__u8 state, const struct packet *packet, enum side side, enum view view)
{
	if (packet->protocol != IPPROTO_TCP)
		return STATE_UDP;
	if (packet->flags & PACKET_RST)
		return after_reset(state, side);
	if (packet->flags & (PACKET_SYN | PACKET_SYN_ACK))
		return state;
	if (packet->flags & PACKET_FIN)
		return after_fin(state, side, view);
	if (packet->flags & PACKET_ACK)
		return after_ack(state, side);
	return state;
}
