/* SPDX-License-Identifier: MIT */
/*
 * Why the packet went where it went, for `bascule explain`. In the program that packets go through, explaining is false
 * and all of this is gone; a second load of the same object over the same maps has it true.
 */
#pragma once

#include "maps.h"
#include "packet.h"
#include "switches.h"

static __always_inline struct explanation *explanation(void)
{
	__u32 only = 0;

	return explaining ? bpf_map_lookup_elem(&explanations, &only) : NULL;
}

static __always_inline void explain_start(void)
{
	struct explanation *told = explanation();

	if (told)
		*told = (struct explanation){};
}

/* Once the virtual server and the hash are known. */
static __always_inline void explain_virtual_server(const struct packet *packet)
{
	struct explanation *told = explanation();

	if (told) {
		told->virtual_server = packet->virtual_server;
		told->hash = packet->hash;
	}
}

/* Whoever chooses a real server says why. */
static __always_inline void explain_choice(__u32 real_server, enum reason reason)
{
	struct explanation *told = explanation();

	if (told) {
		told->real_server = real_server;
		told->reason = reason;
	}
}

static __always_inline void explain_slot(__u32 slot)
{
	struct explanation *told = explanation();

	if (told)
		told->slot = slot;
}

static __always_inline void explain_drop(enum drop_reason reason)
{
	struct explanation *told = explanation();

	if (told)
		told->drop = reason;
}
