/* SPDX-License-Identifier: MIT */
/*
 * Keys of the flow tables. Each table exists twice, for IPv4 with its small key and for IPv6; the functions here are given both
 * and take the one of the packet's family.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include "packet.h"

union tuple {
	struct tuple4 four;
	struct tuple6 six;
};

/* Rare or big: the verifier looks at such a function once and not at every place that calls it. In return it knows
 * nothing about the arguments (a pointer may be NULL), nor about what comes back. */
#define APART __attribute__((noinline))

/* The compiler must not make one call of two, with either map: the kernel inlines a lookup only when the map is known. */
#define NOT_AS_ONE() asm volatile("" ::: "memory")

/* Member by member: for a struct put together elsewhere and copied, the compiler takes twice the stack. */
static __always_inline void fill_tuple(union tuple *tuple, __u8 family, __u8 protocol, const struct address *source,
				       __be16 source_port, const struct address *destination, __be16 destination_port)
{
	if (family == 4) {
		tuple->four.source = source->word[0];
		tuple->four.destination = destination->word[0];
		tuple->four.source_port = source_port;
		tuple->four.destination_port = destination_port;
		*(__u32 *)&tuple->four.protocol = protocol; /* and the bytes that are always 0 */
	} else {
		tuple->six.source = *source;
		tuple->six.destination = *destination;
		tuple->six.source_port = source_port;
		tuple->six.destination_port = destination_port;
		*(__u32 *)&tuple->six.protocol = protocol;
	}
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "fill_tuple writes the protocol as the first byte of a word"
#endif

/* As the packet's sender sends. */
static __always_inline void tuple_of(union tuple *tuple, const struct packet *packet)
{
	fill_tuple(tuple, packet->family, packet->protocol, &packet->source, packet->source_port, &packet->destination,
		   packet->destination_port);
}

static __always_inline void *look_up(void *map4, void *map6, const union tuple *tuple, __u8 family)
{
	void *found;

	if (family == 4) {
		found = bpf_map_lookup_elem(map4, &tuple->four);
		NOT_AS_ONE();
	} else {
		found = bpf_map_lookup_elem(map6, &tuple->six);
	}
	return found;
}

static __always_inline long put(void *map4, void *map6, const union tuple *tuple, __u8 family, const void *value, __u64 mode)
{
	long error;

	if (family == 4) {
		error = bpf_map_update_elem(map4, &tuple->four, value, mode);
		NOT_AS_ONE();
	} else {
		error = bpf_map_update_elem(map6, &tuple->six, value, mode);
	}
	return error;
}

static __always_inline long forget(void *map4, void *map6, const union tuple *tuple, __u8 family)
{
	long error;

	if (family == 4) {
		error = bpf_map_delete_elem(map4, &tuple->four);
		NOT_AS_ONE();
	} else {
		error = bpf_map_delete_elem(map6, &tuple->six);
	}
	return error;
}

/* Addresses and ports, in 32-bit words. Only tuples of one protocol are ever compared. */
#define TUPLE4_WORDS 3
#define TUPLE6_WORDS 9

static __always_inline bool is_same(const void *one, const void *other, int words)
{
	const __u32 *a = one, *b = other;
	__u32 differing = 0;

	for (int i = 0; i < words; i++)
		differing |= a[i] ^ b[i];
	return !differing;
}
