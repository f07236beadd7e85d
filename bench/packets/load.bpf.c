/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Both ends of the rig: the load, which BPF_PROG_TEST_RUN runs frame by frame and whose frames are live, and the sink that
 * counts what comes back. And the least a datapath can do, against which all others are measured.
 *
 * A frame that comes back to the generator was rewritten by what is measured, so every byte of it is written anew.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FRAME_ROOM 64

/* What is sent: set before the load, so that the verifier leaves out what is not. */
const volatile __u64 frame[FRAME_ROOM / 8] = {}; /* with checksums in which source address and port count as 0 */
const volatile __u32 flow_bits = 0;              /* 2^bits flows: 0 to 24 */
const volatile bool is_ipv6 = false;
const volatile bool is_tcp = false;
const volatile __u32 base_address = 0;           /* host order; its last 24 bits are 0. IPv6: of the address's last four bytes */
const volatile __u32 to_interface = 0;           /* 0: frames are made and dropped, the cost of the load itself */
const volatile bool is_marking = false;          /* each flow sets its bit in marks */

#define FIRST_PORT 1024

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} turn SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1 << 18);
} marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 2);
} received SEC(".maps"); /* packets, bytes */

/* A permutation of the flows, so that each comes once in 2^bits packets, and neighbours in time are none in memory. */
static __always_inline __u32 flow_of(__u32 turn)
{
	__u32 mask = (1u << flow_bits) - 1, half = flow_bits / 2 + 1, x = turn;

	x = (x * 0x9E3779B1u) & mask;
	x ^= x >> half;
	x = (x * 0x85EBCA6Bu) & mask;
	return x ^ x >> half;
}

/* RFC 1624 for a field that counted as 0. */
static __always_inline __u16 with(__u16 checksum, __u32 added)
{
	__u32 sum = (__u16)~bpf_ntohs(checksum) + added;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return bpf_htons((__u16)~sum);
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	const __u32 network = 14, transport = is_ipv6 ? 54 : 34, source = is_ipv6 ? network + 20 : network + 12;
	const __u32 checksum = transport + (is_tcp ? 16 : 6);
	__u32 zero = 0, flow, address, sum;
	__u16 port;
	__u64 *count = bpf_map_lookup_elem(&turn, &zero);

	if (!count || data + (is_ipv6 ? 64 : 60) > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	flow = flow_of((*count)++);
	if (is_marking) {
		__u32 word = flow >> 6;
		__u64 *mark = bpf_map_lookup_elem(&marks, &word);

		if (mark)
			*mark |= 1ull << (flow & 63);
	}

	address = base_address + (flow >> 8);
	port = FIRST_PORT + (flow & 0xff);
	sum = (address >> 16) + (address & 0xffff);
#pragma unroll
	for (int i = 0; i < 7; i++)
		((__u64 *)data)[i] = frame[i];
	if (is_ipv6)
		((__u64 *)data)[7] = frame[7];
	else
		*(__u32 *)(data + 56) = (__u32)frame[7];

	*(__be32 *)(data + source) = bpf_htonl(address);
	*(__be16 *)(data + transport) = bpf_htons(port);
	if (!is_ipv6)
		*(__u16 *)(data + network + 10) = with(*(__u16 *)(data + network + 10), sum);
	*(__u16 *)(data + checksum) = with(*(__u16 *)(data + checksum), sum + port);
	return to_interface ? bpf_redirect(to_interface, 0) : XDP_DROP;
}

static __always_inline void count(__u64 bytes)
{
	__u32 packets_key = 0, bytes_key = 1;
	__u64 *packets = bpf_map_lookup_elem(&received, &packets_key);
	__u64 *octets = bpf_map_lookup_elem(&received, &bytes_key);

	if (packets && octets) {
		++*packets;
		*octets += bytes;
	}
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	count(ctx->data_end - ctx->data);
	return XDP_DROP;
}

SEC("tc")
int sink_tcx(struct __sk_buff *ctx)
{
	count(ctx->len);
	return 2; /* TC_ACT_SHOT */
}

SEC("xdp")
int transmit(struct xdp_md *ctx)
{
	return XDP_TX;
}

char licence[] SEC("license") = "Dual MIT/GPL";
