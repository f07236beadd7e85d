/* SPDX-License-Identifier: MIT */
/* NAT both ways. */
#pragma once

#include "hook.h"
#include "packet.h"
#include "stats.h"

static __noinline enum verdict forward_nat(struct context *ctx, struct packet *packet, const struct real_server *to)
{
	return drop(DROP_UNSUPPORTED);
}

/* A packet that is for no virtual server: the answer of a real server behind NAT, or not ours (PASS). */
static __noinline enum verdict reply_nat(struct context *ctx, struct packet *packet)
{
	return PASS;
}
