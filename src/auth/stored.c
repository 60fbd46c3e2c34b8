/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives auth_sqlite and auth_file, and the orders for their helpers; what these do stands in
 * helpers/sqlite.c and helpers/file.c. */
#include "auth/stored.h"

#include "auth/pipe.h"

struct stored_conf {
	struct str file;
};

static directive_set_fn sqlite_set, file_set;

#define ROW                                                                    \
	.where = IN_MAIL | IN_SERVER, .min = 1, .max = 1, .slot = SLOT_CUSTOM, \
	.offset = offsetof(struct stored_conf, file), .size = sizeof(struct str)

static const struct directive SQLITE_ROWS[] = {
	{ .name = "auth_sqlite",
	  ROW,
	  .set = sqlite_set,
	  .args = "file | default",
	  .help = "Users are those of the embedded store, an SQLite file that \"posternctl user\" writes: "
		  "its "
		  "changes count at once, without a reload. \"default\" is users.db in the prefix. The file "
		  "must be readable by the workers' user or group." },
	{ .name = NULL }
};

static const struct directive FILE_ROWS[] = {
	{ .name = "auth_file",
	  ROW,
	  .set = file_set,
	  .args = "file",
	  .help = "Users are those of a file in Dovecot's passwd-file format, one a line: "
		  "name:{SCHEME}hash:uid:gid:comment:home:shell:fields. The file is read again when it has "
		  "changed; a malformed line is reported and left out. It must be readable by the workers' "
		  "user or group." },
	{ .name = NULL }
};

const struct module auth_sqlite_module = {
	.name = "auth_sqlite",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct stored_conf),
	.directives = SQLITE_ROWS,
};

const struct module auth_file_module = {
	.name = "auth_file",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct stored_conf),
	.directives = FILE_ROWS,
};

static bool sqlite_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct stored_conf *own = settings;

	(void)d;
#ifndef WITH_SQLITE
	return conf_fault(c, "auth_sqlite: this postern was built without SQLite");
#endif
	own->file = str_eq(w->at[1], STR("default")) ? conf_prefix_path(c, STR("users.db"))
						     : conf_path(c, w->at[1]);
	return true;
}

static bool file_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct stored_conf *own = settings;

	(void)d;
	own->file = conf_path(c, w->at[1]);
	return true;
}

static bool order(const struct scope *server, const struct module *module, struct helper_order *o)
{
	const struct stored_conf *own = scope_settings(server, module);

	pipe_order_numbers(o, server);
	helper_setting(o, "file", own->file);
	helper_setting_variables(o);
	return true;
}

static bool sqlite_order(const struct scope *server, struct helper_order *o)
{
	return order(server, &auth_sqlite_module, o);
}

static bool file_order(const struct scope *server, struct helper_order *o)
{
	return order(server, &auth_file_module, o);
}

static struct auth_source *sqlite_make(const struct auth_tools *tools, const struct scope *server)
{
	return pipe_make(&auth_sqlite_kind, tools, server);
}

static struct auth_source *file_make(const struct auth_tools *tools, const struct scope *server)
{
	return pipe_make(&auth_file_kind, tools, server);
}

#define METHODS (SASL_PLAIN | SASL_LOGIN | SASL_CRAM_MD5 | SASL_APOP)

const struct auth_kind auth_sqlite_kind = {
	.name = "sqlite",
	.directive = "auth_sqlite",
	.module = &auth_sqlite_module,
	.methods = METHODS,
	.make = sqlite_make,
	.ask = pipe_ask,
	.cancel = pipe_cancel,
	.free = pipe_free,
	.helper = sqlite_order,
};

const struct auth_kind auth_file_kind = {
	.name = "file",
	.directive = "auth_file",
	.module = &auth_file_module,
	.methods = METHODS,
	.make = file_make,
	.ask = pipe_ask,
	.cancel = pipe_cancel,
	.free = pipe_free,
	.helper = file_order,
};
