/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session tells by variables: one small function for each, called only for a variable that somebody
 * uses. And the session's id, by which our log, the authentication source's and the mail server's can be laid
 * side by side: made when it is first asked for, and told in the line
 * "client logged in".
 *
 * All of it lives in the arena of before the relay, so a session that idles has nothing of it.
 */
#include "mail/session_private.h"

#include "base/digest.h"
#include "talk/envelope.h"
#include <unistd.h>

/* 80 random bits: no two sessions of any machines in the lifetime of a log. */
enum { ID_BYTES = 10, ID_CHARS = ID_BYTES * 8 / 5 };

struct str session_id(struct session *s)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct prelogin *p = s->pre;
	uint8_t bytes[ID_BYTES];
	char *to;

	if (p->id.len != 0)
		return p->id;
	random_bytes(bytes, sizeof(bytes));
	to = arena_take(p->arena, ID_CHARS + 1);
	for (unsigned i = 0; i < ID_CHARS; i++) {
		unsigned bit = 5 * i, pair = (unsigned)bytes[bit / 8] << 8;

		pair |= bit / 8 + 1 < ID_BYTES ? bytes[bit / 8 + 1] : 0;
		to[i] = digits[pair >> (11 - bit % 8) & 31];
	}
	p->id = (struct str){ to, ID_CHARS };
	return p->id;
}

static struct str number(struct session *s, uint64_t n)
{
	return arena_format(s->pre->vars.home, "%llu", (unsigned long long)n);
}

static struct str ip_text(struct session *s, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	return arena_str(s->pre->vars.home, str_of(addr_ip_text(a, text)));
}

static struct str login(struct session *s)
{
	return buf_text(&s->pre->login.user);
}

static struct str login_attempt(struct session *s)
{
	return number(s, s->pre->login.attempt);
}

static struct str protocol(struct session *s)
{
	return str_of(s->at->protocol->name);
}

static struct str remote_addr(struct session *s)
{
	return s->pre->front_stage.client_ip;
}

static struct str remote_port(struct session *s)
{
	return number(s, s->client_addr.port);
}

static struct str remote_host(struct session *s)
{
	return s->pre->client_name;
}

static struct str server_addr(struct session *s)
{
	return s->pre->front_stage.server_ip;
}

static struct str server_port(struct session *s)
{
	return s->pre->front_stage.server_port != 0 ? number(s, s->pre->front_stage.server_port) : STR("");
}

static struct str server_name(struct session *s)
{
	return s->at->name;
}

static struct str ssl(struct session *s)
{
	return session_tls(s)->on ? STR("on") : STR("");
}

static struct str ssl_server_name(struct session *s)
{
	struct tls_facts facts;

	if (s->client.tls == NULL)
		return STR("");
	tls_facts(&s->client, &facts);
	return arena_str(s->pre->vars.home, facts.server_name);
}

static struct str ssl_protocol(struct session *s)
{
	return session_tls(s)->protocol;
}

static struct str ssl_cipher(struct session *s)
{
	return session_tls(s)->cipher;
}

static struct str ssl_verify(struct session *s)
{
	return session_tls(s)->verify;
}

static struct str ssl_subject(struct session *s)
{
	return session_tls(s)->subject;
}

static struct str ssl_issuer(struct session *s)
{
	return session_tls(s)->issuer;
}

static struct str ssl_serial(struct session *s)
{
	return session_tls(s)->serial;
}

static struct str ssl_fingerprint(struct session *s)
{
	return session_tls(s)->fingerprint;
}

static struct str smtp_helo(struct session *s)
{
	return buf_text(&s->pre->login.helo);
}

static struct str smtp_from(struct session *s)
{
	return envelope_address(buf_text(&s->pre->login.mail));
}

static struct str smtp_rcpt(struct session *s)
{
	return envelope_address(buf_text(&s->pre->login.rcpt));
}

static struct str auth_method(struct session *s)
{
	return str_of(sasl_auth_method(s->pre->login.method));
}

static struct str connection(struct session *s)
{
	return number(s, s->number);
}

static struct str proxy_addr(struct session *s)
{
	const struct proxyhdr *h = &s->pre->header;

	return h->has_addresses ? ip_text(s, &h->source) : STR("");
}

static struct str proxy_port(struct session *s)
{
	const struct proxyhdr *h = &s->pre->header;

	return h->has_addresses ? number(s, h->source.port) : STR("");
}

static struct str proxy_server_addr(struct session *s)
{
	const struct proxyhdr *h = &s->pre->header;

	return h->has_addresses ? ip_text(s, &h->destination) : STR("");
}

static struct str proxy_server_port(struct session *s)
{
	const struct proxyhdr *h = &s->pre->header;

	return h->has_addresses ? number(s, h->destination.port) : STR("");
}

static struct str hostname(struct session *s)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0)
		return STR("");
	return arena_str(s->pre->vars.home, str_of(name));
}

static struct str upstream_addr(struct session *s)
{
	char text[ADDR_TEXT_MAX];

	return arena_str(s->pre->vars.home, str_of(addr_text(&s->server_addr, text)));
}

/* Those that are missing are parts of others: vars/ makes them. */
static struct str (*const FACTS[VARS_LEN])(struct session *s) = {
	[VAR_LOGIN] = login,
	[VAR_LOGIN_ATTEMPT] = login_attempt,
	[VAR_PROTOCOL] = protocol,
	[VAR_REMOTE_ADDR] = remote_addr,
	[VAR_REMOTE_PORT] = remote_port,
	[VAR_REMOTE_HOST] = remote_host,
	[VAR_SERVER_ADDR] = server_addr,
	[VAR_SERVER_PORT] = server_port,
	[VAR_SERVER_NAME] = server_name,
	[VAR_SSL] = ssl,
	[VAR_SSL_SERVER_NAME] = ssl_server_name,
	[VAR_SSL_PROTOCOL] = ssl_protocol,
	[VAR_SSL_CIPHER] = ssl_cipher,
	[VAR_SSL_CLIENT_VERIFY] = ssl_verify,
	[VAR_SSL_CLIENT_S_DN] = ssl_subject,
	[VAR_SSL_CLIENT_I_DN] = ssl_issuer,
	[VAR_SSL_CLIENT_SERIAL] = ssl_serial,
	[VAR_SSL_CLIENT_FINGERPRINT] = ssl_fingerprint,
	[VAR_SMTP_HELO] = smtp_helo,
	[VAR_SMTP_FROM] = smtp_from,
	[VAR_SMTP_RCPT] = smtp_rcpt,
	[VAR_AUTH_METHOD] = auth_method,
	[VAR_SESSION_ID] = session_id,
	[VAR_CONNECTION] = connection,
	[VAR_PROXY_PROTOCOL_ADDR] = proxy_addr,
	[VAR_PROXY_PROTOCOL_PORT] = proxy_port,
	[VAR_PROXY_PROTOCOL_SERVER_ADDR] = proxy_server_addr,
	[VAR_PROXY_PROTOCOL_SERVER_PORT] = proxy_server_port,
	[VAR_HOSTNAME] = hostname,
	[VAR_UPSTREAM_ADDR] = upstream_addr,
};

bool session_fact(const struct vars *v, enum var which, struct str *to)
{
	struct prelogin *p = CONTAINER(v, struct prelogin, vars);

	if (FACTS[which] == NULL)
		return false;
	*to = FACTS[which](p->session);
	return to->len != 0;
}

static void note(const struct vars *v, const char *what)
{
	struct prelogin *p = CONTAINER(v, struct prelogin, vars);

	session_log(p->session, LOG_WARN, "%s", what);
}

void session_set_vars(struct session *s)
{
	s->pre->vars = (struct vars){
		.home = s->pre->arena, .fact = session_fact, .client = &s->client_addr, .note = note
	};
}
