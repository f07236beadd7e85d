/* SPDX-License-Identifier: MIT */
/*
 * Which virtual server a packet is for: {address, port}, else {address, any port}, else {any address, port}. A first
 * match decides; 0 is none.
 */
#pragma once

#include "explain.h"
#include "hash.h"
#include "maps.h"
#include "packet.h"
#include "stats.h"
#include "switches.h"

/* Written as one word: the look-up reads the key in wider pieces than its fields, and a processor that must put such a
 * read together from several stores waits for them. */
union service4_key {
	struct service4 fields;
	__u64 word;
};

static __always_inline __u64 service4_word(const struct packet *packet, __be32 address, __be16 port)
{
	return address | (__u64)port << 32 | (__u64)packet->protocol << 48;
}

static __always_inline __u32 find_service4(const struct packet *packet)
{
	union service4_key key = { .word = service4_word(packet, packet->destination.word[0], packet->destination_port) };
	__u32 *id = bpf_map_lookup_elem(&services4, &key);

	if (!id && has_any_port) {
		key.word = service4_word(packet, packet->destination.word[0], 0);
		id = bpf_map_lookup_elem(&services4, &key);
	}
	if (!id && has_any_address) {
		key.word = service4_word(packet, 0, packet->destination_port);
		id = bpf_map_lookup_elem(&services4, &key);
	}
	return id ? *id : 0;
}

union service6_key {
	struct service6 fields;
	struct {
		struct address address;
		__u32 rest;
	};
};

static __always_inline __u32 service6_rest(const struct packet *packet, __be16 port)
{
	return port | (__u32)packet->protocol << 16;
}

static __always_inline __u32 find_service6(const struct packet *packet)
{
	union service6_key key = { .address = packet->destination, .rest = service6_rest(packet, packet->destination_port) };
	__u32 *id = bpf_map_lookup_elem(&services6, &key);

	if (!id && has_any_port) {
		key.rest = service6_rest(packet, 0);
		id = bpf_map_lookup_elem(&services6, &key);
	}
	if (!id && has_any_address) {
		key.address = (struct address){};
		key.rest = service6_rest(packet, packet->destination_port);
		id = bpf_map_lookup_elem(&services6, &key);
	}
	return id ? *id : 0;
}

/* The virtual server's id, or 0. */
static __noinline __u32 look_up_service(const struct packet *packet)
{
	return packet->family == 4 ? find_service4(packet) : find_service6(packet);
}

/* A look-up in a hash map of the kernel is the dearest single step of the short way (measured: a third of all that the
 * program costs). So each processor remembers what it found until the clock next ticks: 1 to 10 ms, by the kernel's HZ. A
 * change of the services shows that much later; an id that is taken out of use meanwhile is noticed by its empty entry (see
 * balance). Only what was found is remembered: who asks for nothing of ours pushes nothing out. */
#define REMEMBERED_SERVICES 64
#define GOLDEN_RATIO_64 0x9E3779B97F4A7C15

struct remembered_service {
	__u64 key;  /* service_key */
	__u64 when; /* the tick */
	__u32 id;
	__be32 word1;     /* IPv6: the rest of the address */
	__u64 lower_half;
};

MAP(remembered_services, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct remembered_service, REMEMBERED_SERVICES, );

/* Family, protocol, port, and the address as far as it fits: all of it for IPv4. */
static __always_inline __u64 service_key(const struct packet *packet, __u8 family)
{
	return service4_word(packet, packet->destination.word[0], packet->destination_port) | (__u64)family << 56;
}

static __always_inline bool is_remembered(const struct remembered_service *service, const struct packet *packet, __u8 family)
{
	if (family == 4)
		return true;
	return service->lower_half == half_of(&packet->destination, 1) && service->word1 == packet->destination.word[1];
}

static __noinline __u32 look_up_and_remember(const struct packet *packet, struct remembered_service *service, __u64 key)
{
	__u32 id = look_up_service(packet);

	if (id) {
		service->key = key;
		service->when = bpf_jiffies64();
		service->id = id;
		service->word1 = packet->destination.word[1];
		service->lower_half = half_of(&packet->destination, 1);
	}
	return id;
}

/* The virtual server's id, or 0; possibly as it was at the last tick. */
static __always_inline __u32 find_service_of(const struct packet *packet, __u8 family)
{
	__u64 key = service_key(packet, family);
	__u64 mixed = family == 4 ? key : key ^ packet->destination.word[3];
	__u32 index = mixed * GOLDEN_RATIO_64 >> 58; /* of REMEMBERED_SERVICES */
	struct remembered_service *service;

	if (!remembers_services || explaining)
		return look_up_service(packet);
	service = bpf_map_lookup_elem(&remembered_services, &index);
	if (!service)
		return 0;
	if (likely(service->key == key && service->when == bpf_jiffies64() && is_remembered(service, packet, family)))
		return service->id;
	return look_up_and_remember(packet, service, key);
}

static __always_inline __u32 find_service(const struct packet *packet)
{
	return packet->family == 4 ? find_service_of(packet, 4) : find_service_of(packet, 6);
}

/* Does a virtual server have this packet's destination address? Of a later fragment nothing more is known at first. */
static __noinline bool is_virtual_address(const struct packet *packet)
{
	if (packet->family == 4) {
		struct service4 key = { .address = packet->destination.word[0], .protocol = IPPROTO_ICMP };

		return bpf_map_lookup_elem(&services4, &key);
	}
	struct service6 key = { .address = packet->destination, .protocol = IPPROTO_ICMPV6 };

	return bpf_map_lookup_elem(&services6, &key);
}

/* Nobody can take the packet: the sorry server does, or it is dropped for this reason (and NOBODY returned). */
static __always_inline __u32 sorry_or_nobody(const struct virtual_server *virtual_server, enum drop_reason reason)
{
	if (virtual_server->sorry != NOBODY) {
		explain_choice(virtual_server->sorry, REASON_SORRY);
		return virtual_server->sorry;
	}
	drop(reason);
	return NOBODY;
}
