/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XCLIENT (Postfix XCLIENT_README): who the client is, for a server that trusts the proxy.
 *
 * ADDR, LOGIN and NAME are sent whether announced or not: a server that cannot take them must fail the
 * session, since it would treat every client as the proxy itself otherwise.
 */
#include "proto/smtp/smtp.h"

#include "base/text.h"

/* A longer HELO name is no host's name, and the command must stay within what servers take as a line. */
enum { HELO_MAX = 255, NAME_MAX = 255, SESSION_MAX = 64 };

static void put_address(struct dialog *d, struct str ip)
{
	if (str_starts(ip, STR("unix:"))) {
		buf_put(d->out, STR("[UNAVAILABLE]"));
		return;
	}
	if (str_has(ip, ':'))
		buf_put(d->out, STR("IPV6:"));
	xtext_put(d->out, ip);
}

static void put_client_address(struct dialog *d)
{
	put_address(d, d->stage->client_ip);
}

static void put_login(struct dialog *d)
{
	xtext_put(d->out, buf_text(&d->login->user));
}

static void put_name(struct dialog *d)
{
	xtext_put(d->out, d->stage->client_host);
}

static void put_port(struct dialog *d)
{
	buf_format(d->out, "%u", d->stage->client_port);
}

static void put_protocol(struct dialog *d)
{
	buf_put(d->out, d->login->esmtp ? STR("ESMTP") : STR("SMTP"));
}

static void put_helo(struct dialog *d)
{
	struct str helo = buf_text(&d->login->helo);

	xtext_put(d->out, helo.len <= HELO_MAX ? helo : STR("[UNAVAILABLE]"));
}

static void put_server_address(struct dialog *d)
{
	put_address(d, d->stage->server_ip);
}

static void put_server_port(struct dialog *d)
{
	buf_format(d->out, "%u", d->stage->server_port);
}

static void put_session(struct dialog *d)
{
	xtext_put(d->out, d->stage->session_id);
}

static void put_ttl(struct dialog *d)
{
	buf_format(d->out, "%u", d->stage->ttl);
}

static void put_transport(struct dialog *d)
{
	buf_put(d->out, d->stage->client_secure ? STR("TLS") : STR("insecure"));
}

static void put_asked_name(struct dialog *d)
{
	xtext_put(d->out, d->stage->asked_name);
}

/* With proxy_smtp_auth the server learns the login from AUTH. */
static bool knows_login(const struct dialog *d)
{
	const struct smtp_settings *s = d->stage->settings;

	return d->login->user.len != 0 && !s->proxy_auth && !d->stage->judges;
}

static bool knows_port(const struct dialog *d)
{
	return d->stage->client_port != 0;
}

static bool knows_helo(const struct dialog *d)
{
	return d->login->helo.len != 0;
}

static bool knows_server_port(const struct dialog *d)
{
	return d->stage->server_port != 0;
}

static bool knows_session(const struct dialog *d)
{
	return d->stage->session_id.len != 0 && d->stage->session_id.len <= SESSION_MAX;
}

static bool knows_ttl(const struct dialog *d)
{
	return d->stage->ttl != 0;
}

static bool knows_asked_name(const struct dialog *d)
{
	return d->stage->asked_name.len != 0 && d->stage->asked_name.len <= NAME_MAX;
}

struct attribute {
	struct str name;
	void (*put)(struct dialog *d);
	bool (*known)(const struct dialog *d); /* NULL: always */
};

/* In the order in which they are sent; the first ones need no announcement, the last ones are Dovecot's. */
static const struct attribute ATTRIBUTES[] = {
	{ LIT("ADDR"), put_client_address, NULL },
	{ LIT("LOGIN"), put_login, knows_login },
	{ LIT("NAME"), put_name, NULL },
	{ LIT("PORT"), put_port, knows_port },
	{ LIT("PROTO"), put_protocol, knows_helo },
	{ LIT("HELO"), put_helo, knows_helo },
	{ LIT("DESTADDR"), put_server_address, NULL },
	{ LIT("DESTPORT"), put_server_port, knows_server_port },
	{ LIT("SESSION"), put_session, knows_session },
	{ LIT("TTL"), put_ttl, knows_ttl },
	{ LIT("CLIENT-TRANSPORT"), put_transport, NULL },
	{ LIT("DESTNAME"), put_asked_name, knows_asked_name },
};

enum { ATTRIBUTES_LEN = sizeof(ATTRIBUTES) / sizeof(*ATTRIBUTES), ALWAYS = 7 };

static unsigned bit_of(struct str name)
{
	for (size_t i = 0; i < ATTRIBUTES_LEN; i++)
		if (str_same(ATTRIBUTES[i].name, name))
			return 1u << i;
	return 0;
}

void smtp_xclient_announced(struct str line, unsigned *announced)
{
	if (!str_same(str_cut(&line, ' '), STR("XCLIENT")))
		return;
	while (line.len != 0)
		*announced |= bit_of(str_cut(&line, ' '));
}

void smtp_put_xclient(struct dialog *d, unsigned announced)
{
	buf_put(d->out, STR("XCLIENT"));
	for (size_t i = 0; i < ATTRIBUTES_LEN; i++) {
		const struct attribute *a = &ATTRIBUTES[i];

		if (((announced | ALWAYS) & 1u << i) == 0 || (a->known != NULL && !a->known(d)))
			continue;
		buf_put_byte(d->out, ' ');
		buf_put(d->out, a->name);
		buf_put_byte(d->out, '=');
		a->put(d);
	}
}
