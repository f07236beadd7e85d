/* SPDX-License-Identifier: MIT */
/*
 * What user space decides before the load. These stand in .rodata, which is frozen, so the verifier knows their values
 * and takes out the code that a switch turns off: a feature that nobody configured costs nothing.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>

/* The program is run on a crafted packet to say what would happen: no state, no counter is changed. */
const volatile bool explaining = false;

const volatile bool has_any_port = true;    /* some virtual server is {address, any port} */
const volatile bool has_any_address = true; /* some virtual server is {any address} */
const volatile bool has_nat = true;         /* some real server is reached by NAT: replies come this way */
const volatile bool has_probes = true;      /* health checks go through DR or tunnels */

const volatile bool tells = true;           /* another director is told of flows and sessions, and tells of its own */

const volatile bool has_governor = true;    /* the flood governor may be switched on (runtime.flood_new_flows_per_second) */

/* Of guard.h's tables, each a power of two: cells of a row of the sketch (at most 65536), of the marks (at most 1 << 20). */
const volatile __u32 sketch_cells = 1024;
const volatile __u32 mark_cells = 1024;

/* Answers of the services' maps are remembered until the next timer tick (service.h). Off in tests, for which a change must
 * show at once. */
const volatile bool remembers_services = false;

/* Secret of the flow hash, 128 bits; see hash.h. */
const volatile __u64 hash_key[2] = {};
