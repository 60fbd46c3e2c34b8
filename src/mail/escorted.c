/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relay of a session with an escort (talk/escort.h): the same bytes both ways, but through the two
 * bounded buffers of before the relay, so that the escort sees each command before the server does.
 *
 * Nothing is read for a side that has not taken what it was sent before, so content goes through as it comes
 * and is never gathered. While somebody is asked about a recipient, its command and all behind it stay where
 * they are. The answer is compared with the way that the session has taken: the command goes on, or is
 * answered here, or the session goes to the other server, where the back says the envelope again.
 *
 * What a question takes is given back behind it: a session may have any number of recipients.
 */
#include "mail/session_private.h"

#include "base/mem.h"
#include <string.h>

/* Rounds of both buffers before other sessions come first; moves to other servers in one session, each of
 * which takes buffers; answers WAIT to one question. */
enum { ROUNDS_MAX = 64, MOVES_MAX = 32, WAITS_MAX = 100, HOME_FIRST = 1024 };

/* What became of one step. */
enum progress { STILL, MOVED, GONE };

static void hear(struct session *s, unsigned what);
static void idle(struct session *s);
static void wait_server(struct session *s, unsigned what);
static void ask_late(struct session *s);

static const struct session_stage ESCORT = { "relay", "proxying", hear, hear, idle };
static const struct session_stage ESCORT_ASK = { "ask", "asking about a further recipient",
						 session_watch_client, wait_server, ask_late };

static void proceed(struct session *s);

static struct escorting *escorting_of(struct session *s)
{
	return &s->pre->escorting;
}

/* ---- one recipient ---- */

/* The question is over: what it took goes. */
static void forget_question(struct session *s)
{
	struct escorting *e = escorting_of(s);

	arena_free(e->home);
	e->home = NULL;
	s->pre->vars.home = s->pre->arena;
	if (e->done != NULL)
		s->pre->question.done = e->done;
	e->done = NULL;
}

static void drop_command(struct session *s)
{
	buf_drop(&s->pre->front.in, escorting_of(s)->command_len);
	session_enter(s, &ESCORT);
}

static enum progress pass(struct session *s, size_t len)
{
	struct prelogin *p = s->pre;

	buf_put(&p->back.out, (struct str){ p->front.in.at, len });
	buf_drop(&p->front.in, len);
	return MOVED;
}

/* The client hears what has become of its command in the words of the front. */
static enum progress answer(struct session *s, enum news what)
{
	forget_question(s);
	drop_command(s);
	if (dialog_told(s->pre->front.dialog, what, STR("")) == WANT_INPUT)
		return MOVED;
	session_leave(s);
	return GONE;
}

/* Is this the way that the session has taken? `target` is where there is no address. */
static bool same_way(struct session *s, const struct auth_answer *a, struct str target)
{
	const struct approach *w = &s->pre->approach;

	if (target.at == NULL)
		return w->target.at == NULL && addr_eq(&a->server, &s->server_addr);
	return w->target.at != NULL && str_same(target, w->target) && w->port == (a != NULL ? a->port : 0);
}

/* Go to the server of this recipient; from there on all is as for the first one. */
static void move(struct session *s, const struct auth_answer *a)
{
	struct prelogin *p = s->pre;

	escorting_of(s)->moves++;
	stream_write(&s->server, "QUIT\r\n", 6);
	session_log_plain(s, LOG_INFO, "recipient belongs to another server");
	session_close_server(s);
	peer_leave(s->place);
	s->place = NULL;
	drop_command(s);
	login_forget_answer(&p->login);
	if (a != NULL)
		question_admitted(s, a);
	else
		session_new_approach(s);
	forget_question(s);
	session_reach(s);
}

/* `a` NULL: nobody but proxy_pass says where to. */
static enum progress decide(struct session *s, const struct auth_answer *a)
{
	struct escorting *e = escorting_of(s);
	struct str target = a != NULL ? a->target : (struct str){ NULL, 0 };

	if (target.at == NULL && (a == NULL || a->server.family == AF_UNSPEC)) {
		target = session_default_target(s);
		if (target.at == NULL)
			return answer(s, NEWS_UNAVAILABLE);
	}
	if (same_way(s, a, target)) {
		forget_question(s);
		session_enter(s, &ESCORT);
		e->escort->ops->routed(e->escort);
		return pass(s, e->command_len);
	}
	if (e->escort->movable && e->moves < MOVES_MAX) {
		move(s, a);
		return GONE;
	}
	forget_question(s);
	drop_command(s);
	e->escort->ops->elsewhere(e->escort);
	return MOVED;
}

static void go_on(struct session *s, enum progress progress)
{
	if (progress == MOVED)
		proceed(s);
}

/* Not before the time for it: see AUTH_DENIED. */
static void refuse(struct session *s)
{
	go_on(s, answer(s, NEWS_DENIED));
}

static void ask_late(struct session *s)
{
	if (s->pre->waits != 0)
		auth_ask(s->at->auth, &s->pre->question);
	else
		refuse(s);
}

static void answered(struct auth_request *r, const struct auth_answer *a)
{
	struct session *s = r->owner;
	bool waits = a->verdict == AUTH_WAIT && ++s->pre->waits <= WAITS_MAX;

	if (a->verdict == AUTH_OK) {
		go_on(s, decide(s, a));
	} else if (a->verdict == AUTH_DENIED) {
		s->pre->waits = 0;
		question_denied(s, a);
		s->pre->login.refusal.final = false;
		if (a->wait_ms != 0)
			session_limit(s, a->wait_ms);
		else
			refuse(s);
	} else if (waits) {
		session_limit(s, a->wait_ms);
	} else {
		if (a->cause != NULL)
			session_log(s, a->level, "%s", a->cause);
		go_on(s, answer(s, NEWS_UNAVAILABLE));
	}
}

/* The first `len` bytes of the client are a command about login->rcpt. The question is that of the first one.
 */
static enum progress ask(struct session *s, size_t len)
{
	struct prelogin *p = s->pre;
	struct escorting *e = escorting_of(s);

	e->command_len = len;
	e->home = arena_new(HOME_FIRST);
	p->vars.home = e->home;
	login_forget(&p->login);
	p->login.method = SASL_NONE;
	if (s->at->auth == NULL)
		return decide(s, NULL);
	session_enter(s, &ESCORT_ASK);
	loop_disarm(&p->limit);
	p->waits = 0;
	e->done = p->question.done;
	p->question.done = answered;
	auth_ask(s->at->auth, &p->question);
	return GONE;
}

/* What the server sends meanwhile, or its end, is found when its turn comes. */
static void wait_server(struct session *s, unsigned what)
{
	(void)s, (void)what;
}

/* ---- bytes ---- */

static enum progress ended(struct session *s, enum relay_end why)
{
	session_log_end(s, why);
	session_end(s);
	return GONE;
}

/* The server has said its last and the client has it, or the escort has. */
static enum progress closed(struct session *s)
{
	session_log_end(s, RELAY_DONE);
	session_leave(s);
	return GONE;
}

static enum progress go_down(struct session *s)
{
	struct exchange *from = &s->pre->back, *to = &s->pre->front;
	struct escort *e = escorting_of(s)->escort;
	struct str in;
	bool sound;

	if (exchange_flush(to) == FLUSH_BROKEN)
		return ended(s, RELAY_CLIENT_BROKEN);
	if (to->out.len != 0)
		return STILL;
	sound = exchange_fill(from);
	in = exchange_unheard(from);
	if (in.len == 0 && !sound)
		return ended(s, RELAY_SERVER_BROKEN);
	if (in.len == 0)
		return from->ended ? closed(s) : STILL;
	e->ops->server(e, in);
	buf_put(&to->out, in);
	buf_drop(&from->in, in.len);
	return MOVED;
}

/* The client has said its last and the server has it. A command without its end is none. */
static enum progress client_ended(struct session *s)
{
	if (!escorting_of(s)->shut)
		stream_shut(&s->server);
	escorting_of(s)->shut = true;
	return STILL;
}

static enum progress go_up(struct session *s)
{
	struct exchange *from = &s->pre->front, *to = &s->pre->back;
	struct escort *e = escorting_of(s)->escort;
	enum escort_step step;
	size_t len;
	bool sound;

	if (exchange_flush(to) == FLUSH_BROKEN)
		return ended(s, RELAY_SERVER_BROKEN);
	/* who does not take replies is not heard either */
	if (to->out.len != 0 || from->out.len != 0)
		return STILL;
	sound = exchange_fill(from);
	step = e->ops->client(e, exchange_unheard(from), &len);
	switch (step) {
	case ESCORT_PASS:
		return pass(s, len);
	case ESCORT_ROUTE:
		return ask(s, len);
	case ESCORT_SAID:
		buf_drop(&from->in, len);
		return MOVED;
	case ESCORT_CLOSE:
		return closed(s);
	case ESCORT_BLIND:
		session_relay(s);
		return GONE;
	case ESCORT_MORE:
	case ESCORT_WAIT:
		break;
	}
	if (!sound)
		return ended(s, RELAY_CLIENT_BROKEN);
	return from->ended && step == ESCORT_MORE ? client_ended(s) : STILL;
}

/* As far as both sides go, or as this session's share of the turn does. */
static void proceed(struct session *s)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		enum progress down = go_down(s), up = down != GONE ? go_up(s) : GONE;

		if (up == GONE)
			return;
		session_limit(s, s->at->settings->proxy_timeout_ms);
		if (down == STILL && up == STILL)
			return;
	}
	loop_later(s->house->loop, &escorting_of(s)->again);
}

static void again(struct task *t)
{
	struct session *s = CONTAINER(t, struct prelogin, escorting.again)->session;

	if (s->stage == &ESCORT)
		proceed(s);
}

/* A failure is found where the bytes before it have been read. */
static void hear(struct session *s, unsigned what)
{
	(void)what;
	proceed(s);
}

static void idle(struct session *s)
{
	ended(s, RELAY_IDLE);
}

/* ---- begin and end ---- */

bool session_wants_escort(const struct session *s)
{
	const struct escort_ops *ops = s->at->protocol->escort;

	return ops != NULL && ops->wanted(s->at->protocol_settings, &s->pre->login);
}

void session_escort(struct session *s)
{
	struct prelogin *p = s->pre;
	struct escorting *e = &p->escorting;
	const struct escort_ops *ops = s->at->protocol->escort;

	if (e->escort == NULL)
		e->escort = arena_take(p->arena, ops->size);
	memset(e->escort, 0, ops->size);
	e->escort->ops = ops;
	e->escort->stage = &p->front_stage;
	e->escort->login = &p->login;
	e->escort->out = &p->front.out;
	e->again.fn = again;
	e->shut = false;
	ops->open(e->escort);
	session_enter(s, &ESCORT);
	proceed(s);
}

void session_forget_escort(struct session *s)
{
	loop_cancel(s->house->loop, &s->pre->escorting.again);
	arena_free(s->pre->escorting.home);
	s->pre->escorting.home = NULL;
}
