/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stub: the other end of every measurement: an auth_http server that agrees to everything, and IMAP, POP3 and
 * SMTP servers that let everybody in.
 *
 *   stub --imap PORT --pop3 PORT --smtp PORT --auth PORT [--addresses N] [--processes N] [--forgetful]
 *
 * The mail servers listen on N addresses from 127.0.0.2 on, and the auth server (127.0.0.1) sends users to
 * each in turn: one address has only so many local ports. The addresses are shared out among the processes,
 * for one process has only so many descriptors. --forgetful closes the auth server's connection after each
 * answer.
 *
 * It is as cheap as it can be and remembers one thing only: how many bytes of the bulk data are due, in which
 * every byte is checked. A mistake of the proxy ends the connection, which the load generator counts.
 */
#include "stub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

enum { EVENTS = 256, MOST_DOORS = 64 };

struct door {
	int fd;
	stub_speaker *greet, *hear;
};

struct stub {
	struct stub_order order;
	int epoll;
	struct door doors[MOST_DOORS];
	size_t doors_len;
	char scratch[SCRATCH];
};

static struct in_addr address(unsigned number)
{
	return (struct in_addr){ htonl(INADDR_LOOPBACK - 1 + number) };
}

static void drop(struct guest *g)
{
	wire_close(&g->wire);
	free(g);
}

/* True when all has gone, and the guest stays. */
static bool flush_out(struct guest *g)
{
	ssize_t n;

	while (g->out_at < g->out_len) {
		n = wire_write(&g->wire, g->out + g->out_at, g->out_len - g->out_at);
		if (n == WIRE_BROKEN)
			g->leaving = true;
		if (n < 0)
			return false;
		g->out_at += (unsigned)n;
	}
	g->out_at = g->out_len = 0;
	return true;
}

static bool flush_bulk(struct guest *g)
{
	ssize_t n;

	while (g->give != 0) {
		n = wire_write(&g->wire, pattern_at(g->bulk_at),
			       g->give < PATTERN_RUN ? g->give : PATTERN_RUN);
		if (n == WIRE_BROKEN)
			g->leaving = true;
		if (n < 0)
			return false;
		g->give -= (uint64_t)n;
		g->bulk_at += (uint64_t)n;
	}
	return true;
}

/* What is said behind bulk data waits in g->after. */
static void flush(struct guest *g)
{
	if (!flush_out(g) || !flush_bulk(g) || g->after == NULL)
		return;
	stub_say(g, g->after);
	g->after = NULL;
	flush_out(g);
}

void stub_say(struct guest *g, const char *text)
{
	size_t len = strlen(text);

	if (g->out_len + len > sizeof(g->out)) {
		g->leaving = true;
		return;
	}
	memcpy(g->out + g->out_len, text, len);
	g->out_len += (unsigned)len;
}

/* Bulk data that came in: every byte is the right one, or the guest is thrown out. */
static size_t take_bulk(struct guest *g, const char *at, size_t len)
{
	size_t n = len < g->take ? len : (size_t)g->take;

	n = n < PATTERN_RUN ? n : PATTERN_RUN;
	if (memcmp(at, pattern_at(g->bulk_at), n) != 0)
		g->leaving = true;
	g->take -= n;
	g->bulk_at += n;
	if (g->take == 0) {
		stub_say(g, g->after);
		g->after = NULL;
	}
	return n;
}

/* Lines are heard where they lie; only the beginning of one that is not complete is kept. */
static void feed(struct guest *g, char *at, size_t len)
{
	char *end;
	size_t n;

	while (len != 0 && !g->leaving) {
		if (g->take != 0) {
			n = take_bulk(g, at, len);
		} else {
			end = memchr(at, '\n', len);
			if (end == NULL)
				break;
			n = (size_t)(end - at) + 1;
			*end = '\0';
			g->hear(g, at);
		}
		at += n;
		len -= n;
	}
	if (len > sizeof(g->kept))
		g->leaving = true;
	else
		memcpy(g->kept, at, len);
	g->kept_len = (unsigned)len;
}

static void read_all(struct stub *s, struct guest *g, bool ended)
{
	size_t room;
	ssize_t n;

	do {
		memcpy(s->scratch, g->kept, g->kept_len);
		room = sizeof(s->scratch) - g->kept_len;
		n = wire_read(&g->wire, s->scratch + g->kept_len, room);
		if (n > 0)
			feed(g, s->scratch, g->kept_len + (size_t)n);
		else if (n != WIRE_WAIT)
			g->leaving = true;
	} while (n > 0 && !g->leaving && (ended || (size_t)n == room));
}

static void serve(struct stub *s, struct guest *g, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		read_all(s, g, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	if (g->out_len != 0 || g->give != 0)
		flush(g);
	if (g->leaving)
		drop(g);
}

static void welcome(struct stub *s, const struct door *d)
{
	int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct guest *g = fd >= 0 ? calloc(1, sizeof(*g)) : NULL;

	if (g == NULL)
		return;
	g->wire.fd = fd;
	g->hear = d->hear;
	g->order = &s->order;
	d->greet(g, NULL);
	flush(g);
	if (!wire_watch(s->epoll, fd, g))
		die("epoll_ctl");
}

static const struct door *door_of(const struct stub *s, const void *owner)
{
	for (size_t i = 0; i < s->doors_len; i++)
		if (owner == &s->doors[i])
			return &s->doors[i];
	return NULL;
}

static void run(struct stub *s)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int n = epoll_wait(s->epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			const struct door *d = door_of(s, events[i].data.ptr);

			if (d != NULL)
				welcome(s, d);
			else
				serve(s, events[i].data.ptr, events[i].events);
		}
	}
}

static void open_door(struct stub *s, struct in_addr at, unsigned port, stub_speaker *greet,
		      stub_speaker *hear)
{
	struct door *d = &s->doors[s->doors_len++];
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = d };

	*d = (struct door){ wire_listen(at, port), greet, hear };
	if (d->fd < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, d->fd, &e) != 0)
		die("cannot listen");
}

static void open_doors(struct stub *s, unsigned process, unsigned processes)
{
	for (unsigned i = process; i < s->order.addresses; i += processes) {
		open_door(s, address(2 + i), s->order.imap, imap_greet, imap_hear);
		open_door(s, address(2 + i), s->order.pop3, pop3_greet, pop3_hear);
		open_door(s, address(2 + i), s->order.smtp, smtp_greet, smtp_hear);
	}
	if (process == 0)
		open_door(s, address(1), s->order.auth, auth_greet, auth_hear);
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n == 0 || n > 65535)
		exit(2);
	return (unsigned)n;
}

static unsigned read_options(struct stub_order *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "imap", 1, NULL, 'i' },      { "pop3", 1, NULL, 'p' },
		{ "smtp", 1, NULL, 's' },      { "auth", 1, NULL, 'a' },
		{ "addresses", 1, NULL, 'n' }, { "processes", 1, NULL, 'c' },
		{ "forgetful", 0, NULL, 'f' }, { 0 },
	};
	unsigned processes = 1;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			o->imap = number(optarg);
			break;
		case 'p':
			o->pop3 = number(optarg);
			break;
		case 's':
			o->smtp = number(optarg);
			break;
		case 'a':
			o->auth = number(optarg);
			break;
		case 'n':
			o->addresses = number(optarg);
			break;
		case 'c':
			processes = number(optarg);
			break;
		case 'f':
			o->forgetful = true;
			break;
		default:
			exit(2);
		}
	}
	if (o->addresses > (MOST_DOORS - 1) / 3)
		exit(2);
	return processes;
}

int main(int argc, char **argv)
{
	static struct stub s = { .order = { .addresses = 1 } };
	unsigned processes = read_options(&s.order, argc, argv), process = 0;

	pattern_make();
	while (process + 1 < processes) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			break;
		}
		process++;
	}
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	open_doors(&s, processes - 1 - process, processes);
	run(&s);
}
