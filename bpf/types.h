/* SPDX-License-Identifier: MIT */
/*
 * What the datapath and user space share: every struct here that is a map's key or value has a twin in
 * src/Bascule.Packets/Xdp/Layout.cs, and a test compares the two through BTF. Sizes are free of hidden padding.
 *
 * Byte order: addresses and ports are as on the wire (the __be types); everything else is the machine's own.
 */
#pragma once

#include <linux/types.h>

/* Bounds. Those that cost memory are set by user space before the maps are made; these are what a field can say. */
#define MAX_REAL_SERVERS 65536       /* ids of 16 bits; 0 means "nobody" */
#define MAX_VIRTUAL_SERVERS 65536    /* ids of 16 bits; 0 is never used */
#define MAX_MEMBERS 512              /* real servers of one virtual server that counts (rr, wlc …) */
#define MAX_SLOTS 131071             /* of one hash table: the greatest prime IPVS offers for mh */

#define NOBODY 0

/* An IPv4 address stands in word[0], the others are 0. */
struct address {
	__be32 word[4];
};

/* ---- what is configured: written by user space, read by the datapath -------------------------------------------- */

/* Where clients connect. Port 0: any port. Address 0: any address (caches in front of the internet: dh, lblc, lblcr).
 * Each address of a virtual server also stands here under {address, 0, IPPROTO_ICMP or IPPROTO_ICMPV6} with the id of any
 * virtual server on it: that answers echo requests and tells which addresses are ours. */
struct service4 {
	__be32 address;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP or IPPROTO_ICMPV6 */
	__u8 unused;
};

struct service6 {
	struct address address;
	__be16 port;
	__u8 protocol;
	__u8 unused;
};

enum scheduler {
	SCHEDULER_TABLE,  /* mh, sh, dh: a slot of the table by hash; keeps nothing per flow while the table is stable */
	SCHEDULER_RR,
	SCHEDULER_WRR,
	SCHEDULER_LC,
	SCHEDULER_WLC,
	SCHEDULER_SED,
	SCHEDULER_NQ,
	SCHEDULER_FO,
	SCHEDULER_OVF,
	SCHEDULER_LBLC,
	SCHEDULER_LBLCR,
	SCHEDULER_TWOS,
	SCHEDULER_RANDOM,
};

/* What a table is indexed by. Same functions as Core's: see hash.h and src/Bascule.Core/Scheduling/FlowHash.cs. */
enum hash_kind {
	HASH_KEYED_SOURCE,       /* mh: SipHash-1-3 of the source address, secret key */
	HASH_KEYED_SOURCE_PORT,  /* mh with mh-port, and every virtual server's fallback table */
	HASH_SOURCE,             /* sh: the kernel's multiplicative hash of the source address, 256 slots */
	HASH_SOURCE_PORT,        /* sh with sh-port */
	HASH_DESTINATION,        /* dh */
};

enum virtual_server_flag {
	VS_ONE_PACKET = 1 << 0,      /* UDP: scheduled packet by packet, no flow */
	VS_PERSISTENT = 1 << 1,      /* source persistence */
	VS_EXPIRE_QUIESCENT = 1 << 2,/* persistence ends where its real server takes no new connections */
	VS_EXPIRE_NO_DESTINATION = 1 << 3, /* a flow whose real server is down or gone is forgotten and scheduled anew */
	VS_STATEFUL = 1 << 4,        /* flows are recorded: NAT, persistence, counting schedulers */
	VS_GUARDED = 1 << 5,         /* allow/deny prefixes or rates are set */
	VS_CLOSED = 1 << 6,          /* takes no new flows (maintenance); recorded ones go on */
	VS_CAPTURED = 1 << 7,        /* a capture looks at its packets; the one flag that is changed in place */
};

/* One virtual server. Never changed in shape: another scheduler, hash or flag gets another id, and the swap of the
 * id under its service key is the one atomic step. */
struct virtual_server {
	__u32 flags;
	__u8 scheduler;       /* enum scheduler */
	__u8 hash;            /* enum hash_kind of tables[id] */
	__u16 sorry;          /* real server id that answers when no other can; NOBODY: refuse */
	__u32 slots;          /* of tables[id]; every virtual server has a table, a counting one for flows by hash without state */
	__u32 members;        /* of members[id] */
	__u32 persistence;    /* seconds */
	__u8 mask4, mask6;    /* persistence: prefix of the client's address that counts as one client */
	__u16 unused;
	__u32 tcp_timeout, tcp_fin_timeout, udp_timeout; /* seconds; the other states' are IPVS's */
	__u32 new_flows_per_second;      /* of the whole virtual server and processor; 0: no bound */
	__u32 packets_per_second_source; /* of one source address; 0: no bound */
};

enum method {
	METHOD_NONE,
	METHOD_NAT,       /* destination address and port rewritten; with .outer_source set also the source (full NAT, one-arm) */
	METHOD_DR,        /* destination MAC only */
	METHOD_IPIP,      /* IPv4/IPv6 in IPv4/IPv6 */
	METHOD_GUE,       /* variant 1 (RFC draft: bare IP in UDP), source port from the flow's hash */
	METHOD_GRE,       /* RFC 2784, no key */
	METHOD_LOCAL,     /* the director itself: to the stack */
};

enum real_server_flag {
	RS_UP = 1 << 0,          /* its check passes (or there is none) */
	RS_GONE = 1 << 1,        /* taken off the list: flows end as VS_EXPIRE_NO_DESTINATION says; the id is freed after a sweep */
	RS_FULL_NAT = 1 << 2,    /* METHOD_NAT: the source becomes outer_source and a port of the pool */
	RS_NEIGHBOUR = 1 << 3,   /* mac_destination, mac_source and interface are known */
	RS_VALID = 1 << 4,       /* the entry is in use */
	RS_MAINTENANCE = 1 << 5, /* its flows may go on, but no client returns to it; its weight is 0 */
};

/* One real server of one virtual server. */
struct real_server {
	__u8 method;          /* enum method */
	__u8 family;          /* of address and outer_source: 4 or 6 */
	__be16 port;          /* NAT: the real server's; 0: as the client asked. GUE: the tunnel's */
	__u32 flags;
	__u32 interface;      /* index of the one its next hop is on */
	__u16 mtu;            /* largest IP packet on the way to it */
	__u8 mac_destination[6];
	__u8 mac_source[6];
	__u16 virtual_server; /* whose it is */
	__u32 weight;         /* 0: takes no new flows, old ones go on */
	struct address address;
	struct address outer_source; /* tunnel: outer source, or its prefix; full NAT: source the real server sees */
	__u8 outer_prefix;    /* bits of outer_source that are fixed; the rest come from the flow's hash, so that the far end's receive queues spread */
	__u8 unused;
	__be16 unused2;
	__u16 pool_first, pool_last; /* full NAT: source ports, the machine's byte order */
	__u32 upper, lower;   /* connection thresholds as IPVS's -x and -y; 0: none */
};

/* One slot of a hash table: real server ids. current = previous: stable, no state. previous another: in transition,
 * flows are recorded, one not recorded that is not new is previous's. previous NOBODY: recorded flows are looked up,
 * everyone else is current's. See docs/design/affinity.md. */
struct slot {
	__u16 current;
	__u16 previous;
};

/* How slots lie in a table: slot i is in element i / 2. The kernel rounds an array's elements up to 8 bytes, so
 * one slot an element would take twice the cache. */
struct slot_pair {
	struct slot even;
	struct slot odd;
};

/* ---- what is happening: written by the datapath ------------------------------------------------------------------- */

/* Coarse time in units of 2^20 ns (1.05 ms); wraps after 52 days, so ages are compared by subtraction. */
typedef __u32 ticks;

/* The connections of one real server, as IPVS counts them. Shared by all processors, changed only when a flow's state does. */
struct load {
	__u32 active;
	__u32 inactive;
	__u32 overloaded; /* between upper reached and lower reached again */
	__s32 half_open;  /* begun and not confirmed; the sweep sets it right, for the table they stand in forgets by itself */
};

/* As on the wire, from the side that sends. */
struct tuple4 {
	__be32 source, destination;
	__be16 source_port, destination_port;
	__u8 protocol;
	__u8 unused[3];
};

struct tuple6 {
	struct address source, destination;
	__be16 source_port, destination_port;
	__u8 protocol;
	__u8 unused[3];
};

enum flow_state { /* IPVS's names; the timeouts are in states.h */
	STATE_NONE,
	STATE_ESTABLISHED,
	STATE_SYN_SENT,
	STATE_SYN_RECEIVED,
	STATE_FIN_WAIT,
	STATE_TIME_WAIT,
	STATE_CLOSE,
	STATE_CLOSE_WAIT,
	STATE_LAST_ACK,
	STATE_UDP,
};

enum flow_flag {
	FLOW_ACTIVE = 1 << 0,    /* counted in load.active */
	FLOW_INACTIVE = 1 << 1,  /* counted in load.inactive */
	FLOW_REPLIES = 1 << 2,   /* has an entry in replies4/replies6 */
	FLOW_EXCEPTION = 1 << 3, /* of a table virtual server: recorded because its slot was in transition */
	FLOW_ENDED = 1 << 4,     /* no longer counted, about to be deleted */
	FLOW_FOLLOWED = 1 << 5,  /* the other director carries it; no packet of its client has come here yet */
};

/* A client's flow to a virtual server, in flows4/flows6 under the tuple the client sends. */
struct flow {
	ticks seen;
	__u16 real_server;
	__u16 virtual_server;
	__u8 state;              /* enum flow_state */
	__u8 flags;              /* enum flow_flag */
	__be16 nat_port;         /* full NAT: the port taken from the pool */
	__u8 client_mac[6];      /* where replies go when the routing table does not say: the client's next hop, */
	__u8 director_mac[6];    /* our address towards it, */
	__u32 client_interface;  /* and the interface */
	ticks told;              /* `seen` as the other director was last told; follow.h */
};

/* The way back of a NAT flow. */
struct reply {
	ticks seen;
	__u16 real_server;
	__u16 virtual_server;
	__u8 client_mac[6];      /* these three: copied from the flow, so that an answer needs one lookup */
	__u8 director_mac[6];
	__u32 client_interface;
};

/* In replies4/replies6 under the tuple the real server sends. */
struct reply4 {
	struct reply way;
	struct tuple4 client;    /* the client's tuple: key of the flow */
};

struct reply6 {
	struct reply way;
	struct tuple6 client;
};

/* Source persistence ("template" in IPVS). */
struct client {
	struct address source;   /* masked; IPv4 in word[0] */
	__u16 virtual_server;
	__u8 family;             /* 4 or 6 */
	__u8 unused;
};

enum session_flag {
	SESSION_FOLLOWED = 1 << 0, /* the other director remembers it; no new flow of its client has come here yet */
};

struct session {
	ticks seen;
	__u16 real_server;
	__u16 flags;             /* enum session_flag */
	ticks told;              /* as a flow's */
};

/* Which flow a later fragment belongs to. Family by the map's key: IPv4 in word[0], its 16-bit id in id. */
struct fragment {
	struct address source, destination;
	__u32 id;
	__u8 protocol;
	__u8 family;
	__u16 unused;
};

struct fragment_ports {
	__be16 source, destination;
	ticks seen;
};

/* lblc and lblcr: which caches hold what stands at this address. */
struct locality_key {
	struct address destination;
	__u32 virtual_server;
};

#define LOCALITY_SERVERS 8 /* lblcr: caches of one address; lblc uses the first */

struct locality {
	ticks seen;
	ticks changed;                           /* lblcr: when the set last grew or shrank */
	__u16 real_servers[LOCALITY_SERVERS];    /* NOBODY: free */
};

/* ---- what the sweep found: written by it alone, read by user space when it has returned ---------------------------- */

struct sweep {
	__u64 nanoseconds;                       /* it took */
	__u32 flows4, flows6;                    /* still recorded */
	__u32 half_open4, half_open6;
	__u32 sessions;
	__u32 ended;                             /* flows taken out by this sweep */
};

/* By real server id: what still refers to it. The id of one that is gone may be used anew when all are 0. */
struct references {
	__u32 active, inactive;                  /* flows */
	__u32 half_open;
	__u32 sessions;
};

/* ---- what the other director is told, and what it told: tell.h, follow.h --------------------------------------------- */

/* A flow as it stands now, or with FLOW_ENDED one that is no more. */
struct flow_change {
	struct tuple6 client;                    /* IPv4 addresses in word[0] */
	struct flow flow;
	__u32 family;                            /* 4 or 6 */
};

/* A session as it stands now. */
struct session_change {
	struct client client;
	struct session session;
};

/* ---- counters: one per processor, summed by the reader ------------------------------------------------------------ */

struct traffic {
	__u64 packets;           /* from clients */
	__u64 bytes;             /* IP length */
	__u64 reply_packets;     /* NAT: from the real server */
	__u64 reply_bytes;
	__u64 connections;       /* TCP: SYNs scheduled; UDP: flows begun (one-packet: packets) */
	__u64 lookups_avoided;   /* packets of a table virtual server that needed no flow table */
};

/* Why a packet was not forwarded. The index of drops; names in src/Bascule.Packets/Xdp/DropReason.cs. */
enum drop_reason {
	DROP_NONE,               /* never counted */
	DROP_MALFORMED,          /* lengths that disagree, a header cut short */
	DROP_NO_REAL_SERVER,     /* nobody usable, no sorry server */
	DROP_CLOSED,             /* virtual server takes no new flows */
	DROP_REAL_SERVER_GONE,   /* recorded flow whose real server is down or gone */
	DROP_FLOW_TABLE_FULL,
	DROP_NO_PORT_LEFT,       /* full NAT: the pool of source ports is taken */
	DROP_NO_NEIGHBOUR,       /* MAC of the next hop not known (yet) */
	DROP_TOO_BIG,            /* does not fit the way to the real server; the client was told where it can be */
	DROP_DENIED,             /* by prefix */
	DROP_SOURCE_RATE,
	DROP_VIRTUAL_SERVER_RATE,
	DROP_FLOOD,              /* flood governor: first SYN of a source never seen */
	DROP_FRAGMENT_UNKNOWN,   /* later fragment whose first was not seen */
	DROP_TTL,                /* NAT and replies: time to live ran out */
	DROP_NO_ROOM,            /* the frame cannot grow */
	DROP_UNSUPPORTED,        /* NAT64 and the like */
	DROP_REASONS,
};

/* ---- who may send, and how much: guard.h ---------------------------------------------------------------------------- */

/* Keys of the prefixes of a virtual server; a value is an enum prefix_rule. bits: 32 of the id and those of the prefix. The longest one
 * that fits decides. Where there are allowed prefixes, user space adds the /0 that denies the rest. */
struct prefix4 {
	__u32 bits;
	__u32 virtual_server;
	__be32 address;
};

struct prefix6 {
	__u32 bits;
	__u32 virtual_server;
	struct address address;
};

enum prefix_rule {
	PREFIX_ALLOWED = 1,
	PREFIX_DENIED = 2,
};

/* Events of one second of 2^30 ns. */
struct rate {
	__u32 second;
	__u32 count;
	__u32 before; /* of the second before */
};

#define SKETCH_ROWS 4

struct sketch_cell {
	__u32 second;
	__u32 count;
};

/* Bits set in this epoch and in the one before, whose words take turns; bits 48 to 63 of a word: its epoch. */
struct marks {
	__u64 word[2];
};

/* ---- health checks on the way that clients' packets take: probe.h --------------------------------------------------- */

/* A socket of a check carries this mark with the real server's id in the lower 16 bits, and is bound to a port of its own before
 * it connects: two checks of one virtual server from one port could not be told apart. */
#define PROBE_MARK 0xBA5C0000

/* How the answer to a check arrives: from the virtual address to the director. The value: the real server's own address. */
struct probe_answer {
	struct address source, destination; /* IPv4 in word[0] */
	__be16 source_port, destination_port;
	__u8 protocol;
	__u8 family;
	__u16 unused;
};

/* ---- what a capture sees: capture.h ---------------------------------------------------------------------------------- */

#define CAPTURE_BYTES 2048 /* at most, of one frame */

/* One record of the ring buffer; the frame's first bytes follow. */
struct captured {
	__u64 time;           /* ns, CLOCK_MONOTONIC */
	__u32 interface;      /* it came in on */
	__u32 length;         /* of the frame, of which ... */
	__u16 bytes;          /* ... so many follow; 0 for one that was dropped on its way out */
	__u16 virtual_server;
	__u16 real_server;    /* NOBODY on the way in */
	__u8 outgoing;        /* 0: as it came; 1: as it leaves */
	__u8 verdict;         /* outgoing: XDP_DROP, XDP_PASS, XDP_TX or XDP_REDIRECT, also at tcx */
	__u32 number;         /* the same for a packet's way in and way out (pcapng: epb_packetid) */
	__u32 unused;
};

/* ---- set while running, by user space; one entry ------------------------------------------------------------------ */

struct runtime {
	__u32 capture_virtual_server; /* 0: no capture */
	__u32 capture_one_in;         /* sampled: one of so many packets, 1 = all */
	__u32 capture_bytes;          /* of each packet */
	__u32 flood_new_flows_per_second; /* per processor, above which the governor acts; 0: never */
};

/* ---- what explain is told: one entry per processor, written only where explaining is switched on ---------------- */

enum reason { /* why this real server */
	REASON_NONE,
	REASON_TABLE,            /* hash → slot, stable */
	REASON_TABLE_PREVIOUS,   /* slot in transition, an old flow */
	REASON_TABLE_CURRENT,    /* slot in transition or tracked, a new flow */
	REASON_FLOW,             /* recorded flow */
	REASON_HALF_OPEN,        /* its SYN was scheduled a moment ago */
	REASON_SESSION,          /* persistence */
	REASON_SCHEDULER,        /* a counting scheduler */
	REASON_FALLBACK,         /* by hash without state: flood, full table, or mid-stream */
	REASON_SORRY,
	REASON_ICMP_INNER,       /* by the packet inside an ICMP error */
	REASON_REPLY,            /* NAT: a real server's answer */
};

struct explanation {
	__u16 virtual_server;
	__u16 real_server;
	__u8 reason;             /* enum reason */
	__u8 drop;               /* enum drop_reason */
	__u16 unused;
	__u32 hash;
	__u32 slot;
};

/* ---- on a real server: decap.bpf.c takes the tunnel off ----------------------------------------------------------- */

/* An address of this host: one that tunnels end at (map decap_ends), or a virtual address it serves (decap_served). */
struct decap_address {
	struct address address;
	__u32 family; /* 4 or 6 */
};

/* What became of the packets for a tunnel's end. The index of decap_counts; names in src/Bascule.Packets/Xdp/DecapCount.cs. */
enum decap_count {
	DECAP_TAKEN_OFF,   /* the packet inside went up to the stack */
	DECAP_NOT_SERVED,  /* dropped: the packet inside is for an address that this host does not serve */
	DECAP_MALFORMED,   /* dropped: lengths that disagree, or no IP packet inside */
	DECAP_CONGESTED,   /* dropped: marked "congestion experienced" on the way, and the packet inside cannot carry the mark (RFC 6040) */
	DECAP_COUNTS,
};
