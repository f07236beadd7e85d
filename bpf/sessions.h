/* SPDX-License-Identifier: MIT */
/*
 * Source persistence: the same client meets the same real server again, for `persistence` seconds after its last flow. What
 * counts as one client is the source address under a mask. Weight 0 and overload do not end a session (IPVS); its
 * real server's death does, and weight 0 with VS_EXPIRE_QUIESCENT.
 *
 * A session that was made by a SYN stands in half_open_sessions, so that a browser's six connections at once all meet it; the
 * first confirmed flow moves it to sessions. So a flood of SYNs evicts no session of a real client.
 */
#pragma once

#include "loads.h"
#include "maps.h"
#include "packet.h"
#include "states.h"
#include "tell.h"

static __always_inline __be32 masked_word(__be32 word, __s32 bits)
{
	if (bits <= 0)
		return 0;
	return bits >= 32 ? word : word & bpf_htonl(~0U << (32 - bits));
}

static __always_inline struct client client_of(const struct address *source, __u8 family, __u16 id, const struct virtual_server *virtual_server)
{
	struct client key = { .virtual_server = id, .family = family };

	if (family == 4) {
		key.source.word[0] = masked_word(source->word[0], virtual_server->mask4);
		return key;
	}
	for (int i = 0; i < 4; i++)
		key.source.word[i] = masked_word(source->word[i], virtual_server->mask6 - 32 * i);
	return key;
}

static __always_inline struct client client_key(const struct packet *packet, const struct virtual_server *virtual_server)
{
	return client_of(&packet->source, packet->family, packet->virtual_server, virtual_server);
}

/* For how many seconds after its last flow. What the other director told of may have been seen again since (RETOLD_SESSION). */
static __always_inline __u32 session_patience(const struct session *session, const struct virtual_server *virtual_server)
{
	__u32 seconds = virtual_server->persistence;

	return tells && session->flags & SESSION_FOLLOWED ? seconds + seconds / 4 + 2 : seconds;
}

static __always_inline bool holds(const struct session *session, const struct virtual_server *virtual_server, __u32 id, ticks at)
{
	struct real_server *server = real_server_of(session->real_server);

	if (!server || !is_alive(server) || server->virtual_server != id || (__s32)(at - session->seen) > (__s32)ticks_of(session_patience(session, virtual_server)))
		return false;
	return server->weight > 0 || !(virtual_server->flags & VS_EXPIRE_QUIESCENT || server->flags & RS_MAINTENANCE);
}

static __always_inline __u32 refreshed(struct session *session, ticks at)
{
	if (!explaining) {
		session->seen = at;
		if (tells)
			session->flags = 0;
	}
	return session->real_server;
}

/* A session does not end before its flows do (IPVS): the sweep says so for each flow that goes on. */
static __noinline void keep_session(const struct address *source, __u8 family, __u16 id, const struct virtual_server *virtual_server, ticks at)
{
	struct client key = client_of(source, family, id, virtual_server);
	struct session *session = bpf_map_lookup_elem(&sessions, &key);

	if (session)
		session->seen = at;
}

/* The real server of this client's session, or NOBODY. */
static __noinline __u32 session_server(const struct packet *packet, const struct virtual_server *virtual_server)
{
	struct client key = client_key(packet, virtual_server);
	struct session *session = bpf_map_lookup_elem(&sessions, &key);
	ticks at = now();

	if (session && holds(session, virtual_server, packet->virtual_server, at))
		return refreshed(session, at);
	session = bpf_map_lookup_elem(&half_open_sessions, &key);
	if (session && holds(session, virtual_server, packet->virtual_server, at))
		return refreshed(session, at);
	return NOBODY;
}

/* Begins a session. Another processor may have begun one for the same client at the same moment: then that one's server. */
static __noinline __u32 begin_session(const struct packet *packet, const struct virtual_server *virtual_server, __u32 real_server)
{
	struct client key = client_key(packet, virtual_server);
	struct session begun = { .seen = now(), .real_server = real_server };
	struct session *other;

	if (explaining || bpf_map_update_elem(&half_open_sessions, &key, &begun, BPF_NOEXIST) == 0)
		return real_server;
	other = bpf_map_lookup_elem(&half_open_sessions, &key);
	if (other && holds(other, virtual_server, packet->virtual_server, begun.seen))
		return other->real_server;
	bpf_map_update_elem(&half_open_sessions, &key, &begun, BPF_ANY);
	return real_server;
}

/* A flow that began in this session is confirmed, and so is the session. */
static __noinline void confirm_session(const struct packet *packet, const struct virtual_server *virtual_server)
{
	struct client key = client_key(packet, virtual_server);
	struct session *begun = bpf_map_lookup_elem(&half_open_sessions, &key);
	struct session session;

	if (!begun)
		return;
	session = *begun;
	tell_session(&key, &session);
	bpf_map_update_elem(&sessions, &key, &session, BPF_ANY);
	bpf_map_delete_elem(&half_open_sessions, &key);
}
