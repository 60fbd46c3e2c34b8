/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the way to the mail server; see backend.h. */
#include "mail/backend.h"

#include "base/text.h"
#include <string.h>

static directive_set_fn pass_set, password_set;
static bool backend_check(struct conf *c, struct scope *in, void *settings);

static const struct choice PROXY_HEADER[] = {
	{ "off", PROXY_HEADER_OFF }, { "on", PROXY_HEADER_V1 }, { "v2", PROXY_HEADER_V2 }, { NULL, 0 }
};

/* clang-format off */
#define FIELD(member) .offset = offsetof(struct backend_settings, member)
#define TEXT(member) .slot = SLOT_CUSTOM, FIELD(member), .size = sizeof(const struct template *)
#define BOTH .where = IN_MAIL | IN_SERVER
#define ALL .where = IN_MAIL | IN_SERVER | IN_UPSTREAM
#define ONE .min = 1, .max = 1

static const struct directive ROWS[] = {
	{ .name = "proxy_pass", BOTH, ONE, TEXT(pass), .set = pass_set,
	  .args = "upstream | host[:port] | address[:port] | unix:path",
	  .help = "The mail server of those whose authentication source names none, or the name of an "
		  "upstream. May hold variables. Without any authentication source the client's name "
		  "and password are passed on, and the mail server decides. Without a port the standard "
		  "one of the protocol is meant." },
	{ .name = "proxy_port", BOTH, ONE, .slot = SLOT_NUMBER, FIELD(port), .least = 1, .most = 65535,
	  .args = "number",
	  .help = "The port of mail servers that are named without one. By default the standard one of "
		  "the protocol: the one for TLS from the first byte with `proxy_ssl on`." },
	{ .name = "proxy_login", BOTH, ONE, TEXT(login), .set = template_set,
	  .args = "text",
	  .help = "The name with which to log in at the mail server, a text with variables such as "
		  "$login_local or $login_domain. By default the one that the authentication source "
		  "sent, or the client's." },
	{ .name = "proxy_login_lowercase", BOTH, ONE, .slot = SLOT_FLAG, FIELD(lower_case), .preset = "off",
	  .args = "on | off",
	  .help = "Whether capital letters (A to Z) of that name become small ones." },
	{ .name = "proxy_user", ALL, ONE, .slot = SLOT_TEXT, FIELD(user),
	  .args = "name",
	  .help = "A master user: logs in at the mail server on behalf of the user (SASL PLAIN with "
		  "both names) with the password of proxy_password_file. Needs an authentication "
		  "source." },
	{ .name = "proxy_password_file", ALL, ONE, .slot = SLOT_CUSTOM, FIELD(password),
	  .size = sizeof(struct str), .set = password_set,
	  .args = "file",
	  .help = "A file whose first line is the password for the mail server in place of the "
		  "client's. Needs an authentication source." },
	{ .name = "proxy_connect_timeout", ALL, ONE, .slot = SLOT_MSEC, FIELD(connect_timeout_ms),
	  .args = "time",
	  .help = "How long it may take until a mail server has taken the connection, spoken TLS and "
		  "greeted. By default 10s where another one can be tried, else as long as timeout "
		  "says." },
	{ .name = "proxy_next_upstream", BOTH, ONE, .slot = SLOT_FLAG, FIELD(next), .preset = "on",
	  .args = "on | off",
	  .help = "Whether the next server of an upstream, or of a host's addresses, is tried when one "
		  "cannot be reached, or is out of order before it has seen a password." },
	{ .name = "proxy_next_upstream_tries", BOTH, ONE, .slot = SLOT_NUMBER, FIELD(next_tries),
	  .preset = "0",
	  .args = "number",
	  .help = "How many servers are tried for one login; with 0 all of them." },
	{ .name = "proxy_next_upstream_timeout", BOTH, ONE, .slot = SLOT_MSEC, FIELD(next_timeout_ms),
	  .preset = "0", .args = "time",
	  .help = "After this time no further server is tried; with 0 there is no such limit." },
	{ .name = "proxy_protocol", ALL, ONE, .slot = SLOT_ENUM, FIELD(header), .choices = PROXY_HEADER,
	  .preset = "off", .args = "off | on | v2",
	  .help = "Whether connections to mail servers begin with a PROXY protocol header that tells "
		  "the client's address. It stands before TLS." },
	{ .name = NULL }
};
/* clang-format on */

const struct module backend_module = {
	.name = "backend",
	.places = IN_MAIL | IN_SERVER | IN_UPSTREAM,
	.size = sizeof(struct backend_settings),
	.directives = ROWS,
	.check = backend_check,
};

static bool pass_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	if (w->at[1].len == 0)
		return conf_fault(c, "empty target in \"proxy_pass\"");
	return template_set(c, d, w, settings);
}

/* A password may hold anything that a login can carry, blanks too. */
static bool password_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct backend_settings *b = settings;
	struct str path = conf_path(c, w->at[1]), content, line;

	(void)d;
	if (!conf_read(c, path, &content))
		return false;
	line = str_cut(&content, '\n');
	if (line.len != 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return conf_fault(c, "no password in the first line of \"%.*s\"", STR_ARG(path));
	if (!is_line_safe(line))
		return conf_fault(c, "the password in \"%.*s\" holds a byte that no login can carry",
				  STR_ARG(path));
	b->password = line;
	return true;
}

static bool backend_check(struct conf *c, struct scope *in, void *settings)
{
	struct backend_settings *b = settings;

	if (b->user.len != 0 && b->password.at == NULL)
		return conf_fault_at(c, scope_file(in), scope_line(in),
				     "\"proxy_user\" needs a \"proxy_password_file\"");
	return true;
}

struct backend *backend_of_tls(struct backend *server, struct backend *group)
{
	return group != NULL && proxy_tls_given(group->scope) ? group : server;
}
