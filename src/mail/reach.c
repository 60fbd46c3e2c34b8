/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to the mail server: two stages of the journey, from the auth source's yes to the server's.
 *
 *	reach	find a server, connect, TLS
 *	login	the back's dialog, on the client's behalf
 *
 * Where the target has several servers, one that is out of order costs the client nothing: the next one is
 * tried, at will before a server has seen the secret, and once more after that. A server's no to the login
 * itself is final. An address that the source named is all there is, as with the proxy that we replace.
 *
 * What comes of it is journey.c's: session_logged_in, session_refused, session_unavailable.
 */
#include "mail/session_private.h"

#include <errno.h>

/* A server that does not greet within this time is not waited for where there is another one. */
enum { CONNECT_TIMEOUT_MS = 10000 };

static void route_late(struct session *s);
static void server_failed(struct session *s, const char *why);
static void reach_server(struct session *s, unsigned what);
static void reach_late(struct session *s);
static void secure_server(struct session *s, unsigned what);
static void login_server(struct session *s, unsigned what);
static void login_tls_server(struct session *s, unsigned what);

#define CLIENT session_watch_client
static const struct session_stage ROUTE = { "reach", "choosing a server", CLIENT, NULL, route_late };
static const struct session_stage REACH = { "reach", "connecting to upstream", CLIENT, reach_server,
					    reach_late };
static const struct session_stage REACH_TLS = { "reach", "SSL handshaking to upstream", CLIENT, secure_server,
						reach_late };
static const struct session_stage LOGIN = { "login", NULL, CLIENT, login_server, reach_late };
static const struct session_stage LOGIN_TLS = { "login", "SSL handshaking to upstream", CLIENT,
						login_tls_server, reach_late };
static const struct session_stage LOGIN_REFUSED = { "login", "reading response from upstream", CLIENT,
						    login_server, reach_late };

static void routed(struct route *r, const struct peer *peer);
static void connect_server(struct session *s);
static void secure(struct session *s, const struct session_stage *stage);
static void login_begin(struct session *s, bool secured);
static void login_on(struct session *s);
static void login_refused(struct session *s);

/* ---- where to ---- */

static struct approach *approach_of(struct session *s)
{
	return &s->pre->approach;
}

/* The target for those whose source names none. */
struct str session_default_target(struct session *s)
{
	const struct template *pass = s->at->backend->settings->pass;
	struct str target = { NULL, 0 };

	if (pass == NULL)
		session_log(s, LOG_ERROR,
			    "the authentication source names no server, and there is no proxy_pass");
	else if ((target = template_fill(pass, &s->pre->vars)).len == 0)
		session_log(s, LOG_ERROR, "proxy_pass \"%.*s\" is empty for this login",
			    STR_ARG(template_source(pass)));
	return target.len != 0 ? target : (struct str){ NULL, 0 };
}

/* The port of a server that is named without one; a protocol's second one is for TLS from the first byte. */
static uint16_t usual_port(const struct session *s)
{
	const struct approach *a = &s->pre->approach;
	const struct scope *group = upstream_scope(s->at->generation->upstreams, a->target);
	const uint16_t *ports = s->at->protocol->ports;
	enum proxy_tls mode = a->tls != 0 ? (enum proxy_tls)(a->tls - 1) : server_tls_mode(s->at, group);

	if (a->port != 0)
		return a->port;
	if (s->at->backend->settings->port != 0)
		return (uint16_t)s->at->backend->settings->port;
	return mode == PROXY_TLS_ON ? ports[1] : ports[0];
}

void session_reach(struct session *s)
{
	struct approach *a = approach_of(s);

	s->pre->tried_server = true;
	a->began_ms = loop_now(s->house->loop);
	if (s->server_addr.family == AF_UNSPEC && a->target.at == NULL) {
		a->target = session_default_target(s);
		if (a->target.at == NULL) {
			session_unavailable(s);
			return;
		}
	}
	if (a->target.at != NULL) {
		session_enter(s, &ROUTE);
		session_limit(s, s->at->settings->timeout_ms);
		route_open(&a->route, s->at->generation->upstreams, a->target, usual_port(s), STR(""),
			   &s->pre->vars, routed);
	}
	/* where to go is decided by the name that the client has, as whom by what becomes of it */
	if (!session_rewrite_login(s))
		session_unavailable(s);
	else if (a->target.at == NULL)
		connect_server(s);
}

static void route_late(struct session *s)
{
	session_log(s, LOG_ERROR, "no server was free or found in time");
	session_unavailable(s);
}

static void routed(struct route *r, const struct peer *peer)
{
	struct session *s = CONTAINER(r, struct prelogin, approach.route)->session;

	if (peer == NULL) {
		session_log(s, LOG_ERROR, "%s", r->complaint);
		session_unavailable(s);
		return;
	}
	session_take_peer(s, peer);
	connect_server(s);
}

/* ---- one server after the other ---- */

static bool may_try_next(const struct session *s)
{
	const struct approach *a = &s->pre->approach;
	const struct backend_settings *b = s->at->backend->settings;

	if (a->peer == NULL || !b->next || (b->next_tries != 0 && a->tries >= b->next_tries))
		return false;
	if (b->next_timeout_ms != 0 && loop_now(s->house->loop) - a->began_ms >= b->next_timeout_ms)
		return false;
	return !s->pre->login.exposed || !a->repeated;
}

/* This server is no use, which the log has heard: the next one, if there may be one. `why` NULL: that tells
 * nothing about the server. */
static void server_failed(struct session *s, const char *why)
{
	struct approach *a = approach_of(s);

	session_close_server(s);
	if (a->peer != NULL)
		route_outcome(&a->route, why != NULL ? ROUTE_FAILED : ROUTE_NEUTRAL, why);
	if (!may_try_next(s)) {
		session_unavailable(s);
		return;
	}
	a->repeated = a->repeated || s->pre->login.exposed;
	login_forget_answer(&s->pre->login);
	session_enter(s, &ROUTE);
	session_limit(s, s->at->settings->timeout_ms);
	route_next(&a->route);
}

/* What the machine lacks is not the server's fault. Nor need be what happens after its greeting: a client
 * with an odd name must not put a server out of service. */
static bool is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
	       error == EADDRNOTAVAIL;
}

/* The stream has failed, as `what` tells. */
static void stream_failed(struct session *s, const char *what)
{
	bool ours = is_ours(s->server.error) || approach_of(s)->spoke;

	session_log_failure(s, &s->server, LOG_ERROR, what);
	server_failed(s, ours ? NULL : "it cannot be reached");
}

static void reach_late(struct session *s)
{
	session_log(s, approach_of(s)->peer != NULL ? LOG_ERROR : LOG_INFO,
		    "upstream timed out (110: Connection timed out)");
	server_failed(s, approach_of(s)->spoke ? NULL : "it does not answer");
}

static uint64_t connect_timeout(const struct session *s)
{
	const struct approach *a = &s->pre->approach;
	uint64_t ms = a->settings->connect_timeout_ms;

	if (ms != 0)
		return ms;
	return a->peer != NULL && s->at->settings->timeout_ms > CONNECT_TIMEOUT_MS
		       ? CONNECT_TIMEOUT_MS
		       : s->at->settings->timeout_ms;
}

static void connect_server(struct session *s)
{
	const struct approach *a = approach_of(s);

	session_enter(s, &REACH);
	if (generation_listens(s->at->generation, &s->server_addr)) {
		session_log(s, LOG_ERROR,
			    a->peer != NULL ? "the server is this proxy itself"
					    : "the auth source sent an address of this proxy itself");
		server_failed(s, "it is this proxy itself");
		return;
	}
	if (s->house->sockets >= s->house->sockets_max) {
		session_log(s, LOG_ALERT, "%zu worker_connections are not enough", s->house->sockets_max);
		session_unavailable(s);
		return;
	}
	session_limit(s, connect_timeout(s));
	s->house->sockets++;
	if (!stream_connect(&s->server, s->house->loop, &s->server_addr, NULL, session_server_event)) {
		s->house->sockets--;
		stream_failed(s, "connect() failed ");
	}
}

static void reach_server(struct session *s, unsigned what)
{
	if (what & STREAM_FAILED) {
		stream_failed(s, "connect() failed ");
	} else if (what & STREAM_CONNECTED) {
		session_set_back(s);
		if (!session_take_master(s)) {
			session_log(s, LOG_ERROR,
				    "proxy_password_file is for users of an authentication source only");
			session_unavailable(s);
		} else if (session_tls_mode(s) == PROXY_TLS_ON) {
			secure(s, &REACH_TLS);
		} else {
			login_begin(s, false);
		}
	}
}

/* ---- TLS ---- */

static void secure(struct session *s, const struct session_stage *stage)
{
	const char *name = session_tls_name(s);
	struct backend *b = backend_of_tls(s->at->backend, approach_of(s)->group);

	/* a PROXY header stands before TLS; the buffer of a new connection has room for it */
	if (exchange_flush(&s->pre->back) != FLUSHED) {
		stream_failed(s, "send() failed ");
		return;
	}
	if (name == NULL && proxy_tls_verifies(b->scope)) {
		session_log(s, LOG_ERROR,
			    "no name that the server's certificate could have: set proxy_ssl_name");
		session_unavailable(s);
		return;
	}
	session_enter(s, stage);
	stream_secure(&s->server, b->tls, name);
}

static void secure_server(struct session *s, unsigned what)
{
	if (what & STREAM_FAILED)
		stream_failed(s, "");
	else if (what & STREAM_SECURED)
		login_begin(s, true);
}

/* The back has asked for TLS. What came ahead of the handshake was not said by the server that we will know.
 */
static void start_tls(struct session *s)
{
	struct exchange *x = &s->pre->back;

	switch (exchange_flush(x)) {
	case FLUSH_WAITS:
		return;
	case FLUSH_BROKEN:
		stream_failed(s, "send() failed ");
		return;
	case FLUSHED:
		break;
	}
	if (exchange_unheard(x).len != 0) {
		session_log(s, LOG_ERROR, "upstream sent data behind STARTTLS before the handshake");
		server_failed(s, "it sent data before the handshake");
		return;
	}
	secure(s, &LOGIN_TLS);
}

static void login_tls_server(struct session *s, unsigned what)
{
	struct exchange *x = &s->pre->back;

	if (what & STREAM_FAILED) {
		stream_failed(s, "");
	} else if (what & STREAM_SECURED) {
		session_enter(s, &LOGIN);
		approach_of(s)->wanted = dialog_told(x->dialog, NEWS_SECURED, STR(""));
		login_on(s);
	}
}

/* ---- login ---- */

static void login_begin(struct session *s, bool secured)
{
	struct exchange *x = &s->pre->back;

	session_enter(s, &LOGIN);
	x->dialog->secure = secured;
	approach_of(s)->wanted = WANT_INPUT;
	/* what the auth source gave may be nothing that this protocol can say */
	if (dialog_open(x->dialog) == WANT_INPUT)
		login_on(s);
	else
		login_refused(s);
}

/* The server has greeted: from here on the login has its own time, if connecting had one. */
static void has_spoken(struct session *s)
{
	struct approach *a = approach_of(s);

	if (a->peer == NULL && a->settings->connect_timeout_ms == 0)
		return;
	if (a->spoke || s->pre->login.answer.len + s->pre->back.out.len == 0)
		return;
	a->spoke = true;
	session_limit(s, s->at->settings->timeout_ms);
}

/* The server's answers and our commands, until it is done one way or the other. */
static void login_on(struct session *s)
{
	enum want *want = &approach_of(s)->wanted;
	struct exchange *x = &s->pre->back;

	while (*want == WANT_INPUT) {
		if (exchange_flush(x) == FLUSH_BROKEN || !exchange_fill(x)) {
			stream_failed(s, "recv() failed ");
			return;
		}
		*want = exchange_run(x);
		has_spoken(s);
		if (*want != WANT_INPUT)
			break;
		if (x->out.len != 0 && stream_stuck(&s->server))
			return;
		if (x->out.len != 0 || (!x->ended && stream_readable(&s->server)))
			continue;
		if (!x->ended)
			return;
		session_log(s, LOG_ERROR, "upstream closed connection before the login was over");
		server_failed(s, approach_of(s)->spoke ? NULL : "it closes connections");
		return;
	}
	if (*want == WANT_TLS) {
		start_tls(s);
	} else if (*want == WANT_RELAY) {
		session_keep_place(s);
		session_logged_in(s);
	} else {
		login_refused(s);
	}
}

static void login_server(struct session *s, unsigned what)
{
	if (what & STREAM_FAILED)
		stream_failed(s, "recv() failed ");
	else
		login_on(s);
}

/* ---- refused ---- */

/* What a refusal means. Where nobody but the server has judged the login, one without a reason is about the
 * credentials; where a source has said yes before, it is trouble between the two. So it is when the password
 * that was refused is one of ours, which the client does not know. */
static enum failure meaning(const struct session *s)
{
	enum failure f = s->pre->login.failure;

	if (f == FAILURE_CREDENTIALS && s->pre->approach.lent)
		return FAILURE_CONFIG;
	if (f == FAILURE_UNCLEAR)
		return s->at->auth == NULL ? FAILURE_CREDENTIALS : FAILURE_CONFIG;
	return f;
}

/* The server does its work, and this login is none. What a source was remembered to have said is not true
 * any more. */
static void note_refusal(struct session *s)
{
	enum failure why = s->pre->login.failure;

	if (why != FAILURE_CREDENTIALS && why != FAILURE_ACCOUNT && why != FAILURE_UNCLEAR)
		return;
	route_outcome(&approach_of(s)->route, ROUTE_GOOD, NULL);
	if (s->at->auth != NULL)
		auth_cache_drop(&s->pre->question);
}

/* The server refused, or made no sense. Its own words reach the client only where the operator wants that, or
 * where they are what the client has to know. */
static void login_refused(struct session *s)
{
	const struct approach *a = approach_of(s);
	struct login *l = &s->pre->login;
	enum failure why = meaning(s);
	bool about_client = why == FAILURE_CREDENTIALS || why == FAILURE_ACCOUNT || why == FAILURE_LIMIT;
	bool pass = s->at->settings->proxy_pass_error_message && l->presentable;

	if (l->answer.len != 0)
		session_enter(s, &LOGIN_REFUSED);
	session_log_quoted(s, pass || (session_is_modern(s) && about_client) ? LOG_INFO : LOG_ERROR,
			   s->pre->back.dialog->complaint, session_answer(s));
	note_refusal(s);
	if (session_is_modern(s) && why == FAILURE_TEMPORARY)
		server_failed(s, a->spoke ? NULL : "it greets with trouble");
	else if (pass)
		session_refused(s);
	else if (about_client && session_is_modern(s))
		session_denied(s);
	else
		session_unavailable(s);
}
