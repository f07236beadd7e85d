/*
 * usage: servers COUNT PORT FILE
 *
 * So many real servers, each a listening socket of its own. Whatever comes is answered by a small HTTP answer and the end of the connection,
 * as a server does that is asked for "Connection: close"; who says nothing is waited for until he closes. Each connection that
 * is accepted is a line of FILE: the time in nanoseconds of CLOCK_MONOTONIC and the number of the real server, as two 64-bit integers.
 * Says "ready" when all listen. Ends on SIGTERM.
 */
#define _GNU_SOURCE
#include "addresses.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
#define EVENTS 512
#define CLIENT (1ull << 32) /* beside a descriptor: not a listening socket */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void watch(int epoll, int descriptor, uint64_t data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = data };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
		fail("epoll_ctl");
}

static int listen_on(int index, int port)
{
	struct sockaddr_in address = real_server(index, port);
	int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (listener < 0)
		fail("socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 64) < 0)
		fail("listen");
	return listener;
}

static void take(int epoll, int listener, uint64_t index, FILE *log)
{
	int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	uint64_t line[2] = { now(), index };

	if (client < 0)
		return; /* gone already */
	fwrite(line, sizeof(line), 1, log);
	watch(epoll, client, CLIENT | (uint64_t)client);
}

static void serve(int client)
{
	char request[4096];

	if (read(client, request, sizeof(request)) > 0)
		send(client, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL);
	close(client);
}

int main(int count, char **words)
{
	struct epoll_event events[EVENTS];
	struct rlimit files;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int servers = count == 4 ? atoi(words[1]) : 0;
	FILE *log = servers > 0 ? fopen(words[3], "wb") : NULL;
	int *listeners = calloc((size_t)servers + 1, sizeof(int));

	if (log == NULL || listeners == NULL || epoll < 0)
		fail("usage: servers COUNT PORT FILE");
	signal(SIGTERM, stop);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 0; i < servers; i++) {
		listeners[i] = listen_on(i, atoi(words[2]));
		watch(epoll, listeners[i], (uint64_t)i);
	}
	puts("ready");
	fflush(stdout);

	while (!stopped) {
		int ready = epoll_wait(epoll, events, EVENTS, 1000);

		for (int i = 0; i < ready; i++) {
			uint64_t data = events[i].data.u64;

			if (data & CLIENT)
				serve((int)(data & 0xffffffff));
			else
				take(epoll, listeners[data], data, log);
		}
	}
	return fclose(log);
}
