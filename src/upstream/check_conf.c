/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directive `check`. Its kinds build on one another: a connection, TLS upon it, the greeting, what the
 * server can, a login.
 */
#include "net/tls_client.h"
#include "talk/protocol.h"
#include "upstream/check.h"
#include "upstream/visit.h"

static const struct choice TYPES[] = { { "connect", CHECK_CONNECT },   { "tls", CHECK_TLS },
				       { "greeting", CHECK_GREETING }, { "capability", CHECK_CAPABILITY },
				       { "login", CHECK_LOGIN },       { NULL, 0 } };

static bool read_type(struct str text, struct check_conf *k)
{
	for (const struct choice *t = TYPES; t->word != NULL; t++) {
		if (str_eq(text, str_of(t->word))) {
			k->type = (enum check_type)t->value;
			return true;
		}
	}
	return false;
}

static bool read_interval(struct str text, struct check_conf *k)
{
	return conf_read_msec(text, &k->interval_ms) && k->interval_ms >= 100;
}

static bool read_timeout(struct str text, struct check_conf *k)
{
	return conf_read_msec(text, &k->timeout_ms) && k->timeout_ms != 0;
}

static bool read_fails(struct str text, struct check_conf *k)
{
	return str_number(text, 1000, &k->fails) && k->fails != 0;
}

static bool read_rises(struct str text, struct check_conf *k)
{
	return str_number(text, 1000, &k->rises) && k->rises != 0;
}

static bool read_protocol(struct str text, struct check_conf *k)
{
	k->protocol = text;
	return visit_greeting(text) != NULL;
}

static bool read_user(struct str text, struct check_conf *k)
{
	k->user = text;
	return text.len != 0;
}

static bool read_password_file(struct str text, struct check_conf *k)
{
	k->password_file = text;
	return text.len != 0;
}

static const struct parameter {
	struct str name;
	bool (*read)(struct str text, struct check_conf *k);
} PARAMETERS[] = {
	{ LIT("type="), read_type },	   { LIT("interval="), read_interval },
	{ LIT("timeout="), read_timeout }, { LIT("fails="), read_fails },
	{ LIT("rises="), read_rises },	   { LIT("protocol="), read_protocol },
	{ LIT("user="), read_user },	   { LIT("password_file="), read_password_file },
};

static bool read_parameter(struct str word, struct check_conf *k)
{
	for (size_t i = 0; i < sizeof(PARAMETERS) / sizeof(PARAMETERS[0]); i++)
		if (str_starts(word, PARAMETERS[i].name))
			return PARAMETERS[i].read(str_skip(word, PARAMETERS[i].name.len), k);
	return false;
}

static const struct protocol *protocol_of(struct str name)
{
	for (size_t i = 0; protocols[i] != NULL; i++)
		if (str_eq(name, str_of(protocols[i]->name)))
			return protocols[i];
	return NULL;
}

/* The first line of the file, as editors end it. */
static bool read_password(struct conf *c, struct check_conf *k)
{
	struct str content, line;

	if (!conf_read(c, conf_path(c, k->password_file), &content))
		return false;
	if (!str_line(&content, &line))
		line = content;
	k->password = line;
	return true;
}

static bool check_login(struct conf *c, struct check_conf *k)
{
	if (str_eq(k->protocol, STR("smtp")))
		return conf_fault(c, "\"check\" with type=login is for imap and pop3");
	if (k->user.len == 0 || k->password_file.len == 0)
		return conf_fault(c, "\"check\" with type=login needs user= and password_file=");
	return read_password(c, k);
}

bool check_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct check_conf *k = &((struct group_conf *)settings)->check;

	(void)d;
	*k = (struct check_conf){ .type = CHECK_GREETING, .interval_ms = 5000, .fails = 1, .rises = 1 };
	k->file = w->file;
	k->line = w->line;
	for (size_t i = 1; i < w->len; i++)
		if (!read_parameter(w->at[i], k))
			return conf_fault(c, "invalid parameter \"%.*s\"", STR_ARG(w->at[i]));
	if (k->timeout_ms == 0)
		k->timeout_ms = k->interval_ms;
	k->speaks = k->protocol.len != 0 ? protocol_of(k->protocol) : NULL;
	if (k->type >= CHECK_GREETING && k->speaks == NULL)
		return conf_fault(
			c, "\"check\" must be told what the servers speak: protocol=imap, pop3 or smtp");
	return k->type != CHECK_LOGIN || check_login(c, k);
}

/* The first server that leaves its port to others; NULL: none does. */
static const struct server_conf *without_port(const struct group_conf *g)
{
	const struct server_conf *s = g->servers;

	while (s != NULL && !server_conf_wants_port(s))
		s = s->next;
	return s;
}

/* A check of a port that no login uses would tell nothing. */
static bool knows_ports(struct conf *c, const struct scope *group)
{
	const struct check_conf *k = &group_conf(group)->check;
	const struct server_conf *s = without_port(group_conf(group));

	if (s == NULL)
		return true;
	if (k->speaks == NULL)
		return conf_fault_at(c, s->file, s->line,
				     "\"check\" does not know the port of server \"%.*s\": add it here, or "
				     "protocol= to \"check\"",
				     STR_ARG(s->text));
	return k->type != CHECK_TLS || proxy_tls_mode(group) == PROXY_TLS_ON ||
	       conf_fault_at(
		       c, s->file, s->line,
		       "\"check\" with type=tls does not know the port of server \"%.*s\": add it here, "
		       "or \"proxy_ssl on\" to the upstream",
		       STR_ARG(s->text));
}

/* What servers{} say of TLS is for their logins; a check goes by its upstream alone. */
static bool hides_password(struct conf *c, const struct scope *group)
{
	const struct check_conf *k = &group_conf(group)->check;

	return k->type != CHECK_LOGIN || proxy_tls_mode(group) != PROXY_TLS_OFF ||
	       scope_given(group, &proxy_tls_module, "proxy_ssl") ||
	       conf_fault_at(c, k->file, k->line,
			     "\"check\" with type=login would send its password in the clear: set "
			     "\"proxy_ssl\" in the upstream, to \"off\" if that is what you want");
}

static bool knows_name(struct conf *c, const struct scope *group)
{
	const struct check_conf *k = &group_conf(group)->check;
	const struct template *name = proxy_tls_name(group);
	struct str fixed;

	return name == NULL || template_fixed(name, &fixed) ||
	       conf_fault_at(c, k->file, k->line,
			     "\"check\" knows no login and so cannot fill \"proxy_ssl_name %.*s\": set one "
			     "without variables in the upstream",
			     STR_ARG(template_source(name)));
}

bool check_load(struct conf *c, const struct scope *group, struct tls_shared *shared)
{
	struct check_conf *k = &group_conf(group)->check;

	if (k->type == CHECK_NONE)
		return true;
	if (!knows_ports(c, group) || !hides_password(c, group))
		return false;
	if (k->type != CHECK_TLS && proxy_tls_mode(group) == PROXY_TLS_OFF)
		return true;
	if (!knows_name(c, group))
		return false;
	k->tls_first = k->type == CHECK_TLS || proxy_tls_mode(group) == PROXY_TLS_ON;
	k->tls = tls_client_context(c, group, shared);
	return k->tls != NULL;
}

void check_unload(const struct scope *group)
{
	struct check_conf *k = &group_conf(group)->check;

	tls_context_free(k->tls);
	k->tls = NULL;
}
