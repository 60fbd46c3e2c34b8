/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HTTP server that lives in the loop of who asks it. It takes connections and requests, counts them, and
 * does with each what it was told beforehand; the test may also speak and hang up for it at any moment.
 */
#pragma once
#include "base/addr.h"
#include "loop/loop.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { CONNS = 16, REQUEST_ROOM = 300000 };

struct server;

struct client {
	struct watch watch;
	struct server *server;
	bool open;
	char *request; /* what has come of the present request */
	size_t len;
};

/* What is done with the next requests, in order; the last one stays. `say` NULL: nothing. */
struct step {
	const char *say;
	enum { STAY, CLOSE, RESET } then;
};

struct server {
	struct watch watch;
	struct loop *loop;
	struct client clients[CONNS];
	int accepted, requests, ended; /* connections, requests, connections that the asker closed */
	int used[CONNS];	       /* by which connection each request came */
	const struct step *steps;
	size_t steps_len;
	char last[4096]; /* the last request */
	bool deaf;	 /* reads nothing */
};

/* The server ends the connection, orderly. */
static void hang_up(struct client *c)
{
	if (!c->open)
		return;
	loop_unwatch(c->server->loop, &c->watch);
	close(c->watch.fd);
	c->open = false;
}

/* The same with a reset. */
static void reset(struct client *c)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	hang_up(c);
}

/* Say something unasked, or late. */
static void say(struct client *c, const char *text)
{
	assert_true(c->open);
	assert_int_equal(send(c->watch.fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void act(struct client *c, const struct step *step)
{
	if (step->say != NULL)
		say(c, step->say);
	if (step->then == CLOSE)
		hang_up(c);
	else if (step->then == RESET)
		reset(c);
}

static void requested(struct client *c)
{
	struct server *s = c->server;
	size_t step = (size_t)s->requests;

	snprintf(s->last, sizeof(s->last), "%s", c->request);
	if (s->requests < CONNS)
		s->used[s->requests] = (int)(c - s->clients);
	s->requests++;
	c->len = 0;
	act(c, &s->steps[step < s->steps_len ? step : s->steps_len - 1]);
}

static void client_heard(struct watch *w, unsigned ready)
{
	struct client *c = CONTAINER(w, struct client, watch);
	ssize_t n;

	(void)ready;
	if (c->server->deaf) {
		loop_unwatch(c->server->loop, w);
		return;
	}
	n = recv(w->fd, c->request + c->len, REQUEST_ROOM - c->len - 1, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		c->server->ended += n == 0;
		hang_up(c);
		return;
	}
	c->len += (size_t)n;
	c->request[c->len] = '\0';
	if (c->len >= 4 && strcmp(c->request + c->len - 4, "\r\n\r\n") == 0)
		requested(c);
}

static void server_heard(struct watch *w, unsigned ready)
{
	struct server *s = CONTAINER(w, struct server, watch);
	struct client *c = &s->clients[s->accepted];
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)ready;
	if (fd < 0)
		return;
	assert_true(s->accepted < CONNS);
	s->accepted++;
	if (c->request == NULL)
		c->request = malloc(REQUEST_ROOM);
	c->watch = (struct watch){ client_heard, fd };
	c->server = s;
	c->open = true;
	c->len = 0;
	assert_true(loop_watch_listening(s->loop, &c->watch));
}

/* A listening socket. */
static int listen_at(const struct addr *a, int backlog)
{
	struct sockaddr_storage at;
	socklen_t len = addr_to_sockaddr(a, &at);
	int fd = socket(a->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_return_code(bind(fd, (struct sockaddr *)&at, len), errno);
	assert_return_code(listen(fd, backlog), errno);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	assert_return_code(getsockname(fd, (struct sockaddr *)&in, &len), errno);
	return ntohs(in.sin_port);
}

/* Accept at the listening socket `fd`, and do as `steps` say. */
static void serve(struct server *s, struct loop *l, int fd, const struct step *steps, size_t len)
{
	*s = (struct server){ .watch = { server_heard, fd }, .loop = l, .steps = steps, .steps_len = len };
	assert_true(loop_watch_listening(l, &s->watch));
}

static void server_close(struct server *s)
{
	for (int i = 0; i < CONNS; i++) {
		hang_up(&s->clients[i]);
		free(s->clients[i].request);
	}
	loop_unwatch(s->loop, &s->watch);
	close(s->watch.fd);
}
