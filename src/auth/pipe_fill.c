/* SPDX-License-Identifier: BSD-2-Clause */
/* The request's facts for a helper; see pipe_fill.h. */
#include "auth/pipe_fill.h"

static struct str user(const struct auth_request *r)
{
	return buf_text(&r->login->user);
}

/* Split at the last '@', as $login_local and $login_domain are everywhere. */
static size_t at_sign(struct str login)
{
	size_t n = login.len;

	while (n > 0 && login.at[n - 1] != '@')
		n--;
	return n;
}

static struct str local(const struct auth_request *r)
{
	struct str login = user(r);
	size_t n = at_sign(login);

	return n == 0 ? login : (struct str){ login.at, n - 1 };
}

static struct str domain(const struct auth_request *r)
{
	struct str login = user(r);
	size_t n = at_sign(login);

	return n == 0 ? STR("") : str_skip(login, n);
}

static struct str protocol(const struct auth_request *r)
{
	return str_of(r->protocol);
}

static struct str remote_addr(const struct auth_request *r)
{
	return r->client_ip;
}

static struct str server_addr(const struct auth_request *r)
{
	return r->server_ip;
}

static struct str ssl(const struct auth_request *r)
{
	return r->tls.on ? STR("on") : STR("");
}

static struct str session_id(const struct auth_request *r)
{
	return r->session_id;
}

static struct str method(const struct auth_request *r)
{
	return str_of(sasl_auth_method(r->login->method));
}

static const struct variable {
	const char *name;
	struct str (*value)(const struct auth_request *r);
} VARIABLES[] = {
	{ "login", user },	  { "login_local", local },	  { "login_domain", domain },
	{ "protocol", protocol }, { "remote_addr", remote_addr }, { "server_addr", server_addr },
	{ "ssl", ssl },		  { "session_id", session_id },	  { "auth_method", method },
};

enum { VARIABLES_LEN = sizeof(VARIABLES) / sizeof(VARIABLES[0]) };

static const struct variable *find(struct str name)
{
	for (size_t i = 0; i < VARIABLES_LEN; i++)
		if (str_eq(name, str_of(VARIABLES[i].name)))
			return &VARIABLES[i];
	return NULL;
}

bool pipe_knows(struct str variable)
{
	return find(variable) != NULL;
}

void pipe_fill(const struct auth_request *r, const struct pattern_names *variables, struct pipe_question *q)
{
	*q = (struct pipe_question){
		.user = user(r),
		.secret = buf_text(&r->login->secret),
		.salt = buf_text(&r->login->salt),
		.protocol = str_of(r->protocol),
		.client_ip = r->client_ip,
		.server_ip = r->server_ip,
		.session = r->session_id,
		.client_port = r->client_port,
		.server_port = r->server_port,
		.method = r->login->method,
		.tls = r->tls.on,
		.values_len = variables->len,
	};
	for (size_t i = 0; i < variables->len; i++) {
		const struct variable *v = find(variables->at[i]);

		q->values[i] = v != NULL ? v->value(r) : STR("");
	}
}
