/* SPDX-License-Identifier: BSD-2-Clause */
/* Named values of a user; see row.h. */
#include "helpers/row.h"

#include "base/text.h"

#define FIELD(member) offsetof(struct row, member)

static const struct field {
	const char *name;
	size_t offset;
} FIELDS[] = {
	{ "password", FIELD(user.password) },
	{ "host", FIELD(host) },
	{ "port", FIELD(port) },
	{ "login", FIELD(user.login) },
	{ "pass", FIELD(user.secret) },
	{ "allow_nets", FIELD(user.networks) },
	{ "protocols", FIELD(user.protocols) },
	{ "enabled", FIELD(enabled) },
	{ "ssl", FIELD(ssl) },
	{ "ssl_name", FIELD(ssl_name) },
	{ "master", FIELD(master) },
	{ "message", FIELD(message) },
};

enum { FIELDS_LEN = sizeof(FIELDS) / sizeof(FIELDS[0]) };

bool row_set(struct row *r, struct str name, struct str value)
{
	for (size_t i = 0; i < FIELDS_LEN; i++) {
		if (!str_same(name, str_of(FIELDS[i].name)))
			continue;
		*(struct str *)(void *)((char *)r + FIELDS[i].offset) = value;
		return true;
	}
	return false;
}

const char *row_names(void)
{
	return "password, host, port, login, pass, allow_nets, protocols, enabled, ssl, ssl_name, master, "
	       "message";
}

static bool is_word(struct str text, const char *const *words)
{
	while (*words != NULL && !str_same(text, str_of(*words)))
		words++;
	return *words != NULL;
}

/* As databases write truth. Not given: enabled. */
static bool read_enabled(struct row *r)
{
	static const char *const YES[] = { "1", "t", "true", "y", "yes", "on", NULL };
	static const char *const NO[] = { "0", "f", "false", "n", "no", "off", "", NULL };

	if (r->enabled.at == NULL || is_word(r->enabled, YES))
		return true;
	r->user.disabled = true;
	return is_word(r->enabled, NO);
}

static bool read_ssl(struct row *r)
{
	static const char *const WORDS[] = { "", "off", "on", "starttls" };

	for (unsigned i = 0; i < 4; i++) {
		if (!str_same(r->ssl, str_of(WORDS[i])))
			continue;
		r->user.tls = (enum user_tls)i;
		return true;
	}
	return false;
}

/* An IPv6 address with a port wants its brackets. */
static bool read_route(struct row *r, struct arena *home)
{
	struct addr literal = { 0 };
	uint64_t port = 0;

	r->user.route = r->host;
	if (r->port.len == 0)
		return true;
	if (!str_number(r->port, UINT16_MAX, &port) || port == 0)
		return false;
	if (r->host.len == 0)
		return false;
	if (addr_parse_ip(r->host, &literal) && literal.family == AF_INET6)
		r->user.route = arena_format(home, "[%.*s]:%u", STR_ARG(r->host), (unsigned)port);
	else
		r->user.route = arena_format(home, "%.*s:%u", STR_ARG(r->host), (unsigned)port);
	return true;
}

const char *row_complete(struct row *r, struct arena *home)
{
	if (!has_no_controls(r->host) || !has_no_controls(r->user.login) || !is_line_safe(r->user.secret) ||
	    !is_line_safe(r->message) || !has_no_controls(r->master) || !has_no_controls(r->ssl_name))
		return "a control character in a value";
	if (!read_enabled(r))
		return "a value of enabled that is neither yes nor no";
	if (!read_ssl(r))
		return "a value of ssl that is none of off, on, starttls";
	return read_route(r, home) ? NULL : "a value of port that is none, or a port without host";
}

void row_add(const struct row *r, struct pipe_answer *a)
{
	if (a->verdict == PIPE_OK) {
		if (r->ssl_name.len != 0)
			a->tls_name = r->ssl_name;
		if (r->master.len != 0)
			a->master = r->master;
	} else if (a->verdict == PIPE_DENIED && a->failure != PIPE_CREDENTIALS && r->message.len != 0) {
		a->message = r->message;
	}
}
