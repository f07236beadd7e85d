/* SPDX-License-Identifier: MIT */
/* Who may come in, and how often. */
#pragma once

#include "hook.h"
#include "packet.h"
#include "stats.h"

static __noinline enum verdict guard(struct context *ctx, struct packet *packet, const struct virtual_server *virtual_server, bool new_flow)
{
	return CONTINUE;
}
