/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMTP side that faces servers: a fixed order of steps, of which some are needed and some not.
 *
 * Greeting, EHLO, STARTTLS and EHLO anew, XCLIENT, the client's own HELO or EHLO again (XCLIENT puts the
 * server back to its start), then either AUTH, or the client's MAIL and RCPT; the server's reply to RCPT,
 * whatever it says, is the client's.
 */
#include "proto/smtp/smtp.h"
#include "talk/back.h"

#include "base/text.h"

struct smtp_back {
	struct dialog dialog;
	unsigned step;		 /* whose reply is due */
	unsigned xclient;	 /* attributes that the server announced */
	unsigned methods;	 /* mechanisms that it announced last */
	bool starttls;		 /* announced */
	enum sasl_method method; /* of the AUTH under way */
	unsigned challenges;	 /* of it, so far */
	unsigned code;		 /* of the reply that is coming; 0 before its first line */
};

static enum want hear_reply(struct dialog *d, struct str line);

static struct smtp_back *smtp_of(struct dialog *d)
{
	return (struct smtp_back *)d;
}

static const struct smtp_settings *settings_of(const struct dialog *d)
{
	return d->stage->settings;
}

static bool needs_mail(const struct dialog *d)
{
	return d->login->method == SASL_NONE;
}

static bool needs_auth(const struct dialog *d)
{
	return (settings_of(d)->proxy_auth || d->stage->judges) && !needs_mail(d);
}

static bool needs_hello(const struct dialog *d)
{
	(void)d;
	return true;
}

static bool needs_starttls(const struct dialog *d)
{
	return d->stage->secures && !d->secure;
}

static bool needs_hello_again(const struct dialog *d)
{
	return d->stage->secures;
}

static bool needs_xclient(const struct dialog *d)
{
	return settings_of(d)->xclient;
}

/* Who logs in must have said EHLO since XCLIENT, even for a client that never did. */
static bool needs_second_hello(const struct dialog *d)
{
	return needs_xclient(d) && (d->login->helo.len != 0 || needs_auth(d));
}

static void say_hello(struct dialog *d)
{
	bool extended = d->login->esmtp || d->stage->secures || needs_xclient(d) || needs_auth(d);

	back_say(d, d->at, extended ? "EHLO " : "HELO ", d->stage->server_name);
}

static void say_second_hello(struct dialog *d)
{
	struct str helo = buf_text(&d->login->helo);

	if (helo.len == 0)
		back_say(d, d->at, "EHLO ", d->stage->server_name);
	else
		back_say(d, d->at, d->login->esmtp ? "EHLO " : "HELO ", helo);
}

static void say_xclient(struct dialog *d)
{
	smtp_put_xclient(d, smtp_of(d)->xclient);
	back_say(d, d->at, "", STR(""));
}

static void say_starttls(struct dialog *d)
{
	back_say(d, d->at, "STARTTLS", STR(""));
}

/* A server that announces nothing is believed to know PLAIN, as the peer believes; LOGIN is for those that
 * know nothing better, and no master user. */
static enum sasl_method choose(const struct dialog *d, unsigned offered)
{
	enum sasl_method oauth = back_oauth(d, offered);

	if (oauth != 0)
		return oauth;
	if (d->stage->vouched && (offered & SASL_EXTERNAL) != 0)
		return SASL_EXTERNAL;
	if ((offered & SASL_PLAIN) == 0 && (offered & SASL_LOGIN) != 0 && d->login->master.len == 0)
		return SASL_LOGIN;
	return SASL_PLAIN;
}

static void say_auth(struct dialog *d)
{
	struct smtp_back *b = smtp_of(d);

	b->method = choose(d, b->methods);
	buf_put(d->out, STR("AUTH "));
	buf_put(d->out, sasl_name(b->method));
	if (b->method != SASL_LOGIN) {
		buf_put_byte(d->out, ' ');
		back_put_message(d, b->method);
	}
	back_say(d, d->at, "", STR(""));
}

static enum want say_in_base64(struct dialog *d, const struct buf *text)
{
	base64_put(d->out, buf_text(text));
	return back_say(d, d->at, "", STR(""));
}

/* 334 behind AUTH: LOGIN asks for the name, then the password; an OAuth server says what was wrong, and
 * refuses once that was acknowledged. */
static enum want challenged(struct smtp_back *b, struct str text)
{
	struct dialog *d = &b->dialog;
	bool oauth = b->method == SASL_XOAUTH2 || b->method == SASL_OAUTHBEARER;
	unsigned n = ++b->challenges;

	if (oauth && n == 1) {
		back_keep_challenge(d, text);
		return back_say(d, d->at, "", sasl_dummy(b->method));
	}
	if (b->method == SASL_LOGIN && n == 1)
		return say_in_base64(d, &d->login->user);
	if (b->method != SASL_LOGIN || n != 2)
		return back_nonsense(d);
	back_expose(d);
	return say_in_base64(d, &d->login->secret);
}

static void say_mail(struct dialog *d)
{
	back_say(d, d->at, "", buf_text(&d->login->mail));
}

static void say_rcpt(struct dialog *d)
{
	back_say(d, d->at, "", buf_text(&d->login->rcpt));
}

struct step {
	struct state state;
	bool (*needed)(const struct dialog *d);
	void (*say)(struct dialog *d);
	unsigned agreed[2]; /* codes to go on with; 0 in the first place: any */
};

enum { GREETING, HELLO, STARTTLS, HELLO_AGAIN, XCLIENT, SECOND_HELLO, AUTH, MAIL, RCPT, STEPS_LEN };

static const struct step STEPS[STEPS_LEN] = {
	[GREETING] = { { "greeting", "connecting to upstream", hear_reply }, NULL, NULL, { 220 } },
	[HELLO] = { { "EHLO", "sending HELO/EHLO to upstream", hear_reply },
		    needs_hello,
		    say_hello,
		    { 250 } },
	[STARTTLS] = { { "STARTTLS", "sending STARTTLS to upstream", hear_reply },
		       needs_starttls,
		       say_starttls,
		       { 220 } },
	[HELLO_AGAIN] = { { "EHLO behind TLS", "sending HELO/EHLO to upstream", hear_reply },
			  needs_hello_again,
			  say_hello,
			  { 250 } },
	[XCLIENT] = { { "XCLIENT", "sending XCLIENT to upstream", hear_reply },
		      needs_xclient,
		      say_xclient,
		      { 220, 250 } },
	[SECOND_HELLO] = { { "client's EHLO", "sending client HELO/EHLO to upstream", hear_reply },
			   needs_second_hello,
			   say_second_hello,
			   { 250 } },
	[AUTH] = { { "AUTH", "sending AUTH to upstream", hear_reply }, needs_auth, say_auth, { 235 } },
	[MAIL] = { { "MAIL", "sending MAIL FROM to upstream", hear_reply }, needs_mail, say_mail, { 250 } },
	[RCPT] = { { "RCPT", "sending RCPT TO to upstream", hear_reply }, needs_mail, say_rcpt, { 0 } },
};

static bool agreed(const struct step *step, unsigned code)
{
	return step->agreed[0] == 0 || code == step->agreed[0] || code == step->agreed[1];
}

/* Say the next command that is needed, or be done. */
static enum want next_step(struct smtp_back *b)
{
	struct dialog *d = &b->dialog;

	while (++b->step < STEPS_LEN) {
		if (!STEPS[b->step].needed(d))
			continue;
		d->at = &STEPS[b->step].state;
		STEPS[b->step].say(d);
		return WANT_INPUT;
	}
	return WANT_RELAY;
}

/* What a refusal means: where a login is concerned its code says it (RFC 4954 section 6), and elsewhere a
 * server that refuses what we must say does not fit. */
static enum failure meaning(unsigned step, unsigned code)
{
	static const struct {
		unsigned code;
		enum failure means;
	} LOGINS[] = {
		{ 535, FAILURE_CREDENTIALS }, { 500, FAILURE_CONFIG }, { 501, FAILURE_CONFIG },
		{ 502, FAILURE_CONFIG },      { 503, FAILURE_CONFIG }, { 504, FAILURE_CONFIG },
		{ 530, FAILURE_CONFIG },      { 534, FAILURE_CONFIG }, { 538, FAILURE_CONFIG },
	};

	if (code < 500 || step == GREETING)
		return FAILURE_TEMPORARY;
	if (step < AUTH)
		return FAILURE_CONFIG;
	for (size_t i = 0; step == AUTH && i < sizeof(LOGINS) / sizeof(*LOGINS); i++)
		if (LOGINS[i].code == code)
			return LOGINS[i].means;
	return FAILURE_ACCOUNT;
}

/* Of a reply of several lines the client hears the last. */
static enum want refused(struct smtp_back *b, unsigned code, struct str line)
{
	return back_refused(&b->dialog, meaning(b->step, code), (struct str){ line.at, 3 },
			    str_skip(line, 4));
}

static enum want replied(struct smtp_back *b, unsigned code, struct str line)
{
	struct dialog *d = &b->dialog;

	if (b->step == HELLO && needs_starttls(d) && code == 250 && !b->starttls)
		return back_unfit(d, BACK_NO_STARTTLS);
	if (b->step == STARTTLS && code != 220)
		return back_unfit(d, BACK_NO_STARTTLS);
	if (b->step == STARTTLS)
		return WANT_TLS;
	if (agreed(&STEPS[b->step], code))
		return next_step(b);
	if (code == 334 && b->step == AUTH)
		return challenged(b, str_skip(line, 4));
	return code >= 400 ? refused(b, code, line) : back_nonsense(d);
}

/* One line of the reply to EHLO: what a server announces may change with TLS and XCLIENT. */
static void announced(struct smtp_back *b, struct str line)
{
	struct str word, rest = line;

	if (b->step == HELLO || b->step == HELLO_AGAIN)
		smtp_xclient_announced(line, &b->xclient);
	word = str_cut(&rest, ' ');
	if (str_same(word, STR("STARTTLS")))
		b->starttls = true;
	if (str_same(word, STR("AUTH")))
		b->methods |= back_methods(rest, STR(""));
	/* an old way to write it, which still goes along with the new one */
	if (str_starts_same(line, STR("AUTH=")))
		b->methods |= back_methods(str_skip(line, 5), STR(""));
}

/* The three digits of a reply line, then a blank, a '-' when more lines follow, or nothing. 0 when it is no
 * such line. */
static unsigned read_code(struct str line, bool *more)
{
	uint64_t code;

	*more = line.len > 3 && line.at[3] == '-';
	if (line.len < 3 || !str_number((struct str){ line.at, 3 }, 599, &code) || code < 200)
		return 0;
	return line.len == 3 || line.at[3] == ' ' || *more ? (unsigned)code : 0;
}

static enum want hear_reply(struct dialog *d, struct str line)
{
	struct smtp_back *b = smtp_of(d);
	bool more;
	unsigned code = read_code(line, &more), first = b->code;

	if (first == 0)
		back_forget_reply(d);
	if (!back_collect(d, line))
		return WANT_GIVE_UP;
	if (code == 0 || (first != 0 && first != code))
		return back_nonsense(d);
	if (b->step == SECOND_HELLO && first == 0)
		b->methods = 0;
	if (code == 250)
		announced(b, str_skip(line, 4));
	b->code = more ? code : 0;
	return more ? WANT_INPUT : replied(b, code, line);
}

/* RFC 3207 section 4.2: nothing that was announced before counts. */
static enum want told(struct dialog *d, enum news what, struct str text)
{
	struct smtp_back *b = smtp_of(d);

	if (what != NEWS_SECURED)
		return back_told(d, what, text);
	back_secured(d);
	b->xclient = 0;
	b->methods = 0;
	return next_step(b);
}

static enum want open(struct dialog *d)
{
	return back_open_into(d, &STEPS[GREETING].state);
}

const struct dialog_ops smtp_back = {
	.size = sizeof(struct smtp_back),
	.takes_turns = true,
	.first = &back_unopened,
	.open = open,
	.told = told,
};
