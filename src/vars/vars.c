/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names: what a session can tell, and what map and geo declare.
 *
 * A name may be used before the block that declares it, so one that nobody knows yet is kept with the places
 * that use it. When all has been read, those that are still unknown are faults, each at its place.
 */
#include "vars/inside.h"

#include "base/must.h"
#include <string.h>

/* The longest chain of maps that use one another's variables. */
enum { CHAIN_MAX = 16 };

static bool vars_check(struct conf *c, struct scope *in, void *settings);

/* clang-format off */
static const struct directive ROWS[] = {
	{ .name = "map", .where = IN_MAIL, .min = 2, .max = 2, .flags = CONF_BLOCK | CONF_REPEATS,
	  .set = map_set, .row = map_row,
	  .args = "string $variable { … }",
	  .help = "Makes a variable whose value depends on others. Each line of the block is a value of the "
		  "string and what the variable is then: text with variables. A value is compared "
		  "without regard to case; ~ begins a regular expression (~* one that ignores case), whose "
		  "groups the result may use as $1 or by their names. Special lines: `default value`, "
		  "`hostnames` (values may be *.example.com, .example.com, mail.*), `include file`, "
		  "`volatile` (without effect). A value that looks like one of these begins with \\." },
	{ .name = "geo", .where = IN_MAIL, .min = 1, .max = 2, .flags = CONF_BLOCK | CONF_REPEATS,
	  .set = geo_set, .row = geo_row,
	  .args = "[$address] $variable { … }",
	  .help = "Makes a variable whose value depends on an address, by default the client's. Each line of "
		  "the block is a network and a literal value; the smallest network that holds the address "
		  "decides. Special lines: `default value`, `include file`, `delete network`, and `ranges` "
		  "in front of lines that name ranges (from-to) instead." },
	{ .name = "map_hash_max_size", .where = IN_MAIL, .min = 1, .max = 1, .flags = CONF_NO_EFFECT,
	  .slot = SLOT_NUMBER, .args = "number", .help = "A relic: tables grow by themselves." },
	{ .name = "map_hash_bucket_size", .where = IN_MAIL, .min = 1, .max = 1, .flags = CONF_NO_EFFECT,
	  .slot = SLOT_NUMBER, .args = "number", .help = "A relic: tables grow by themselves." },
	{ .name = NULL }
};

#define FACT(var, text) [var] = { .name = LIT(text), .is_fact = true, .fact = var }

static struct variable FACTS[VARS_LEN] = {
	FACT(VAR_LOGIN, "login"),
	FACT(VAR_LOGIN_LOCAL, "login_local"),
	FACT(VAR_LOGIN_DOMAIN, "login_domain"),
	FACT(VAR_LOGIN_LOWER, "login_lower"),
	FACT(VAR_LOGIN_ATTEMPT, "login_attempt"),
	FACT(VAR_PROTOCOL, "protocol"),
	FACT(VAR_REMOTE_ADDR, "remote_addr"),
	FACT(VAR_REMOTE_PORT, "remote_port"),
	FACT(VAR_REMOTE_HOST, "remote_host"),
	FACT(VAR_SERVER_ADDR, "server_addr"),
	FACT(VAR_SERVER_PORT, "server_port"),
	FACT(VAR_SERVER_NAME, "server_name"),
	FACT(VAR_SSL, "ssl"),
	FACT(VAR_SSL_SERVER_NAME, "ssl_server_name"),
	FACT(VAR_SSL_PROTOCOL, "ssl_protocol"),
	FACT(VAR_SSL_CIPHER, "ssl_cipher"),
	FACT(VAR_SSL_CLIENT_VERIFY, "ssl_client_verify"),
	FACT(VAR_SSL_CLIENT_S_DN, "ssl_client_s_dn"),
	FACT(VAR_SSL_CLIENT_I_DN, "ssl_client_i_dn"),
	FACT(VAR_SSL_CLIENT_SERIAL, "ssl_client_serial"),
	FACT(VAR_SSL_CLIENT_FINGERPRINT, "ssl_client_fingerprint"),
	FACT(VAR_SMTP_HELO, "smtp_helo"),
	FACT(VAR_SMTP_FROM, "smtp_from"),
	FACT(VAR_SMTP_FROM_DOMAIN, "smtp_from_domain"),
	FACT(VAR_SMTP_RCPT, "smtp_rcpt"),
	FACT(VAR_SMTP_RCPT_DOMAIN, "smtp_rcpt_domain"),
	FACT(VAR_AUTH_METHOD, "auth_method"),
	FACT(VAR_SESSION_ID, "session_id"),
	FACT(VAR_CONNECTION, "connection"),
	FACT(VAR_PROXY_PROTOCOL_ADDR, "proxy_protocol_addr"),
	FACT(VAR_PROXY_PROTOCOL_PORT, "proxy_protocol_port"),
	FACT(VAR_PROXY_PROTOCOL_SERVER_ADDR, "proxy_protocol_server_addr"),
	FACT(VAR_PROXY_PROTOCOL_SERVER_PORT, "proxy_protocol_server_port"),
	FACT(VAR_HOSTNAME, "hostname"),
	FACT(VAR_UPSTREAM_ADDR, "upstream_addr"),
};
/* clang-format on */

const struct module vars_module = {
	.name = "variables",
	.places = IN_MAIN,
	.size = sizeof(struct vars_conf),
	.directives = ROWS,
	.check = vars_check,
};

struct vars_conf *vars_conf(struct conf *c)
{
	return scope_settings(conf_top(c), &vars_module);
}

const char *var_name(enum var which)
{
	return FACTS[which].name.at;
}

/* The names of variables ignore case, as the peer's do. */
static struct variable *find(const struct vars_conf *vars, struct str name)
{
	for (size_t i = 0; i < VARS_LEN; i++)
		if (str_same(FACTS[i].name, name))
			return &FACTS[i];
	for (struct variable *v = vars != NULL ? vars->variables : NULL; v != NULL; v = v->next)
		if (str_same(v->name, name))
			return v;
	return NULL;
}

static bool is_known(const struct variable *v)
{
	return v->is_fact || v->map != NULL || v->geo != NULL;
}

static struct variable *add(struct conf *c, struct vars_conf *vars, struct str name)
{
	struct variable *v = arena_take(conf_arena(c), sizeof(*v));

	v->name = name;
	if (vars->last != NULL)
		vars->last->next = v;
	else
		vars->variables = v;
	vars->last = v;
	return v;
}

static void consider(struct str name, const struct variable *v, const struct variable **best, unsigned *least)
{
	unsigned far = is_known(v) ? suggest_distance(name, v->name) : UINT32_MAX;

	if (far >= *least)
		return;
	*least = far;
	*best = v;
}

static bool fault_unknown(struct conf *c, const struct use *u)
{
	const struct vars_conf *vars = vars_conf(c);
	const struct variable *best = NULL;
	struct str name = u->variable->name;
	unsigned least = UINT32_MAX;

	for (size_t i = 0; i < VARS_LEN; i++)
		consider(name, &FACTS[i], &best, &least);
	for (const struct variable *v = vars != NULL ? vars->variables : NULL; v != NULL; v = v->next)
		consider(name, v, &best, &least);
	if (best == NULL)
		return conf_fault_at(c, u->file, u->line, "unknown \"%.*s\" variable", STR_ARG(name));
	return conf_fault_at(c, u->file, u->line, "unknown \"%.*s\" variable, did you mean \"$%.*s\"?",
			     STR_ARG(name), STR_ARG(best->name));
}

static struct use *use_new(struct conf *c, const struct variable *v)
{
	const struct words *w = conf_words(c);
	struct use *u = arena_take(conf_arena(c), sizeof(*u));

	u->variable = v;
	u->file = w != NULL ? w->file : NULL;
	u->line = w != NULL ? w->line : 0;
	return u;
}

struct variable *variable_use(struct conf *c, struct str name, bool loose)
{
	struct vars_conf *vars = vars_conf(c);
	struct variable *v = find(vars, name), nobody = { .name = name };
	struct use *u;

	if (v != NULL && (loose || is_known(v)))
		return v;
	if (vars == NULL || vars->checked) {
		if (!loose)
			fault_unknown(c, use_new(c, v != NULL ? v : &nobody));
		return NULL;
	}
	if (v == NULL)
		v = add(c, vars, name);
	if (loose)
		return v;
	u = use_new(c, v);
	if (vars->uses == NULL)
		vars->uses_end = &vars->uses;
	*vars->uses_end = u;
	vars->uses_end = &u->next;
	return v;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char x = s.at[i];

		if (!((x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') || x == '_'))
			return false;
	}
	return s.len != 0;
}

struct variable *variable_declare(struct conf *c, struct str word)
{
	struct vars_conf *vars = vars_conf(c);
	const struct words *w = conf_words(c);
	struct str name = str_skip(word, 1);
	struct variable *v;

	if (!str_starts(word, STR("$")) || !is_name(name)) {
		conf_fault(c, "invalid variable name \"%.*s\"", STR_ARG(word));
		return NULL;
	}
	v = find(vars, name);
	if (v != NULL && v->is_fact) {
		conf_fault(c, "the duplicate \"%.*s\" variable: every session has it", STR_ARG(name));
		return NULL;
	}
	if (v != NULL && is_known(v)) {
		conf_fault(c, "the duplicate \"%.*s\" variable, first made in %s:%u", STR_ARG(name), v->file,
			   v->line);
		return NULL;
	}
	if (v == NULL)
		v = add(c, vars, name);
	v->file = w->file != NULL ? w->file : "command line";
	v->line = w->line;
	return v;
}

void variable_needs(struct conf *c, struct variable *v, const struct template *t)
{
	for (size_t i = 0; i < t->len; i++) {
		struct variable *other = t->parts[i].variable;
		struct need *n;

		if (other == NULL || other->is_fact || (v->needs != NULL && v->needs->variable == other))
			continue;
		n = arena_take(conf_arena(c), sizeof(*n));
		*n = (struct need){ other, v->needs };
		v->needs = n;
	}
}

/* CHAIN_MAX + 1 for a circle, and for a chain that is too long. */
static unsigned height(struct variable *v, unsigned depth)
{
	unsigned tallest = 0;

	if (v->height != 0)
		return v->height;
	if (v->open || depth == CHAIN_MAX)
		return CHAIN_MAX + 1;
	v->open = true;
	for (const struct need *n = v->needs; n != NULL; n = n->next) {
		unsigned h = height(n->variable, depth + 1);

		tallest = h > tallest ? h : tallest;
	}
	v->open = false;
	v->height = tallest <= CHAIN_MAX ? tallest + 1 : tallest;
	return v->height;
}

static void check_chain(struct conf *c, struct variable *v)
{
	if (is_known(v) && height(v, 0) > CHAIN_MAX)
		conf_fault_at(c, v->file, v->line,
			      "the maps behind \"$%.*s\" form a circle, or a chain of more than %d",
			      STR_ARG(v->name), CHAIN_MAX);
}

/* All faults are told, so that one attempt shows them; other modules' checks go on. */
static bool vars_check(struct conf *c, struct scope *in, void *settings)
{
	struct vars_conf *vars = settings;

	(void)in;
	vars->checked = true;
	for (const struct use *u = vars->uses; u != NULL; u = u->next)
		if (!is_known(u->variable))
			fault_unknown(c, u);
	for (struct variable *v = vars->variables; v != NULL; v = v->next) {
		check_chain(c, v);
		if (v->geo != NULL)
			geo_check(c, v->geo);
	}
	return true;
}
