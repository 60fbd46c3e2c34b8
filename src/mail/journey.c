/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journey of a session, in its seven stages:
 *
 *	greet	accept, PROXY header, access, TLS if the port says so, the client's name, the banner
 *	talk	the front's dialog, until the login is filled
 *	ask	one question to the authentication source
 *	reach	connect to the server it named
 *	login	the back's dialog, on the client's behalf
 *	relay	bytes both ways; everything needed before is gone
 *	leave	the last words, then the end
 *
 * Two of them, reach and login, stand in reach.c. A stage is a constant: what either stream tells goes to its
 * functions. A failure ends in `leave` or `session_end`.
 */
#include "mail/session_private.h"

/* A client that was told goodbye has so long to read it, and may send so much meanwhile. */
enum { LINGER_MS = 3000, LINGER_READS = 64 };

/* After so many answers WAIT to one login the source is taken for broken. */
enum { WAITS_MAX = 100 };

static void greet_client(struct session *s, unsigned what);
static void greet_late(struct session *s);
static void delay_client(struct session *s, unsigned what);
static void speak(struct session *s);
static void talk_client(struct session *s, unsigned what);
static void ask_late(struct session *s);
static void server_waits(struct session *s, unsigned what);
static void login_over_late(struct session *s);
static void relay_client(struct session *s, unsigned what);
static void relay_server(struct session *s, unsigned what);
static void leave_client(struct session *s, unsigned what);

static const struct session_stage GREET_HEADER = { "greet", "reading PROXY protocol", greet_client, NULL,
						   greet_late };
static const struct session_stage GREET_TLS = { "greet", "SSL handshaking", greet_client, NULL, greet_late };
static const struct session_stage GREET_NAME = { "greet", "in resolving client address", session_watch_client,
						 NULL, greet_late };
static const struct session_stage GREET_DELAY = { "greet", "in delay pipelining state", delay_client, NULL,
						  speak };
static const struct session_stage TALK = { "talk", NULL, talk_client, NULL, greet_late };
static const struct session_stage TALK_TLS = { "talk", "in starttls state", greet_client, NULL, greet_late };
static const struct session_stage ASK = { "ask", "in http auth state", session_watch_client, NULL, ask_late };
static const struct session_stage LOGIN_OVER = { "login", NULL, talk_client, server_waits, login_over_late };
static const struct session_stage RELAY = { "relay", "proxying", relay_client, relay_server, NULL };
static const struct session_stage LEAVE = { "leave", NULL, leave_client, NULL, session_end };

static void greet(struct session *s);
static void greet_secured(struct session *s);
static void greet_named(struct session *s);
static void talk_on(struct session *s);
static void perform(struct session *s, enum want want);
static void judge(struct session *s);
static void ask(struct session *s);
static void answered(struct auth_request *r, const struct auth_answer *a);
static void relay(struct session *s);
static void relayed(struct relay *r, enum relay_end why);

/* ---- tools of all stages ---- */

void session_enter(struct session *s, const struct session_stage *stage)
{
	s->stage = stage;
	session_log(s, LOG_DEBUG, "stage %s", stage->name);
}

void session_limit(struct session *s, uint64_t ms)
{
	loop_arm(s->house->loop, &s->pre->limit, ms);
}

/* ---- greet ---- */

void session_begin(struct session *s)
{
	session_set_stage(s);
	session_limit(s, s->at->settings->timeout_ms);
	session_enter(s, &GREET_HEADER);
	greet(s);
}

static void greet(struct session *s)
{
	/* the stream tells when it has come */
	if (s->door->endpoint->proxy_header && s->pre->header.size == 0)
		return;
	if (s->door->tls != NULL) {
		session_enter(s, &GREET_TLS);
		stream_secure(&s->client, s->door->tls, NULL);
		return;
	}
	greet_named(s);
}

static void greet_client(struct session *s, unsigned what)
{
	if (what & STREAM_FAILED) {
		session_log_failure(s, &s->client, LOG_INFO, "");
		session_end(s);
	} else if (what & STREAM_SECURED) {
		greet_secured(s);
	} else if (s->stage == &GREET_HEADER && entry_header(s)) {
		greet(s);
	}
}

static void greet_late(struct session *s)
{
	session_log(s, LOG_INFO, "client timed out (110: Connection timed out)");
	session_end(s);
}

/* Tell the front something that it answers with a farewell. */
static void refuse(struct session *s, enum news what, struct str text)
{
	if (s->pre->front.dialog == NULL)
		s->pre->front.dialog = dialog_new(s->at->protocol->front, &s->pre->front_stage,
						  &s->pre->login, &s->pre->front.out, s->client.tls != NULL);
	dialog_told(s->pre->front.dialog, what, text);
	perform(s, WANT_CLOSE);
}

/* The handshake is done, at the door or by STARTTLS. The name the client asked for may mean another server.
 */
static void greet_secured(struct session *s)
{
	struct prelogin *p = s->pre;
	enum news why;

	s->at = door_server(s->door, tls_chosen(&s->client));
	session_set_stage(s);
	p->question.owner = NULL;
	if (s->at->verify != TLS_VERIFY_OFF && !certificate_passes(s, &why)) {
		refuse(s, why, STR(""));
		return;
	}
	if (p->front.dialog == NULL) {
		greet_named(s);
		return;
	}
	session_enter(s, &TALK);
	perform(s, dialog_told(p->front.dialog, NEWS_SECURED, STR("")));
}

static void identified(struct session *s);

/* Who is it? Access is decided here, when PROXY header and TLS have told all, so that the refusal can be
 * read. */
static void greet_named(struct session *s)
{
	struct prelogin *p = s->pre;

	session_set_client(s);
	if (!access_allows(s->at->settings->access, &s->client_addr)) {
		session_log_plain(s, LOG_ERROR, "access forbidden by rule");
		refuse(s, NEWS_FORBIDDEN, STR(""));
		return;
	}
	session_enter(s, &GREET_NAME);
	p->identified = identified;
	identify_client(s);
}

static void identified(struct session *s)
{
	const struct protocol *protocol = s->at->protocol;
	uint64_t delay =
		protocol->greeting_delay != NULL ? protocol->greeting_delay(s->at->protocol_settings) : 0;

	if (delay == 0) {
		speak(s);
		return;
	}
	session_enter(s, &GREET_DELAY);
	session_limit(s, delay);
	delay_client(s, STREAM_READABLE);
}

/* A client that does not wait for the greeting is a spammer's (smtp_greeting_delay). */
static void delay_client(struct session *s, unsigned what)
{
	struct exchange *x = &s->pre->front;

	if ((what & STREAM_FAILED) || !exchange_fill(x)) {
		session_end(s);
	} else if (exchange_unheard(x).len != 0) {
		refuse(s, NEWS_EARLY_INPUT, exchange_unheard(x));
	} else if (x->ended) {
		session_end(s);
	}
}

static void speak(struct session *s)
{
	struct prelogin *p = s->pre;

	p->front.dialog = dialog_new(s->at->protocol->front, &p->front_stage, &p->login, &p->front.out,
				     s->client.tls != NULL);
	session_enter(s, &TALK);
	session_limit(s, s->at->settings->timeout_ms);
	perform(s, dialog_open(p->front.dialog));
}

/* ---- talk ---- */

static void talk_client(struct session *s, unsigned what)
{
	if (what & STREAM_FAILED) {
		session_log_failure(s, &s->client, LOG_INFO, "");
		session_end(s);
		return;
	}
	perform(s, s->pre->wanted);
}

/* Read and answer until there is nothing to read, or the front wants something else. */
static void talk_on(struct session *s)
{
	struct exchange *x = &s->pre->front;
	size_t before;

	do {
		enum want want;

		if (!exchange_fill(x)) {
			session_log_failure(s, &s->client, LOG_INFO, "");
			session_end(s);
			return;
		}
		before = exchange_unheard(x).len;
		want = exchange_run(x);
		if (want != WANT_INPUT || x->out.len != 0) {
			perform(s, want);
			return;
		}
	} while (exchange_unheard(x).len != before ||
		 (!x->ended && stream_readable(&s->client) && before < x->in.most));
	if (x->ended)
		session_end(s);
}

static void secure(struct session *s)
{
	if (exchange_unheard(&s->pre->front).len != 0) {
		session_log(s, LOG_INFO, "client sent data behind STARTTLS before the handshake");
		session_end(s);
		return;
	}
	s->starttls = true;
	session_enter(s, &TALK_TLS);
	stream_secure(&s->client, s->at->tls, NULL);
}

/* Do what the front wants, once everything it has said is on its way. */
static void perform(struct session *s, enum want want)
{
	struct exchange *x = &s->pre->front;

	s->pre->wanted = want;
	switch (exchange_flush(x)) {
	case FLUSH_WAITS:
		if (want == WANT_CLOSE)
			session_leave(s);
		return;
	case FLUSH_BROKEN:
		session_end(s);
		return;
	case FLUSHED:
		break;
	}
	switch (want) {
	case WANT_INPUT:
		talk_on(s);
		return;
	case WANT_TLS:
		secure(s);
		return;
	case WANT_AUTH:
		s->pre->waits = 0;
		s->pre->login.attempt++;
		judge(s);
		return;
	case WANT_RELAY:
		relay(s);
		return;
	case WANT_GIVE_UP:
	case WANT_CLOSE:
		session_leave(s);
		return;
	}
}

/* ---- ask ---- */

/*
 * While others work for the client it may go on talking, which is kept, or go away. A client that has ended
 * its side and has nothing more to say is gone: what follows would log in for nobody.
 */
static bool is_gone(struct session *s, unsigned what)
{
	struct exchange *x = &s->pre->front;

	if (!(what & STREAM_FAILED) && exchange_fill(x) && !(x->ended && exchange_unheard(x).len == 0))
		return false;
	session_log(s, LOG_INFO, "client closed connection");
	session_end(s);
	return true;
}

void session_watch_client(struct session *s, unsigned what)
{
	is_gone(s, what);
}

/* Without an authentication source the mail server is the judge, of what can be passed on to it. */
static void judge(struct session *s)
{
	struct login *l = &s->pre->login;

	if (s->at->auth != NULL) {
		ask(s);
		return;
	}
	session_enter(s, &ASK);
	if (is_gone(s, 0))
		return;
	if ((l->method & (SASL_CRAM_MD5 | SASL_APOP | SASL_EXTERNAL)) != 0) {
		session_log(s, LOG_ERROR,
			    "%s cannot be passed on to a mail server, and there is no "
			    "authentication source",
			    sasl_auth_method(l->method));
		session_unavailable(s);
		return;
	}
	session_new_approach(s);
	if ((l->method & (SASL_XOAUTH2 | SASL_OAUTHBEARER)) != 0)
		l->back_method = l->method;
	session_reach(s);
}

static void ask(struct session *s)
{
	struct prelogin *p = s->pre;

	session_enter(s, &ASK);
	if (is_gone(s, 0))
		return;
	loop_disarm(&p->limit);
	if (p->question.owner == NULL)
		question_prepare(s, answered);
	p->question.needs_secret = s->at->protocol->needs_secret(s->at->protocol_settings, &p->login);
	auth_ask(s->at->auth, &p->question);
}

/* Tell the front what has become of a login; it may go on or not. */
static void tell(struct session *s, enum news what)
{
	enum want want;

	session_leave_server(s);
	session_enter(s, &TALK);
	want = dialog_told(s->pre->front.dialog, what, STR(""));
	session_limit(s, s->at->settings->timeout_ms);
	perform(s, want);
}

/* The proxy's own fault or its neighbours': the client hears that it is temporary. */
void session_unavailable(struct session *s)
{
	tell(s, session_is_modern(s) ? NEWS_UNAVAILABLE : NEWS_BROKEN);
}

void session_denied(struct session *s)
{
	tell(s, NEWS_BACKEND_DENIED);
}

void session_refused(struct session *s)
{
	tell(s, NEWS_REFUSED);
}

static void deny(struct session *s)
{
	tell(s, NEWS_DENIED);
}

/* Time for the answer that was held back, or for the same question again. */
static void ask_late(struct session *s)
{
	if (s->pre->waits != 0)
		ask(s);
	else
		deny(s);
}

static void answered(struct auth_request *r, const struct auth_answer *a)
{
	struct session *s = r->owner;

	switch (a->verdict) {
	case AUTH_OK:
		question_admitted(s, a);
		session_reach(s);
		return;
	case AUTH_DENIED:
		s->pre->waits = 0;
		question_denied(s, a);
		if (a->wait_ms != 0)
			session_limit(s, a->wait_ms);
		else
			deny(s);
		return;
	case AUTH_WAIT:
		if (++s->pre->waits <= WAITS_MAX) {
			session_limit(s, a->wait_ms);
			return;
		}
		session_log(s, LOG_ERROR, "the auth source said WAIT %d times", WAITS_MAX);
		session_unavailable(s);
		return;
	case AUTH_BROKEN:
	case AUTH_UNKNOWN:
		session_log(s, a->level, "%s", a->cause);
		session_unavailable(s);
		return;
	}
}

/* ---- reach and login are over (reach.c) ---- */

/* Logged in, and the client is slow to take its answer: what the server sends stays where it is until the
 * relay. */
static void server_waits(struct session *s, unsigned what)
{
	if ((what & STREAM_FAILED) == 0)
		return;
	session_log_failure(s, &s->server, LOG_ERROR, "recv() failed ");
	session_end(s);
}

/* The front has said that the client is in: there is no other answer any more. */
static void login_over_late(struct session *s)
{
	session_log(s, LOG_INFO, "client timed out (110: Connection timed out)");
	session_end(s);
}

void session_logged_in(struct session *s)
{
	session_enter(s, &LOGIN_OVER);
	perform(s, dialog_told(s->pre->front.dialog, NEWS_LOGGED_IN, STR("")));
}

/* ---- relay ---- */

/* The front has said all it had to. What either side sent ahead goes first; everything from before is given
 * back. */
void session_relay(struct session *s)
{
	struct str early = exchange_unheard(&s->pre->front), late = exchange_unheard(&s->pre->back);

	session_enter(s, &RELAY);
	session_keep_login(s);
	s->relay = (struct relay){ .client = &s->client,
				   .server = &s->server,
				   .done = relayed,
				   .idle_ms = s->at->settings->proxy_timeout_ms };
	relay_start(&s->relay, early, late);
	session_drop_prelogin(s);
}

static void relay(struct session *s)
{
	session_log_login(s);
	tls_settle(&s->client);
	tls_settle(&s->server);
	if (session_wants_escort(s))
		session_escort(s);
	else
		session_relay(s);
}

static void relay_client(struct session *s, unsigned what)
{
	relay_event(&s->relay, &s->client, what);
}

static void relay_server(struct session *s, unsigned what)
{
	relay_event(&s->relay, &s->server, what);
}

static void relayed(struct relay *r, enum relay_end why)
{
	struct session *s = CONTAINER(r, struct session, relay);

	session_log_end(s, why);
	session_end(s);
}

/* ---- leave ---- */

/* The last words are written; a close on unread input would be a reset that may overtake them, so the
 * client's side is read to its end. */
void session_leave(struct session *s)
{
	session_leave_server(s);
	session_enter(s, &LEAVE);
	session_limit(s, LINGER_MS);
	leave_client(s, 0);
}

static void leave_client(struct session *s, unsigned what)
{
	enum flush flush = what & STREAM_FAILED ? FLUSH_BROKEN : exchange_flush(&s->pre->front);

	if (flush == FLUSH_BROKEN) {
		session_end(s);
		return;
	}
	if (flush == FLUSH_WAITS)
		return;
	if (!s->pre->shut) {
		s->pre->shut = true;
		stream_shut(&s->client);
	}
	for (unsigned reads = 0; stream_readable(&s->client); reads++) {
		ssize_t n = stream_read(&s->client, loop_scratch(s->house->loop), SCRATCH_SIZE);

		if (n < 0 || reads == LINGER_READS) {
			session_end(s);
			return;
		}
	}
}
