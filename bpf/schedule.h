/* SPDX-License-Identifier: MIT */
/*
 * Schedulers that count or take turns. For the same sequence of connections each gives the same answers as its namesake
 * in src/Bascule.Core/Scheduling, where the reasons are written down; lblc and lblcr are in localities.h.
 *
 * A virtual server's real servers are walked in the order of the file. What a scheduler remembers is one 64-bit word in `turns`,
 * changed by compare-and-swap; 0 is a fresh start. Under contention the last try goes ahead without writing: a turn is then
 * taken twice, which no client can tell.
 */
#pragma once

#include "hook.h"
#include "loads.h"
#include "maps.h"

#define SWAP_TRIES 4

/* One pass over the members. */
struct pass {
	void *list;           /* members[virtual server] */
	__u32 virtual_server;
	__u32 members;
	__u32 from;           /* index to begin at */
	__u32 kind;           /* enum scheduler */
	__u32 threshold;      /* wrr: takes this weight and more */
	__u32 divisor;        /* wrr: of all weights */
	__u32 greatest;       /* wrr, fo, ovf: weight */
	__u32 index, id;      /* found: where, who; NOBODY: nobody yet */
	__u64 load, share;    /* lc, wlc, sed: of the one found */
	__u64 place;          /* random: where in the row of weights; before that: how long the row is */
};

/* The member there if it may be chosen, and its id. */
static __always_inline struct real_server *usable_member(const struct pass *pass, __u32 index, __u32 *id)
{
	__u32 *member = bpf_map_lookup_elem(pass->list, &index);
	struct real_server *server;

	if (!member)
		return NULL;
	*id = *member;
	server = real_server_of(*id);
	return server && is_usable(server, *id) ? server : NULL;
}

static __always_inline struct load load_of(__u32 id)
{
	struct load *load = bpf_map_lookup_elem(&loads, &id);

	return load ? *load : (struct load){};
}

static __always_inline __u32 member_at(const struct pass *pass, __u32 step)
{
	__u32 index = pass->from + step;

	return index < pass->members ? index : index - pass->members;
}

static __always_inline long found(struct pass *pass, __u32 index, __u32 id)
{
	pass->index = index;
	pass->id = id;
	return 1;
}

/* ---- rr */

static long next_usable(__u32 step, struct pass *pass)
{
	__u32 index = member_at(pass, step);
	__u32 id;

	return usable_member(pass, index, &id) ? found(pass, index, id) : 0;
}

/* ---- lc, wlc, sed: the least load for its share; among equals the next in the ring after the last choice */

static __always_inline __u64 load_for(__u32 kind, const struct load *load)
{
	return kind == SCHEDULER_SED || kind == SCHEDULER_NQ ? (__u64)load->active + 1 : overhead_of(load);
}

static long less_loaded(__u32 step, struct pass *pass)
{
	__u32 index = member_at(pass, step);
	struct real_server *server;
	__u64 load, share;
	struct load now;
	__u32 id;

	server = usable_member(pass, index, &id);
	if (!server)
		return 0;
	now = load_of(id);
	load = load_for(pass->kind, &now);
	share = pass->kind == SCHEDULER_LC ? 1 : server->weight;
	if (pass->id != NOBODY && load * pass->share >= pass->load * share)
		return 0;
	found(pass, index, id);
	pass->load = load;
	pass->share = share;
	return 0;
}

/* ---- nq: the first that has nothing to do */

static long first_idle(__u32 index, struct pass *pass)
{
	__u32 id;

	if (!usable_member(pass, index, &id) || load_of(id).active)
		return 0;
	return found(pass, index, id);
}

/* ---- fo, ovf: the highest weight (that has room) */

static long higher_weight(__u32 index, struct pass *pass)
{
	struct real_server *server;
	__u32 id;

	server = usable_member(pass, index, &id);
	if (!server || server->weight <= pass->greatest)
		return 0;
	if (pass->kind == SCHEDULER_OVF && load_of(id).active > server->weight)
		return 0;
	pass->greatest = server->weight;
	found(pass, index, id);
	return 0;
}

/* ---- wrr: rounds with a falling threshold */

static long reaches_threshold(__u32 step, struct pass *pass)
{
	__u32 index = pass->from + step;
	struct real_server *server;
	__u32 id;

	if (index >= pass->members)
		return 1;
	server = usable_member(pass, index, &id);
	return server && server->weight >= pass->threshold ? found(pass, index, id) : 0;
}

static __always_inline __u32 common_divisor(__u32 a, __u32 b)
{
	/* Euclid on 32 bits needs 47 steps at most (Lamé). */
	for (int i = 0; i < 48 && b; i++) {
		__u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static long survey_weights(__u32 index, struct pass *pass)
{
	struct real_server *server;
	__u32 id;

	server = usable_member(pass, index, &id);
	if (!server)
		return 0;
	pass->divisor = common_divisor(server->weight, pass->divisor);
	if (server->weight > pass->greatest)
		pass->greatest = server->weight;
	return 0;
}

/* The next lower threshold that somebody reaches; 0: nobody is usable. */
static __always_inline __u32 next_threshold(struct pass *pass, __u32 threshold)
{
	__u32 most;

	pass->divisor = 0;
	pass->greatest = 0;
	bpf_loop(pass->members, survey_weights, pass, 0);
	if (!pass->greatest || !pass->divisor)
		return 0;
	most = pass->greatest;
	if (threshold > 1 && threshold - 1 < most)
		most = threshold - 1;
	return (most - 1) / pass->divisor * pass->divisor + 1; /* 1, 1 + divisor, 1 + 2 × divisor … */
}

/* Its word: the threshold above, below it the index after the last choice. 0: at the end of a round above all weights. */
static __noinline void weighted_round_robin(struct pass *pass, __u64 *turn)
{
	for (int i = 0; i < SWAP_TRIES; i++) {
		__u64 before = *turn;

		pass->id = NOBODY;
		pass->threshold = before >> 32;
		pass->from = before;
		if (pass->threshold)
			bpf_loop(pass->members, reaches_threshold, pass, 0);
		if (pass->id == NOBODY) {
			pass->threshold = next_threshold(pass, pass->threshold);
			if (!pass->threshold)
				return;
			pass->from = 0;
			bpf_loop(pass->members, reaches_threshold, pass, 0);
		}
		if (explaining)
			return;
		/* Nobody here means that a weight or a health changed between the two passes: look again. */
		if (pass->id != NOBODY &&
		    __sync_val_compare_and_swap(turn, before, (__u64)pass->threshold << 32 | (pass->index + 1)) == before)
			return;
	}
}

/* ---- random, twos: by chance in proportion to weight */

static long add_weight(__u32 index, struct pass *pass)
{
	struct real_server *server;
	__u32 id;

	server = usable_member(pass, index, &id);
	if (server)
		pass->place += server->weight;
	return 0;
}

/* The usable ones lie side by side, each as wide as its weight. The last of them, should weights have shrunk meanwhile. */
static long lies_here(__u32 index, struct pass *pass)
{
	struct real_server *server;
	__u32 id;

	server = usable_member(pass, index, &id);
	if (!server)
		return 0;
	found(pass, index, id);
	if (pass->place < server->weight)
		return 1;
	pass->place -= server->weight;
	return 0;
}

static __noinline __u32 draw(struct pass *pass)
{
	__u64 chance = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();

	pass->id = NOBODY;
	pass->place = 0;
	bpf_loop(pass->members, add_weight, pass, 0);
	if (!pass->place)
		return NOBODY;
	pass->place = chance % pass->place;
	bpf_loop(pass->members, lies_here, pass, 0);
	return pass->id;
}

/* One has fewer connections for its weight than the other. */
static __always_inline bool is_less_loaded(__u32 one, __u32 other)
{
	struct real_server *first = real_server_of(one), *second = real_server_of(other);
	struct load of_first = load_of(one), of_second = load_of(other);

	return first && second && overhead_of(&of_first) * second->weight < overhead_of(&of_second) * first->weight;
}

static __noinline __u32 better_of_two(struct pass *pass)
{
	__u32 first = draw(pass);
	__u32 second = draw(pass);

	if (first == NOBODY || second == NOBODY)
		return first != NOBODY ? first : second;
	return is_less_loaded(second, first) ? second : first;
}

/* ---- those that go round: one pass from the one after the last choice */

/* Its word: the index after the last choice. */
static __always_inline void go_round(struct pass *pass, __u64 *turn, long (*look)(__u32, struct pass *))
{
	for (int i = 0; i < SWAP_TRIES; i++) {
		__u64 before = *turn;

		pass->id = NOBODY;
		pass->from = (__u32)before % pass->members;
		bpf_loop(pass->members, look, pass, 0);
		if (explaining || pass->id == NOBODY || __sync_val_compare_and_swap(turn, before, pass->index + 1) == before)
			return;
	}
}

static __noinline void round_robin(struct pass *pass, __u64 *turn)
{
	go_round(pass, turn, next_usable);
}

static __noinline void least_loaded(struct pass *pass, __u64 *turn)
{
	go_round(pass, turn, less_loaded);
}

static __noinline void never_queue(struct pass *pass, __u64 *turn)
{
	bpf_loop(pass->members, first_idle, pass, 0);
	if (pass->id == NOBODY)
		least_loaded(pass, turn);
}

static __always_inline bool begin_pass(struct pass *pass, __u32 virtual_server, const struct virtual_server *settings)
{
	pass->list = bpf_map_lookup_elem(&members, &virtual_server);
	pass->virtual_server = virtual_server;
	pass->members = settings->members < MAX_MEMBERS ? settings->members : MAX_MEMBERS;
	pass->kind = settings->scheduler;
	return pass->list && pass->members;
}
