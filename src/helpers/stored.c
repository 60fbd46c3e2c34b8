/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judgement over stored users; see stored.h. The password comes first: who does not know it hears the
 * same and waits as long, whether the user exists, is disabled, or may not come from there.
 */
#include "helpers/stored.h"

#include "base/text.h"
#include "sasl/sasl.h"
#include "scheme/scheme.h"

enum { NAME_SHOWN = 128 };

/* CRAM-MD5 and APOP against a password that is not stored in plain: nobody can know, so it is refused. */
static enum scheme_result try_digest(const struct pipe_question *q, struct str stored)
{
	enum scheme_digest kind = q->method == SASL_APOP ? SCHEME_APOP : SCHEME_CRAM_MD5;
	enum scheme_result result = scheme_verify_digest(stored, kind, q->salt, q->secret);

	return result == SCHEME_UNKNOWN && scheme_complaint(stored) == NULL ? SCHEME_MISMATCH : result;
}

static bool is_digest(const struct pipe_question *q)
{
	return q->method == SASL_CRAM_MD5 || q->method == SASL_APOP;
}

static void cannot_try(const struct stored *s, const struct pipe_question *q, struct pipe_answer *a,
		       struct arena *home)
{
	struct buf name;

	buf_init(&name, 8 * NAME_SHOWN);
	visible_put(&name, q->user, NAME_SHOWN);
	helper_broken(a, home, "%s: user '%.*s': %s; %s", s->where, STR_ARG(buf_text(&name)),
		      scheme_complaint(s->u->password), s->cure);
	buf_done(&name);
}

/* A client that came by a digest has not said the password that the mail server will want. */
static void take_secret(const struct stored *s, const struct pipe_question *q, struct pipe_answer *a,
			struct arena *home)
{
	struct buf plain;

	if (s->u->secret.len != 0) {
		a->secret = s->u->secret;
		return;
	}
	if (!is_digest(q))
		return;
	buf_init_in(&plain, home, SCHEME_STORED_MAX);
	if (scheme_plain(s->u->password, &plain))
		a->secret = buf_text(&plain);
}

static struct str given(struct str s)
{
	return s.len != 0 ? s : (struct str){ NULL, 0 };
}

/* "ADDRESS:PORT" and "[IPv6]:PORT" in two parts; all else is a name that others understand. */
static void take_route(struct str route, struct pipe_answer *a)
{
	size_t colon = route.len;
	struct addr address = { .family = AF_UNSPEC };
	struct str host;

	a->target = given(route);
	while (colon > 0 && route.at[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return;
	host = (struct str){ route.at, colon - 1 };
	if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = (struct str){ host.at + 1, host.len - 2 };
	else if (str_has(host, ':'))
		return;
	if (addr_parse_ip(host, &address) && str_number(str_skip(route, colon), UINT16_MAX, &a->port))
		a->target = host;
}

static void welcome(const struct stored *s, const struct pipe_question *q, struct pipe_answer *a,
		    struct arena *home)
{
	a->verdict = PIPE_OK;
	a->user = given(s->u->login);
	take_route(s->u->route, a);
	a->tls = s->u->tls;
	take_secret(s, q, a, home);
}

/* A client without an address, behind a unix: socket, is in "unix:" and "all". */
static struct addr client_of(const struct pipe_question *q)
{
	struct addr client = { .family = AF_UNIX };

	addr_parse_ip(q->client_ip, &client);
	return client;
}

void stored_answer(struct stored *s, const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	struct addr client = client_of(q);
	enum scheme_result result;

	if (s->u == NULL) {
		if (!is_digest(q))
			scheme_dummy(buf_text(&s->like), q->secret);
		a->verdict = PIPE_UNKNOWN;
		return;
	}
	result = is_digest(q) ? try_digest(q, s->u->password) : scheme_verify(s->u->password, q->secret);
	if (result != SCHEME_UNKNOWN)
		buf_set(&s->like, s->u->password);
	if (result == SCHEME_UNKNOWN)
		cannot_try(s, q, a, home);
	else if (result == SCHEME_MISMATCH)
		helper_denied(a, PIPE_CREDENTIALS);
	else if (s->u->disabled)
		helper_denied(a, PIPE_DISABLED);
	else if (!user_allows_network(s->u, &client) || !user_allows_protocol(s->u, q->protocol))
		helper_denied(a, PIPE_FORBIDDEN);
	else
		welcome(s, q, a, home);
}
