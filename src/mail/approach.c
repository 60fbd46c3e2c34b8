/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a login needs to know on its way to a server, put together from the source's answer, the server{} and
 * the upstream{}: TLS and the name to expect, as whom to log in, the place that is kept there.
 */
#include "mail/session_private.h"

#include "base/mem.h"
#include <string.h>

bool session_is_modern(const struct session *s)
{
	return s->at->modern || s->pre->approach.target.at != NULL;
}

/* Nothing of the way stays behind: no route that may still be answered, no place that others wait for. */
void session_leave_server(struct session *s)
{
	session_close_server(s);
	route_close(&s->pre->approach.route);
	s->pre->approach.admitted = false;
	s->pre->approach.peer = NULL;
	s->pre->approach.group = NULL;
}

void session_new_approach(struct session *s)
{
	session_leave_server(s);
	s->pre->approach = (struct approach){ .settings = s->at->backend->settings };
	s->server_addr = (struct addr){ 0 };
}

void session_take_peer(struct session *s, const struct peer *peer)
{
	struct approach *a = &s->pre->approach;

	a->peer = peer;
	a->group = peer->scope != NULL ? generation_backend(s->at->generation, peer->scope) : NULL;
	a->settings = scope_settings_over(s->at->scope, peer->scope, &backend_module, s->pre->arena);
	a->spoke = false;
	a->tries++;
	s->server_addr = peer->addr;
	/* the group may be gone when the session's last line is written */
	if (peer->addr.family == AF_UNIX && peer->addr.path != NULL)
		s->server_addr.path = arena_str(s->pre->arena, str_of(peer->addr.path)).at;
}

/* ---- TLS ---- */

enum proxy_tls session_tls_mode(const struct session *s)
{
	const struct approach *a = &s->pre->approach;

	if (a->tls != 0)
		return (enum proxy_tls)(a->tls - 1);
	return backend_of_tls(s->at->backend, a->group)->tls_mode;
}

enum proxy_tls server_tls_mode(const struct server *server, const struct scope *group)
{
	struct backend *b = group != NULL ? generation_backend(server->generation, group) : NULL;

	return backend_of_tls(server->backend, b)->tls_mode;
}

/* To a server that knows us by it, who may log in as anybody. */
bool session_shows_certificate(const struct session *s)
{
	return session_tls_mode(s) != PROXY_TLS_OFF &&
	       proxy_tls_certified(backend_of_tls(s->at->backend, s->pre->approach.group)->scope);
}

const char *session_tls_name(struct session *s)
{
	const struct approach *a = &s->pre->approach;
	char ip[ADDR_TEXT_MAX];
	const struct template *configured = proxy_tls_name(backend_of_tls(s->at->backend, a->group)->scope);
	struct str name = a->tls_name;

	if (name.len == 0 && configured != NULL)
		name = template_fill(configured, &s->pre->vars);
	if (name.len == 0 && a->peer != NULL)
		name = a->peer->host;
	if (name.len == 0 && s->server_addr.family != AF_UNIX)
		name = str_of(addr_ip_text(&s->server_addr, ip));
	return name.len != 0 ? arena_str(s->pre->arena, name).at : NULL;
}

/* ---- as whom ---- */

static void lower_case(struct buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->at[i] >= 'A' && text->at[i] <= 'Z')
			text->at[i] = (char)(text->at[i] - 'A' + 'a');
}

bool session_rewrite_login(struct session *s)
{
	const struct backend_settings *b = s->at->backend->settings;
	struct login *l = &s->pre->login;

	if (l->method == SASL_NONE)
		return true;
	if (b->login != NULL)
		buf_set(&l->user, template_fill(b->login, &s->pre->vars));
	if (b->lower_case)
		lower_case(&l->user);
	if (l->user.len != 0)
		return true;
	/* in a master's login an empty name would be the master himself */
	session_log(s, LOG_ERROR, "no name to log in with at the mail server%s",
		    b->login != NULL ? ": proxy_login is empty for this login" : "");
	return false;
}

/*
 * A password of ours opens every mailbox: it is for those alone whom a source has let in. The load has
 * refused a server{} without any; an upstream{} may be used by several.
 */
bool session_take_master(struct session *s)
{
	const struct approach *a = &s->pre->approach;
	const struct backend_settings *b = a->settings;
	struct login *l = &s->pre->login;

	buf_set(&l->master, a->master);
	if (a->master.len != 0 || b->password.at == NULL || l->method == SASL_NONE)
		return true;
	if (!a->admitted)
		return false;
	buf_set(&l->master, b->user);
	buf_set(&l->secret, b->password);
	s->pre->approach.lent = true;
	l->back_method = 0;
	return true;
}

/* ---- a place ---- */

void session_keep_place(struct session *s)
{
	struct route *r = &s->pre->approach.route;

	if (s->pre->approach.peer == NULL)
		return;
	route_outcome(r, ROUTE_GOOD, NULL);
	s->place = route_keep(r);
}
