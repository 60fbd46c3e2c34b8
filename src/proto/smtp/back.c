/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMTP side that faces servers: a fixed order of steps, of which some are needed and some not.
 *
 * Greeting, EHLO, XCLIENT, the client's own HELO or EHLO again (XCLIENT puts the server back to its start),
 * then either AUTH, or the client's MAIL and RCPT; the server's reply to RCPT, whatever it says, is the
 * client's.
 */
#include "proto/smtp/smtp.h"
#include "talk/back.h"

struct smtp_back {
	struct dialog dialog;
	unsigned step;	   /* whose reply is due */
	unsigned xclient;  /* attributes that the server announced */
	unsigned code;	   /* of the reply that is coming; 0 before its first line */
	bool acknowledged; /* the error challenge of an OAuth mechanism */
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
	return settings_of(d)->proxy_auth && !needs_mail(d);
}

static bool needs_hello(const struct dialog *d)
{
	(void)d;
	return true;
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
	bool extended = d->login->esmtp || needs_xclient(d) || needs_auth(d);

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

static void say_auth(struct dialog *d)
{
	enum sasl_method m = back_oauth(d) != 0 ? back_oauth(d) : SASL_PLAIN;

	buf_put(d->out, STR("AUTH "));
	buf_put(d->out, sasl_name(m));
	buf_put_byte(d->out, ' ');
	sasl_say(d->out, m, buf_text(&d->login->user), buf_text(&d->login->secret));
	back_say(d, d->at, "", STR(""));
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

enum { GREETING, HELLO, XCLIENT, SECOND_HELLO, AUTH, MAIL, RCPT, STEPS_LEN };

static const struct step STEPS[STEPS_LEN] = {
	[GREETING] = { { "greeting", "connecting to upstream", hear_reply }, NULL, NULL, { 220 } },
	[HELLO] = { { "EHLO", "sending HELO/EHLO to upstream", hear_reply },
		    needs_hello,
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

static enum want replied(struct smtp_back *b, unsigned code)
{
	struct dialog *d = &b->dialog;

	if (agreed(&STEPS[b->step], code))
		return next_step(b);
	/* an OAuth server says what was wrong, and refuses once that was acknowledged */
	if (code == 334 && b->step == AUTH && back_oauth(d) != 0 && !b->acknowledged) {
		b->acknowledged = true;
		return back_say(d, d->at, "", sasl_dummy(back_oauth(d)));
	}
	return code >= 400 ? back_refused(d) : back_nonsense(d);
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
	if (b->step == HELLO && code == 250)
		smtp_xclient_announced(str_skip(line, 4), &b->xclient);
	b->code = more ? code : 0;
	return more ? WANT_INPUT : replied(b, code);
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
	.told = back_told,
};
