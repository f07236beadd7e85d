/*
 * usage: floor COUNT PORT SECONDS INTERVAL_MS tcp|http fin|reset
 *
 * The least that a check costs on this machine: connects to each real server once an interval, evenly spread, and does nothing else.
 * Non-blocking, by one epoll set, as whoever checks thousands must; no timeouts, no verdicts. With http a request is sent and read
 * until the other side closes. Prints the processor's microseconds a check, in user and in kernel mode, and how many there were.
 */
#define _GNU_SOURCE
#include "addresses.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define BEGINS_PER_TURN 256 /* then answers have their turn, as in the daemon */

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.1.0.1:8080\r\nUser-Agent: bascule-check\r\nConnection: close\r\n\r\n";
static int epoll, port, is_http, resets;
static long begun, done, failed;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void finish(int client, int well)
{
	struct linger linger = { .l_onoff = 1 };

	if (resets)
		setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(client);
	done++;
	failed += !well;
}

static void begin(int index)
{
	struct sockaddr_in address = real_server(index, port);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = (uint64_t)client };

	begun++;
	if (client < 0 || (connect(client, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS))
		finish(client, 0);
	else
		epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
}

static void go_on(const struct epoll_event *event)
{
	static char answer[65536];
	int client = (int)(event->data.u64 & 0xffffffff);

	if (event->events & EPOLLERR) {
		finish(client, 0);
	} else if (!is_http) {
		finish(client, 1);
	} else if (event->events & EPOLLIN) {
		finish(client, recv(client, answer, sizeof(answer), 0) > 12 && memcmp(answer + 9, "200", 3) == 0);
	} else {
		send(client, request, sizeof(request) - 1, MSG_NOSIGNAL);
	}
}

static void turn(int sleep)
{
	struct epoll_event events[EVENTS];
	int ready = epoll_wait(epoll, events, EVENTS, sleep);

	for (int i = 0; i < ready; i++)
		go_on(&events[i]);
}

static double microseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

int main(int count, char **words)
{
	struct rusage use;
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (count != 7) {
		fputs("usage: floor COUNT PORT SECONDS INTERVAL_MS tcp|http fin|reset\n", stderr);
		return 2;
	}
	int servers = atoi(words[1]);
	double per_second = servers * 1000.0 / atoi(words[4]);
	long total = (long)(per_second * atoi(words[3]));

	port = atoi(words[2]);
	is_http = strcmp(words[5], "http") == 0;
	resets = strcmp(words[6], "reset") == 0;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t start = now();

	while (done < total) {
		long due = (long)((double)(now() - start) / 1e9 * per_second) + 1;

		for (int i = 0; i < BEGINS_PER_TURN && begun < due && begun < total; i++)
			begin((int)(begun % servers));
		turn(begun < due ? 0 : 4); /* as coarse as the daemon */
	}
	double elapsed = (double)(now() - start) / 1e9;

	getrusage(RUSAGE_SELF, &use);
	printf("%.3f %.3f %ld %ld %.3f\n", microseconds(use.ru_utime) / (double)done, microseconds(use.ru_stime) / (double)done, done, failed, elapsed);
	return 0;
}
