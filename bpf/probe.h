/* SPDX-License-Identifier: MIT */
/* Health checks through the real path. */
#pragma once

#include "hook.h"
#include "packet.h"

/* The answer of a real server to a health check: its source becomes the real server's own address. PASS in any case. */
static __noinline enum verdict probe_answer(struct context *ctx, struct packet *packet)
{
	return PASS;
}
