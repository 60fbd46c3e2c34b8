/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All groups of one generation in one worker, made when they are first used. One upstream{} is a group for
 * each default port that is used with it, since its servers are others then. Nameless groups come from
 * outside, so there is a bound for all: the one that was not used for the longest time makes room. What
 * matters about a server outlives its group in shared memory.
 */
#include "upstream/group.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "upstream/check.h"
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_MAX = 64 };

uint64_t hash_text(struct str text, uint64_t seed)
{
	uint64_t h = seed ^ 0xcbf29ce484222325;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (uint8_t)text.at[i]) * 0x100000001b3;
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9;
	h = (h ^ h >> 27) * 0x94d049bb133111eb;
	return h ^ h >> 31;
}

/* --- servers ------------------------------------------------------------------------------------------- */

struct upstream_server *group_next(const struct upstream_group *g, const struct upstream_server *s)
{
	size_t at = s == NULL ? 0 : (size_t)(s->origin - g->origins) + 1;

	if (s != NULL && s->next != NULL)
		return s->next;
	while (at < g->origins_len && g->origins[at].servers == NULL)
		at++;
	return at < g->origins_len ? g->origins[at].servers : NULL;
}

struct upstream_server *server_new(struct origin *o, const struct addr *a)
{
	struct upstream_group *g = o->group;
	struct upstream_server *s;
	char text[ADDR_TEXT_MAX];
	struct addr addr = *a;
	struct str shown;

	if (addr.family != AF_UNIX)
		addr.port = o->port;
	shown = str_of(addr_text(&addr, text));
	s = mem_new(sizeof(*s) + shown.len + 1);
	*s = (struct upstream_server){ .origin = o, .addr = addr, .id = ++g->upstreams->last_id };
	snprintf((char *)(s + 1), shown.len + 1, "%s", text);
	s->text = (struct str){ (const char *)(s + 1), shown.len };
	s->identity = hash_text(s->text, hash_text(o->conf->text, 0));
	shared_key(g->scope != NULL ? g->name : STR(""), s->text, s->key);
	return s;
}

void server_use(struct upstream_server *s)
{
	s->users++;
}

void server_release(struct upstream_server *s)
{
	must(s->users > 0);
	if (--s->users == 0 && s->dropped)
		free(s);
}

void server_drop(struct upstream_server *s)
{
	s->dropped = true;
	if (s->users == 0)
		free(s);
}

/* --- making and unmaking ------------------------------------------------------------------------------- */

static struct upstream_group **bucket_of(struct upstreams *u, struct str name)
{
	return &u->buckets[hash_text(name, 0) % GROUP_BUCKETS];
}

static void leave_line(struct upstream_group *g)
{
	*g->line = g->younger;
	if (g->younger != NULL)
		g->younger->line = g->line;
	else
		g->upstreams->youngest = g->line;
}

static void join_line(struct upstream_group *g)
{
	struct upstreams *u = g->upstreams;

	g->younger = NULL;
	g->line = u->youngest;
	*u->youngest = g;
	u->youngest = &g->younger;
}

static void group_free(struct upstream_group *g)
{
	struct upstream_group **at = bucket_of(g->upstreams, g->name);

	must(g->pins == 0);
	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	leave_line(g);
	g->upstreams->groups_len--;
	loop_disarm(&g->turn);
	for (size_t i = 0; i < g->origins_len; i++)
		origin_end(&g->origins[i]);
	arena_free(g->home);
	free(g);
}

static void make_room(struct upstreams *u)
{
	struct upstream_group *g = u->oldest;

	while (g != NULL && g->pins != 0)
		g = g->younger;
	if (g != NULL && u->groups_len >= GROUPS_MAX)
		group_free(g);
}

/* "imap.example.org:143", as the configuration or the source named it. */
static struct str origin_name(struct upstream_group *g, const struct origin *o)
{
	const struct target *t = &o->conf->target;

	if (t->kind == TARGET_UNIX)
		return arena_format(g->home, "unix:%.*s", STR_ARG(t->host));
	return arena_format(g->home, t->addr.family == AF_INET6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(t->host),
			    o->port);
}

static void make_origins(struct upstream_group *g)
{
	const struct server_conf *s;
	struct origin *o;

	for (s = g->conf->servers; s != NULL; s = s->next)
		g->origins_len++;
	o = g->origins = arena_take(g->home, g->origins_len * sizeof(*o));
	for (s = g->conf->servers; s != NULL; s = s->next, o++) {
		*o = (struct origin){ .group = g, .conf = s };
		o->port = server_conf_wants_port(s) ? g->port : s->target.port;
		o->name = origin_name(g, o);
		origin_begin(o);
	}
}

/* The caller gives it a configuration, then has the origins made. */
static struct upstream_group *group_new(struct upstreams *u, struct str name, uint16_t port)
{
	struct upstream_group *g = mem_new(sizeof(*g)), **bucket = bucket_of(u, name);

	make_room(u);
	*g = (struct upstream_group){
		.upstreams = u, .home = arena_new(1024), .port = port, .next = *bucket
	};
	g->name = arena_str(g->home, name);
	g->turn.fn = routes_turn;
	routes_init(&g->unresolved);
	routes_init(&g->queue);
	*bucket = g;
	join_line(g);
	u->groups_len++;
	return g;
}

/* --- finding ------------------------------------------------------------------------------------------- */

/* Of an upstream{}, or for a target. */
static bool is_for(const struct upstream_group *g, const struct scope *scope, const struct target *t)
{
	return g->scope == scope && (scope != NULL || g->conf->servers->target.kind == t->kind);
}

static struct upstream_group *find(struct upstreams *u, struct str name, uint16_t port,
				   const struct scope *scope, const struct target *t)
{
	struct upstream_group *g = *bucket_of(u, name);

	while (g != NULL && (g->port != port || !str_eq(g->name, name) || !is_for(g, scope, t)))
		g = g->next;
	if (g == NULL)
		return NULL;
	leave_line(g);
	join_line(g);
	return g;
}

struct upstream_group *group_of_scope(struct upstreams *u, const struct scope *scope, uint16_t default_port)
{
	const struct group_conf *conf = group_conf(scope);
	struct upstream_group *g;
	bool wants_port = false;

	for (const struct server_conf *s = conf->servers; s != NULL; s = s->next)
		wants_port |= server_conf_wants_port(s);
	if (!wants_port)
		default_port = 0;
	g = find(u, group_name(scope), default_port, scope, NULL);
	if (g != NULL)
		return g;
	g = group_new(u, group_name(scope), default_port);
	g->conf = conf;
	g->scope = scope;
	make_origins(g);
	return g;
}

/* Host names are looked up in what the configuration knows when there is no resolver: see
 * upstream_check_target. */
static void know_addrs(struct upstream_group *g, struct server_conf *s)
{
	enum { MOST = 64 };
	struct upstreams *u = g->upstreams;

	if (s->target.kind != TARGET_NAME) {
		s->addrs = arena_take(g->home, sizeof(*s->addrs));
		s->addrs[0] = s->target.addr;
		s->addrs_len = 1;
		if (s->target.kind == TARGET_UNIX)
			s->addrs[0].path = s->target.host.at;
	} else if (u->resolver == NULL) {
		s->addrs = arena_take(g->home, MOST * sizeof(*s->addrs));
		conf_hosts(u->conf, s->target.host, s->addrs, MOST, &s->addrs_len);
	}
}

static void make_nameless(struct upstream_group *g, const struct target *t)
{
	struct group_conf *conf = arena_take(g->home, sizeof(*conf));
	struct server_conf *s = arena_take(g->home, sizeof(*s));

	server_conf_init(s);
	s->target = *t;
	s->target.host = g->name;
	s->text = g->name;
	know_addrs(g, s);
	conf->servers = s;
	g->conf = conf;
	make_origins(g);
}

static struct upstream_group *refuse(const char *wrong, struct str target, char *complaint)
{
	struct buf b;

	buf_init(&b, 4 * SHOWN_MAX + 4);
	visible_put(&b, target, SHOWN_MAX);
	buf_put_byte(&b, '\0');
	snprintf(complaint, ROUTE_COMPLAINT_MAX, "%s in upstream \"%s\"", wrong, buf_text(&b).at);
	buf_done(&b);
	return NULL;
}

struct upstream_group *group_find(struct upstreams *u, struct str target, uint16_t default_port,
				  char complaint[static ROUTE_COMPLAINT_MAX])
{
	struct scope *scope = group_scope(u->conf, target);
	struct upstream_group *g;
	const char *wrong;
	struct target t;
	uint16_t port;

	if (scope != NULL)
		return group_of_scope(u, scope, default_port);
	wrong = target.len > ROUTE_TARGET_MAX ? "too long host" : target_parse(target, &t);
	if (wrong != NULL)
		return refuse(wrong, target, complaint);
	port = t.kind == TARGET_UNIX ? 0 : t.port != 0 ? t.port : default_port;
	g = find(u, t.host, port, NULL, &t);
	if (g != NULL)
		return g;
	g = group_new(u, t.host, port);
	make_nameless(g, &t);
	return g;
}

/* --- all of them --------------------------------------------------------------------------------------- */

struct upstreams *upstreams_new(struct conf *c, struct loop *l, struct resolver *resolver,
				struct upstream_shared *shared, const struct log *log)
{
	struct upstreams *u = mem_new(sizeof(*u));

	*u = (struct upstreams){ .conf = c, .loop = l, .resolver = resolver, .shared = shared, .log = log };
	u->youngest = &u->oldest;
	random_bytes(&u->chance, sizeof(u->chance));
	shared_join(shared);
	checks_begin(u);
	return u;
}

void upstreams_free(struct upstreams *u)
{
	if (u == NULL)
		return;
	checks_end(u);
	while (u->oldest != NULL)
		group_free(u->oldest);
	free(u);
}

bool upstream_defined(const struct upstreams *u, struct str name)
{
	return group_scope(u->conf, name) != NULL;
}

const struct scope *upstream_scope(const struct upstreams *u, struct str target)
{
	return group_scope(u->conf, target);
}
