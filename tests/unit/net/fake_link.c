/* SPDX-License-Identifier: BSD-2-Clause */
/* See fake_link.h. */
#include "net/fake_link.h"

#include "base/mem.h"
#include "base/must.h"
#include "net/secrets.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HEAD = 2, DISGUISE = 0x55 };

struct tls_link {
	int fd;
	bool client, hello_said, hello_heard;
	bool dry, last; /* the socket is known to be empty; that cannot be known any more */
	bool eof, failed, said_end;
	bool answering; /* an update that stands at the front of `in` */
	char in[1024];
	size_t in_len;
	size_t given; /* of the payload of the record at the front of `in` */
	char out[HEAD + FAKE_RECORD_MAX];
	size_t out_len, out_at; /* a record that waits for room */
	size_t out_payload;	/* how many of the owner's bytes are in it */
};

struct fake_link_counts fake_link_counts;

struct tls_link *tls_link_new(struct tls_context *context, int fd, bool client, const char *name)
{
	struct tls_link *t = mem_new(sizeof(*t));

	(void)context;
	(void)name;
	t->fd = fd;
	t->client = client;
	return t;
}

void tls_link_free(struct tls_link *t)
{
	free(t);
}

/* Send what waits. */
static enum tls_progress flush_out(struct tls_link *t)
{
	while (t->out_at < t->out_len) {
		ssize_t n = send(t->fd, t->out + t->out_at, t->out_len - t->out_at, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? TLS_WANTS_WRITE : TLS_FAILED;
		t->out_at += (size_t)n;
	}
	t->out_len = t->out_at = 0;
	return TLS_DONE;
}

static void make_record(struct tls_link *t, char type, const char *from, size_t len)
{
	t->out[0] = type;
	t->out[1] = (char)len;
	for (size_t i = 0; i < len; i++)
		t->out[HEAD + i] = from[i] ^ DISGUISE;
	t->out_len = HEAD + len;
	t->out_payload = type == 'd' ? len : 0;
}

/* Receive more, unless that is known to be in vain. */
static enum tls_progress fill_in(struct tls_link *t)
{
	size_t room = sizeof(t->in) - t->in_len;
	ssize_t n;

	if (t->eof)
		return TLS_ENDED;
	if (t->dry)
		return TLS_WANTS_READ;
	n = recv(t->fd, t->in + t->in_len, room, 0);
	if (n < 0 && errno != EAGAIN)
		return TLS_FAILED;
	t->eof = n == 0;
	t->dry = n < 0 || ((size_t)n < room && !t->last);
	t->in_len += n > 0 ? (size_t)n : 0;
	return t->eof ? TLS_ENDED : n < 0 ? TLS_WANTS_READ : TLS_DONE;
}

static void drop_in(struct tls_link *t, size_t n)
{
	t->in_len -= n;
	memmove(t->in, t->in + n, t->in_len);
}

static void say_hello(struct tls_link *t)
{
	t->out[0] = 'H';
	t->out_len = 1;
	t->hello_said = true;
}

static enum tls_progress hear_hello(struct tls_link *t)
{
	enum tls_progress p = t->in_len == 0 ? fill_in(t) : TLS_DONE;

	if (p != TLS_DONE)
		return p;
	if (t->in[0] != 'H')
		return TLS_FAILED;
	drop_in(t, 1);
	t->hello_heard = true;
	return TLS_DONE;
}

/* The client speaks first. */
enum tls_progress tls_link_handshake(struct tls_link *t)
{
	enum tls_progress p = TLS_DONE;

	while (p == TLS_DONE && (!t->hello_said || !t->hello_heard || t->out_len != 0)) {
		if (t->out_len != 0)
			p = flush_out(t);
		else if (!t->hello_said && (t->client || t->hello_heard))
			say_hello(t);
		else
			p = hear_hello(t);
	}
	return p;
}

void tls_link_flush(struct tls_link *t)
{
	(void)t;
	fake_link_counts.flushes++;
}

/* Make sure that a whole record stands at the front. */
static enum tls_progress whole_record(struct tls_link *t)
{
	enum tls_progress p = TLS_DONE;

	while (p == TLS_DONE && (t->in_len < HEAD || t->in_len < HEAD + (size_t)(unsigned char)t->in[1]))
		p = fill_in(t);
	return p;
}

/* Part of the data at the front; what does not fit is given the next time. */
static size_t give(struct tls_link *t, char *to, size_t room)
{
	size_t len = (unsigned char)t->in[1] - t->given;

	if (len > room)
		len = room;
	for (size_t i = 0; i < len; i++)
		to[i] = t->in[HEAD + t->given + i] ^ DISGUISE;
	t->given += len;
	if (t->given == (unsigned char)t->in[1]) {
		drop_in(t, HEAD + t->given);
		t->given = 0;
	}
	return len;
}

/* The other side wants an answer at once, as with a key update: no reading before it is on its way. */
static enum tls_progress answer_update(struct tls_link *t)
{
	enum tls_progress p = flush_out(t);

	if (p == TLS_DONE && !t->answering) {
		make_record(t, 'k', NULL, 0);
		t->answering = true;
		p = flush_out(t);
	}
	if (p == TLS_DONE) {
		t->answering = false;
		drop_in(t, HEAD);
	}
	return p;
}

enum tls_progress tls_link_read(struct tls_link *t, char *to, size_t room, size_t *done)
{
	enum tls_progress p = TLS_DONE;

	must(!t->failed);
	while (p == TLS_DONE && (p = whole_record(t)) == TLS_DONE) {
		switch (t->in[0]) {
		case 'd':
			*done = give(t, to, room);
			return TLS_DONE;
		case 'u':
			p = answer_update(t);
			break;
		case 'k':
			drop_in(t, HEAD);
			break;
		case 'e':
			return TLS_ENDED;
		default:
			t->failed = true;
			return TLS_FAILED;
		}
	}
	return p;
}

/* A record that was begun stands for certain bytes: they must be offered again, and count when it is
 * through. */
enum tls_progress tls_link_write(struct tls_link *t, const char *from, size_t len, size_t *done)
{
	enum tls_progress p;

	if (t->out_len != 0 && t->out_payload == 0 && (p = flush_out(t)) != TLS_DONE)
		return p;
	if (t->out_len == 0)
		make_record(t, 'd', from, len < FAKE_RECORD_MAX ? len : FAKE_RECORD_MAX);
	must(len >= t->out_payload);
	for (size_t i = 0; i < t->out_payload; i++)
		must((t->out[HEAD + i] ^ DISGUISE) == from[i]);
	p = flush_out(t);
	if (p == TLS_DONE) {
		*done = t->out_payload;
		t->out_payload = 0;
	}
	return p;
}

void tls_link_arrived(struct tls_link *t)
{
	t->dry = false;
}

void tls_link_ended(struct tls_link *t)
{
	t->last = true;
	t->dry = false;
}

bool tls_link_readable(const struct tls_link *t)
{
	return t->in_len != 0 || !t->dry;
}

bool tls_link_stuck(const struct tls_link *t)
{
	return t->out_len != 0;
}

enum tls_progress tls_link_shut(struct tls_link *t)
{
	enum tls_progress p = flush_out(t);

	if (p != TLS_DONE || t->said_end)
		return p;
	t->said_end = true;
	fake_link_counts.shuts++;
	make_record(t, 'e', NULL, 0);
	return flush_out(t);
}

enum log_level tls_failure(const struct stream *s, struct buf *to)
{
	(void)s;
	buf_put(to, STR("(fake: not a record)"));
	return LOG_INFO;
}

/* The fake knows no contexts. */
struct tls_context *secrets_client(void)
{
	return NULL;
}

struct tls_context *secrets_server(void)
{
	return NULL;
}

void secrets_done(void)
{
}
