/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a session: how it is born, how events find it, how it ends. What happens between stands in
 * journey.c.
 *
 * The end may come from anywhere, also from inside a stream's callback: session_end unhooks everything at
 * once, and the memory goes when no callback is on the stack any more (bury).
 */
#include "mail/session_private.h"

#include "base/mem.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* First room of everything before the relay: the struct itself, a command, a reply, a login. */
enum { PRELOGIN_FIRST = sizeof(struct prelogin) + 3072 };

static void client_event(struct stream *stream, unsigned what)
{
	struct session *s = CONTAINER(stream, struct session, client);

	s->stage->client(s, what);
}

void session_server_event(struct stream *stream, unsigned what)
{
	struct session *s = CONTAINER(stream, struct session, server);

	s->stage->server(s, what);
}

static void limit_over(struct timer *t)
{
	struct session *s = CONTAINER(t, struct prelogin, limit)->session;

	s->stage->late(s);
}

static void unlink_session(struct session *s)
{
	*s->link = s->next;
	if (s->next != NULL)
		s->next->link = s->link;
	s->house->sessions_len--;
}

static void bury(struct task *k)
{
	struct session *s = CONTAINER(k, struct session, bury);
	struct house *house = s->house;

	s->at->generation->sessions--;
	free(s->login);
	free(s);
	house_sweep(house);
	if (house->stopping && house->sessions_len == 0)
		house->emptied(house);
}

void session_drop_prelogin(struct session *s)
{
	struct prelogin *p = s->pre;

	if (p == NULL)
		return;
	auth_cancel(&p->question);
	resolve_cancel(&p->name_query);
	route_close(&p->approach.route);
	session_forget_escort(s);
	loop_disarm(&p->limit);
	s->pre = NULL;
	arena_free(p->arena);
}

void session_close_server(struct session *s)
{
	if (!stream_is_open(&s->server))
		return;
	stream_close(&s->server);
	s->house->sockets--;
}

/* The end, from wherever: everything is unhooked at once, and freed when no callback is on the stack. */
void session_end(struct session *s)
{
	if (s->bury.link != NULL)
		return;
	if (s->pre == NULL)
		relay_stop(&s->relay);
	session_drop_prelogin(s);
	session_close_server(s);
	peer_leave(s->place);
	stream_close(&s->client);
	s->house->sockets--;
	unlink_session(s);
	loop_later(s->house->loop, &s->bury);
}

static struct prelogin *prelogin_new(struct session *s)
{
	struct arena *arena = arena_new(PRELOGIN_FIRST);
	struct prelogin *p = arena_take(arena, sizeof(*p));

	p->arena = arena;
	p->session = s;
	p->limit.fn = limit_over;
	return p;
}

static struct str address_text(struct prelogin *p, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	return arena_str(p->arena, str_of(addr_ip_text(a, text)));
}

/* Nothing was heard yet, so nothing is lost when another server's limits take the place of the first one's.
 */
static void set_limits(struct session *s, size_t line_max)
{
	struct prelogin *p = s->pre;
	size_t reply_max = s->at->settings->proxy_buffer;

	login_init(&p->login, p->arena, line_max, reply_max);
	exchange_init(&p->front, &s->client, p->arena, line_max + 2, 16384 + 2 * reply_max);
}

void session_set_stage(struct session *s)
{
	const struct mail_settings *m = s->at->settings;
	struct prelogin *p = s->pre;

	p->front_stage.settings = s->at->protocol_settings;
	p->front_stage.server_name = s->at->name;
	p->front_stage.starttls = s->at->tls != NULL ? (enum starttls)m->starttls : STARTTLS_OFF;
	p->front_stage.max_errors = (unsigned)m->max_errors;
	p->front_stage.max_commands = (unsigned)m->max_commands;
	p->front_stage.line_max = s->at->protocol->line_max(s->at->protocol_settings);
	p->front_stage.arena = p->arena;
	p->front_stage.note = session_note;
	p->front_stage.owner = s;
	if (p->front.dialog == NULL)
		set_limits(s, p->front_stage.line_max);
}

bool session_local(const struct session *s, struct addr *local)
{
	const struct addr *bound = &s->door->endpoint->addr;

	if (bound->family == AF_UNIX || addr_is_any(bound))
		return stream_local(&s->client, local);
	*local = *bound;
	return true;
}

void session_set_client(struct session *s)
{
	struct prelogin *p = s->pre;
	struct addr local = { 0 };

	p->front_stage.client_ip = address_text(p, &s->client_addr);
	p->front_stage.client_port = s->client_addr.port;
	if (session_local(s, &local)) {
		p->front_stage.server_ip = address_text(p, &local);
		p->front_stage.server_port = local.port;
	}
}

/* What a server that trusts us may learn about the client. A chain of proxies ends where `ttl` does. */
static void set_identity(struct session *s, struct stage *stage)
{
	enum { TTL = 4 };
	struct tls_facts facts;

	stage->ttl = TTL;
	stage->session_id = session_id(s);
	stage->client_secure = s->client.tls != NULL;
	if (!stage->client_secure)
		return;
	tls_facts(&s->client, &facts);
	stage->asked_name = arena_str(s->pre->arena, facts.server_name);
}

void session_set_back(struct session *s)
{
	struct prelogin *p = s->pre;
	struct exchange *x = &p->back;
	size_t reply_max = s->at->settings->proxy_buffer;

	exchange_init(x, &s->server, p->arena, reply_max + 2, 6 * p->login.user.most + 4096);
	p->back_stage = p->front_stage;
	if (p->approach.peer != NULL)
		p->back_stage.settings = scope_settings_over(s->at->scope, p->approach.peer->scope,
							     &s->at->protocol->module, p->arena);
	p->back_stage.line_max = reply_max;
	set_identity(s, &p->back_stage);
	p->back_stage.judges = s->at->auth == NULL;
	p->back_stage.vouched = s->at->auth != NULL && session_shows_certificate(s);
	p->back_stage.retells = session_is_modern(s);
	p->back_stage.secures = session_tls_mode(s) == PROXY_TLS_STARTTLS;
	entry_put_header(s, &x->out);
	x->dialog = dialog_new(s->at->protocol->back, &p->back_stage, &p->login, &x->out, false);
}

struct str session_answer(const struct session *s)
{
	struct str answer = buf_text(&s->pre->login.answer), tag = buf_text(&s->pre->login.tag);

	if (tag.len != 0 && str_starts(answer, tag))
		return str_skip(answer, tag.len + 1);
	return answer;
}

void session_keep_login(struct session *s)
{
	struct str login = buf_text(&s->pre->login.user), path = str_of(NULL);

	if (login.len > SHOWN_MAX)
		login.len = SHOWN_MAX;
	if (s->server_addr.family == AF_UNIX)
		path = str_of(s->server_addr.path);
	if (login.len + path.len == 0)
		return;
	/* one piece for both: the name, and where a socket has one its path */
	s->login = mem_new(login.len + 1 + (path.len != 0 ? path.len + 1 : 0));
	if (login.len != 0)
		memcpy(s->login, login.at, login.len);
	if (path.len != 0)
		s->server_addr.path = memcpy(s->login + login.len + 1, path.at, path.len);
}

void session_accept(struct house *house, const struct door *door, int fd, const struct addr *client)
{
	struct session *s = mem_new(sizeof(*s));
	char from[ADDR_TEXT_MAX];

	*s = (struct session){
		.door = door, .at = door->server, .house = house, .bury.fn = bury, .client_addr = *client
	};
	s->number = ++house->connections;
	s->debugged = house->debugged != NULL && house->debugged(house, client);
	if (!stream_accept(&s->client, house->loop, fd, client_event)) {
		log_put(session_log_of(s), LOG_ALERT, s->number, "cannot watch a new connection");
		close(fd);
		free(s);
		return;
	}
	house->sockets++;
	house->sessions_len++;
	s->at->generation->sessions++;
	s->next = house->sessions;
	s->link = &house->sessions;
	if (s->next != NULL)
		s->next->link = &s->next;
	house->sessions = s;
	log_put(session_log_of(s), LOG_INFO, s->number, "client %s connected to %.*s",
		addr_text(client, from), STR_ARG(door->text));
	s->pre = prelogin_new(s);
	session_set_vars(s);
	session_begin(s);
}

void session_end_all(struct house *house)
{
	while (house->sessions != NULL)
		session_end(house->sessions);
}

void session_end_of(struct house *house, const struct generation *g)
{
	struct session *s, *next;

	for (s = house->sessions; s != NULL; s = next) {
		next = s->next;
		if (s->at->generation != g)
			continue;
		session_log(s, LOG_INFO, "shutdown timeout");
		session_end(s);
	}
}

void house_sweep(struct house *house)
{
	struct generation **g = &house->retired;

	while (*g != NULL) {
		struct generation *old = *g;

		if (old->sessions != 0) {
			g = &old->next;
			continue;
		}
		*g = old->next;
		generation_free(old);
	}
}
