/* SPDX-License-Identifier: MIT */
/*
 * The sweep: user space runs it every second. It takes out the flows, ways back and sessions that have been silent for longer than
 * their state allows or whose real server will not come back, and counts what is left: for `bascule list`, for real server ids that
 * can be used anew, for tables that wait for their recorded flows to end (docs/design/affinity.md).
 *
 * It runs beside the datapath, not instead of it: a packet that comes in the same instant finds the flow or does not, and
 * begins it anew. What it writes into `swept`, `exceptions` and `references` is read when it has returned.
 */
#pragma once

#include "flows.h"
#include "sessions.h"

#define HALF_OPEN_PATIENCE 60 /* seconds: STATE_SYN_RECEIVED's */

/* The other director is told that a flow or session was seen since it was last told of it, when that is so large a part of how long it
 * may be silent: much sooner than the other one would give it up (goes_on, session_patience). So many in one sweep. */
#define RETOLD_FLOW 4
#define RETOLD_SESSION 8
#define MOST_RETOLD 16384

struct sweeping {
	struct sweep found;
	ticks at;
	__u32 retold;
};

static __always_inline bool is_silent(ticks seen, __u32 seconds, ticks at)
{
	return (__s32)(at - seen) > (__s32)ticks_of(seconds);
}

/* The settings of the virtual server that the real server is of now; NULL: there is none. */
static __always_inline struct virtual_server *settings_of(const struct real_server *server)
{
	__u32 id = server->virtual_server;

	return server->flags & RS_VALID ? bpf_map_lookup_elem(&virtual_servers, &id) : NULL;
}

static __always_inline void count_exception(const struct real_server *server)
{
	__u32 id = server->virtual_server;
	__u32 *count = bpf_map_lookup_elem(&exceptions, &id);

	if (count)
		*count += 1;
}

/* The answers of the real server may be younger than the last packet of the client. */
static __always_inline bool is_answered(const union tuple *key, __u32 family, struct flow *flow, const struct real_server *server, __u32 seconds, ticks at)
{
	struct reply *way;
	union tuple answer;

	answering_tuple(&answer, key, family, server, flow->nat_port);
	way = look_up(&replies4, &replies6, &answer, family);
	if (!way || is_silent(way->seen, seconds, at))
		return false;
	flow->seen = way->seen;
	return true;
}

static __always_inline bool goes_on(const union tuple *key, __u32 family, struct flow *flow, const struct real_server *server,
				    const struct virtual_server *settings, ticks at)
{
	__u32 seconds = patience(flow->state, settings);

	if (tells && flow->flags & FLOW_FOLLOWED)
		seconds *= 2; /* the other director says when it ends, and how late it is with that nobody knows */
	if (server->flags & RS_GONE && settings->flags & VS_EXPIRE_NO_DESTINATION)
		return false;
	if (!is_silent(flow->seen, seconds, at))
		return true;
	return flow->flags & FLOW_REPLIES && is_answered(key, family, flow, server, seconds, at);
}

/* Whoever ended it deletes it in the same breath; where the kernel did not let him, it is done here. */
static __always_inline bool is_left_over(const struct flow *flow, ticks at)
{
	return flow->flags & FLOW_ENDED && is_silent(flow->seen, HALF_OPEN_PATIENCE, at);
}

static __always_inline void tell_flow_again(const union tuple *key, __u32 family, struct flow *flow, const struct virtual_server *settings,
					    struct sweeping *s)
{
	if (!tells || flow->flags & (FLOW_FOLLOWED | FLOW_ENDED) || s->retold >= MOST_RETOLD)
		return;
	if (flow->seen - flow->told <= ticks_of(patience(flow->state, settings)) / RETOLD_FLOW)
		return;
	s->retold = try_to_tell_flow(key, family, flow) ? s->retold + 1 : MOST_RETOLD; /* no room: the next sweep goes on */
}

static __always_inline bool sweep_flow(const union tuple *key, __u32 family, struct flow *flow, struct sweeping *s)
{
	ticks at = s->at;
	__u32 id = flow->real_server;
	struct real_server *server = real_server_of(id);
	struct virtual_server *settings = server ? settings_of(server) : NULL;
	struct references *found = bpf_map_lookup_elem(&references, &id);

	if (!settings || !found || !goes_on(key, family, flow, server, settings, at)) {
		end_flow(key, family, flow);
		if (is_left_over(flow, at))
			forget(&flows4, &flows6, key, family);
		return false;
	}
	if (flow->flags & FLOW_ACTIVE)
		found->active++;
	else
		found->inactive++;
	if (flow->flags & FLOW_EXCEPTION)
		count_exception(server);
	tell_flow_again(key, family, flow, settings, s);
	if (settings->flags & VS_PERSISTENT) {
		struct address source = {};

		if (family == 4)
			source.word[0] = key->four.source;
		else
			source = key->six.source;
		keep_session(&source, family, server->virtual_server, settings, at);
	}
	return true;
}

static long sweep_flow4(void *map, const struct tuple4 *key, struct flow *flow, struct sweeping *s)
{
	union tuple copy = { .four = *key };

	if (sweep_flow(&copy, 4, flow, s))
		s->found.flows4++;
	else
		s->found.ended++;
	return 0;
}

static long sweep_flow6(void *map, const struct tuple6 *key, struct flow *flow, struct sweeping *s)
{
	union tuple copy = { .six = *key };

	if (sweep_flow(&copy, 6, flow, s))
		s->found.flows6++;
	else
		s->found.ended++;
	return 0;
}

/* Whether it is still waiting to be confirmed. */
static __always_inline bool count_waiting(const struct flow *flow, ticks at)
{
	__u32 id = flow->real_server;
	struct real_server *server = real_server_of(id);
	struct virtual_server *settings = server ? settings_of(server) : NULL;
	struct references *found = bpf_map_lookup_elem(&references, &id);

	if (!settings || !found || is_silent(flow->seen, patience(flow->state, settings), at))
		return false;
	found->half_open++;
	if (flow->flags & FLOW_EXCEPTION)
		count_exception(server);
	return true;
}

static long sweep_half_open4(void *map, const struct tuple4 *key, struct flow *flow, struct sweeping *s)
{
	struct tuple4 copy = *key;

	if (count_waiting(flow, s->at))
		s->found.half_open4++;
	else
		bpf_map_delete_elem(&half_open4, &copy);
	return 0;
}

static long sweep_half_open6(void *map, const struct tuple6 *key, struct flow *flow, struct sweeping *s)
{
	struct tuple6 copy = *key;

	if (count_waiting(flow, s->at))
		s->found.half_open6++;
	else
		bpf_map_delete_elem(&half_open6, &copy);
	return 0;
}

/* How long a way back may be silent on its own account. Of a confirmed flow it goes with the flow; this is for one whose flow is lost. */
static __always_inline bool is_lost(const struct reply *way, ticks at)
{
	struct real_server *server = real_server_of(way->real_server);
	struct virtual_server *settings = server ? settings_of(server) : NULL;
	__u32 seconds = HALF_OPEN_PATIENCE;

	if (settings && settings->tcp_timeout > seconds)
		seconds = settings->tcp_timeout;
	if (settings && settings->udp_timeout > seconds)
		seconds = settings->udp_timeout;
	return !settings || is_silent(way->seen, seconds, at);
}

static long sweep_reply4(void *map, const struct tuple4 *key, struct reply4 *reply, struct sweeping *s)
{
	struct tuple4 copy = *key;

	if (is_lost(&reply->way, s->at) && !bpf_map_lookup_elem(&flows4, &reply->client))
		bpf_map_delete_elem(&replies4, &copy);
	return 0;
}

static long sweep_reply6(void *map, const struct tuple6 *key, struct reply6 *reply, struct sweeping *s)
{
	struct tuple6 copy = *key;

	if (is_lost(&reply->way, s->at) && !bpf_map_lookup_elem(&flows6, &reply->client))
		bpf_map_delete_elem(&replies6, &copy);
	return 0;
}

/* A port of the pool must not stay taken for a flow that never was. */
static __always_inline bool is_given_up(const struct reply *way, __u8 protocol, ticks at)
{
	struct real_server *server = real_server_of(way->real_server);
	struct virtual_server *settings = server ? settings_of(server) : NULL;

	return !settings || is_silent(way->seen, protocol == IPPROTO_UDP ? settings->udp_timeout : HALF_OPEN_PATIENCE, at);
}

static long sweep_half_open_reply4(void *map, const struct tuple4 *key, struct reply4 *reply, struct sweeping *s)
{
	struct tuple4 copy = *key;

	if (is_given_up(&reply->way, copy.protocol, s->at))
		bpf_map_delete_elem(&half_open_replies4, &copy);
	return 0;
}

static long sweep_half_open_reply6(void *map, const struct tuple6 *key, struct reply6 *reply, struct sweeping *s)
{
	struct tuple6 copy = *key;

	if (is_given_up(&reply->way, copy.protocol, s->at))
		bpf_map_delete_elem(&half_open_replies6, &copy);
	return 0;
}

/* Whether it holds; then it is counted. */
static __always_inline bool count_session(const struct client *client, const struct session *session, ticks at)
{
	__u32 id = client->virtual_server, real_server = session->real_server;
	struct virtual_server *settings = bpf_map_lookup_elem(&virtual_servers, &id);
	struct references *found = bpf_map_lookup_elem(&references, &real_server);

	if (!settings || !found || is_silent(session->seen, session_patience(session, settings), at))
		return false;
	found->sessions++;
	return true;
}

static __always_inline void tell_session_again(const struct client *client, struct session *session, struct sweeping *s)
{
	__u32 id = client->virtual_server;
	struct virtual_server *settings = tells ? bpf_map_lookup_elem(&virtual_servers, &id) : NULL;

	if (!settings || session->flags & SESSION_FOLLOWED || s->retold >= MOST_RETOLD)
		return;
	if (session->seen - session->told <= ticks_of(settings->persistence) / RETOLD_SESSION)
		return;
	s->retold = try_to_tell_session(client, session) ? s->retold + 1 : MOST_RETOLD;
}

static long sweep_session(void *map, const struct client *key, struct session *session, struct sweeping *s)
{
	struct client copy = *key;

	if (count_session(&copy, session, s->at)) {
		s->found.sessions++;
		tell_session_again(&copy, session, s);
	} else {
		bpf_map_delete_elem(&sessions, &copy);
	}
	return 0;
}

static long sweep_half_open_session(void *map, const struct client *key, struct session *session, struct sweeping *s)
{
	struct client copy = *key;

	if (!count_session(&copy, session, s->at) || is_silent(session->seen, HALF_OPEN_PATIENCE, s->at))
		bpf_map_delete_elem(&half_open_sessions, &copy);
	return 0;
}

static long begin_exceptions(void *map, const __u32 *key, __u32 *count, void *unused)
{
	*count = 0;
	return 0;
}

static long begin_references(void *map, const __u32 *key, struct references *found, void *unused)
{
	*found = (struct references){};
	return 0;
}

/* The table of half-open flows forgets by itself, so their number is put right from what stands in it. */
static long settle_load(void *map, const __u32 *key, struct references *found, void *unused)
{
	__u32 id = *key;
	struct real_server *server = real_server_of(id);
	struct load *load = bpf_map_lookup_elem(&loads, &id);

	if (server && load && load->half_open != (__s32)found->half_open) {
		load->half_open = found->half_open;
		watch_thresholds(server, load);
	}
	return 0;
}

struct bpf_map {
	int unused; /* the kernel's own; only its name counts here */
};

extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __ksym __weak; /* Linux 6.6 */

/* To walk an empty table of a million entries takes ten milliseconds all the same. */
#define SWEEP(table_, look_, with_)                                                                                                        \
	if (!bpf_map_sum_elem_count || bpf_map_sum_elem_count((const struct bpf_map *)&table_))                                            \
		bpf_for_each_map_elem(&table_, look_, with_, 0)

SEC("syscall")
int sweep(void *unused)
{
	__u64 begun = bpf_ktime_get_ns();
	struct sweeping s = { .at = begun >> 20 }; /* the same clock; now() is not for programs of this type */
	__u32 only = 0;

	bpf_for_each_map_elem(&exceptions, begin_exceptions, NULL, 0);
	bpf_for_each_map_elem(&references, begin_references, NULL, 0);
	SWEEP(flows4, sweep_flow4, &s);
	SWEEP(flows6, sweep_flow6, &s);
	SWEEP(half_open4, sweep_half_open4, &s);
	SWEEP(half_open6, sweep_half_open6, &s);
	SWEEP(replies4, sweep_reply4, &s);
	SWEEP(replies6, sweep_reply6, &s);
	SWEEP(half_open_replies4, sweep_half_open_reply4, &s);
	SWEEP(half_open_replies6, sweep_half_open_reply6, &s);
	SWEEP(sessions, sweep_session, &s);
	SWEEP(half_open_sessions, sweep_half_open_session, &s);
	bpf_for_each_map_elem(&references, settle_load, NULL, 0);

	s.found.nanoseconds = bpf_ktime_get_ns() - begun;
	bpf_map_update_elem(&swept, &only, &s.found, BPF_ANY);
	return 0;
}
