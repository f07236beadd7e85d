/* SPDX-License-Identifier: MIT */
/* Samples of packets for `bascule capture`. */
#pragma once

#include "hook.h"
#include "packet.h"

static __noinline void capture(struct context *ctx, struct packet *packet)
{
}
