/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The POP3 side that faces servers: STLS and the client's identity where they are wanted, then USER and PASS,
 * or AUTH with a mechanism.
 *
 * A mechanism's message never goes along with AUTH itself: lines with an initial response may have no more
 * than 255 bytes (RFC 5034 section 4). For the same reason long names and passwords go by AUTH PLAIN (RFC
 * 2449 section 4), as long as the server knows it.
 *
 * CAPA is not asked for: a server that lacks what we say refuses it, and that is all there is to know.
 */
#include "proto/pop3/pop3.h"
#include "talk/back.h"

#include "base/text.h"

/* With "USER " or "PASS " and CRLF the longest line that every server takes. */
enum { WORD_MAX = 248, NAME_MAX = 255 };

struct pop3_back {
	struct dialog dialog;
	bool hears_xclient; /* the greeting said so */
	bool plain_failed;  /* AUTH PLAIN was offered for a long password, and not taken */
	enum sasl_method method;
};

static enum want hear_greeting(struct dialog *d, struct str line);
static enum want hear_stls(struct dialog *d, struct str line);
static enum want hear_identity(struct dialog *d, struct str line);
static enum want hear_user(struct dialog *d, struct str line);
static enum want hear_mechanism(struct dialog *d, struct str line);
static enum want hear_last(struct dialog *d, struct str line);

static const struct state GREETING = { "greeting", "connecting to upstream", hear_greeting };
static const struct state STLS = { "STLS", "sending STLS to upstream", hear_stls };
static const struct state IDENTITY = { "identity", "sending XCLIENT to upstream", hear_identity };
static const struct state USER = { "USER", "sending user name to upstream", hear_user };
static const struct state PASS = { "PASS", "sending password to upstream", hear_last };
static const struct state MECHANISM = { "AUTH", "sending AUTH to upstream", hear_mechanism };
static const struct state MESSAGE = { "AUTH reply", "sending AUTH to upstream", hear_last };
static const struct state OAUTH = { "OAuth reply", "sending AUTH to upstream", hear_last };

enum sort { AGREED, GO_ON, REFUSED, OTHER };

static struct pop3_back *pop3_of(struct dialog *d)
{
	return (struct pop3_back *)(void *)d;
}

static const struct pop3_settings *settings_of(const struct pop3_back *b)
{
	return b->dialog.stage->settings;
}

/* Keep the line as the reply and say of what sort it is. */
static enum sort sort_reply(struct dialog *d, struct str line)
{
	back_forget_reply(d);
	if (!back_collect(d, line))
		return OTHER;
	if (str_starts(line, STR("+OK")))
		return AGREED;
	if (str_starts(line, STR("-ERR")))
		return REFUSED;
	return str_starts(line, STR("+")) ? GO_ON : OTHER;
}

/* Codes of RFC 2449 section 8 and RFC 3206. */
static enum failure meaning(struct str words, enum failure otherwise)
{
	static const struct back_code CODES[] = {
		{ "[AUTH]", FAILURE_CREDENTIALS },
		{ "[SYS/TEMP]", FAILURE_TEMPORARY },
		{ "[SYS/PERM]", FAILURE_ACCOUNT },
		{ "[IN-USE]", FAILURE_LIMIT },
		{ "[LOGIN-DELAY]", FAILURE_LIMIT },
		{ "[REFERRAL/", FAILURE_CONFIG },
		{ NULL, FAILURE_NONE },
	};
	enum failure means = back_meaning(CODES, words);

	return means != FAILURE_NONE ? means : otherwise;
}

/* A refusal, which without a code means `otherwise`, or no sense. */
static enum want unwelcome(struct dialog *d, struct str line, enum sort sort, enum failure otherwise)
{
	struct str words = str_trim(str_skip(line, 4));

	if (d->complaint != NULL)
		return WANT_GIVE_UP;
	if (sort != REFUSED)
		return back_nonsense(d);
	return back_refused(d, meaning(words, otherwise), STR(""), words);
}

/* ---- the login ---- */

static enum want say_auth(struct pop3_back *b, enum sasl_method m)
{
	b->method = m;
	return back_say(&b->dialog, &MECHANISM, "AUTH ", sasl_name(m));
}

static bool is_long(const struct login *l)
{
	return l->user.len > WORD_MAX || l->secret.len > WORD_MAX;
}

static enum want say_login(struct pop3_back *b)
{
	struct dialog *d = &b->dialog;
	enum sasl_method oauth = back_oauth(d, 0);

	if (oauth != 0)
		return say_auth(b, oauth);
	if (d->login->master.len != 0 || (is_long(d->login) && !b->plain_failed))
		return say_auth(b, SASL_PLAIN);
	return back_say(d, &USER, "USER ", buf_text(&d->login->user));
}

/* ---- before it ---- */

static bool is_ip(struct str address)
{
	return address.len != 0 && !str_starts(address, STR("unix:"));
}

static void put_attribute(struct buf *to, const char *name, struct str value)
{
	if (value.len == 0 || value.len > NAME_MAX || str_has(value, ' ') || !has_no_controls(value))
		return;
	buf_format(to, " %s=", name);
	buf_put(to, value);
}

static void put_number(struct buf *to, const char *name, unsigned value)
{
	if (value != 0)
		buf_format(to, " %s=%u", name, value);
}

/* As Dovecot reads it: bare addresses, no xtext. */
static enum want say_xclient(struct dialog *d)
{
	const struct stage *s = d->stage;

	buf_put(d->out, STR("XCLIENT"));
	if (is_ip(s->client_ip))
		put_attribute(d->out, "ADDR", s->client_ip);
	put_number(d->out, "PORT", s->client_port);
	if (is_ip(s->server_ip))
		put_attribute(d->out, "DESTADDR", s->server_ip);
	put_number(d->out, "DESTPORT", s->server_port);
	put_attribute(d->out, "SESSION", s->session_id);
	put_number(d->out, "TTL", s->ttl);
	put_attribute(d->out, "CLIENT-TRANSPORT", s->client_secure ? STR("TLS") : STR("insecure"));
	put_attribute(d->out, "DESTNAME", s->asked_name);
	return back_say(d, &IDENTITY, "", STR(""));
}

static enum want introduce(struct pop3_back *b)
{
	struct dialog *d = &b->dialog;
	unsigned identity = settings_of(b)->identity;

	if (identity == POP3_IDENTITY_XCLIENT && b->hears_xclient)
		return say_xclient(d);
	if (identity == POP3_IDENTITY_XOIP && is_ip(d->stage->client_ip))
		return back_say(d, &IDENTITY, "XOIP ", d->stage->client_ip);
	return say_login(b);
}

/* A server that does not serve now greets with -ERR. */
static enum want hear_greeting(struct dialog *d, struct str line)
{
	struct pop3_back *b = pop3_of(d);
	enum sort sort = sort_reply(d, line);

	if (sort != AGREED)
		return unwelcome(d, line, sort, FAILURE_TEMPORARY);
	b->hears_xclient = str_starts(str_skip(line, 3), STR(" [XCLIENT]"));
	if (d->stage->secures && !d->secure)
		return back_say(d, &STLS, "STLS", STR(""));
	return introduce(b);
}

static enum want hear_stls(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	if (sort == AGREED)
		return WANT_TLS;
	return sort == REFUSED ? back_unfit(d, BACK_NO_STARTTLS)
			       : unwelcome(d, line, sort, FAILURE_TEMPORARY);
}

/* A server that will not hear who the client is may still let it in. */
static enum want hear_identity(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	if (sort != AGREED && sort != REFUSED)
		return unwelcome(d, line, sort, FAILURE_TEMPORARY);
	return say_login(pop3_of(d));
}

/* ---- behind it ---- */

static enum want hear_user(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	if (sort != AGREED)
		return unwelcome(d, line, sort, FAILURE_UNCLEAR);
	back_expose(d);
	return back_say(d, &PASS, "PASS ", buf_text(&d->login->secret));
}

static enum want hear_mechanism(struct dialog *d, struct str line)
{
	struct pop3_back *b = pop3_of(d);
	enum sort sort = sort_reply(d, line);

	if (sort == GO_ON)
		return back_say_message(d, b->method == SASL_PLAIN ? &MESSAGE : &OAUTH, b->method);
	if (sort != REFUSED || b->method != SASL_PLAIN || d->login->master.len != 0)
		return unwelcome(d, line, sort, FAILURE_CONFIG);
	b->plain_failed = true;
	return say_login(b);
}

/* An OAuth server says what was wrong, and refuses once that was acknowledged. */
static enum want hear_last(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	if (sort == AGREED)
		return WANT_RELAY;
	if (sort == GO_ON && d->at == &OAUTH) {
		back_keep_challenge(d, str_trim(str_skip(line, 1)));
		return back_say(d, &PASS, "", sasl_dummy(pop3_of(d)->method));
	}
	return unwelcome(d, line, sort, FAILURE_UNCLEAR);
}

/* There is no greeting behind the handshake, and what the first one said does not count any more: a server
 * that is to hear XCLIENT is told, and may refuse. */
static enum want told(struct dialog *d, enum news what, struct str text)
{
	struct pop3_back *b = pop3_of(d);

	if (what != NEWS_SECURED)
		return back_told(d, what, text);
	back_secured(d);
	b->hears_xclient = true;
	return introduce(b);
}

static enum want open(struct dialog *d)
{
	return back_open_into(d, &GREETING);
}

const struct dialog_ops pop3_back = {
	.size = sizeof(struct pop3_back),
	.takes_turns = true,
	.first = &back_unopened,
	.open = open,
	.told = told,
};
