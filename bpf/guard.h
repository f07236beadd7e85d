/* SPDX-License-Identifier: MIT */
/*
 * Who may send, and how much: allowed and denied prefixes, packets per second of one source, new flows per second of a
 * virtual server, and the flood governor. A packet of a virtual server without rules pays one test of a flag; a SYN pays the
 * counting of new flows.
 *
 * The flood governor acts while a processor sees more new flows a second than runtime.flood_new_flows_per_second, and for a second
 * after. It then drops the first SYN of a source that it does not know and lets the retransmission pass: an honest client's comes a
 * second later, a flood with made-up sources sends none. Sources that have ended a connection (a FIN) or whose handshake was seen
 * to its end (flows.h says so) in the last 5 to 9 minutes are known, and pass at once.
 *
 * What is kept per source is kept in tables of fixed size under a keyed hash, so nobody can fill them or aim at a neighbour. Their
 * counts are read and written without a lock: two processors that hit one cell in the same instant lose one count, and none costs more.
 */
#pragma once

#include "hash.h"
#include "hook.h"
#include "maps.h"
#include "stats.h"

/* A second is 2^30 ns here (1.07 s), so that a shift does for a division; bounds are scaled to it. */
#define SECOND_SHIFT 30
#define IN_A_SECOND(rate) ((__u64)(rate) * 1100 >> 10)

#define TRIED_SHIFT 2 /* epochs of 4.3 s: the retransmission of a first SYN falls into the same or the next one */
#define KNOWN_SHIFT 8 /* epochs of 4.6 minutes */

#define ALL_VIRTUAL_SERVERS 0 /* in new_flows: what the governor looks at */
#define MARKS_A_WORD 48

static __always_inline __u32 current_second(void)
{
	return bpf_ktime_get_coarse_ns() >> SECOND_SHIFT;
}

/* Counts one more in the current second and returns how many there are. */
static __always_inline __u32 one_more(struct rate *rate, __u32 second)
{
	if (rate->second != second) {
		rate->before = rate->second + 1 == second ? rate->count : 0;
		rate->second = second;
		rate->count = 0;
	}
	return ++rate->count;
}

/* ---- prefixes -------------------------------------------------------------------------------------------------------- */

/* The longest prefix decides. A list of allowed prefixes is one with everything denied under it: user space adds that /0. */
static __always_inline bool is_denied(const struct packet *packet, __u32 id)
{
	struct prefix4 key4 = { .bits = 32 + 32, .virtual_server = id, .address = packet->source.word[0] };
	struct prefix6 key6 = { .bits = 32 + 128, .virtual_server = id, .address = packet->source };
	__u32 *rule = packet->family == 4 ? bpf_map_lookup_elem(&prefixes4, &key4) : bpf_map_lookup_elem(&prefixes6, &key6);

	return rule && *rule == PREFIX_DENIED;
}

/* ---- one source ------------------------------------------------------------------------------------------------------ */

/* Count-min sketch (Cormode, Muthukrishnan 2005) of the current second: an estimate that is never too low. The rows' cells come from
 * the two halves of one hash (Kirsch, Mitzenmacher 2006). */
static __always_inline __u32 count_of_source(const struct packet *packet, __u32 id)
{
	__u32 hash = keyed_hash(packet, id & 0xffff, 2), second = current_second(), least = ~0U;

	for (__u32 row = 0; row < SKETCH_ROWS; row++) {
		__u32 at = row * sketch_cells + (((hash & 0xffff) + row * (hash >> 16 | 1)) & (sketch_cells - 1));
		struct sketch_cell *cell = bpf_map_lookup_elem(&sketch, &at);

		if (!cell)
			continue;
		if (cell->second != second)
			*cell = (struct sketch_cell){ .second = second };
		cell->count++;
		if (cell->count < least)
			least = cell->count;
	}
	return least;
}

/* ---- flood governor -------------------------------------------------------------------------------------------------- */

/* Two words a cell take turns by epoch, each says in its upper 16 bits which epoch it is of: what is too old counts for nothing, and
 * nobody has to clean up. */
static __always_inline bool is_marked(const struct marks *marks, __u32 epoch, __u32 bit)
{
	__u64 now = marks->word[epoch & 1], before = marks->word[(epoch & 1) ^ 1];

	return (now >> MARKS_A_WORD == (epoch & 0xffff) && now >> bit & 1) ||
	       (before >> MARKS_A_WORD == ((epoch - 1) & 0xffff) && before >> bit & 1);
}

static __always_inline void mark(struct marks *marks, __u32 epoch, __u32 bit)
{
	__u64 *word = &marks->word[epoch & 1];

	if (*word >> MARKS_A_WORD != (epoch & 0xffff))
		*word = (__u64)(epoch & 0xffff) << MARKS_A_WORD;
	if (!(*word >> bit & 1))
		*word |= 1ULL << bit;
}

static __always_inline __u32 mark_cell(__u32 hash) { return hash & (mark_cells - 1); }
static __always_inline __u32 mark_bit(__u32 hash) { return (hash >> 20) * MARKS_A_WORD >> 12; }

static __always_inline bool governor_is_on(void)
{
	__u32 zero = 0;
	struct runtime *now = has_governor ? bpf_map_lookup_elem(&runtime, &zero) : 0;

	return now && now->flood_new_flows_per_second;
}

/* The source has shown that it is really there. */
static __noinline int remember_source(const struct packet *packet)
{
	__u32 hash, at;
	struct marks *known;

	if (explaining || !governor_is_on())
		return 0;
	hash = keyed_hash(packet, 0, 0);
	at = mark_cell(hash);
	known = bpf_map_lookup_elem(&sources_known, &at);
	if (known)
		mark(known, current_second() >> KNOWN_SHIFT, mark_bit(hash));
	return 0;
}

/* More new flows on this processor, in this second or the last one, than the governor takes without acting. */
static __always_inline bool in_flood(void)
{
	__u32 zero = 0, second = current_second();
	struct runtime *now = has_governor ? bpf_map_lookup_elem(&runtime, &zero) : 0;
	struct rate *all = bpf_map_lookup_elem(&new_flows, &zero); /* ALL_VIRTUAL_SERVERS */
	__u32 bound;

	if (!now || !all || !now->flood_new_flows_per_second)
		return false;
	bound = IN_A_SECOND(now->flood_new_flows_per_second);
	return (all->second == second && (all->count > bound || all->before > bound)) ||
	       (all->second + 1 == second && all->count > bound);
}

/* True: this SYN is the first of a source never seen, in a flood. */
static __always_inline bool is_stranger(const struct packet *packet)
{
	__u32 hash = keyed_hash(packet, 0, 0), second = current_second(), at = mark_cell(hash), bit = mark_bit(hash);
	struct marks *known = bpf_map_lookup_elem(&sources_known, &at), *tried = bpf_map_lookup_elem(&sources_tried, &at);

	if (!known || !tried || is_marked(known, second >> KNOWN_SHIFT, bit) || is_marked(tried, second >> TRIED_SHIFT, bit))
		return false;
	mark(tried, second >> TRIED_SHIFT, bit);
	return true;
}

/* ---- the step of the pipeline ---------------------------------------------------------------------------------------- */

static __noinline enum verdict guard_new_flow(const struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = packet->virtual_server;
	__u32 all_key = ALL_VIRTUAL_SERVERS;
	struct rate *all, *own;

	if (explaining)
		return CONTINUE;
	if (virtual_server->flags & VS_GUARDED && virtual_server->new_flows_per_second) {
		own = bpf_map_lookup_elem(&new_flows, &id);
		if (own && one_more(own, current_second()) > IN_A_SECOND(virtual_server->new_flows_per_second))
			return drop(DROP_VIRTUAL_SERVER_RATE);
	}
	if (!governor_is_on())
		return CONTINUE;
	all = bpf_map_lookup_elem(&new_flows, &all_key);
	if (all)
		one_more(all, current_second());
	if (packet->flags & PACKET_SYN && in_flood() && is_stranger(packet))
		return drop(DROP_FLOOD);
	return CONTINUE;
}

static __noinline enum verdict guard_rules(const struct packet *packet, const struct virtual_server *virtual_server)
{
	__u32 id = packet->virtual_server;

	if (is_denied(packet, id))
		return drop(DROP_DENIED);
	if (!explaining && virtual_server->packets_per_second_source &&
	    count_of_source(packet, id) > IN_A_SECOND(virtual_server->packets_per_second_source))
		return drop(DROP_SOURCE_RATE);
	return CONTINUE;
}

/* new_flow: it is TCP and a SYN. UDP knows of new flows only where flows are recorded: choose.h calls guard_new_flow. */
static __always_inline enum verdict guard(const struct packet *packet, const struct virtual_server *virtual_server, bool new_flow)
{
	enum verdict verdict = CONTINUE;

	if (unlikely(virtual_server->flags & VS_GUARDED))
		verdict = guard_rules(packet, virtual_server);
	if (verdict == CONTINUE && new_flow)
		verdict = guard_new_flow(packet, virtual_server);
	if (unlikely(packet->flags & PACKET_FIN) && verdict == CONTINUE)
		remember_source(packet);
	return verdict;
}
