/* SPDX-License-Identifier: MIT */
/*
 * The maps: who writes, who reads, what happens when one is full. All are pinned by name, so a daemon that starts again
 * finds them as they were. max_entries here are the least; user space raises them before the load.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "types.h"

#define MAP(name_, type_, key_, value_, entries_, ...)                                                                                     \
	struct {                                                                                                                           \
		__uint(type, type_);                                                                                                       \
		__type(key, key_);                                                                                                         \
		__type(value, value_);                                                                                                     \
		__uint(max_entries, entries_);                                                                                             \
		__VA_ARGS__                                                                                                                \
	} name_ SEC(".maps")

/* Configuration: user space writes, the datapath reads. */
MAP(services4, BPF_MAP_TYPE_HASH, struct service4, __u32, 4096, );
MAP(services6, BPF_MAP_TYPE_HASH, struct service6, __u32, 4096, );
MAP(virtual_servers, BPF_MAP_TYPE_ARRAY, __u32, struct virtual_server, 4096, );
MAP(real_servers, BPF_MAP_TYPE_ARRAY, __u32, struct real_server, 4096, );

/* Per virtual server: its hash table and its list of real server ids, each swapped whole by one update. */
struct inner_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct slot_pair);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP); /* tables of different sizes in one outer map */
};

/* The compiler leaves the type of an inner map's value out of the BTF unless something else is of that type. */
const volatile struct slot_pair type_of_tables = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__array(values, struct inner_table);
} tables SEC(".maps");

struct inner_members {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, MAX_MEMBERS); /* all the same size, so that lookups are inlined */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__array(values, struct inner_members);
} members SEC(".maps");

MAP(runtime, BPF_MAP_TYPE_ARRAY, __u32, struct runtime, 1, );
/* Redirect to another interface; key and value are the interface's index. */
MAP(interfaces, BPF_MAP_TYPE_DEVMAP_HASH, __u32, __u32, 64, );

/* Schedulers' memory: one atomic word a virtual server, as Core's. */
MAP(turns, BPF_MAP_TYPE_ARRAY, __u32, __u64, 4096, );
MAP(loads, BPF_MAP_TYPE_ARRAY, __u32, struct load, 4096, );

/* Flows: the datapath writes, the sweep (a program user space runs every second) takes out what is over. Full: a new flow
 * goes by hash without state where the method allows it (DR, tunnel), else it is refused and counted. */
MAP(flows4, BPF_MAP_TYPE_HASH, struct tuple4, struct flow, 1024, );
MAP(flows6, BPF_MAP_TYPE_HASH, struct tuple6, struct flow, 1024, );
MAP(replies4, BPF_MAP_TYPE_HASH, struct tuple4, struct reply4, 1024, );
MAP(replies6, BPF_MAP_TYPE_HASH, struct tuple6, struct reply6, 1024, );
/* Flows that were begun and not yet confirmed by a second packet of the client (TCP: one that is no SYN), and the way back
 * of those that go by NAT: apart, so that a flood of them evicts only its like. */
MAP(half_open4, BPF_MAP_TYPE_LRU_HASH, struct tuple4, struct flow, 1024, );
MAP(half_open6, BPF_MAP_TYPE_LRU_HASH, struct tuple6, struct flow, 1024, );
MAP(half_open_replies4, BPF_MAP_TYPE_LRU_HASH, struct tuple4, struct reply4, 1024, );
MAP(half_open_replies6, BPF_MAP_TYPE_LRU_HASH, struct tuple6, struct reply6, 1024, );
/* Source persistence, likewise: what a flow that is not confirmed chose stands apart. */
MAP(sessions, BPF_MAP_TYPE_LRU_HASH, struct client, struct session, 1024, );
MAP(half_open_sessions, BPF_MAP_TYPE_LRU_HASH, struct client, struct session, 1024, );
MAP(localities, BPF_MAP_TYPE_LRU_HASH, struct locality_key, struct locality, 1024, );
MAP(fragments, BPF_MAP_TYPE_LRU_HASH, struct fragment, struct fragment_ports, 1024, );

/* tell.h. The datapath writes, user space reads and tells the other director. Full: the change is left out and counted in untold
 * (index: enum untold); user space then tells everything anew. User space makes the rings larger. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} changed_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} changed_sessions SEC(".maps");

enum untold {
	UNTOLD_FLOWS,
	UNTOLD_SESSIONS,
};

MAP(untold, BPF_MAP_TYPE_ARRAY, __u32, __u64, 2, );

/* What the sweep found. exceptions: flows of a table virtual server that are recorded (or half open), by its id. references: by real server id. */
MAP(swept, BPF_MAP_TYPE_ARRAY, __u32, struct sweep, 1, );
MAP(exceptions, BPF_MAP_TYPE_ARRAY, __u32, __u32, 4096, );
MAP(references, BPF_MAP_TYPE_ARRAY, __u32, struct references, 4096, );

/* guard.h. Prefixes: user space writes. The rest: the datapath writes, nobody cleans up, what is old counts for nothing. User space
 * gives sketch SKETCH_ROWS * sketch_cells entries and the marks mark_cells (switches.h). */
MAP(prefixes4, BPF_MAP_TYPE_LPM_TRIE, struct prefix4, __u32, 16384, __uint(map_flags, BPF_F_NO_PREALLOC););
MAP(prefixes6, BPF_MAP_TYPE_LPM_TRIE, struct prefix6, __u32, 16384, __uint(map_flags, BPF_F_NO_PREALLOC););
MAP(sketch, BPF_MAP_TYPE_ARRAY, __u32, struct sketch_cell, SKETCH_ROWS * 1024, );
MAP(sources_known, BPF_MAP_TYPE_ARRAY, __u32, struct marks, 1024, );
MAP(sources_tried, BPF_MAP_TYPE_ARRAY, __u32, struct marks, 1024, );
MAP(new_flows, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct rate, 4096, ); /* by virtual server; 0: all of them */
MAP(too_big_sent, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct rate, 1, );

/* probe.h. Targets: by real server id, the virtual address (of the same family) that its checks go to; user space writes. Answers: the datapath writes. */
MAP(probe_targets, BPF_MAP_TYPE_HASH, __u32, struct address, 4096, );
MAP(probe_answers, BPF_MAP_TYPE_LRU_HASH, struct probe_answer, struct address, 4096, );

/* capture.h. The datapath writes, a capture reads; what finds no room is left out. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} captured SEC(".maps");

struct capture_scratch {
	struct captured record;
	__u8 frame[CAPTURE_BYTES];
};

MAP(capture_scratches, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct capture_scratch, 1, );

/* Counters: the datapath writes, each processor its own; user space reads. */
MAP(virtual_server_traffic, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct traffic, 4096, );
MAP(real_server_traffic, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct traffic, 4096, );
MAP(drops, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, DROP_REASONS, );
MAP(explanations, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct explanation, 1, );
