/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_dovecot: Dovecot's users, asked over its auth-client socket.
 *
 * One connection carries all questions of a worker; answers come in any order and find their question by
 * its number. It is opened by the first question and stays. When it breaks, questions on their way are asked
 * once more on a new one; a second break, or a server that cannot be reached, is a temporary error. It also
 * counts as broken when a question is too late and nothing at all was heard since it was said.
 *
 * Several servers may be named: the next is tried when connecting to one fails, or when one falls silent.
 *
 * Dovecot closes the connection, and with it everybody's questions, when a line is too long for it. So such a
 * line is never said: the login that makes it is refused here.
 */
#include "auth/auth.h"

#include "auth/dovecot_wire.h"
#include "auth/kind.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* SERVERS_MOST: of one directive. CONNECT_MS: to connect and be greeted by one server. */
enum { SERVERS_MOST = 16, CONNECT_MS = 5000, READ = 4096, SAID_MOST = 4 << 20, CAUSE_MOST = 256 };

struct dovecot_conf {
	const struct addr *servers; /* NULL: auth_dovecot was not given */
	size_t servers_len;
	uint64_t timeout_ms;
};

static directive_set_fn servers_set;

static const struct directive ROWS[] = {
	{ .name = "auth_dovecot",
	  .where = IN_MAIL | IN_SERVER,
	  .min = 1,
	  .flags = CONF_UNLIMITED,
	  .slot = SLOT_CUSTOM,
	  .size = offsetof(struct dovecot_conf, timeout_ms),
	  .set = servers_set,
	  .args = "unix:path | host:port …",
	  .help = "The auth-client socket of a Dovecot that knows the users: its answers, proxy fields "
		  "included, "
		  "decide. Where several are named, the next is asked when one cannot be reached." },
	{ .name = "auth_dovecot_timeout",
	  .where = IN_MAIL | IN_SERVER,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  .offset = offsetof(struct dovecot_conf, timeout_ms),
	  .preset = "30s",
	  .args = "time",
	  .help = "How long Dovecot may take to answer one question." },
	{ .name = NULL }
};

const struct module auth_dovecot_module = {
	.name = "auth_dovecot",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct dovecot_conf),
	.directives = ROWS,
};

enum phase { CLOSED, CONNECTING, GREETED, READY };

struct question {
	struct dovecot_source *source;
	struct auth_request *request;
	struct timer limit;
	uint32_t id;
	bool said, repeated;
	uint64_t heard; /* the source's, when it was said */
	struct question *next, **link;
};

struct dovecot_source {
	struct auth_source base;
	const struct dovecot_conf *conf;
	struct loop *loop;
	enum phase phase;
	struct stream stream;
	struct timer limit; /* of connecting */
	struct task dial;
	struct buf in, out;
	size_t server, tried; /* the one in use; how many have failed since a connection was good */
	uint32_t last_id;
	uint64_t heard;		    /* how many times something came */
	struct question *questions; /* the newest first */
	char cause[CAUSE_MOST];
};

static void connect_server(struct dovecot_source *s);
static void heard(struct stream *stream, unsigned what);
static void connect_late(struct timer *t);
static void dial(struct task *k);
static void question_late(struct timer *t);

static bool servers_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct addr *servers = arena_take(conf_arena(c), SERVERS_MOST * sizeof(*servers));
	struct dovecot_conf *conf = settings;
	size_t len = 0, more;

	(void)d;
	for (size_t i = 1; i < w->len; i++, len += more) {
		const char *fault = conf_addresses(c, w->at[i], 0, servers + len, SERVERS_MOST - len, &more);

		if (fault != NULL)
			return conf_fault(c, "%s in auth_dovecot \"%.*s\"", fault, STR_ARG(w->at[i]));
		if (more != 0 && servers[len].family != AF_UNIX && servers[len].port == 0)
			return conf_fault(c, "no port in auth_dovecot \"%.*s\"", STR_ARG(w->at[i]));
	}
	conf->servers = servers;
	conf->servers_len = len;
	return true;
}

/* ---- questions ---- */

static struct question *find(struct dovecot_source *s, uint64_t id)
{
	struct question *q = s->questions;

	while (q != NULL && q->id != id)
		q = q->next;
	return q;
}

static struct auth_request *release(struct question *q)
{
	struct auth_request *r = q->request;

	r->state = NULL;
	loop_disarm(&q->limit);
	*q->link = q->next;
	if (q->next != NULL)
		q->next->link = q->link;
	free(q);
	return r;
}

static void tell(struct question *q, const struct auth_answer *a)
{
	struct auth_request *r = release(q);

	r->done(r, a);
}

static void tell_broken(struct question *q, const char *cause, bool source_down)
{
	struct auth_answer a = { AUTH_ANSWER_INIT, .verdict = AUTH_BROKEN, .level = LOG_ERROR, .cause = cause,
				 .source_down = source_down };

	tell(q, &a);
}

/* Nobody whom Dovecot knows has so long a name and password. */
static void refuse(struct timer *t)
{
	struct auth_answer a = { .verdict = AUTH_DENIED, .cache_ms = 0 };

	tell(CONTAINER(t, struct question, limit), &a);
}

/* The answer must not come from inside of auth_ask. */
static void refuse_later(struct dovecot_source *s, struct question *q)
{
	loop_disarm(&q->limit);
	q->limit.fn = refuse;
	loop_arm(s->loop, &q->limit, 0);
}

/* Say what was not said yet, as far as the socket takes it. False when the stream is broken. */
static bool flush(struct dovecot_source *s)
{
	while (s->out.len != 0) {
		ssize_t n = stream_write(&s->stream, s->out.at, s->out.len);

		if (n == STREAM_WAIT)
			return true;
		if (n < 0)
			return false;
		buf_drop(&s->out, (size_t)n);
	}
	buf_wipe(&s->out);
	return true;
}

static void say(struct dovecot_source *s, struct question *q)
{
	q->said = dovecot_put_question(&s->out, q->id, q->request);
	q->heard = s->heard;
	if (!q->said)
		refuse_later(s, q);
}

/* ---- the connection ---- */

static void hang_up(struct dovecot_source *s)
{
	loop_disarm(&s->limit);
	loop_cancel(s->loop, &s->dial);
	stream_close(&s->stream);
	buf_wipe(&s->in);
	buf_wipe(&s->out);
	s->phase = CLOSED;
}

/* Nobody can be reached: all who wait hear it. New questions that their owners ask meanwhile come to the
 * front of the list and wait for a connection of their own. */
static void give_up(struct dovecot_source *s)
{
	struct question *q = s->questions, *next;

	s->tried = 0;
	for (; q != NULL; q = next) {
		next = q->next;
		tell_broken(q, s->cause, true);
	}
}

static void explain(struct dovecot_source *s, const char *what, const char *end)
{
	char addr[ADDR_TEXT_MAX];
	struct buf b;

	buf_init(&b, sizeof(s->cause) - 1);
	buf_format(&b, "auth_dovecot: %s %s ", addr_text(&s->conf->servers[s->server], addr), what);
	if (end != NULL)
		buf_put(&b, str_of(end));
	else
		stream_failure(&s->stream, &b);
	memcpy(s->cause, b.at, b.len);
	s->cause[b.len] = '\0';
	buf_done(&b);
}

/* This server is no use: the next one, or nobody. */
static void unreachable(struct dovecot_source *s, const char *what, const char *end)
{
	explain(s, what, end);
	hang_up(s);
	s->server = (s->server + 1) % s->conf->servers_len;
	if (++s->tried < s->conf->servers_len)
		connect_server(s);
	else
		give_up(s);
}

/* Questions that a connection took along when it broke are asked once more. */
static void ask_again(struct dovecot_source *s, bool source_down)
{
	struct question *q = s->questions, *next;

	for (; q != NULL; q = next) {
		next = q->next;
		if (q->said && q->repeated)
			tell_broken(q, s->cause, source_down);
		else
			q->repeated = q->said;
	}
	if (s->questions != NULL && s->phase == CLOSED)
		connect_server(s);
}

/* A connection that was good has broken. */
static void broken(struct dovecot_source *s, const char *what, const char *end)
{
	explain(s, what, end);
	hang_up(s);
	ask_again(s, false);
}

/* The connection is there, but the server behind it hangs, or is gone without a word. */
static void silent(struct dovecot_source *s)
{
	explain(s, "does not answer", "(110: Connection timed out)");
	hang_up(s);
	s->server = (s->server + 1) % s->conf->servers_len;
	ask_again(s, true);
}

static void question_late(struct timer *t)
{
	struct question *q = CONTAINER(t, struct question, limit);
	struct dovecot_source *s = q->source;

	if (s->phase == READY && q->said && q->heard == s->heard) {
		/* its time is over, so it is told, not asked again */
		q->repeated = true;
		silent(s);
	} else {
		tell_broken(q, "auth_dovecot: no answer in time", false);
	}
}

static void lost(struct dovecot_source *s, const char *what, const char *end)
{
	if (s->phase == READY)
		broken(s, what, end);
	else
		unreachable(s, what, end);
}

/* The stream may be telling of its end at this moment, and questions must not be answered from inside: so the
 * next connection begins when the turn is over. */
static void connect_server(struct dovecot_source *s)
{
	s->phase = CONNECTING;
	loop_later(s->loop, &s->dial);
}

static void dial(struct task *k)
{
	struct dovecot_source *s = CONTAINER(k, struct dovecot_source, dial);

	if (stream_connect(&s->stream, s->loop, &s->conf->servers[s->server], NULL, heard))
		loop_arm(s->loop, &s->limit, CONNECT_MS);
	else
		unreachable(s, "connect() failed", NULL);
}

static void connect_late(struct timer *t)
{
	unreachable(CONTAINER(t, struct dovecot_source, limit), "does not greet",
		    "(110: Connection timed out)");
}

static void greet(struct dovecot_source *s)
{
	uint32_t number;

	/* clients are told apart by it, those of an older generation too */
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		number = (uint32_t)loop_now(s->loop);
	s->phase = GREETED;
	dovecot_put_hello(&s->out, number >> 1 | 1);
}

static void ready(struct dovecot_source *s)
{
	loop_disarm(&s->limit);
	s->phase = READY;
	s->tried = 0;
	for (struct question *q = s->questions; q != NULL; q = q->next)
		say(s, q);
}

/* ---- hearing ---- */

static bool is_of_question(enum dovecot_word word)
{
	return word == DOVECOT_OK || word == DOVECOT_FAIL || word == DOVECOT_CONTINUE;
}

/* A question that is not there was cancelled, or was too late. */
static void answered(struct dovecot_source *s, const struct dovecot_line *line)
{
	struct question *q = find(s, line->number);
	const struct auth_answer *a = &line->answer;

	if (q == NULL)
		return;
	if (line->word == DOVECOT_CONTINUE)
		dovecot_put_go_on(&s->out, q->id);
	else
		tell(q, a);
}

/* False, and lost, when the line is none that a server of our version says. */
static bool hear_line(struct dovecot_source *s, char *at, size_t len)
{
	struct dovecot_line line;

	dovecot_read_line(at, len, &line);
	if (line.word == DOVECOT_BAD) {
		lost(s, "sent a line that is none of the auth protocol", "");
		return false;
	}
	if (line.word == DOVECOT_VERSION && line.number != DOVECOT_MAJOR) {
		lost(s, "speaks another version of the auth protocol", "");
		return false;
	}
	if (line.word == DOVECOT_READY && s->phase == GREETED)
		ready(s);
	else if (s->phase == READY && is_of_question(line.word))
		answered(s, &line);
	mem_wipe(at, len);
	return true;
}

/* Lines that are complete. An answer may have the source's owner ask anew, but never free it: sources end
 * with their generation, when no question is under way. */
static bool hear_lines(struct dovecot_source *s)
{
	char *end;

	while (s->in.len != 0 && (end = memchr(s->in.at, '\n', s->in.len)) != NULL) {
		size_t len = (size_t)(end - s->in.at);

		if (!hear_line(s, s->in.at, len))
			return false;
		buf_drop(&s->in, len + 1);
	}
	if (s->in.len < DOVECOT_LINE_MOST)
		return true;
	lost(s, "sent too long a line", "");
	return false;
}

static bool hear(struct dovecot_source *s)
{
	while (stream_readable(&s->stream)) {
		size_t room = READ < DOVECOT_LINE_MOST - s->in.len ? READ : DOVECOT_LINE_MOST - s->in.len;
		ssize_t n = stream_read(&s->stream, buf_space(&s->in, room), room);

		if (n == STREAM_WAIT)
			break;
		if (n < 0) {
			lost(s, "closed the connection", n == STREAM_END ? "" : NULL);
			return false;
		}
		buf_grew(&s->in, (size_t)n);
		s->heard++;
		if (!hear_lines(s))
			return false;
	}
	return true;
}

static void heard(struct stream *stream, unsigned what)
{
	struct dovecot_source *s = CONTAINER(stream, struct dovecot_source, stream);

	if ((what & STREAM_CONNECTED) != 0)
		greet(s);
	if ((what & STREAM_READABLE) != 0 && !hear(s))
		return;
	if ((what & STREAM_FAILED) != 0)
		lost(s, s->phase == CONNECTING ? "connect() failed" : "broke off", NULL);
	else if (s->phase != CONNECTING && s->phase != CLOSED && (s->out.full || !flush(s)))
		lost(s, "broke off", NULL);
}

/* ---- for the chain ---- */

static struct auth_source *make(const struct auth_tools *tools, const struct scope *server)
{
	struct dovecot_source *s = arena_take(tools->home, sizeof(*s));

	s->base.kind = &auth_dovecot_kind;
	s->conf = scope_settings(server, &auth_dovecot_module);
	s->loop = tools->loop;
	s->limit.fn = connect_late;
	s->dial.fn = dial;
	buf_init(&s->in, DOVECOT_LINE_MOST);
	buf_init(&s->out, SAID_MOST);
	return &s->base;
}

static void ask(struct auth_source *source, struct auth_request *r)
{
	struct dovecot_source *s = (struct dovecot_source *)(void *)source;
	struct question *q = mem_new(sizeof(*q));

	*q = (struct question){ .source = s, .request = r, .id = ++s->last_id, .limit.fn = question_late };
	q->next = s->questions;
	q->link = &s->questions;
	if (q->next != NULL)
		q->next->link = &q->next;
	s->questions = q;
	r->state = q;
	loop_arm(s->loop, &q->limit, s->conf->timeout_ms);
	if (s->phase == CLOSED) {
		connect_server(s);
	} else if (s->phase == READY) {
		say(s, q);
		/* what fails here is told by the stream, later */
		flush(s);
	}
}

/* Its answer, when it comes, will find nobody. */
static void cancel(struct auth_request *r)
{
	release(r->state);
}

static void free_source(struct auth_source *source)
{
	struct dovecot_source *s = (struct dovecot_source *)(void *)source;

	hang_up(s);
	buf_done(&s->in);
	buf_done(&s->out);
}

const struct auth_kind auth_dovecot_kind = {
	.name = "dovecot",
	.directive = "auth_dovecot",
	.module = &auth_dovecot_module,
	.methods = SASL_PLAIN | SASL_LOGIN | SASL_XOAUTH2 | SASL_OAUTHBEARER,
	.make = make,
	.ask = ask,
	.cancel = cancel,
	.free = free_source,
};
