/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Active health checks. A checker belongs to one group; at each tick it looks at all servers of the group,
 * and visits those that are its to check: one worker has the lease of a server for as long as it comes back
 * in time, and when it is gone, the next that looks takes it over.
 *
 * A visit is a connection, perhaps TLS, and a dialog: a short one of visit.c, or the protocol's own back, for
 * a login. It is over when the dialog says so, or when its time is.
 */
#include "upstream/check.h"

#include "base/mem.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_client.h"
#include "talk/protocol.h"
#include "upstream/visit.h"
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_LEN = 4096, WHY_MAX = 256, NAME_LONGEST = 255 };

struct checker {
	struct upstream_group *group;
	struct timer tick;
	struct probe *probes;
	struct checker *next;
};

/* One visit at one server. */
struct probe {
	struct checker *checker;
	struct upstream_server *server;
	struct stream stream;
	struct timer limit;
	struct task end; /* frees it */
	struct arena *home;
	struct stage stage;
	struct login login;
	struct dialog *dialog;
	struct buf in, out;
	bool connected, over;
	struct probe *next, **link;
};

static const struct check_conf *conf_of(const struct probe *p)
{
	return &p->checker->group->conf->check;
}

/* --- the end of a visit -------------------------------------------------------------------------------- */

static void probe_free(struct probe *p)
{
	stream_close(&p->stream);
	loop_disarm(&p->limit);
	loop_cancel(p->checker->group->upstreams->loop, &p->end);
	*p->link = p->next;
	if (p->next != NULL)
		p->next->link = p->link;
	server_release(p->server);
	buf_done(&p->in);
	buf_done(&p->out);
	arena_free(p->home);
	free(p);
}

static void end(struct task *t)
{
	probe_free(CONTAINER(t, struct probe, end));
}

static void log_result(const struct probe *p, enum health_change change, const char *why, uint64_t down_ms)
{
	const struct upstream_group *g = p->checker->group;
	const struct log *log = g->upstreams->log;

	if (change == HEALTH_WENT_DOWN)
		log_put(log, LOG_WARN, 0, "upstream \"%.*s\" server %s is down: check: %s", STR_ARG(g->name),
			p->server->text.at, why);
	else if (change == HEALTH_CAME_UP)
		log_put(log, LOG_NOTICE, 0, "upstream \"%.*s\" server %s is up again after %llus",
			STR_ARG(g->name), p->server->text.at, (unsigned long long)(down_ms + 500) / 1000);
}

/* `why` NULL: it is well. */
static void finish(struct probe *p, const char *why)
{
	const struct check_conf *k = conf_of(p);
	struct upstreams *u = p->checker->group->upstreams;
	enum health_change change = HEALTH_AS_BEFORE;
	struct shared_entry *e;
	uint64_t down_ms = 0;

	if (p->over)
		return;
	p->over = true;
	shared_lock(u->shared);
	e = shared_find(u->shared, p->server->key, loop_now(u->loop), NULL);
	if (e != NULL)
		change = health_checked(e, why == NULL, k, loop_now(u->loop), &down_ms);
	shared_unlock(u->shared);
	log_result(p, change, why, down_ms);
	loop_later(u->loop, &p->end);
}

static void late(struct timer *t)
{
	finish(CONTAINER(t, struct probe, limit), "timed out");
}

/* --- a visit ------------------------------------------------------------------------------------------- */

static void perform(struct probe *p, enum want want);

static void fail_stream(struct probe *p)
{
	struct buf why;

	buf_init(&why, WHY_MAX);
	buf_put(&why, str_of(p->connected ? "" : "connect() failed "));
	stream_failure(&p->stream, &why);
	buf_put_byte(&why, '\0');
	finish(p, why.full || why.len < 2 ? "the connection broke" : why.at);
	buf_done(&why);
}

/* All of it at once: the socket is new, and a visit says little. */
static bool flush(struct probe *p)
{
	struct str out = buf_text(&p->out);
	bool fine = out.len == 0 || stream_write(&p->stream, out.at, out.len) == (ssize_t)out.len;

	buf_wipe(&p->out);
	return fine;
}

/* What the certificate must be for, as with logins: check_load has seen to it that the name is fixed. */
static struct str tls_name(const struct probe *p)
{
	const struct target *t = &p->server->origin->conf->target;
	const struct template *given = proxy_tls_name(p->checker->group->scope);
	struct str fixed;

	if (given != NULL && template_fixed(given, &fixed) && fixed.len != 0)
		return fixed;
	return t->kind == TARGET_UNIX ? STR("") : t->host;
}

static void secure(struct probe *p)
{
	struct str wanted = tls_name(p);
	char name[NAME_LONGEST + 1];

	if (wanted.len == 0 || wanted.len > NAME_LONGEST) {
		finish(p, "no name that its certificate could have: set proxy_ssl_name");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", STR_ARG(wanted));
	stream_secure(&p->stream, conf_of(p)->tls, name);
}

static void listen_on(struct probe *p)
{
	ssize_t n = STREAM_WAIT;

	while (!p->over && stream_readable(&p->stream)) {
		char *to = buf_space(&p->in, LINE_MAX_LEN);
		struct str heard;
		enum want want;

		n = to == NULL ? STREAM_BROKEN : stream_read(&p->stream, to, LINE_MAX_LEN);
		if (n == STREAM_END)
			finish(p, "it closed the connection");
		else if (n == STREAM_BROKEN)
			fail_stream(p);
		if (n <= 0)
			return;
		buf_grew(&p->in, (size_t)n);
		heard = buf_text(&p->in);
		want = dialog_heard(p->dialog, &heard);
		buf_drop(&p->in, p->in.len - heard.len);
		if (want != WANT_INPUT || p->out.len != 0)
			perform(p, want);
		if (want == WANT_TLS)
			return;
	}
}

/* It has said or heard what it wanted. */
static void perform(struct probe *p, enum want want)
{
	if (!flush(p)) {
		fail_stream(p);
	} else if (want == WANT_RELAY) {
		finish(p, NULL);
	} else if (want == WANT_TLS && p->in.len != 0) {
		finish(p, "it sent data before the handshake");
	} else if (want == WANT_TLS) {
		secure(p);
	} else if (want != WANT_INPUT) {
		finish(p, p->dialog->complaint != NULL ? p->dialog->complaint : "it refused");
	}
}

static void open_dialog(struct probe *p)
{
	const struct check_conf *k = conf_of(p);
	const struct dialog_ops *ops = k->type == CHECK_LOGIN	     ? k->speaks->back
				       : k->type == CHECK_CAPABILITY ? visit_capability(k->protocol)
								     : visit_greeting(k->protocol);

	p->dialog = dialog_new(ops, &p->stage, &p->login, &p->out, k->tls_first);
	perform(p, dialog_open(p->dialog));
	listen_on(p);
}

static void happened(struct stream *s, unsigned what)
{
	struct probe *p = CONTAINER(s, struct probe, stream);
	const struct check_conf *k = conf_of(p);

	if (p->over)
		return;
	p->connected |= (what & STREAM_CONNECTED) != 0;
	if (what & STREAM_CONNECTED && k->tls_first) {
		secure(p);
	} else if (k->type == CHECK_CONNECT && what & STREAM_CONNECTED) {
		finish(p, NULL);
	} else if (what & STREAM_CONNECTED) {
		open_dialog(p);
	} else if (what & STREAM_SECURED && k->type <= CHECK_TLS) {
		finish(p, NULL);
	} else if (what & STREAM_SECURED && p->dialog == NULL) {
		open_dialog(p);
	} else if (what & STREAM_SECURED) {
		perform(p, dialog_told(p->dialog, NEWS_SECURED, STR("")));
		listen_on(p);
	} else if (what & STREAM_READABLE && p->dialog != NULL) {
		listen_on(p);
	}
	if (what & STREAM_FAILED && !p->over)
		fail_stream(p);
}

static void prepare_login(struct probe *p)
{
	const struct check_conf *k = conf_of(p);
	const struct scope *mail = scope_outer(p->checker->group->scope);

	login_init(&p->login, p->home, LINE_MAX_LEN, LINE_MAX_LEN);
	p->stage =
		(struct stage){ .server_name = STR("localhost"), .line_max = LINE_MAX_LEN, .arena = p->home };
	if (k->type != CHECK_LOGIN)
		return;
	p->stage.settings = scope_settings(mail, &k->speaks->module);
	p->stage.secures = k->tls != NULL && !k->tls_first;
	buf_set(&p->login.tag, STR("a"));
	buf_set(&p->login.user, k->user);
	buf_set(&p->login.secret, k->password);
	p->login.method = SASL_PLAIN;
}

static void visit(struct checker *c, struct upstream_server *s)
{
	struct upstreams *u = c->group->upstreams;
	struct probe *p = mem_new(sizeof(*p));

	*p = (struct probe){ .checker = c, .server = s, .limit.fn = late, .end.fn = end, .next = c->probes };
	p->link = &c->probes;
	if (p->next != NULL)
		p->next->link = &p->next;
	c->probes = p;
	server_use(s);
	p->home = arena_new(2048);
	buf_init(&p->in, 2 * LINE_MAX_LEN);
	buf_init(&p->out, LINE_MAX_LEN);
	prepare_login(p);
	loop_arm(u->loop, &p->limit, conf_of(p)->timeout_ms);
	if (!stream_connect(&p->stream, u->loop, &s->addr, NULL, happened))
		fail_stream(p);
}

/* --- whose turn it is ---------------------------------------------------------------------------------- */

static bool is_visited(const struct checker *c, const struct upstream_server *s)
{
	const struct probe *p = c->probes;

	while (p != NULL && p->server != s)
		p = p->next;
	return p != NULL;
}

/* Longer than an interval, so that who has it comes back in time. */
static bool take_lease(struct checker *c, struct upstream_server *s)
{
	const struct check_conf *k = &c->group->conf->check;
	struct upstreams *u = c->group->upstreams;
	uint64_t now_ms = loop_now(u->loop);
	struct shared_entry *e;
	bool mine;

	shared_lock(u->shared);
	e = shared_find(u->shared, s->key, now_ms, s->entry);
	mine = e != NULL && (e->check_slot == u->shared->slot || now_ms >= e->check_lease_ms);
	if (mine) {
		e->check_slot = u->shared->slot;
		e->check_lease_ms = now_ms + 2 * k->interval_ms + k->timeout_ms;
	}
	s->entry = e;
	shared_unlock(u->shared);
	return mine;
}

static void tick(struct timer *t)
{
	struct checker *c = CONTAINER(t, struct checker, tick);
	struct upstream_group *g = c->group;

	names_use(g);
	for (struct upstream_server *s = group_next(g, NULL); s != NULL; s = group_next(g, s))
		if (!s->origin->conf->down && !is_visited(c, s) && take_lease(c, s))
			visit(c, s);
	loop_arm(g->upstreams->loop, &c->tick, g->conf->check.interval_ms);
}

/* Of servers that name none: the one that logins use. */
static uint16_t port_of(const struct scope *group)
{
	const struct protocol *speaks = group_conf(group)->check.speaks;

	return speaks == NULL ? 0 : speaks->ports[proxy_tls_mode(group) == PROXY_TLS_ON];
}

void checks_begin(struct upstreams *u)
{
	const struct scope *mail = scope_first(conf_top(u->conf), IN_MAIL);

	for (const struct scope *s = mail != NULL ? scope_first(mail, IN_UPSTREAM) : NULL; s != NULL;
	     s = scope_next(s)) {
		struct checker *c;

		if (group_conf(s)->check.type == CHECK_NONE)
			continue;
		c = mem_new(sizeof(*c));
		*c = (struct checker){ .tick.fn = tick, .next = u->checkers };
		c->group = group_of_scope(u, s, port_of(s));
		c->group->pins++;
		u->checkers = c;
		loop_arm(u->loop, &c->tick, 1);
	}
}

void checks_end(struct upstreams *u)
{
	struct checker *c;

	while ((c = u->checkers) != NULL) {
		u->checkers = c->next;
		while (c->probes != NULL)
			probe_free(c->probes);
		loop_disarm(&c->tick);
		c->group->pins--;
		free(c);
	}
}
