/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of mail{} and server{}, and the odd setters behind them.
 *
 * `allow` and `deny` write one list, so the library cannot inherit it row by row: a server that has rules of
 * its own keeps them alone, any other takes those outside (mail_check).
 */
#include "mail/settings.h"

#include <string.h>

static directive_set_fn protocol_set, access_set, real_ip_set, resolver_set;
static bool mail_check(struct conf *c, struct scope *in, void *settings);

static const struct choice STARTTLS[] = {
	{ "off", STARTTLS_OFF }, { "on", STARTTLS_ON }, { "only", STARTTLS_ONLY }, { NULL, 0 }
};

static void name_of_machine(struct conf *c, struct scope *in, void *settings)
{
	struct mail_settings *m = settings;
	int error;

	(void)in;
	m->server_names.at = arena_take(conf_arena(c), sizeof(struct str));
	m->server_names.len = 1;
	if (!bundle_ask(conf_bundle(c), BUNDLE_FACT, STR("hostname"), m->server_names.at, &error))
		m->server_names.at[0] = STR("localhost");
}

#define FIELD(member) .offset = offsetof(struct mail_settings, member)
#define BOTH	      .where = IN_MAIL | IN_SERVER

static const struct directive ROWS[] = {
	{ .name = "mail",
	  .where = IN_MAIN,
	  .flags = CONF_BLOCK,
	  .opens = IN_MAIL,
	  .args = "{ … }",
	  .help = "Opens the block in which the mail servers are configured." },
	{ .name = "server",
	  .where = IN_MAIL,
	  .flags = CONF_BLOCK | CONF_REPEATS,
	  .opens = IN_SERVER,
	  .args = "{ … }",
	  .help = "One mail server as clients see it: its addresses, its protocol, and how their logins are "
		  "served." },
	{ .name = "listen",
	  .where = IN_SERVER,
	  .min = 1,
	  .flags = CONF_UNLIMITED | CONF_REPEATS,
	  .set = listen_set,
	  .args = "address[:port[-port]] [ssl] [proxy_protocol] [bind] [backlog=number] [rcvbuf=size] "
		  "[sndbuf=size] "
		  "[ipv6only=on|off] [so_keepalive=on|off|[idle]:[interval]:[count]] [multipath]",
	  .help = "An address at which the server takes connections. There is no default port. All but ssl "
		  "and "
		  "proxy_protocol imply bind." },
	{ .name = "protocol",
	  .where = IN_SERVER,
	  .min = 1,
	  .max = 1,
	  .flags = CONF_REPEATS,
	  .set = protocol_set,
	  .args = "imap | pop3 | smtp",
	  .help = "The protocol of the server. By default the first standard port among its listen "
		  "directives tells." },
	{ .name = "server_name",
	  BOTH,
	  .min = 1,
	  .flags = CONF_UNLIMITED,
	  .slot = SLOT_LIST,
	  FIELD(server_names),
	  .preset_fn = name_of_machine,
	  .args = "name …",
	  .help = "The first name stands in greetings, challenges and towards SMTP servers; the machine's "
		  "host name by default. "
		  "Where several servers listen on one address with TLS, all names choose among them by SNI; "
		  "a name may begin "
		  "with \"*.\"." },
	{ .name = "timeout",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  FIELD(timeout_ms),
	  .preset = "60s",
	  .args = "time",
	  .help = "How long a client may take to log in, TLS handshake included, and how long the login at "
		  "the "
		  "mail server may take." },
	{ .name = "max_errors",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_NUMBER,
	  FIELD(max_errors),
	  .preset = "5",
	  .args = "number",
	  .help = "After so many malformed commands before login the connection is closed." },
	{ .name = "max_commands",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_NUMBER,
	  FIELD(max_commands),
	  .preset = "1000",
	  .args = "number",
	  .help = "After so many commands before login the connection is closed." },
	{ .name = "starttls",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_ENUM,
	  FIELD(starttls),
	  .choices = STARTTLS,
	  .preset = "off",
	  .args = "off | on | only",
	  .help = "Whether STARTTLS (POP3: STLS) is offered; `only` asks for it before any credentials or "
		  "mail." },
	{ .name = "resolver",
	  BOTH,
	  .min = 1,
	  .flags = CONF_UNLIMITED,
	  .slot = SLOT_CUSTOM,
	  FIELD(resolver),
	  .size = sizeof(struct resolver_options *),
	  .set = resolver_set,
	  .args = "off | address[:port] … [valid=time] [ipv4=on|off] [ipv6=on|off]",
	  .help = "Name servers for the client's host name, which SMTP passes on. Off by default." },
	{ .name = "resolver_timeout",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  FIELD(resolver_timeout_ms),
	  .preset = "30s",
	  .args = "time",
	  .help = "How long one name look-up may take." },
	{ .name = "proxy",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_FLAG,
	  FIELD(proxy),
	  .preset = "off",
	  .flags = CONF_NO_EFFECT,
	  .args = "on | off",
	  .help = "A relic that old files have. Checked, without effect: the proxy is always on." },
	{ .name = "proxy_buffer",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_SIZE,
	  FIELD(proxy_buffer),
	  .preset = "4k",
	  .least = 32,
	  .most = 1 << 20,
	  .args = "size",
	  .help = "The longest reply of a mail server while the proxy logs in there." },
	{ .name = "proxy_pass_error_message",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_FLAG,
	  FIELD(proxy_pass_error_message),
	  .preset = "off",
	  .args = "on | off",
	  .help = "Whether the client sees the mail server's own words when that refuses the login." },
	{ .name = "proxy_timeout",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  FIELD(proxy_timeout_ms),
	  .preset = "24h",
	  .args = "time",
	  .help = "A relayed session ends when nothing moved in either direction for so long." },
	{ .name = "set_real_ip_from",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .flags = CONF_REPEATS,
	  .slot = SLOT_CUSTOM,
	  FIELD(real_ip_from),
	  .size = sizeof(struct trusted_network *),
	  .set = real_ip_set,
	  .args = "address | network | host | unix:",
	  .help = "Senders whose PROXY protocol header is believed: the client's address becomes the one it "
		  "tells." },
	{ .name = "allow",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .flags = CONF_REPEATS,
	  .set = access_set,
	  .args = "address | network | unix: | all",
	  .help = "Lets these clients in; the first matching allow or deny decides." },
	{ .name = "deny",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .flags = CONF_REPEATS,
	  .set = access_set,
	  .args = "address | network | unix: | all",
	  .help = "Refuses these clients with their protocol's refusal line; the first matching allow or "
		  "deny decides." },
	{ .name = NULL }
};

const struct module mail_module = {
	.name = "mail",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct mail_settings),
	.directives = ROWS,
	.check = mail_check,
};

struct mail_settings *mail_settings(const struct scope *s)
{
	return scope_settings(s, &mail_module);
}

static bool protocol_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct mail_settings *m = settings;

	(void)d;
	for (size_t i = 0; protocols[i] != NULL; i++) {
		if (str_eq(w->at[1], str_of(protocols[i]->name))) {
			m->protocol = protocols[i];
			return true;
		}
	}
	return conf_fault(c, "unknown protocol \"%.*s\"", STR_ARG(w->at[1]));
}

static bool access_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct mail_settings *m = settings;
	struct access_rule *rule = arena_take(conf_arena(c), sizeof(*rule)), **end = &m->access;
	bool host_bits;

	if (!network_parse(w->at[1], &rule->who, &host_bits))
		return conf_fault(c, "invalid parameter \"%.*s\"", STR_ARG(w->at[1]));
	if (host_bits)
		conf_say(c, LOG_WARN, "low address bits of %.*s are meaningless", STR_ARG(w->at[1]));
	rule->allow = strcmp(d->name, "allow") == 0;
	while (*end != NULL)
		end = &(*end)->next;
	*end = rule;
	return true;
}

static void trust(struct conf *c, struct mail_settings *m, const struct network *who)
{
	struct trusted_network *t = arena_take(conf_arena(c), sizeof(*t));

	t->who = *who;
	t->next = m->real_ip_from;
	m->real_ip_from = t;
}

/* An address, a network, or a host name that may have several addresses. */
static bool real_ip_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct addr found[16];
	struct network who;
	size_t len;
	bool host_bits;

	(void)d;
	if (network_parse(w->at[1], &who, &host_bits) && who.base.family != AF_UNSPEC) {
		if (host_bits)
			conf_say(c, LOG_WARN, "low address bits of %.*s are meaningless", STR_ARG(w->at[1]));
		trust(c, settings, &who);
		return true;
	}
	if (str_has(w->at[1], '/') || conf_addresses(c, w->at[1], 0, found, 16, &len) != NULL)
		return conf_fault(c, "host not found in set_real_ip_from \"%.*s\"", STR_ARG(w->at[1]));
	for (size_t i = 0; i < len; i++) {
		found[i].port = 0;
		trust(c, settings,
		      &(struct network){ .base = found[i], .bits = found[i].family == AF_INET ? 32 : 128 });
	}
	return true;
}

/* "name=" in front of a parameter: true, and *value what stands behind it. */
static bool parameter(struct str word, const char *name, struct str *value)
{
	if (!str_starts(word, str_of(name)))
		return false;
	*value = str_skip(word, strlen(name));
	return true;
}

static bool resolver_flag(struct conf *c, struct str word, struct str value, bool *negated)
{
	if (!str_eq(value, STR("on")) && !str_eq(value, STR("off")))
		return conf_fault(c, "invalid parameter: %.*s", STR_ARG(word));
	*negated = str_eq(value, STR("off"));
	return true;
}

enum { NAME_SERVERS_MAX = 32 };

static bool resolver_word(struct conf *c, struct str word, struct resolver_options *r, struct addr *servers)
{
	struct str value;
	const char *wrong;
	size_t len;

	if (parameter(word, "valid=", &value)) {
		if (!conf_read_sec(value, &r->valid_ms))
			return conf_fault(c, "invalid parameter: %.*s", STR_ARG(word));
		r->valid_ms *= 1000;
		return true;
	}
	if (parameter(word, "ipv4=", &value))
		return resolver_flag(c, word, value, &r->no_ipv4);
	if (parameter(word, "ipv6=", &value))
		return resolver_flag(c, word, value, &r->no_ipv6);
	wrong = conf_addresses(c, word, 53, servers + r->servers_len, NAME_SERVERS_MAX - r->servers_len,
			       &len);
	if (wrong != NULL)
		return conf_fault(c, "%s in resolver \"%.*s\"", wrong, STR_ARG(word));
	r->servers_len += len;
	return true;
}

static bool resolver_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct mail_settings *m = settings;
	struct resolver_options *r;
	struct addr *servers;

	(void)d;
	m->resolver = NULL;
	if (w->len == 2 && str_eq(w->at[1], STR("off")))
		return true;
	r = arena_take(conf_arena(c), sizeof(*r));
	servers = arena_take(conf_arena(c), NAME_SERVERS_MAX * sizeof(*servers));
	r->servers = servers;
	for (size_t i = 1; i < w->len; i++)
		if (!resolver_word(c, w->at[i], r, servers))
			return false;
	if (r->no_ipv4 && r->no_ipv6)
		return conf_fault(c, "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
	if (r->servers_len == 0)
		return conf_fault(c, "no name servers defined");
	m->resolver = r;
	return true;
}

static bool fault_here(struct conf *c, const struct scope *in, const char *what)
{
	return conf_fault_at(c, scope_file(in), scope_line(in), "%s for server", what);
}

static const struct protocol *protocol_of_port(uint16_t port)
{
	for (size_t i = 0; protocols[i] != NULL; i++)
		for (const uint16_t *p = protocols[i]->ports; *p != 0; p++)
			if (*p == port)
				return protocols[i];
	return NULL;
}

static bool mail_check(struct conf *c, struct scope *in, void *settings)
{
	struct mail_settings *m = settings;

	if (scope_place(in) != IN_SERVER)
		return true;
	if (m->access == NULL)
		m->access = mail_settings(scope_outer(in))->access;
	if (m->endpoints == NULL)
		return fault_here(c, in, "no \"listen\" is defined");
	for (const struct endpoint *e = m->endpoints; e != NULL && m->protocol == NULL; e = e->next)
		m->protocol = protocol_of_port(e->addr.port);
	if (m->protocol == NULL)
		return fault_here(c, in, "unknown mail protocol");
	return true;
}

bool access_allows(const struct access_rule *rules, const struct addr *client)
{
	for (; rules != NULL; rules = rules->next)
		if (network_has(&rules->who, client))
			return rules->allow;
	return true;
}

bool network_trusted(const struct trusted_network *list, const struct addr *peer)
{
	for (; list != NULL; list = list->next)
		if (network_has(&list->who, peer))
			return true;
	return false;
}
