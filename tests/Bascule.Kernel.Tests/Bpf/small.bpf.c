/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* One of each kind of thing that Bascule.Linux.Bpf handles. Compiled by BpfTests. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 answer = XDP_PASS;

struct sum {
	__u32 a, b, result;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 4);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH); /* a kind that cannot be read in batches */
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 4);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 2);
} counts SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, 1);
	__array(values, struct inner);
} outer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/* Returns the answer, or the last number of the inner map if there is one. */
SEC("xdp")
int say(struct xdp_md *ctx)
{
	__u32 key = 1, first = 0, said = answer;
	__u32 *count = bpf_map_lookup_elem(&counts, &key);
	void *inner = bpf_map_lookup_elem(&outer, &first);
	__u32 *number = inner ? bpf_map_lookup_elem(inner, &key) : NULL;

	if (count)
		++*count;
	if (number)
		said = *number;
	bpf_ringbuf_output(&events, &said, sizeof(said), 0);
	return said;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("tc")
int unspecified(struct __sk_buff *ctx)
{
	return -1; /* TC_ACT_UNSPEC: the next one decides */
}

SEC("syscall")
int add(struct sum *sum)
{
	sum->result = sum->a + sum->b;
	return 7;
}

#ifdef REFUSED
SEC("xdp")
int reads_too_far(struct xdp_md *ctx)
{
	return *(__u32 *)(long)ctx->data; /* nobody looked whether there are four bytes */
}
#endif

char licence[] SEC("license") = "Dual MIT/GPL";
