/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to the mail server: two stages of the journey, from the auth source's yes to the server's.
 *
 *	reach	connect to the server that was named
 *	login	the back's dialog, on the client's behalf
 *
 * What comes of it is journey.c's: session_logged_in, session_refused, session_broken.
 */
#include "mail/session_private.h"

static void reach_server(struct session *s, unsigned what);
static void reach_late(struct session *s);
static void login_server(struct session *s, unsigned what);

static const struct session_stage REACH = { "reach", "connecting to upstream", session_watch_client,
					    reach_server, reach_late };
static const struct session_stage LOGIN = { "login", NULL, session_watch_client, login_server, reach_late };
static const struct session_stage LOGIN_REFUSED = { "login", "reading response from upstream",
						    session_watch_client, login_server, reach_late };

static void login_begin(struct session *s);
static void login_refused(struct session *s);
static void login_on(struct session *s);

/* ---- reach ---- */

void session_reach(struct session *s)
{
	session_enter(s, &REACH);
	s->pre->tried_server = true;
	if (generation_listens(s->at->generation, &s->server_addr)) {
		session_log(s, LOG_ERROR, "the auth source sent an address of this proxy itself");
		session_broken(s);
		return;
	}
	if (s->house->sockets >= s->house->sockets_max) {
		session_log(s, LOG_ALERT, "%zu worker_connections are not enough", s->house->sockets_max);
		session_broken(s);
		return;
	}
	session_limit(s, s->at->settings->timeout_ms);
	s->house->sockets++;
	if (!stream_connect(&s->server, s->house->loop, &s->server_addr, NULL, session_server_event)) {
		s->house->sockets--;
		session_log_failure(s, &s->server, LOG_ERROR, "connect() failed ");
		session_broken(s);
	}
}

static void reach_late(struct session *s)
{
	session_log(s, LOG_INFO, "upstream timed out (110: Connection timed out)");
	session_broken(s);
}

static void reach_server(struct session *s, unsigned what)
{
	if (what & STREAM_FAILED) {
		session_log_failure(s, &s->server, LOG_ERROR, "connect() failed ");
		session_broken(s);
	} else if (what & STREAM_CONNECTED) {
		login_begin(s);
	}
}

/* ---- login ---- */

/* The connection stands: the PROXY header, if one is wanted, and the back's dialog. */
static void login_begin(struct session *s)
{
	session_set_back(s);
	session_enter(s, &LOGIN);
	/* what the auth source gave may be nothing that this protocol can say */
	if (dialog_open(s->pre->back.dialog) == WANT_INPUT)
		login_on(s);
	else
		login_refused(s);
}

/* The server refused, or made no sense. Its own words reach the client only where the operator wants that. */
static void login_refused(struct session *s)
{
	struct prelogin *p = s->pre;
	bool pass = s->at->settings->proxy_pass_error_message && p->login.presentable;

	if (p->login.answer.len != 0)
		session_enter(s, &LOGIN_REFUSED);
	session_log_quoted(s, pass ? LOG_INFO : LOG_ERROR, p->back.dialog->complaint, session_answer(s));
	if (!pass) {
		session_broken(s);
		return;
	}
	session_refused(s);
}

/* The server's answers and our commands, until it is done one way or the other. */
static void login_on(struct session *s)
{
	struct exchange *x = &s->pre->back;

	while (true) {
		enum want want;

		if (exchange_flush(x) == FLUSH_BROKEN || !exchange_fill(x)) {
			session_log_failure(s, &s->server, LOG_ERROR, "recv() failed ");
			session_broken(s);
			return;
		}
		want = exchange_run(x);
		if (want == WANT_RELAY) {
			session_logged_in(s);
			return;
		}
		if (want != WANT_INPUT) {
			login_refused(s);
			return;
		}
		if (x->out.len == 0 && (x->ended || !stream_readable(&s->server)))
			break;
		if (x->out.len != 0 && stream_stuck(&s->server))
			return;
	}
	if (x->ended) {
		session_log(s, LOG_ERROR, "upstream closed connection before the login was over");
		session_broken(s);
	}
}

static void login_server(struct session *s, unsigned what)
{
	if (what & STREAM_FAILED) {
		session_log_failure(s, &s->server, LOG_ERROR, "recv() failed ");
		session_broken(s);
		return;
	}
	login_on(s);
}
