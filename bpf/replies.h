/* SPDX-License-Identifier: MIT */
/*
 * NAT: the way back. What a real server answers carries its own address; an entry under the tuple it sends says which
 * client's flow that is. For a flow that is not confirmed yet the entry stands in half_open_replies, an LRU table, so a
 * flood of SYNs costs the confirmed flows nothing; confirming moves it to replies.
 *
 * The tuple must be one flow's alone. Full NAT takes a source port from the real server's pool until it finds one that
 * is; without full NAT the client's own port stands, and two flows meet only where one client uses one port towards two
 * virtual servers with the same real server: the second is refused.
 */
#pragma once

#include "hash.h"
#include "hook.h"
#include "loads.h"
#include "states.h"
#include "tuples.h"

#define PORT_TRIES 32

/* A reply4 or a reply6: one struct for both. */
struct reply_entry {
	struct reply way;
	union tuple client;
};

_Static_assert(offsetof(struct reply4, client) == offsetof(struct reply_entry, client), "reply_entry");
_Static_assert(sizeof(struct reply6) == sizeof(struct reply_entry), "reply_entry");

/* A flow that begins. */
struct opening {
	struct reply_entry reply; /* its way back; reply.client is the flow's own key */
	struct flow flow;         /* nat_port: the port taken */
	__u32 first_port, ports;  /* full NAT: the pool, and from where */
	__u32 start;
	__u8 family;
	bool open;                /* the way back is */
};

/* The tuple that the real server sends in answer to this client. */
static __always_inline void answering_tuple(union tuple *answer, const union tuple *client, __u8 family,
					    const struct real_server *server, __be16 nat_port)
{
	bool full = server->flags & RS_FULL_NAT;

	if (family == 4) {
		answer->four.source = server->address.word[0];
		answer->four.destination = full ? server->outer_source.word[0] : client->four.source;
		answer->four.source_port = server->port ? server->port : client->four.destination_port;
		answer->four.destination_port = full ? nat_port : client->four.source_port;
		*(__u32 *)&answer->four.protocol = client->four.protocol;
	} else {
		answer->six.source = server->address;
		answer->six.destination = full ? server->outer_source : client->six.source;
		answer->six.source_port = server->port ? server->port : client->six.destination_port;
		answer->six.destination_port = full ? nat_port : client->six.source_port;
		*(__u32 *)&answer->six.protocol = client->six.protocol;
	}
}

enum owner {
	OWNER_NONE,
	OWNER_THIS_FLOW,
	OWNER_ANOTHER,
};

/* Whose the answering tuple is, in this pair of tables. Both steps stand in one branch: the verifier takes a pointer for what
 * the table it came from holds. */
static __always_inline enum owner owner_of(void *map4, void *map6, const union tuple *answer, const union tuple *client, __u8 family)
{
	if (family == 4) {
		struct reply4 *four = bpf_map_lookup_elem(map4, &answer->four);

		if (!four)
			return OWNER_NONE;
		return is_same(&four->client, &client->four, TUPLE4_WORDS) ? OWNER_THIS_FLOW : OWNER_ANOTHER;
	}
	struct reply6 *six = bpf_map_lookup_elem(map6, &answer->six);

	if (!six)
		return OWNER_NONE;
	return is_same(&six->client, &client->six, TUPLE6_WORDS) ? OWNER_THIS_FLOW : OWNER_ANOTHER;
}

static __always_inline void fill_way(struct reply *way, const struct flow *flow)
{
	way->seen = flow->seen;
	way->real_server = flow->real_server;
	way->virtual_server = flow->virtual_server;
	way->client_interface = flow->client_interface;
	__builtin_memcpy(way->client_mac, flow->client_mac, 2 * ETH_ALEN);
}

/* Whether the tuple is this flow's now. */
static __always_inline bool claim(struct opening *o, const union tuple *answer)
{
	enum owner owner = owner_of(&replies4, &replies6, answer, &o->reply.client, o->family);

	if (owner != OWNER_NONE)
		return owner == OWNER_THIS_FLOW;
	if (put(&half_open_replies4, &half_open_replies6, answer, o->family, &o->reply, BPF_NOEXIST) == 0)
		return true;
	return owner_of(&half_open_replies4, &half_open_replies6, answer, &o->reply.client, o->family) == OWNER_THIS_FLOW;
}

static long try_port(__u32 try, struct opening *o)
{
	struct real_server *server = real_server_of(o->flow.real_server);
	union tuple answer;

	if (!server)
		return 1;
	o->flow.nat_port = bpf_htons(o->first_port + (o->start + try) % o->ports);
	answering_tuple(&answer, &o->reply.client, o->family, server, o->flow.nat_port);
	o->open = claim(o, &answer);
	return o->open;
}

/* Where in the pool to begin: the same for the same flow, so that a packet of it that comes again finds its port. */
static __always_inline __u32 pool_start(const struct packet *packet)
{
	__u32 mixed = packet->source.word[0] ^ packet->source.word[1] ^ packet->source.word[2] ^ packet->source.word[3];

	mixed = (mixed ^ (__u32)packet->source_port << 16 ^ packet->destination_port) * GOLDEN_RATIO_32;
	return mixed >> 8;
}

/* Opens the way back of a flow that begins. False: no port is left, or another flow has the tuple. */
static __always_inline bool open_way_back(const struct packet *packet, const struct real_server *server, struct opening *o)
{
	bool full = server->flags & RS_FULL_NAT;

	if (full && server->pool_last < server->pool_first)
		return false;
	o->first_port = server->pool_first;
	o->ports = full ? server->pool_last - server->pool_first + 1 : 1;
	o->start = pool_start(packet);
	fill_way(&o->reply.way, &o->flow);
	bpf_loop(full ? PORT_TRIES : 1, try_port, o, 0);
	return o->open;
}
