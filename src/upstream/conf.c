/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives of upstream{}. Names, defaults and words of refusal are those that operators know from the
 * http proxy of the same grammar; `login_rate` and `check` are ours.
 *
 * Whether a host name is looked up now or at run time depends on a directive that may stand behind the block,
 * so names wait for upstream_load.
 */
#include "upstream/conf.h"

#include "net/tls_client.h"
#include "upstream/check.h"
#include "upstream/upstream.h"
#include <string.h>

enum { ADDRS_MOST = 64, WEIGHT_MOST = 1000000, RATE_MOST = 1000000 };

static directive_set_fn upstream_set, server_set, least_conn_set, hash_set, random_set;
static bool upstream_check(struct conf *c, struct scope *in, void *settings);

#define INSIDE .where = IN_UPSTREAM

static const struct directive ROWS[] = {
	{ .name = "upstream",
	  .where = IN_MAIL,
	  .min = 1,
	  .max = 1,
	  .flags = CONF_BLOCK | CONF_REPEATS,
	  .opens = IN_UPSTREAM,
	  .set = upstream_set,
	  .args = "name { … }",
	  .help = "A group of mail servers. Its name can stand wherever a mail server can be named." },
	{ .name = "server",
	  INSIDE,
	  .min = 1,
	  .flags = CONF_UNLIMITED | CONF_REPEATS,
	  .set = server_set,
	  .args = "address[:port] [weight=number] [max_conns=number] [max_fails=number] [fail_timeout=time] "
		  "[backup] [down] [slow_start=time] [login_rate=number r/s]",
	  .help = "A mail server: an address, a host name or unix:path. Without a port it is the protocol's. "
		  "A name with several addresses is several servers. By default weight=1, max_conns=0 "
		  "(no limit), max_fails=1 and fail_timeout=10s: after so many failed logins within the time "
		  "the server is left alone for as long, then tried by one login at a time. A `backup` is "
		  "used "
		  "when all others are out of service. After an outage its weight grows to the full within "
		  "`slow_start`, and no more than `login_rate` logins begin there in a second (50r/s) or "
		  "minute (300r/m); others go to another server of the group or wait." },
	{ .name = "least_conn",
	  INSIDE,
	  .set = least_conn_set,
	  .args = "",
	  .help = "Each login goes to the server that has the fewest sessions for its weight. Without a "
		  "method "
		  "servers take turns by their weights." },
	{ .name = "hash",
	  INSIDE,
	  .min = 1,
	  .max = 2,
	  .set = hash_set,
	  .args = "key [consistent]",
	  .help = "Logins with the same key, such as $login, go to the same server. One server more or less "
		  "of "
		  "n moves one key in n, with or without `consistent`." },
	{ .name = "random",
	  INSIDE,
	  .max = 2,
	  .set = random_set,
	  .args = "[two [least_conn]]",
	  .help = "A server by chance, by weights; with `two` the less busy one of two such." },
	{ .name = "check",
	  INSIDE,
	  .flags = CONF_UNLIMITED,
	  .set = check_set,
	  .args = "[type=connect|tls|greeting|capability|login] [protocol=imap|pop3|smtp] [interval=time] "
		  "[timeout=time] [fails=number] [rises=number] [user=name] [password_file=file]",
	  .help = "Visits each server every `interval` (5s), one worker each, and takes it out of service "
		  "after "
		  "`fails` bad visits in a row (1) and back after `rises` good ones (1). A visit is a "
		  "connection, a TLS handshake, a greeting (the default), a question what the server can, or "
		  "a "
		  "login; it uses TLS as proxy_ssl of the block says, and with type=login wants that to be "
		  "there. "
		  "Where a `server` has no port it is the one of `protocol`, as for logins; add it where "
		  "proxy_port names another." },
	{ .name = "zone",
	  INSIDE,
	  .min = 1,
	  .max = 2,
	  .flags = CONF_NO_EFFECT,
	  .args = "name [size]",
	  .help = "Accepted for files written for another proxy. Workers share what they know of servers "
		  "without it." },
	{ .name = NULL }
};

const struct module upstream_module = {
	.name = "upstream",
	.places = IN_UPSTREAM,
	.size = sizeof(struct group_conf),
	.directives = ROWS,
	.check = upstream_check,
};

struct group_conf *group_conf(const struct scope *s)
{
	return scope_settings(s, &upstream_module);
}

struct str group_name(const struct scope *s)
{
	return scope_words(s)->at[1];
}

static struct scope *first_group(struct conf *c)
{
	const struct scope *mail = scope_first(conf_top(c), IN_MAIL);

	return mail != NULL ? scope_first(mail, IN_UPSTREAM) : NULL;
}

struct scope *group_scope(struct conf *c, struct str name)
{
	struct scope *s = first_group(c);

	while (s != NULL && !str_same(group_name(s), name))
		s = scope_next(s);
	return s;
}

/* --- upstream ------------------------------------------------------------------------------------------ */

/* The scope is not open yet, so all that are there are earlier ones. */
static bool upstream_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)d, (void)settings;
	if (w->at[1].len == 0)
		return conf_fault(c, "an upstream must have a name");
	for (const struct scope *s = scope_first(conf_scope(c), IN_UPSTREAM); s != NULL; s = scope_next(s))
		if (str_same(group_name(s), w->at[1]))
			return conf_fault(c, "duplicate upstream \"%.*s\"", STR_ARG(w->at[1]));
	return true;
}

static bool unsupported(struct conf *c, const struct server_conf *s, const char *parameter)
{
	return conf_fault_at(c, s->file, s->line, "balancing method does not support parameter \"%s\"",
			     parameter);
}

static bool upstream_check(struct conf *c, struct scope *in, void *settings)
{
	const struct group_conf *g = settings;
	bool turns = g->method == METHOD_ROUND_ROBIN || g->method == METHOD_LEAST_CONN, good = true;
	bool primary = false;

	for (const struct server_conf *s = g->servers; s != NULL; s = s->next) {
		primary |= !s->backup;
		if (s->backup && !turns)
			good = unsupported(c, s, "backup");
		if (s->slow_start_ms != 0 && !turns)
			good = unsupported(c, s, "slow_start");
	}
	if (g->servers == NULL || (!primary && good))
		return conf_fault_at(c, scope_file(in), scope_line(in),
				     g->servers == NULL ? "no servers are inside upstream \"%.*s\""
							: "upstream \"%.*s\" has backup servers only",
				     STR_ARG(group_name(in)));
	return good;
}

/* --- server -------------------------------------------------------------------------------------------- */

void server_conf_init(struct server_conf *s)
{
	*s = (struct server_conf){ .weight = 1, .max_fails = 1, .fail_timeout_ms = 10000 };
}

bool server_conf_wants_port(const struct server_conf *s)
{
	return s->target.kind != TARGET_UNIX && s->target.port == 0;
}

static bool read_number(struct str text, uint64_t *to)
{
	return str_number(text, INT32_MAX, to);
}

static bool read_weight(struct str text, uint64_t *to)
{
	return str_number(text, WEIGHT_MOST, to) && *to != 0;
}

/* "50r/s", "300r/m": how many microseconds stand between two. */
static bool read_rate(struct str text, uint64_t *to)
{
	struct str number = str_cut(&text, 'r');
	uint64_t n, per_us;

	if (str_eq(text, STR("/s")))
		per_us = 1000000;
	else if (str_eq(text, STR("/m")))
		per_us = 60000000;
	else
		return false;
	if (!str_number(number, RATE_MOST, &n) || n == 0)
		return false;
	*to = per_us / n;
	return true;
}

static const struct parameter {
	struct str name;
	size_t offset;
	bool (*read)(struct str text, uint64_t *to);
} PARAMETERS[] = {
	{ LIT("weight="), offsetof(struct server_conf, weight), read_weight },
	{ LIT("max_conns="), offsetof(struct server_conf, max_conns), read_number },
	{ LIT("max_fails="), offsetof(struct server_conf, max_fails), read_number },
	{ LIT("fail_timeout="), offsetof(struct server_conf, fail_timeout_ms), conf_read_msec },
	{ LIT("slow_start="), offsetof(struct server_conf, slow_start_ms), conf_read_msec },
	{ LIT("login_rate="), offsetof(struct server_conf, login_every_us), read_rate },
};

static bool read_parameter(struct server_conf *s, struct str word)
{
	for (size_t i = 0; i < sizeof(PARAMETERS) / sizeof(PARAMETERS[0]); i++) {
		const struct parameter *p = &PARAMETERS[i];

		if (str_starts(word, p->name))
			return p->read(str_skip(word, p->name.len), (void *)((char *)s + p->offset));
	}
	if (str_eq(word, STR("backup")))
		return s->backup = true;
	if (str_eq(word, STR("down")))
		return s->down = true;
	/* names are always resolved again where there is a resolver */
	return str_eq(word, STR("resolve"));
}

/* The addresses that the line itself tells. */
static void keep_addr(struct conf *c, struct server_conf *s)
{
	if (s->target.kind == TARGET_NAME)
		return;
	s->addrs = arena_take(conf_arena(c), sizeof(*s->addrs));
	s->addrs_len = 1;
	*s->addrs = s->target.addr;
	if (s->target.kind == TARGET_UNIX)
		s->addrs->path = arena_str(conf_arena(c), s->target.host).at;
}

static bool server_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct group_conf *g = settings;
	struct server_conf *s = arena_take(conf_arena(c), sizeof(*s)), **end = &g->servers;
	const char *wrong;

	(void)d;
	server_conf_init(s);
	s->text = w->at[1];
	s->file = w->file;
	s->line = w->line;
	while (*end != NULL)
		end = &(*end)->next;
	*end = s;
	wrong = target_parse(s->text, &s->target);
	if (wrong != NULL)
		return conf_fault(c, "%s in upstream \"%.*s\"", wrong, STR_ARG(s->text));
	for (size_t i = 2; i < w->len; i++)
		if (!read_parameter(s, w->at[i]))
			return conf_fault(c, "invalid parameter \"%.*s\"", STR_ARG(w->at[i]));
	keep_addr(c, s);
	return true;
}

/* --- methods ------------------------------------------------------------------------------------------- */

static bool choose_method(struct conf *c, struct group_conf *g, enum method method, const struct words *w)
{
	if (g->method_line != 0)
		return conf_fault(c, "load balancing method redefined");
	g->method = method;
	g->method_file = w->file;
	g->method_line = w->line;
	return true;
}

static bool least_conn_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)d;
	return choose_method(c, settings, METHOD_LEAST_CONN, w);
}

static bool hash_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct group_conf *g = settings;

	(void)d;
	if (w->len == 3 && !str_eq(w->at[2], STR("consistent")))
		return conf_fault(c, "invalid parameter \"%.*s\"", STR_ARG(w->at[2]));
	g->hash_key = template_new(c, w->at[1]);
	return g->hash_key != NULL && choose_method(c, g, METHOD_HASH, w);
}

static bool random_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)d;
	if (w->len > 1 && !str_eq(w->at[1], STR("two")))
		return conf_fault(c, "invalid parameter \"%.*s\"", STR_ARG(w->at[1]));
	if (w->len > 2 && !str_eq(w->at[2], STR("least_conn")))
		return conf_fault(c, "invalid parameter \"%.*s\"", STR_ARG(w->at[2]));
	return choose_method(c, settings, w->len > 1 ? METHOD_RANDOM_TWO : METHOD_RANDOM, w);
}

/* --- names --------------------------------------------------------------------------------------------- */

static bool look_up(struct conf *c, struct server_conf *s)
{
	s->addrs = arena_take(conf_arena(c), ADDRS_MOST * sizeof(*s->addrs));
	if (conf_hosts(c, s->target.host, s->addrs, ADDRS_MOST, &s->addrs_len) != NULL)
		return conf_fault_at(c, s->file, s->line,
				     "host not found in upstream \"%.*s\"; without a \"resolver\" in mail{} "
				     "names are looked up when the configuration is loaded",
				     STR_ARG(s->text));
	for (size_t i = 0; i < s->addrs_len; i++)
		s->addrs[i].port = s->target.port;
	return true;
}

/* --- all of them --------------------------------------------------------------------------------------- */

static bool any_server_speaks_tls(struct conf *c)
{
	const struct scope *s = scope_first(scope_first(conf_top(c), IN_MAIL), IN_SERVER);

	while (s != NULL && proxy_tls_mode(s) == PROXY_TLS_OFF)
		s = scope_next(s);
	return s != NULL;
}

/* An upstream with any word about TLS goes by its own words alone: one about details must not be what takes
 * TLS away from logins. */
static bool means_its_tls(struct conf *c, const struct scope *g)
{
	if (!proxy_tls_given(g) || scope_given(g, &proxy_tls_module, "proxy_ssl") ||
	    proxy_tls_mode(g) != PROXY_TLS_OFF || !any_server_speaks_tls(c))
		return true;
	return conf_fault_at(
		c, scope_file(g), scope_line(g),
		"upstream \"%.*s\" has \"proxy_ssl_...\" directives and so goes by its own, not by "
		"the server's \"proxy_ssl\", but has none: add \"proxy_ssl\" here, \"off\" for no TLS",
		STR_ARG(group_name(g)));
}

bool upstream_load(struct conf *c, bool with_resolver, struct tls_shared *tls)
{
	bool good = true;

	for (struct scope *g = first_group(c); g != NULL; g = scope_next(g))
		good &= means_its_tls(c, g) && check_load(c, g, tls);
	for (struct scope *g = first_group(c); g != NULL && !with_resolver; g = scope_next(g))
		for (struct server_conf *s = group_conf(g)->servers; s != NULL; s = s->next)
			if (s->addrs_len == 0)
				good &= look_up(c, s);
	return good;
}

void upstream_unload(struct conf *c)
{
	for (struct scope *g = first_group(c); g != NULL; g = scope_next(g))
		check_unload(g);
}

static const struct scope *near_group(struct conf *c, struct str name)
{
	const struct scope *best = NULL;
	unsigned least = UINT32_MAX;

	for (const struct scope *s = first_group(c); s != NULL; s = scope_next(s)) {
		unsigned far = suggest_distance(name, group_name(s));

		if (far < least) {
			least = far;
			best = s;
		}
	}
	return best;
}

bool upstream_check_target(struct conf *c, struct str target, bool with_resolver, const char *file,
			   unsigned line)
{
	const struct scope *near;
	struct addr found;
	struct target t;
	const char *wrong;
	size_t len;

	if (group_scope(c, target) != NULL)
		return true;
	wrong = target_parse(target, &t);
	near = near_group(c, target);
	if (wrong == NULL && t.kind == TARGET_NAME && !with_resolver)
		wrong = conf_hosts(c, t.host, &found, 1, &len);
	if (wrong == NULL)
		return true;
	if (near != NULL)
		return conf_fault_at(c, file, line, "%s in \"%.*s\", did you mean the upstream \"%.*s\"?",
				     wrong, STR_ARG(target), STR_ARG(group_name(near)));
	return conf_fault_at(c, file, line, "%s in \"%.*s\"", wrong, STR_ARG(target));
}
