/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The auth_http client: the life of a question.
 *
 * A question takes the connection that was used last, or connects; says its request in one write; hears
 * until the head of the response is complete, and is answered then. What the response's body needs happens
 * after that, between the connection and the pool alone.
 *
 * A kept connection may have been closed by the server at the very moment of the question. Whoever fails on
 * one before a single byte of an answer has come asks once more on a new connection; a failure on a new one
 * is final. Where there are several places to ask (servers, or addresses of one), each has its share of the
 * time, and the question goes on to the next when one cannot be connected to, does not answer, hangs up
 * before it has, or says by its status alone that it is unable; see http_question.h. One deadline covers it
 * all.
 *
 * The request is written into one buffer of the pool and wiped there; only what a socket does not take at
 * once is copied. The response lies in the connection's buffer and is wiped when the answer was given.
 */
#include "auth/auth.h"

#include "auth/http_answer.h"
#include "auth/http_conf.h"
#include "auth/http_pool.h"
#include "auth/http_question.h"
#include "auth/http_request.h"
#include "auth/http_source.h"
#include "auth/kind.h"
#include <errno.h>
#include <string.h>

/*
 * READ: taken from the socket at a time. CONNECT_MS: how long one of several addresses may keep us from
 * trying the next. DRAIN_MS: how long the rest of a response may take once the answer is known.
 */
enum { READ = 4096, REQUEST_ROOM_KEPT = 16384, FAILURES_MOST = 1024, CONNECT_MS = 5000, DRAIN_MS = 1000 };

static void connect_heard(struct http_conn *c, unsigned what), connect_late(struct http_conn *c);
static void secure_heard(struct http_conn *c, unsigned what);
static void answer_heard(struct http_conn *c, unsigned what), fail_late(struct http_conn *c);
static void drain_heard(struct http_conn *c, unsigned what);
static void failing_heard(struct http_conn *c, unsigned what), failing_late(struct http_conn *c);

static const struct http_state CONNECTING = { "connecting", connect_heard, connect_late };
static const struct http_state SECURING = { "securing", secure_heard, connect_late };
static const struct http_state ASKING = { "asking", answer_heard, fail_late };
static const struct http_state DRAINING = { "draining", drain_heard, http_pool_drop };
static const struct http_state FAILING = { "failing", failing_heard, failing_late };

static void connect_next(struct http_conn *c);
static bool say(struct http_conn *c);
static void again(struct http_conn *c);

static struct auth_source *make(const struct auth_tools *tools, const struct scope *server)
{
	struct http_source *s = arena_take(tools->home, sizeof(*s));

	*s = (struct http_source){ .base.kind = &auth_http_kind };
	http_source_init(s, tools, server);
	return &s->base;
}

/* Connections under its TLS context end before that does. */
static void free_source(struct auth_source *source)
{
	struct http_source *s = (struct http_source *)source;

	if (s->tls != NULL)
		http_pool_forget(s->pool, s->tls);
	http_source_done(s);
}

static bool wants_certificate(const struct auth_source *s)
{
	return ((const struct http_source *)s)->conf->pass_client_cert;
}

/* --- asking --- */

static uint64_t now(const struct http_conn *c)
{
	return loop_now(c->pool->loop);
}

static uint64_t time_left(const struct http_conn *c)
{
	uint64_t deadline = c->question.deadline;

	return deadline > now(c) ? deadline - now(c) : 0;
}

static void hold(struct http_conn *c, const struct http_question *q)
{
	c->question = *q;
	c->keep_most = q->source->conf->keepalive;
	q->request->state = c;
}

static void ask(struct auth_source *source, struct auth_request *r)
{
	struct http_source *s = (struct http_source *)source;
	uint64_t start = loop_now(s->pool->loop), limit = s->conf->timeout_ms;
	struct http_question q = {
		.source = s, .request = r, .first = s->good, .answers = s->answers, .level = LOG_ERROR
	};
	struct http_conn *c;

	q.deadline = limit < UINT64_MAX - start ? start + limit : UINT64_MAX;
	buf_init(&q.failures, FAILURES_MOST);
	http_source_refresh(s);
	c = http_pool_pick(s->pool, &(struct http_peer){ http_place(s, q.first), s->tls });
	if (c == NULL)
		c = http_pool_new(s->pool);
	hold(c, &q);
	if (!c->reused)
		connect_next(c);
	else if (!say(c))
		again(c);
}

/* Let go of the question: nothing of it stays behind. */
static struct auth_request *release(struct http_conn *c)
{
	struct auth_request *r = c->question.request;

	if (r != NULL)
		r->state = NULL;
	buf_done(&c->question.failures);
	c->question = (struct http_question){ 0 };
	return r;
}

/* A connection that has heard nothing of the question yet may serve the next one. */
static void cancel(struct auth_request *r)
{
	struct http_conn *c = r->state;

	release(c);
	if (c->at != &CONNECTING && c->at != &SECURING)
		http_pool_drop(c);
}

/* The question goes on with a new connection. */
static struct http_conn *move_on(struct http_conn *c)
{
	struct http_conn *next = http_pool_new(c->pool);

	hold(next, &c->question);
	c->question = (struct http_question){ 0 };
	http_pool_drop(c);
	return next;
}

static void again(struct http_conn *c)
{
	connect_next(move_on(c));
}

/* --- failing --- */

static void tell(struct http_conn *c, const struct auth_answer *a)
{
	struct auth_request *r = release(c);

	r->done(r, a);
}

/* The text stands in the pool's `cause`. */
static void tell_broken(struct http_conn *c, enum log_level level, bool source_down)
{
	struct auth_answer a;

	http_answer_broken(&a, level, &c->pool->cause);
	a.source_down = source_down;
	tell(c, &a);
	http_pool_drop(c);
}

/* "auth http server ADDR" begins the text of every failure but that to connect. */
static struct buf *begin_cause(struct http_conn *c)
{
	char text[ADDR_TEXT_MAX];

	buf_clear(&c->pool->cause);
	buf_format(&c->pool->cause, "auth http server %s", addr_text(&c->addr, text));
	return &c->pool->cause;
}

static void fail(struct http_conn *c, const char *what)
{
	buf_format(begin_cause(c), " %s", what);
	tell_broken(c, LOG_ERROR, false);
}

/* This place was no use, as `why` says: ask the next one. False when there is none. */
static bool pass_on(struct http_conn *c, struct str why)
{
	if (http_question_left(&c->question) <= 1 || time_left(c) == 0)
		return false;
	http_question_failed(&c->question, why);
	again(c);
	return true;
}

/* Like fail, but the next place may do better. */
static void fail_here(struct http_conn *c, const char *what, bool source_down)
{
	struct buf *cause = begin_cause(c);

	buf_format(cause, " %s", what);
	if (!pass_on(c, buf_text(cause)))
		tell_broken(c, LOG_ERROR, source_down);
}

static void fail_late(struct http_conn *c)
{
	fail_here(c, "timed out (110: Connection timed out)", http_question_unheard(&c->question));
}

static void fail_call(struct http_conn *c, const char *call)
{
	struct buf *cause = begin_cause(c);

	buf_format(cause, ": %s failed ", call);
	stream_failure(&c->stream, cause);
	if (!pass_on(c, buf_text(cause)))
		tell_broken(c, LOG_ERROR, false);
}

static void failing_heard(struct http_conn *c, unsigned what)
{
	(void)c;
	(void)what;
}

static void failing_late(struct http_conn *c)
{
	buf_set(&c->pool->cause, buf_text(&c->question.failures));
	tell_broken(c, c->question.level, !c->question.unsayable);
}

/* For a failure found while asking: the answer must not come from inside. Its text stands in the
 * question's `failures`. */
static void fail_later(struct http_conn *c)
{
	c->at = &FAILING;
	loop_arm(c->pool->loop, &c->limit, 0);
}

/* --- connecting --- */

/* Remember why this address failed, and go to the next. */
static void note_failure(struct http_conn *c, const char *end)
{
	struct http_question *q = &c->question;
	char text[ADDR_TEXT_MAX];
	struct buf why;

	buf_init(&why, FAILURES_MOST);
	buf_format(&why, c->at == &SECURING ? "handshake with %s failed: " : "connect() to %s failed ",
		   addr_text(&c->addr, text));
	if (end != NULL)
		buf_put(&why, str_of(end));
	else if (c->at == &SECURING && c->stream.error == 0)
		tls_failure(&c->stream, &why);
	else
		stream_failure(&c->stream, &why);
	if (http_connect_level(c->stream.error) < q->level)
		q->level = http_connect_level(c->stream.error);
	http_question_failed(q, buf_text(&why));
	buf_done(&why);
}

static uint64_t connect_limit(const struct http_conn *c)
{
	uint64_t share = http_question_share(&c->question, time_left(c));

	return http_question_left(&c->question) <= 1 || share < CONNECT_MS ? share : CONNECT_MS;
}

static void connect_next(struct http_conn *c)
{
	struct http_question *q = &c->question;

	c->at = &CONNECTING;
	while (http_question_left(q) != 0) {
		c->server = http_place(q->source, q->first + q->tried).server;
		if (http_pool_connect(c, &(struct http_peer){ http_place(q->source, q->first + q->tried),
							      q->source->tls })) {
			loop_arm(c->pool->loop, &c->limit, connect_limit(c));
			return;
		}
		note_failure(c, NULL);
	}
	fail_later(c);
}

static void connect_failed(struct http_conn *c)
{
	if (c->question.request == NULL) {
		http_pool_drop(c);
		return;
	}
	note_failure(c, NULL);
	connect_next(move_on(c));
}

static void connected(struct http_conn *c)
{
	if (c->question.request == NULL) {
		http_pool_keep(c);
		return;
	}
	if (!say(c))
		fail_call(c, "send()");
}

/* https: the handshake is part of connecting, and its failure sends the question on as well. */
static void secure(struct http_conn *c)
{
	c->at = &SECURING;
	stream_secure(&c->stream, c->tls, c->name);
}

static void secure_heard(struct http_conn *c, unsigned what)
{
	if (what & STREAM_FAILED)
		connect_failed(c);
	else if (what & STREAM_SECURED)
		connected(c);
}

static void connect_heard(struct http_conn *c, unsigned what)
{
	if (what & STREAM_FAILED)
		connect_failed(c);
	else if ((what & STREAM_CONNECTED) && c->tls != NULL)
		secure(c);
	else if (what & STREAM_CONNECTED)
		connected(c);
}

static void connect_late(struct http_conn *c)
{
	if (c->question.request == NULL) {
		http_pool_drop(c);
	} else if (http_question_left(&c->question) <= 1 || time_left(c) == 0) {
		fail_late(c);
	} else {
		c->stream.error = ETIMEDOUT;
		note_failure(c, "(110: Connection timed out)");
		connect_next(move_on(c));
	}
}

/* --- speaking --- */

/* The request cannot be said. */
static void refuse(struct http_conn *c, struct str culprit)
{
	struct buf *text = &c->question.failures;
	char addr[ADDR_TEXT_MAX];

	c->question.unsayable = true;
	buf_clear(text);
	buf_format(text, "auth http server %s was not asked: ", addr_text(&c->addr, addr));
	if (culprit.len != 0)
		buf_format(text, "control character in %.*s", STR_ARG(culprit));
	else
		buf_format(text, "request longer than %d bytes", HTTP_REQUEST_MOST);
	fail_later(c);
}

/* Offer bytes to the socket; what it does not take is kept for later. False when the stream is broken. */
static bool offer(struct http_conn *c, struct str bytes)
{
	ssize_t n = stream_write(&c->stream, bytes.at, bytes.len);

	if (n < 0)
		return false;
	buf_put(&c->out, str_skip(bytes, (size_t)n));
	return true;
}

/* Say the request. False when the stream is broken. */
static bool say(struct http_conn *c)
{
	const struct http_question *q = &c->question;
	struct buf *request = &c->pool->request;
	struct str culprit;
	bool whole = true;

	c->at = &ASKING;
	c->response = (struct http_response){ 0 };
	loop_arm(c->pool->loop, &c->limit, http_question_share(q, time_left(c)));
	if (http_request_write(request, &c->server->frame, q->request, &culprit))
		whole = offer(c, buf_text(request));
	else
		refuse(c, culprit);
	buf_wipe(request);
	if (request->room > REQUEST_ROOM_KEPT)
		buf_done(request);
	return whole;
}

/* There is room again for the rest of the request. */
static bool say_rest(struct http_conn *c)
{
	ssize_t n = stream_write(&c->stream, c->out.at, c->out.len);

	if (n < 0)
		return false;
	buf_drop(&c->out, (size_t)n);
	if (c->out.len == 0)
		buf_done(&c->out);
	return true;
}

/* --- hearing --- */

/* The classic race of kept connections: the server closed it while the question was on its way. */
static bool may_ask_again(const struct http_conn *c)
{
	return c->reused && c->in.len == 0;
}

/* The stream is at its end, or broken. */
static void cut_off(struct http_conn *c, ssize_t why)
{
	if (may_ask_again(c))
		again(c);
	else if (why == STREAM_END)
		fail_here(c, "closed the connection before the response was complete", false);
	else
		fail_call(c, "recv()");
}

/* Keep or close the connection, once the body has come to an end; wait for it if need be. */
static void settle(struct http_conn *c, enum http_outcome outcome)
{
	if (outcome == HTTP_DONE)
		http_pool_keep(c);
	else if (outcome != HTTP_MORE)
		http_pool_drop(c);
}

/* Bytes behind the end of the body are nobody's: such a connection is not trusted any more. */
static enum http_outcome pass_over(struct http_conn *c, struct str bytes)
{
	enum http_outcome outcome = http_body_read(&c->body, &bytes);

	return outcome == HTTP_DONE && bytes.len != 0 ? HTTP_BAD_BODY : outcome;
}

static enum http_outcome drain(struct http_conn *c)
{
	enum http_outcome outcome = HTTP_MORE;

	while (outcome == HTTP_MORE && stream_readable(&c->stream)) {
		char *to = buf_space(&c->in, READ);
		ssize_t n = stream_read(&c->stream, to, READ);

		if (n == STREAM_WAIT)
			break;
		outcome = n > 0 ? pass_over(c, (struct str){ to, (size_t)n }) : HTTP_BAD_BODY;
	}
	return outcome;
}

static void drain_heard(struct http_conn *c, unsigned what)
{
	if (what & STREAM_FAILED)
		http_pool_drop(c);
	else
		settle(c, drain(c));
}

/* The answer was given. What is left of the response is passed over, secrets wiped before. */
static void finish(struct http_conn *c)
{
	enum http_outcome outcome;

	http_body_begin(&c->body, &c->response);
	outcome = pass_over(c, str_skip(buf_text(&c->in), c->response.seen));
	buf_wipe(&c->in);
	if (c->out.len != 0)
		outcome = HTTP_BAD_BODY;
	c->at = &DRAINING;
	if (outcome == HTTP_MORE)
		outcome = drain(c);
	if (outcome == HTTP_MORE)
		loop_arm(c->pool->loop, &c->limit, DRAIN_MS);
	settle(c, outcome);
}

/* "You were too slow": some servers say so when they close an idle connection, and so it counts as the
 * same race (RFC 9110 section 15.5.9). */
static bool is_farewell(const struct http_conn *c)
{
	return c->reused && c->response.status == 408;
}

static void answer(struct http_conn *c)
{
	struct auth_answer a;
	char text[ADDR_TEXT_MAX];

	if (is_farewell(c)) {
		again(c);
		return;
	}
	buf_clear(&c->pool->cause);
	http_answer_read(&a, &c->response, c->question.request, addr_text(&c->addr, text), &c->pool->cause);
	if (http_answer_is_unable(&c->response) && pass_on(c, str_of(a.cause)))
		return;
	http_question_answered(&c->question);
	tell(c, &a);
	finish(c);
}

static void take(struct http_conn *c, enum http_outcome outcome)
{
	if (outcome == HTTP_DONE)
		answer(c);
	else if (outcome == HTTP_BAD_START)
		fail(c, "sent invalid response");
	else if (outcome != HTTP_MORE)
		fail(c, "sent invalid header in response");
	else if (c->in.len == HTTP_HEAD_MOST)
		fail(c, "sent too long header in response");
}

/* Read what fits behind what is there. */
static ssize_t read_more(struct http_conn *c)
{
	size_t left = c->in.room > c->in.len ? c->in.room - c->in.len : READ;
	size_t most = HTTP_HEAD_MOST - c->in.len;
	ssize_t n;

	if (left > most)
		left = most;
	n = stream_read(&c->stream, buf_space(&c->in, left), left);
	if (n > 0)
		buf_grew(&c->in, (size_t)n);
	return n;
}

static void hear(struct http_conn *c)
{
	while (c->at == &ASKING && stream_readable(&c->stream)) {
		ssize_t n = read_more(c);

		if (n == STREAM_WAIT)
			return;
		if (n < 0)
			cut_off(c, n);
		else
			take(c, http_response_read(&c->response, buf_text(&c->in)));
	}
}

/* What can be read comes first: a server that refuses a request may answer before it breaks off. */
static void answer_heard(struct http_conn *c, unsigned what)
{
	if (what & STREAM_READABLE)
		hear(c);
	if (c->at != &ASKING)
		return;
	if ((what & STREAM_FAILED) || ((what & STREAM_WRITABLE) && c->out.len != 0 && !say_rest(c)))
		cut_off(c, STREAM_BROKEN);
}

const struct auth_kind auth_http_kind = {
	.name = "http",
	.directive = "auth_http",
	.module = &auth_http_module,
	.methods = ~0u,
	.keeps_pace = true,
	.make = make,
	.ask = ask,
	.cancel = cancel,
	.free = free_source,
	.wants_certificate = wants_certificate,
};
