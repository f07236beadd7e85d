/* SPDX-License-Identifier: MIT */
/*
 * A SYN flood for the lab: each run makes of the frame it gets a SYN from another source (11.0.0.0/8) and port, with right checksums, and
 * sends it out of the interface that the run was started for. Only ever run inside a network namespace of the lab's own.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

static __always_inline __u16 folded(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

static __always_inline __u32 added(const void *data, int words)
{
	const __u16 *word = data;
	__u32 sum = 0;

	for (int i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

SEC("xdp")
int flood(struct xdp_md *context)
{
	struct ethhdr *ethernet = (void *)(long)context->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 chance = bpf_get_prandom_u32();

	if ((void *)(tcp + 1) > (void *)(long)context->data_end)
		return XDP_DROP;
	ip->saddr = bpf_htonl(0x0b000000 | (chance & 0xffffff));
	tcp->source = bpf_htons(1024 + (chance >> 24) * 200);
	tcp->seq = chance;
	ip->check = 0;
	ip->check = folded(added(ip, sizeof(*ip) / 2));
	tcp->check = 0;
	tcp->check = folded(added(&ip->saddr, 4) + bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*tcp)) + added(tcp, sizeof(*tcp) / 2));
	return XDP_TX;
}

char licence[] SEC("license") = "Dual MIT/GPL";
