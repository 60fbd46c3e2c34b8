/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relay; see relay.h.
 *
 * Two flows, each from one stream to the other. A flow is `ended` when nothing more will be read from its
 * sender, and `over` when that has been passed on; when both are over the relay is done. A stream that
 * breaks ends the flow into it at once, for nobody takes its bytes any more, while the flow out of it goes
 * on until it has given what it had: the last reply of a server that then reset the connection reaches the
 * client.
 *
 * What is read is written at once from the scratch; a flow that fills it goes through the loop's pipe
 * instead, for copying twice is most of what a large message costs (measured: 0.25 s of CPU per gigabyte
 * against 0.16). Only the rest that the receiver did not take is copied, at most one scratch, and nothing
 * more is read for that receiver until it is gone.
 *
 * The idle timer is not moved when bytes move: it looks at the clock of the last move when it fires, and
 * goes on for what is left.
 */
#include "net/relay.h"

#include "base/mem.h"
#include "base/must.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static_assert(sizeof(struct relay) <= 192, "every idle session holds one");

/* What one flow may move in one turn before others come first. */
enum { SHARE = 2 * SCRATCH_SIZE };

/* One direction, while it is worked on. */
struct way {
	struct relay *relay;
	struct relay_flow *flow;
	struct stream *from, *to;
};

static struct way way_up(struct relay *r)
{
	return (struct way){ r, &r->up, r->client, r->server };
}

static struct way way_down(struct relay *r)
{
	return (struct way){ r, &r->down, r->server, r->client };
}

static uint64_t now(const struct relay *r)
{
	return loop_now(r->client->loop);
}

static void drop_kept(struct relay_flow *f)
{
	free(f->kept);
	f->kept = NULL;
	f->kept_len = f->kept_at = 0;
}

/* No byte more can go this way. */
static void give_up(struct relay_flow *f)
{
	drop_kept(f);
	f->ended = f->over = true;
}

/* The first failure is the reason that is reported; the second mostly follows from it. */
static void broken(struct relay *r, const struct stream *s)
{
	if (r->why == RELAY_DONE)
		r->why = s == r->client ? RELAY_CLIENT_BROKEN : RELAY_SERVER_BROKEN;
	give_up(s == r->client ? &r->down : &r->up);
}

static void keep(struct relay_flow *f, const char *at, size_t len)
{
	f->kept = memcpy(mem_resize(NULL, len), at, len);
	f->kept_len = (uint32_t)len;
	f->kept_at = 0;
}

static void count(const struct way *w, size_t bytes)
{
	w->flow->bytes += bytes;
	w->relay->last_ms = now(w->relay);
}

/* Offer bytes to the receiver: how many it took. When it breaks, the flow is over. */
static size_t offer(const struct way *w, const char *at, size_t len)
{
	ssize_t n = stream_over(w->from) ? stream_write_last(w->to, at, len) : stream_write(w->to, at, len);

	if (n == STREAM_BROKEN)
		broken(w->relay, w->to);
	if (n <= 0)
		return 0;
	count(w, (size_t)n);
	return (size_t)n;
}

static void pass(const struct way *w, const char *at, size_t len)
{
	size_t n = offer(w, at, len);

	if (n < len && !w->flow->over)
		keep(w->flow, at + n, len - n);
}

static void pass_kept(const struct way *w)
{
	struct relay_flow *f = w->flow;

	if (f->kept == NULL)
		return;
	f->kept_at += (uint32_t)offer(w, f->kept + f->kept_at, f->kept_len - f->kept_at);
	if (f->kept_at == f->kept_len)
		drop_kept(f);
}

static size_t step_by_copy(const struct way *w)
{
	char *scratch = loop_scratch(w->from->loop);
	ssize_t n = stream_read(w->from, scratch, SCRATCH_SIZE);

	if (n > 0)
		pass(w, scratch, (size_t)n);
	if (n == STREAM_BROKEN)
		broken(w->relay, w->from);
	if (n < 0)
		w->flow->ended = true;
	w->flow->bulk = n == SCRATCH_SIZE && w->flow->kept == NULL && stream_may_splice(w->from, w->to);
	return n > 0 ? (size_t)n : 0;
}

/* The same without copying. What the receiver does not take comes out of the pipe again, since the pipe is
 * everybody's. */
static size_t step_by_pipe(const struct way *w)
{
	char *scratch = loop_scratch(w->from->loop);
	const int *pipe = loop_pipe(w->from->loop);
	size_t left = 0, sent = 0;

	if (pipe != NULL)
		sent = stream_splice(w->from, w->to, pipe, SCRATCH_SIZE, &left);
	if (sent != 0)
		count(w, sent);
	if (left != 0) {
		must(read(pipe[0], scratch, left) == (ssize_t)left);
		pass(w, scratch, left);
	}
	w->flow->bulk = left == 0 && sent >= SCRATCH_SIZE / 2;
	return sent + left;
}

/* Read once and pass it on: how many bytes came, 0 when there are none for now. */
static size_t step(const struct way *w)
{
	size_t n = w->flow->bulk ? step_by_pipe(w) : 0;

	return n != 0 ? n : step_by_copy(w);
}

/*
 * All that the sender gave was delivered, so its end may be passed on: unless it broke, for a FIN would
 * call that an orderly end; and unless the other flow is over too, for then both streams are closed next,
 * which says it as well.
 */
static void pass_end(const struct way *w)
{
	struct relay *r = w->relay;
	const struct relay_flow *other = w->flow == &r->up ? &r->down : &r->up;

	w->flow->over = true;
	if (!other->over)
		stream_shut(w->to);
	if (w->flow == &r->down && r->idle_ms > RELAY_LINGER_MS)
		loop_arm(r->client->loop, &r->idle, RELAY_LINGER_MS);
}

/* Move what can be moved now. True when there may be more and only the turn's share is used up. */
static bool move(struct way w)
{
	size_t moved = 0;

	if (w.flow->over)
		return false;
	pass_kept(&w);
	while (w.flow->kept == NULL && !w.flow->ended && stream_readable(w.from)) {
		if (moved >= SHARE)
			return true;
		moved += step(&w);
	}
	if (w.flow->ended && !w.flow->over && w.flow->kept == NULL)
		pass_end(&w);
	return false;
}

/* The last thing that a relay does; its owner may do with it as he likes. */
static void finish(struct relay *r, enum relay_end why)
{
	relay_fn *done = r->done;

	relay_stop(r);
	done(r, why);
}

static void work(struct relay *r)
{
	bool more = move(way_down(r));

	more |= move(way_up(r));
	/* a server that broke while it was written to: no event will tell that it can be read to its end */
	if (r->why != RELAY_DONE)
		more |= move(way_down(r));
	if (r->up.over && r->down.over)
		finish(r, r->why);
	else if (more)
		loop_later(r->client->loop, &r->again);
}

static void work_again(struct task *k)
{
	work(CONTAINER(k, struct relay, again));
}

/* How long nothing may move: a server that has ended waits for its client a short while only. */
static uint64_t patience(const struct relay *r)
{
	return r->down.over && r->idle_ms > RELAY_LINGER_MS ? RELAY_LINGER_MS : r->idle_ms;
}

static void look_idle(struct timer *t)
{
	struct relay *r = CONTAINER(t, struct relay, idle);
	uint64_t rested = now(r) - r->last_ms;

	if (rested < patience(r))
		loop_arm(r->client->loop, &r->idle, patience(r) - rested);
	else if (r->why == RELAY_DONE && (!r->down.over || r->up.kept != NULL))
		finish(r, RELAY_IDLE);
	else
		finish(r, r->why);
}

void relay_start(struct relay *r, struct str early, struct str late)
{
	struct way up = way_up(r), down = way_down(r);

	r->again.fn = work_again;
	r->idle.fn = look_idle;
	r->last_ms = now(r);
	if (early.len != 0)
		pass(&up, early.at, early.len);
	if (late.len != 0 && !r->down.over)
		pass(&down, late.at, late.len);
	loop_arm(r->client->loop, &r->idle, r->idle_ms);
	/* what the streams hold already was announced before; and a failure just met is told from there */
	loop_later(r->client->loop, &r->again);
}

void relay_event(struct relay *r, struct stream *s, unsigned what)
{
	if (r->done == NULL)
		return;
	if (what & STREAM_FAILED)
		broken(r, s);
	work(r);
}

void relay_stop(struct relay *r)
{
	if (r->done == NULL)
		return;
	r->done = NULL;
	loop_disarm(&r->idle);
	loop_cancel(r->client->loop, &r->again);
	drop_kept(&r->up);
	drop_kept(&r->down);
}
