/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of connections; see http_pool.h.
 *
 * A connection to the auth server costs more than all else in a login, so whoever has carried a question
 * waits a while for the next one. The last used is used first: under load few connections are busy all the
 * time, and the others go by themselves. They go soon, since nothing tells whether a server that is silent
 * is still there: the shorter the wait, the rarer a question that ends in the void.
 *
 * Whatever an idle connection hears is the end of it: the server closes it, or says something that nobody
 * asked for.
 *
 * Closed connections keep their memory for the next ones, so that a server without persistent connections
 * costs no allocation per question either. They rest until the turn is over, because their own callback may
 * still be on the stack.
 */
#include "auth/http_pool.h"

#include "auth/http_request.h"
#include "base/mem.h"
#include "base/must.h"
#include <stdlib.h>
#include <string.h>

enum { IDLE_MS = 10 * 1000, SPARES_MOST = 32, SPARE_ROOM_MOST = 4096, CAUSE_MOST = 2048 };

static void idle_heard(struct http_conn *c, unsigned what);
static void gone_heard(struct http_conn *c, unsigned what);

static const struct http_state IDLE = { "idle", idle_heard, http_pool_drop };
static const struct http_state GONE = { "gone", gone_heard, http_pool_drop };

static void idle_heard(struct http_conn *c, unsigned what)
{
	(void)what;
	http_pool_drop(c);
}

static void gone_heard(struct http_conn *c, unsigned what)
{
	(void)c;
	(void)what;
}

static void unlink_conn(struct http_conn *c)
{
	if (c->link == NULL)
		return;
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	c->link = NULL;
	c->next = NULL;
}

static void move_to(struct http_conn **list, struct http_conn *c)
{
	unlink_conn(c);
	c->next = *list;
	c->link = list;
	if (c->next != NULL)
		c->next->link = &c->next;
	*list = c;
}

static void stream_heard(struct stream *s, unsigned what)
{
	struct http_conn *c = CONTAINER(s, struct http_conn, stream);

	c->at->heard(c, what);
}

static void limit_reached(struct timer *t)
{
	struct http_conn *c = CONTAINER(t, struct http_conn, limit);

	c->at->late(c);
}

static void conn_free(struct http_conn *c)
{
	unlink_conn(c);
	buf_done(&c->in);
	buf_done(&c->out);
	free(c->path);
	free(c->name);
	free(c);
}

/* The turn is over: nobody looks at the closed ones any more. */
static void reap(struct task *t)
{
	struct auth_pool *p = CONTAINER(t, struct auth_pool, reap);

	while (p->dead != NULL) {
		struct http_conn *c = p->dead;

		if (p->spares == SPARES_MOST || c->in.room + c->out.room > SPARE_ROOM_MOST) {
			conn_free(c);
			continue;
		}
		move_to(&p->spare, c);
		p->spares++;
	}
}

struct auth_pool *auth_pool_new(struct loop *l)
{
	struct auth_pool *p = mem_new(sizeof(*p));

	p->loop = l;
	p->reap.fn = reap;
	buf_init(&p->request, HTTP_REQUEST_MOST);
	buf_init(&p->cause, CAUSE_MOST);
	return p;
}

void auth_pool_flush(struct auth_pool *p)
{
	while (p->idle != NULL)
		http_pool_drop(p->idle);
}

void auth_pool_free(struct auth_pool *p)
{
	if (p == NULL)
		return;
	auth_pool_flush(p);
	while (p->busy != NULL) {
		must(p->busy->question.request == NULL);
		http_pool_drop(p->busy);
	}
	loop_cancel(p->loop, &p->reap);
	while (p->dead != NULL)
		conn_free(p->dead);
	while (p->spare != NULL)
		conn_free(p->spare);
	buf_done(&p->request);
	buf_done(&p->cause);
	free(p);
}

/* A spare one is as good as new: its buffers are empty and wiped. */
struct http_conn *http_pool_new(struct auth_pool *p)
{
	struct http_conn *c = p->spare;

	if (c != NULL) {
		p->spares--;
	} else {
		c = mem_new(sizeof(*c));
		c->pool = p;
		c->limit.fn = limit_reached;
		buf_init(&c->in, HTTP_HEAD_MOST);
		buf_init(&c->out, HTTP_REQUEST_MOST);
	}
	move_to(&p->busy, c);
	c->at = &GONE;
	c->reused = false;
	return c;
}

static bool is_peer(const struct http_conn *c, const struct http_peer *to)
{
	const char *name = to->place.server->name;

	if (!addr_eq(&c->addr, to->place.addr) || (c->tls != NULL) != (name != NULL))
		return false;
	return name == NULL || (c->tls == to->tls && strcmp(c->name, name) == 0);
}

struct http_conn *http_pool_pick(struct auth_pool *p, const struct http_peer *to)
{
	for (struct http_conn *c = p->idle; c != NULL; c = c->next) {
		if (!is_peer(c, to))
			continue;
		move_to(&p->busy, c);
		c->reused = true;
		c->server = to->place.server;
		return c;
	}
	return NULL;
}

static char *copy(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_new(size), text, size);
}

bool http_pool_connect(struct http_conn *c, const struct http_peer *to)
{
	const struct addr *a = to->place.addr;
	const char *name = to->place.server->name;

	free(c->path);
	free(c->name);
	c->path = a->family == AF_UNIX && a->path != NULL ? copy(a->path) : NULL;
	c->name = name != NULL ? copy(name) : NULL;
	c->tls = name != NULL ? to->tls : NULL;
	c->addr = *a;
	if (c->path != NULL)
		c->addr.path = c->path;
	return stream_connect(&c->stream, c->pool->loop, &c->addr, NULL, stream_heard);
}

static void forget_in(struct http_conn *list, const struct tls_context *tls)
{
	struct http_conn *next;

	for (struct http_conn *c = list; c != NULL; c = next) {
		next = c->next;
		if (c->tls != tls)
			continue;
		must(c->question.request == NULL);
		http_pool_drop(c);
	}
}

void http_pool_forget(struct auth_pool *p, const struct tls_context *tls)
{
	forget_in(p->idle, tls);
	forget_in(p->busy, tls);
}

static size_t count_idle(const struct auth_pool *p, const struct addr *to)
{
	size_t n = 0;

	for (const struct http_conn *c = p->idle; c != NULL; c = c->next)
		n += addr_eq(&c->addr, to);
	return n;
}

/* Is there nothing to read, not even the end? */
static bool is_quiet(struct http_conn *c)
{
	char byte;

	return !stream_readable(&c->stream) || stream_read(&c->stream, &byte, 1) == STREAM_WAIT;
}

void http_pool_keep(struct http_conn *c)
{
	must(c->question.request == NULL);
	if (count_idle(c->pool, &c->addr) >= c->keep_most || !is_quiet(c)) {
		http_pool_drop(c);
		return;
	}
	if (c->in.room > SPARE_ROOM_MOST)
		buf_done(&c->in);
	if (c->out.room != 0)
		buf_done(&c->out);
	c->at = &IDLE;
	move_to(&c->pool->idle, c);
	loop_arm(c->pool->loop, &c->limit, IDLE_MS);
}

void http_pool_drop(struct http_conn *c)
{
	loop_disarm(&c->limit);
	stream_close(&c->stream);
	buf_wipe(&c->in);
	buf_wipe(&c->out);
	c->at = &GONE;
	move_to(&c->pool->dead, c);
	loop_later(c->pool->loop, &c->pool->reap);
}
