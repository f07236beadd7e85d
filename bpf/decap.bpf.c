/* SPDX-License-Identifier: MIT */
/*
 * The small datapath of a real server behind a tunnel: takes IPIP, 6in4, 4in6, IP6IP6, GUE variant 1 and GRE off the packets that
 * directors send here, so that the host needs no tunnel device, module or change of rp_filter. One source, compiled as XDP and, with
 * -DHOOK_TCX, for tcx ingress.
 *
 * The life of a packet here:
 *
 *   one of the tunnels' protocols, whole, with a plain outer header?   no → up, untouched (most traffic ends here, no map was read)
 *   for an address in decap_ends?                                      no → up, untouched (other tunnels of this host)
 *   the packet inside: sound, and for an address in decap_served?      no → dropped and counted: a tunnel is no way around the firewall
 *   congestion mark of the outer header carried inwards (RFC 6040)
 *   outer header cut out, Ethernet type set → up to the stack, as if it had come without the tunnel
 *
 * The stack checks the inner checksums as always. That of GUE's UDP is not checked: over IPv6 it covers nothing but the tunnel's own
 * header that the inner checksums do not cover too (RFC 6935, RFC 6936).
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

/* Set by user space before the load. */
const volatile __be16 gue_port = bpf_htons(6080);

/* User space writes, the program reads. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct decap_address);
	__type(value, __u32);
	__uint(max_entries, 256);
} decap_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct decap_address);
	__type(value, __u32);
	__uint(max_entries, 4096);
} decap_served SEC(".maps");

/* The program writes, each processor its own; user space reads. Index: enum decap_count. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, DECAP_COUNTS);
} decap_counts SEC(".maps");

#ifdef HOOK_TCX

struct hook { struct __sk_buff at; };
#define PASS 0 /* TC_ACT_OK */
#define DROP 2 /* TC_ACT_SHOT */

#else

struct hook { struct xdp_md at; };
#define PASS XDP_PASS
#define DROP XDP_DROP

#endif

#define MAX_VLAN_TAGS 2
#define GRE_LENGTH 4          /* RFC 2784 without its options, the form directors send */
#define FRAGMENT_BITS 0x3fff  /* more fragments, and the offset */
#define ECN_BITS 3
#define CONGESTED 3           /* both bits of ECN */

/* What is known about the tunnel in hand. Offsets count from the start of the frame. */
struct tunnel {
	struct decap_address end;
	__u16 outer;        /* offset of the outer IP header */
	__u16 inner;        /* offset of the inner one */
	__u16 outer_length; /* IP length, header included */
	__u8 protocol;      /* what the outer IP header says it carries */
	__u8 inner_family;  /* 4 or 6; 0: whatever the first four bits say (GUE) */
	__u8 traffic_class; /* of the outer header */
};

static __always_inline void *data_of(struct hook *hook) { return (void *)(long)hook->at.data; }
static __always_inline void *end_of(struct hook *hook) { return (void *)(long)hook->at.data_end; }

/* What stands at an offset, or nothing where the frame ends before it does. The mask tells the verifier that offsets are small. */
static __always_inline void *header_at(struct hook *hook, __u16 offset, __u32 length)
{
	void *header = data_of(hook) + (offset & 0xff);

	return header + length <= end_of(hook) ? header : 0;
}

static __always_inline int counted(__u32 what, int verdict)
{
	__u64 *count = bpf_map_lookup_elem(&decap_counts, &what);

	if (count)
		*count += 1;
	return verdict;
}

/* Ethernet, behind up to two VLAN tags. Returns the type of what follows, 0 where the frame is too short. */
static __always_inline __be16 read_ethernet(struct hook *hook, __u16 *network)
{
	struct ethhdr *ethernet = header_at(hook, 0, sizeof(*ethernet));
	__be16 type;

	if (!ethernet)
		return 0;
	type = ethernet->h_proto;
	*network = sizeof(*ethernet);

	for (int tag = 0; tag < MAX_VLAN_TAGS; tag++) {
		__be16 *vlan = header_at(hook, *network, 4);

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if (!vlan)
			return 0;
		type = vlan[1];
		*network += 4;
	}
	return type;
}

/* False: not one of ours, for the stack. */
static __always_inline bool read_outer4(struct hook *hook, struct tunnel *tunnel)
{
	struct iphdr *ip = header_at(hook, tunnel->outer, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl != 5)
		return false;
	if (ip->frag_off & bpf_htons(FRAGMENT_BITS))
		return false; /* the stack puts it together */
	tunnel->inner = tunnel->outer + sizeof(*ip);
	tunnel->outer_length = bpf_ntohs(ip->tot_len);
	tunnel->protocol = ip->protocol;
	tunnel->traffic_class = ip->tos;
	tunnel->end.family = 4;
	tunnel->end.address.word[0] = ip->daddr;
	return true;
}

static __always_inline bool read_outer6(struct hook *hook, struct tunnel *tunnel)
{
	struct ipv6hdr *ip = header_at(hook, tunnel->outer, sizeof(*ip));

	if (!ip || ip->version != 6)
		return false;
	tunnel->inner = tunnel->outer + sizeof(*ip);
	tunnel->outer_length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	tunnel->protocol = ip->nexthdr;
	tunnel->traffic_class = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	tunnel->end.family = 6;
	__builtin_memcpy(&tunnel->end.address, &ip->daddr, sizeof(tunnel->end.address));
	return true;
}

/* Between the two IP headers. False: not a form of tunnel that directors send. */
static __always_inline bool read_tunnel(struct hook *hook, struct tunnel *tunnel)
{
	struct udphdr *udp;
	__be16 *gre;

	switch (tunnel->protocol) {
	case IPPROTO_IPIP:
		tunnel->inner_family = 4;
		return true;
	case IPPROTO_IPV6:
		tunnel->inner_family = 6;
		return true;
	case IPPROTO_UDP:
		udp = header_at(hook, tunnel->inner, sizeof(*udp));
		if (!udp || udp->dest != gue_port)
			return false;
		tunnel->inner += sizeof(*udp);
		return true;
	case IPPROTO_GRE:
		gre = header_at(hook, tunnel->inner, GRE_LENGTH);
		if (!gre || gre[0])
			return false; /* with key, checksum or sequence number: somebody else's */
		tunnel->inner_family = gre[1] == bpf_htons(ETH_P_IP) ? 4 : gre[1] == bpf_htons(ETH_P_IPV6) ? 6 : 0;
		tunnel->inner += GRE_LENGTH;
		return tunnel->inner_family != 0;
	default:
		return false;
	}
}

/* RFC 6040 section 4.2. False: the packet must be dropped. The director copies the inner mark outwards, so only what the way here
 * has changed is to be carried in: "congestion experienced". */
static __always_inline bool carry_mark4(struct tunnel *tunnel, struct iphdr *ip)
{
	__u32 sum;
	__u8 old = ip->tos;

	if ((tunnel->traffic_class & ECN_BITS) != CONGESTED || (old & ECN_BITS) == CONGESTED)
		return true;
	if (!(old & ECN_BITS))
		return false;
	ip->tos = old | CONGESTED;
	/* RFC 1624, equation 3, on the 16-bit word of version, length and type of service */
	sum = (__u16)~bpf_ntohs(ip->check) + (__u16)~(__u16)old + ip->tos;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = bpf_htons((__u16)~sum);
	return true;
}

static __always_inline bool carry_mark6(struct tunnel *tunnel, struct ipv6hdr *ip)
{
	__u8 old = ip->flow_lbl[0] >> 4 & ECN_BITS;

	if ((tunnel->traffic_class & ECN_BITS) != CONGESTED || old == CONGESTED)
		return true;
	if (!old)
		return false;
	ip->flow_lbl[0] |= CONGESTED << 4;
	return true;
}

/* DECAP_TAKEN_OFF: the packet inside may go up. */
static __always_inline enum decap_count check_inner4(struct hook *hook, struct tunnel *tunnel)
{
	struct decap_address to = { .family = 4 };
	struct iphdr *ip = header_at(hook, tunnel->inner, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return DECAP_MALFORMED;
	if (bpf_ntohs(ip->tot_len) > tunnel->outer + tunnel->outer_length - tunnel->inner || bpf_ntohs(ip->tot_len) < ip->ihl * 4)
		return DECAP_MALFORMED;
	to.address.word[0] = ip->daddr;
	if (!bpf_map_lookup_elem(&decap_served, &to))
		return DECAP_NOT_SERVED;
	return carry_mark4(tunnel, ip) ? DECAP_TAKEN_OFF : DECAP_CONGESTED;
}

static __always_inline enum decap_count check_inner6(struct hook *hook, struct tunnel *tunnel)
{
	struct decap_address to = { .family = 6 };
	struct ipv6hdr *ip = header_at(hook, tunnel->inner, sizeof(*ip));

	if (!ip || ip->version != 6)
		return DECAP_MALFORMED;
	if (bpf_ntohs(ip->payload_len) + (int)sizeof(*ip) > tunnel->outer + tunnel->outer_length - tunnel->inner)
		return DECAP_MALFORMED;
	__builtin_memcpy(&to.address, &ip->daddr, sizeof(to.address));
	if (!bpf_map_lookup_elem(&decap_served, &to))
		return DECAP_NOT_SERVED;
	return carry_mark6(tunnel, ip) ? DECAP_TAKEN_OFF : DECAP_CONGESTED;
}

#ifdef HOOK_TCX

/* Newer than the headers some distributions carry: linux/bpf.h of Linux 6.3. */
#define ADJ_ROOM_DECAP_L3_IPV4 (1ULL << 7)
#define ADJ_ROOM_DECAP_L3_IPV6 (1ULL << 8)

static __always_inline __u32 frame_length(struct hook *hook) { return hook->at.len; }

/* The headers in the linear part, where they can be read; only for what is a tunnel's protocol. */
static __always_inline bool pull(struct hook *hook)
{
	__u32 all = hook->at.len, headers = 14 + 4 * MAX_VLAN_TAGS + 40 + 8 + 40;

	return bpf_skb_pull_data(&hook->at, all < headers ? all : headers) == 0;
}

/* The kernel moves what is in front of the network header over the gap by itself. */
static __always_inline bool cut(struct hook *hook, struct tunnel *tunnel, __be16 type)
{
	__u64 inside = tunnel->inner_family == 4 ? ADJ_ROOM_DECAP_L3_IPV4 : ADJ_ROOM_DECAP_L3_IPV6;

	if (bpf_skb_adjust_room(&hook->at, -(int)(tunnel->inner - tunnel->outer), BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO | inside))
		return false;
	return bpf_skb_store_bytes(&hook->at, tunnel->outer - sizeof(type), &type, sizeof(type), 0) == 0;
}

#else

static __always_inline __u32 frame_length(struct hook *hook) { return end_of(hook) - data_of(hook); }
static __always_inline bool pull(struct hook *hook) { return true; }

/* Moves the Ethernet header with its VLAN tags up to the inner packet, then the frame's start behind it. */
static __always_inline bool cut(struct hook *hook, struct tunnel *tunnel, __be16 type)
{
	struct { __be16 word[(sizeof(struct ethhdr) + 4 * MAX_VLAN_TAGS) / 2]; } head;
	int words = tunnel->outer / 2;

	for (int at = 0; at < sizeof(head.word) / 2; at++) {
		__be16 *from = header_at(hook, at * 2, 2);

		if (at >= words || !from)
			break;
		head.word[at] = *from;
	}
	if (bpf_xdp_adjust_head(&hook->at, tunnel->inner - tunnel->outer))
		return false;
	for (int at = 0; at < sizeof(head.word) / 2; at++) {
		__be16 *to = header_at(hook, at * 2, 2);

		if (at >= words || !to)
			break;
		*to = at == words - 1 ? type : head.word[at];
	}
	return true;
}

#endif

#ifdef HOOK_TCX
SEC("tc")
int bascule_decap(struct __sk_buff *context)
#else
SEC("xdp")
int bascule_decap(struct xdp_md *context)
#endif
{
	struct hook *hook = (struct hook *)context;
	struct tunnel tunnel = {};
	enum decap_count what;
	__be16 type = read_ethernet(hook, &tunnel.outer);

	if (type == bpf_htons(ETH_P_IP) ? !read_outer4(hook, &tunnel) : type != bpf_htons(ETH_P_IPV6) || !read_outer6(hook, &tunnel))
		return PASS;
	if (tunnel.protocol == IPPROTO_TCP)
		return PASS;
	if (!pull(hook) || !read_tunnel(hook, &tunnel))
		return PASS;
	if (!bpf_map_lookup_elem(&decap_ends, &tunnel.end))
		return PASS;

	if (tunnel.outer + tunnel.outer_length > frame_length(hook))
		return counted(DECAP_MALFORMED, DROP);
	if (!tunnel.inner_family) {
		__u8 *first = header_at(hook, tunnel.inner, 1);

		if (!first)
			return counted(DECAP_MALFORMED, DROP);
		tunnel.inner_family = *first >> 4;
	}
	what = tunnel.inner_family == 4 ? check_inner4(hook, &tunnel) : check_inner6(hook, &tunnel);
	if (what != DECAP_TAKEN_OFF)
		return counted(what, DROP);
	if (!cut(hook, &tunnel, tunnel.inner_family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6)))
		return counted(DECAP_MALFORMED, DROP);
	return counted(DECAP_TAKEN_OFF, PASS);
}

char licence[] SEC("license") = "Dual MIT/GPL";
