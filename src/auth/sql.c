/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives of auth_mysql {} and auth_pgsql {}, and the order for their helpers; what these do stands in
 * helpers/sql.c.
 *
 * The two blocks take the same directives. The query is one text with variables, which become parameters of
 * a prepared statement: a value never is part of the query's text, whatever stands in it.
 */
#include "auth/sql.h"

#include "auth/block.h"
#include "auth/pipe.h"
#include "auth/source_text.h"
#include <string.h>

struct sql_conf {
	struct strs servers;
	struct str user, database, ca;
	struct auth_secret password;
	struct source_text query;
	uint64_t connect_timeout_ms;
	bool ssl, ssl_verify;
};

static directive_set_fn block_set, server_set;

#define BLOCK                                                                                 \
	.where = IN_MAIL | IN_SERVER, .flags = CONF_BLOCK, .opens = IN_SQL, .set = block_set, \
	.args = "{ ... }"
#define LINE(member) .where = IN_SQL, .min = 1, .max = 1, .offset = offsetof(struct sql_conf, member)

static const struct directive ROWS[] = {
	{ .name = "auth_mysql",
	  BLOCK,
	  .help = "Users are those of a MySQL or MariaDB database, which one query is asked." },
	{ .name = "auth_pgsql", BLOCK, .help = "The same with a PostgreSQL database." },
	{ .name = "server",
	  LINE(servers),
	  .slot = SLOT_LIST,
	  .set = server_set,
	  .args = "host[:port] | unix:path",
	  .help = "A server of the database. Where there are several, the next is asked when one cannot be "
		  "reached." },
	{ .name = "user",
	  LINE(user),
	  .slot = SLOT_TEXT,
	  .args = "name",
	  .help = "The name that postern has at the database: one that may only read what the query asks." },
	{ .name = "password_file",
	  LINE(password),
	  .slot = SLOT_CUSTOM,
	  .size = sizeof(struct auth_secret),
	  .set = auth_secret_set,
	  .args = "file",
	  .help = "Holds the password for that name in its first line." },
	{ .name = "database", LINE(database), .slot = SLOT_TEXT, .args = "name", .help = "The database." },
	{ .name = "query",
	  LINE(query),
	  .slot = SLOT_CUSTOM,
	  .size = sizeof(struct source_text),
	  .set = source_text_set,
	  .args = "text",
	  .help = "Asks for the row of a user; its variables become parameters of a prepared statement. The "
		  "columns mean, by name: password (as stored, with its {SCHEME}; it must be there), host, "
		  "port, login (the name for the mail server), pass (the password for it), allow_nets, "
		  "protocols, enabled, ssl (off, on, starttls), ssl_name, master, message (for who is "
		  "disabled). Without a row the user is unknown." },
	{ .name = "connect_timeout",
	  LINE(connect_timeout_ms),
	  .slot = SLOT_MSEC,
	  .preset = "2s",
	  .least = 1000,
	  .most = 600000,
	  .args = "time",
	  .help = "How long connecting to one server may take." },
	{ .name = "ssl",
	  LINE(ssl),
	  .slot = SLOT_FLAG,
	  .preset = "off",
	  .args = "on | off",
	  .help = "TLS towards the database." },
	{ .name = "ssl_verify",
	  LINE(ssl_verify),
	  .slot = SLOT_FLAG,
	  .preset = "on",
	  .args = "on | off",
	  .help = "Whether the database's certificate has to be valid for its host name." },
	{ .name = "ssl_trusted_certificate",
	  LINE(ca),
	  .slot = SLOT_PATH,
	  .args = "file",
	  .help = "The certificates of the authorities that are trusted for that; otherwise the system's." },
	{ .name = NULL }
};

static bool check(struct conf *c, struct scope *in, void *settings);

const struct module auth_sql_module = {
	.name = "auth_sql",
	.places = IN_SQL,
	.size = sizeof(struct sql_conf),
	.directives = ROWS,
	.check = check,
};

static bool block_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)w;
	(void)settings;
#ifndef WITH_MYSQL
	if (strcmp(d->name, "auth_mysql") == 0)
		return conf_fault(c, "auth_mysql: this postern was built without the MariaDB library");
#endif
#ifndef WITH_PGSQL
	if (strcmp(d->name, "auth_pgsql") == 0)
		return conf_fault(c, "auth_pgsql: this postern was built without the PostgreSQL library");
#endif
	(void)c;
	(void)d;
	return true;
}

/* A host's name is resolved where the connection is made: in the helper. */
static bool server_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct str text = w->at[1];

	(void)d;
	(void)settings;
	if (text.len == 0 || str_eq(text, STR("unix:")) || text.at[0] == ':')
		return conf_fault(c, "invalid server \"%.*s\", it must be host:port or unix:path",
				  STR_ARG(text));
	return true;
}

static bool check(struct conf *c, struct scope *in, void *settings)
{
	const struct sql_conf *s = settings;
	const char *name = scope_words(in)->at[0].at;
	const char *missing = s->servers.len == 0	 ? "server"
			      : s->query.text.at == NULL ? "query"
			      : s->database.len == 0	 ? "database"
			      : s->user.len == 0	 ? "user"
							 : NULL;

	if (missing == NULL)
		return true;
	return conf_fault_at(c, scope_file(in), scope_line(in), "no \"%s\" in %s", missing, name);
}

static bool fill(const struct scope *server, const char *directive, struct helper_order *o)
{
	const struct scope *block = auth_block(server, directive);
	const struct sql_conf *s = scope_settings(block, &auth_sql_module);

	pipe_order_numbers(o, server);
	for (size_t i = 0; i < s->servers.len; i++)
		helper_setting(o, "server", s->servers.at[i]);
	helper_setting(o, "user", s->user);
	helper_setting(o, "password", s->password.text);
	helper_setting(o, "database", s->database);
	helper_setting(o, "ca", s->ca);
	helper_setting_number(o, "ssl", s->ssl);
	helper_setting_number(o, "ssl_verify", s->ssl_verify);
	helper_setting_number(o, "connect_timeout_ms", s->connect_timeout_ms);
	source_text_order(o, "query", &s->query);
	helper_setting_variables(o);
	return true;
}

static bool mysql_helper(const struct scope *server, struct helper_order *o)
{
	return fill(server, "auth_mysql", o);
}

static bool pgsql_helper(const struct scope *server, struct helper_order *o)
{
	return fill(server, "auth_pgsql", o);
}

static struct auth_source *mysql_make(const struct auth_tools *tools, const struct scope *server)
{
	return pipe_make(&auth_mysql_kind, tools, server);
}

static struct auth_source *pgsql_make(const struct auth_tools *tools, const struct scope *server)
{
	return pipe_make(&auth_pgsql_kind, tools, server);
}

/* What a stored password can be tried with. */
#define KIND                                                                                        \
	.module = &auth_sql_module, .methods = SASL_PLAIN | SASL_LOGIN | SASL_CRAM_MD5 | SASL_APOP, \
	.ask = pipe_ask, .cancel = pipe_cancel, .free = pipe_free

const struct auth_kind auth_mysql_kind = {
	.name = "mysql", .directive = "auth_mysql", KIND, .make = mysql_make, .helper = mysql_helper
};

const struct auth_kind auth_pgsql_kind = {
	.name = "pgsql", .directive = "auth_pgsql", KIND, .make = pgsql_make, .helper = pgsql_helper
};
