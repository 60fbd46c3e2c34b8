/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loaded configuration taken apart: servers, the doors they stand behind, the sockets that have to be bound
 * for these.
 *
 * Of several addresses on one port of which one is the wildcard, only the wildcard is bound, and the others
 * are doors of its listener, found by the connection's local address: the kernel would refuse to bind both.
 * An address with socket parameters of its own insists on a socket.
 */
#include "mail/generation.h"

#include "auth/pipe.h"
#include "base/mem.h"
#include "base/must.h"
#include <stdlib.h>
#include <string.h>

/* ---- doors and listeners ---- */

static struct str door_text(struct arena *home, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	return arena_str(home, str_of(addr_text(a, text)));
}

static struct door *door_find(const struct generation *g, const struct addr *a)
{
	for (const struct listener *l = g->listeners; l != NULL; l = l->next)
		for (struct door *d = l->doors; d != NULL; d = d->next)
			if (addr_eq(&d->endpoint->addr, a))
				return d;
	return NULL;
}

/* The wildcard listener that takes in connections for `a`. */
static struct listener *wildcard_for(const struct generation *g, const struct addr *a)
{
	for (struct listener *l = g->listeners; l != NULL; l = l->next)
		if (l->addr.family == a->family && l->addr.port == a->port && addr_is_any(&l->addr))
			return l;
	return NULL;
}

static struct door *door_new(struct generation *g, const struct endpoint *e, struct server *server)
{
	struct door *d = arena_take(g->arena, sizeof(*d));

	*d = (struct door){ .endpoint = e, .server = server, .text = door_text(g->arena, &e->addr) };
	return d;
}

/* Doors in the order of the file; of a wildcard's doors its own comes last, so that a look from the front
 * finds the narrowest. */
static void add_door(struct listener *l, struct door *d)
{
	if (l->doors == NULL || !addr_is_any(&d->endpoint->addr)) {
		d->next = l->doors;
		l->doors = d;
		return;
	}
	for (struct door *last = l->doors;; last = last->next) {
		if (last->next == NULL) {
			last->next = d;
			return;
		}
	}
}

static struct listener *listener_new(struct generation *g, const struct endpoint *e)
{
	struct listener *l = arena_take(g->arena, sizeof(*l)), **end = &g->listeners;

	*l = (struct listener){ .addr = e->addr, .options = e->options, .fd = -1 };
	while (*end != NULL)
		end = &(*end)->next;
	*end = l;
	return l;
}

/* Two servers may share an address only if TLS can tell them apart from the first byte: both `ssl`, with
 * names of their own. */
static bool may_share(const struct door *d, const struct endpoint *e, const struct server *server)
{
	return d->endpoint->tls && e->tls && d->endpoint->proxy_header == e->proxy_header &&
	       scope_given(server->scope, &mail_module, "server_name") &&
	       scope_given(d->server->scope, &mail_module, "server_name") &&
	       server->protocol == d->server->protocol;
}

static bool take_endpoint(struct generation *g, struct server *server, const struct endpoint *e)
{
	struct door *twin = door_find(g, &e->addr), *d;
	struct listener *l;
	char text[ADDR_TEXT_MAX];

	if (twin != NULL && !may_share(twin, e, server))
		return conf_fault_at(g->conf, e->file, e->line, "duplicate \"%s\" address and port pair",
				     addr_text(&e->addr, text));
	d = door_new(g, e, server);
	if (twin != NULL) {
		while (twin->also != NULL)
			twin = twin->also;
		twin->also = d;
		return true;
	}
	l = e->bind ? NULL : wildcard_for(g, &e->addr);
	add_door(l != NULL ? l : listener_new(g, e), d);
	return true;
}

/* Wildcards first, so that narrower addresses find them whatever the order in the file. */
static bool take_endpoints(struct generation *g, struct server *server, bool wildcards)
{
	bool good = true;

	for (const struct endpoint *e = server->settings->endpoints; e != NULL; e = e->next)
		if (addr_is_any(&e->addr) == wildcards)
			good &= take_endpoint(g, server, e);
	return good;
}

/* ---- servers ---- */

/* What wants TLS for a server, and where it stands. */
struct tls_wish {
	const char *mode; /* NULL: nothing does */
	const char *file;
	unsigned line;
};

static struct tls_wish tls_wish(const struct server *server)
{
	const struct scope *scope = server->scope;
	const struct words *starttls;

	for (const struct endpoint *e = server->settings->endpoints; e != NULL; e = e->next)
		if (e->tls)
			return (struct tls_wish){ "listen ... ssl", e->file, e->line };
	if (server->settings->starttls == STARTTLS_OFF)
		return (struct tls_wish){ NULL, NULL, 0 };
	while (!scope_given(scope, &mail_module, "starttls"))
		scope = scope_outer(scope);
	starttls = scope_directive(scope, &mail_module, "starttls");
	return (struct tls_wish){ "starttls", starttls->file, starttls->line };
}

static bool make_tls(struct generation *g, struct server *server, struct tls_shared *shared)
{
	struct tls_wish wish = tls_wish(server);

	if (wish.mode == NULL)
		return true;
	if (!tls_require(g->conf, server->scope, wish.mode, wish.file, wish.line))
		return false;
	server->verify = tls_verify_mode(server->scope);
	server->tls = tls_server_context(g->conf, server->scope, server->protocol->alpn, shared);
	return server->tls != NULL;
}

/* ---- backends ---- */

static void free_backends(struct generation *g)
{
	for (struct backend *b = g->backends; b != NULL; b = b->next)
		if (b->owns_tls)
			tls_context_free(b->tls);
}

/* Scopes that say nothing of TLS themselves share the context of the one outside that does. */
static struct tls_context *backend_context(struct generation *g, struct backend *b, struct tls_shared *shared)
{
	for (const struct backend *other = g->backends; other != NULL; other = other->next)
		if (other != b && proxy_tls_home(other->scope) == proxy_tls_home(b->scope))
			return other->tls;
	b->owns_tls = true;
	return tls_client_context(g->conf, b->scope, shared);
}

/* NULL after a fault. */
static struct backend *make_backend(struct generation *g, const struct scope *scope,
				    struct tls_shared *shared)
{
	struct backend *b = arena_take(g->arena, sizeof(*b));

	*b = (struct backend){ .scope = scope, .settings = scope_settings(scope, &backend_module) };
	b->tls_mode = proxy_tls_mode(scope);
	b->tls = backend_context(g, b, shared);
	b->next = g->backends;
	g->backends = b;
	return b->tls != NULL ? b : NULL;
}

struct backend *generation_backend(const struct generation *g, const struct scope *upstream)
{
	struct backend *b = g->backends;

	while (b != NULL && b->scope != upstream)
		b = b->next;
	return b;
}

/* The directive that holds for a scope, wherever outside it was given. */
static const struct words *given(const struct scope *scope, const struct module *m, const char *directive)
{
	while (scope != NULL && !scope_given(scope, m, directive))
		scope = scope_outer(scope);
	return scope != NULL ? scope_directive(scope, m, directive) : NULL;
}

/* Who knows the users, and where do they go? */
static bool check_way(struct generation *g, const struct server *server)
{
	const struct backend_settings *b = server->backend->settings;
	const struct scope *scope = server->scope;
	const struct words *w;
	struct str target;

	if (!auth_configured(scope) && b->pass == NULL)
		return conf_fault_at(g->conf, scope_file(scope), scope_line(scope),
				     "no \"auth_http\" is defined for server, nor another source of users, "
				     "nor \"proxy_pass\"");
	if (!auth_configured(scope) && b->password.at != NULL)
		return conf_fault_at(g->conf, scope_file(scope), scope_line(scope),
				     "\"proxy_password_file\" without an authentication source would open "
				     "every mailbox to everybody");
	if (b->pass == NULL || !template_fixed(b->pass, &target))
		return true;
	w = given(scope, &backend_module, "proxy_pass");
	/* groups know the resolver of mail{} alone */
	return upstream_check_target(g->conf, target, mail_settings(scope_outer(scope))->resolver != NULL,
				     w->file, w->line);
}

static bool make_server(struct generation *g, const struct scope *scope, struct tls_shared *shared)
{
	struct server *server = arena_take(g->arena, sizeof(*server)), **end = &g->servers;

	server->scope = scope;
	server->settings = mail_settings(scope);
	server->protocol = server->settings->protocol;
	server->protocol_settings = scope_settings(scope, &server->protocol->module);
	server->generation = g;
	server->name = server->settings->server_names.at[0];
	while (*end != NULL)
		end = &(*end)->next;
	*end = server;
	server->backend = make_backend(g, scope, shared);
	if (server->backend == NULL || !check_way(g, server))
		return false;
	server->modern = server->backend->settings->pass != NULL || !auth_is_http_alone(scope);
	return make_tls(g, server, shared);
}

/* Several servers behind one door share a context that looks at the name the client asks for. */
static struct tls_context *door_context(struct generation *g, struct door *d)
{
	size_t len = 0, at = 0;
	struct tls_context **contexts;
	struct str *names;

	for (const struct door *one = d; one != NULL; one = one->also)
		len += one->server->settings->server_names.len;
	contexts = arena_take(g->arena, len * sizeof(struct tls_context *));
	names = arena_take(g->arena, len * sizeof(struct str));
	for (const struct door *one = d; one != NULL; one = one->also) {
		for (size_t i = 0; i < one->server->settings->server_names.len; i++, at++) {
			contexts[at] = one->server->tls;
			names[at] = one->server->settings->server_names.at[i];
		}
	}
	return tls_by_name(contexts, names, len);
}

static void give_contexts(struct generation *g)
{
	for (struct listener *l = g->listeners; l != NULL; l = l->next)
		for (struct door *d = l->doors; d != NULL; d = d->next)
			if (d->endpoint->tls)
				d->tls = d->also != NULL ? door_context(g, d) : d->server->tls;
}

static bool make_everything(struct generation *g, struct tls_shared *shared)
{
	const struct scope *mail = scope_first(conf_top(g->conf), IN_MAIL);
	bool good = true;

	for (const struct scope *s = mail != NULL ? scope_first(mail, IN_SERVER) : NULL; s != NULL;
	     s = scope_next(s))
		good &= make_server(g, s, shared);
	for (const struct scope *s = mail != NULL ? scope_first(mail, IN_UPSTREAM) : NULL; s != NULL;
	     s = scope_next(s))
		good &= make_backend(g, s, shared) != NULL;
	for (struct server *s = g->servers; s != NULL; s = s->next)
		good &= take_endpoints(g, s, true);
	for (struct server *s = g->servers; s != NULL; s = s->next)
		good &= take_endpoints(g, s, false);
	if (mail != NULL)
		good &= upstream_load(g->conf, mail_settings(mail)->resolver != NULL, shared);
	if (good)
		give_contexts(g);
	for (const struct server *s = g->servers; good && s != NULL; s = s->next)
		pipe_orders(&g->helpers, s->scope);
	return good;
}

struct generation *generation_new(struct conf *conf, struct bundle *bundle, struct tls_shared *shared)
{
	struct generation *g = mem_new(sizeof(*g));

	*g = (struct generation){
		.conf = conf, .bundle = bundle, .tls_shared = shared, .arena = arena_new(8192)
	};
	if (make_everything(g, shared))
		return g;
	generation_free(g);
	return NULL;
}

/* ---- life with sessions ---- */

/* The resolver of mail{} serves upstreams, and host names as targets anywhere. */
static void furnish_upstreams(struct generation *g, struct loop *loop, struct upstream_shared *shared)
{
	const struct scope *mail = scope_first(conf_top(g->conf), IN_MAIL);

	if (mail != NULL && mail_settings(mail)->resolver != NULL)
		g->resolver = resolver_new(loop, mail_settings(mail)->resolver);
	g->upstreams = upstreams_new(g->conf, loop, g->resolver, shared, &g->log);
}

/* Servers that inherit one `resolver` share one: what they learn is the same. */
static struct resolver *resolver_for(struct generation *g, const struct server *server, struct loop *loop)
{
	if (mail_settings(scope_outer(server->scope))->resolver == server->settings->resolver)
		return g->resolver;
	for (const struct server *s = g->servers; s != server; s = s->next)
		if (s->resolver != NULL && s->settings->resolver == server->settings->resolver)
			return s->resolver;
	return resolver_new(loop, server->settings->resolver);
}

void generation_furnish(struct generation *g, struct loop *loop, const struct auth_tools *tools,
			struct upstream_shared *shared)
{
	struct auth_tools own = *tools;

	furnish_upstreams(g, loop, shared);
	own.loop = loop;
	own.home = g->arena;
	own.helpers = &g->helpers;
	own.resolver = g->resolver;
	own.identity = auth_identity(g->conf, g->arena);
	own.conf = g->conf;
	own.tls_shared = g->tls_shared;
	for (struct server *s = g->servers; s != NULL; s = s->next) {
		own.log = &s->log;
		if (auth_configured(s->scope))
			s->auth = auth_source_new(&own, s->scope);
		if (s->protocol->wants_client_host && s->settings->resolver != NULL)
			s->resolver = resolver_for(g, s, loop);
	}
}

static void free_resolver(struct server *server)
{
	struct resolver *resolver = server->resolver;

	for (struct server *s = server; s != NULL; s = s->next)
		if (s->resolver == resolver)
			s->resolver = NULL;
	if (resolver != server->generation->resolver)
		resolver_free(resolver);
}

void generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	loop_disarm(&g->late);
	for (struct listener *l = g->listeners; l != NULL; l = l->next)
		for (struct door *d = l->doors; d != NULL; d = d->next)
			if (d->also != NULL)
				tls_context_free(d->tls);
	for (struct server *s = g->servers; s != NULL; s = s->next) {
		tls_context_free(s->tls);
		auth_source_free(s->auth);
		free_resolver(s);
	}
	helper_orders_free(&g->helpers);
	upstreams_free(g->upstreams);
	resolver_free(g->resolver);
	upstream_unload(g->conf);
	free_backends(g);
	generation_free_logs(g);
	arena_free(g->arena);
	conf_free(g->conf);
	bundle_free(g->bundle);
	free(g);
}

const struct door *listener_door(const struct listener *l, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct addr local;

	if (l->doors->next == NULL || getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return l->doors;
	addr_from_sockaddr(&local, &ss, len);
	for (const struct door *d = l->doors; d != NULL; d = d->next)
		if (addr_eq(&d->endpoint->addr, &local) || d->next == NULL)
			return d;
	return l->doors;
}

struct server *door_server(const struct door *d, const struct tls_context *chosen)
{
	for (const struct door *one = d; one != NULL; one = one->also)
		if (one->server->tls == chosen)
			return one->server;
	return d->server;
}

/* The machine itself, whatever its other addresses are called. */
static bool is_local(const struct addr *a)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	if (a->family == AF_INET)
		return a->ip4[0] == 127 || addr_is_any(a);
	return a->family == AF_INET6 && (memcmp(a->ip6, loopback, 16) == 0 || addr_is_any(a));
}

/* Does the socket take in connections of this family? One for IPv6 may be told to take both. */
static bool takes_family(const struct listener *l, unsigned family)
{
	return l->addr.family == family || (l->addr.family == AF_INET6 && !l->options.ipv6only);
}

bool generation_listens(const struct generation *g, const struct addr *a)
{
	for (const struct listener *l = g->listeners; l != NULL; l = l->next) {
		if (addr_is_any(&l->addr) && l->addr.port == a->port && takes_family(l, a->family) &&
		    is_local(a))
			return true;
		for (const struct door *d = l->doors; d != NULL; d = d->next)
			if (addr_eq(&d->endpoint->addr, a))
				return true;
	}
	return false;
}
