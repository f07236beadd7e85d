/* The real servers of the bench: 127.1.0.1, 127.1.0.2, … 127.1.0.250, 127.1.1.1, …, all on one port. */
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

#define PER_NET 250

static inline struct sockaddr_in real_server(int index, int port)
{
	uint32_t address = (127u << 24) | (1u << 16) | ((uint32_t)(index / PER_NET) << 8) | (uint32_t)(index % PER_NET + 1);

	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
}
