/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives of auth_ldap {} and the order for its helpers; what these do stands in helpers/ldap.c. */
#include "auth/ldap.h"

#include "auth/block.h"
#include "auth/pipe.h"
#include "auth/source_text.h"

enum ldap_scope { SCOPE_BASE, SCOPE_ONE, SCOPE_SUB };

struct ldap_conf {
	struct strs urls, attributes;
	struct str bind_dn, ca;
	struct auth_secret bind_password;
	struct source_text base, filter, direct;
	uint64_t connect_timeout_ms;
	unsigned scope;
	bool starttls, ssl_verify;
};

static directive_set_fn block_set, url_set, attribute_set;

#define LINE(member) .where = IN_LDAP, .min = 1, .max = 1, .offset = offsetof(struct ldap_conf, member)
#define TEXT_LINE(member) \
	LINE(member), .slot = SLOT_CUSTOM, .size = sizeof(struct source_text), .set = source_text_set

static const struct choice SCOPES[] = {
	{ "base", SCOPE_BASE }, { "one", SCOPE_ONE }, { "sub", SCOPE_SUB }, { NULL, 0 }
};

static const struct directive ROWS[] = {
	{ .name = "auth_ldap",
	  .where = IN_MAIL | IN_SERVER,
	  .flags = CONF_BLOCK,
	  .opens = IN_LDAP,
	  .set = block_set,
	  .args = "{ ... }",
	  .help = "Users are those of an LDAP directory. Either the user is searched for, and then the "
		  "password tried by a bind as what was found; or bind_direct says whom to bind as." },
	{ .name = "url",
	  LINE(urls),
	  .slot = SLOT_LIST,
	  .set = url_set,
	  .args = "ldap://host[:port] | ldaps://host[:port] | ldapi://path",
	  .help = "A server of the directory. Where there are several, the next is asked when one cannot be "
		  "reached." },
	{ .name = "starttls",
	  LINE(starttls),
	  .slot = SLOT_FLAG,
	  .preset = "off",
	  .args = "on | off",
	  .help = "Whether an ldap:// connection has to become one under TLS before anything is said." },
	{ .name = "ssl_verify",
	  LINE(ssl_verify),
	  .slot = SLOT_FLAG,
	  .preset = "on",
	  .args = "on | off",
	  .help = "Whether the directory's certificate has to be valid for its host name." },
	{ .name = "ssl_trusted_certificate",
	  LINE(ca),
	  .slot = SLOT_PATH,
	  .args = "file",
	  .help = "The certificates of the authorities that are trusted for that; otherwise the system's." },
	{ .name = "base",
	  TEXT_LINE(base),
	  .args = "dn",
	  .help = "Where the search begins. Variables are escaped as values of a DN." },
	{ .name = "scope",
	  LINE(scope),
	  .slot = SLOT_ENUM,
	  .choices = SCOPES,
	  .preset = "sub",
	  .args = "base | one | sub",
	  .help = "How deep the search goes." },
	{ .name = "filter",
	  TEXT_LINE(filter),
	  .args = "filter",
	  .help = "What the user's entry has to be, such as \"(&(objectClass=inetOrgPerson)(mail=$login))\". "
		  "Variables are escaped, so that nothing in them is part of the filter." },
	{ .name = "bind_dn",
	  LINE(bind_dn),
	  .slot = SLOT_TEXT,
	  .args = "dn",
	  .help = "As whom to search; without it anonymously." },
	{ .name = "bind_password_file",
	  LINE(bind_password),
	  .slot = SLOT_CUSTOM,
	  .size = sizeof(struct auth_secret),
	  .set = auth_secret_set,
	  .args = "file",
	  .help = "Holds the password for bind_dn in its first line." },
	{ .name = "bind_direct",
	  TEXT_LINE(direct),
	  .args = "dn",
	  .help = "Without a search: whose password is tried, such as "
		  "\"uid=$login_local,ou=people,dc=example,dc=org\". Variables are escaped as values of a "
		  "DN." },
	{ .name = "attribute",
	  .where = IN_LDAP,
	  .min = 2,
	  .max = 2,
	  .offset = offsetof(struct ldap_conf, attributes),
	  .slot = SLOT_LIST,
	  .flags = CONF_REPEATS,
	  .set = attribute_set,
	  .args = "attribute field",
	  .help = "What an attribute of the entry means: a field named as the columns of auth_mysql's query "
		  "but for password, such as host, port, login, allow_nets, enabled." },
	{ .name = "connect_timeout",
	  LINE(connect_timeout_ms),
	  .slot = SLOT_MSEC,
	  .preset = "2s",
	  .least = 100,
	  .most = 600000,
	  .args = "time",
	  .help = "How long connecting to one server may take." },
	{ .name = NULL }
};

static bool check(struct conf *c, struct scope *in, void *settings);

const struct module auth_ldap_module = {
	.name = "auth_ldap",
	.places = IN_LDAP,
	.size = sizeof(struct ldap_conf),
	.directives = ROWS,
	.check = check,
};

static bool block_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)d;
	(void)w;
	(void)settings;
#ifndef WITH_LDAP
	return conf_fault(c, "auth_ldap: this postern was built without the OpenLDAP library");
#endif
	(void)c;
	return true;
}

static bool url_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct str url = w->at[1];

	(void)d;
	(void)settings;
	if (str_starts(url, STR("ldap://")) || str_starts(url, STR("ldaps://")) ||
	    str_starts(url, STR("ldapi://")))
		return true;
	return conf_fault(c, "invalid url \"%.*s\", it must begin with ldap://, ldaps:// or ldapi://",
			  STR_ARG(url));
}

static bool attribute_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	static const char *const FIELDS[] = { "host",	    "port",	 "login",   "pass",
					      "allow_nets", "protocols", "enabled", "ssl",
					      "ssl_name",   "master",	 "message", NULL };
	const char *const *f = FIELDS;

	(void)d;
	(void)settings;
	while (*f != NULL && !str_eq(w->at[2], str_of(*f)))
		f++;
	if (*f != NULL)
		return true;
	return conf_fault(
		c,
		"unknown field \"%.*s\", it must be host, port, login, pass, allow_nets, protocols, "
		"enabled, ssl, ssl_name, master or message",
		STR_ARG(w->at[2]));
}

static bool check(struct conf *c, struct scope *in, void *settings)
{
	const struct ldap_conf *l = settings;
	bool direct = l->direct.text.at != NULL;
	const char *missing = l->urls.len == 0						? "url"
			      : !direct && l->base.text.at == NULL			? "base"
			      : !direct && l->filter.text.at == NULL			? "filter"
			      : l->bind_dn.len != 0 && l->bind_password.text.at == NULL ? "bind_password_file"
											: NULL;

	if (missing != NULL)
		return conf_fault_at(c, scope_file(in), scope_line(in), "no \"%s\" in auth_ldap", missing);
	if (direct && l->filter.text.at != NULL)
		return conf_fault_at(c, scope_file(in), scope_line(in),
				     "\"filter\" and \"bind_direct\" exclude one another");
	return true;
}

static bool ldap_helper(const struct scope *server, struct helper_order *o)
{
	const struct ldap_conf *l = scope_settings(auth_block(server, "auth_ldap"), &auth_ldap_module);

	pipe_order_numbers(o, server);
	for (size_t i = 0; i < l->urls.len; i++)
		helper_setting(o, "url", l->urls.at[i]);
	for (size_t i = 0; i + 1 < l->attributes.len; i += 2) {
		helper_setting(o, "attribute", l->attributes.at[i]);
		helper_setting(o, "field", l->attributes.at[i + 1]);
	}
	helper_setting(o, "bind_dn", l->bind_dn);
	helper_setting(o, "bind_password", l->bind_password.text);
	helper_setting(o, "ca", l->ca);
	helper_setting_number(o, "ssl_verify", l->ssl_verify);
	helper_setting_number(o, "starttls", l->starttls);
	helper_setting_number(o, "scope", l->scope);
	helper_setting_number(o, "connect_timeout_ms", l->connect_timeout_ms);
	source_text_order(o, "base", &l->base);
	source_text_order(o, "filter", &l->filter);
	source_text_order(o, "direct", &l->direct);
	helper_setting_variables(o);
	return true;
}

static struct auth_source *ldap_make(const struct auth_tools *tools, const struct scope *server)
{
	return pipe_make(&auth_ldap_kind, tools, server);
}

const struct auth_kind auth_ldap_kind = {
	.name = "ldap",
	.directive = "auth_ldap",
	.module = &auth_ldap_module,
	.methods = SASL_PLAIN | SASL_LOGIN,
	.make = ldap_make,
	.ask = pipe_ask,
	.cancel = pipe_cancel,
	.free = pipe_free,
	.helper = ldap_helper,
};
