/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMTP side that faces clients, from greeting to login, or without a login to the first recipient, who
 * chooses the server (RFC 5321 section 4.1, RFC 4954, RFC 3207).
 *
 * MAIL and RCPT are kept as they were typed, since the server will hear them so; what stands in them is the
 * server's affair, but for control characters, which end here.
 */
#include "proto/smtp/smtp.h"

#include "base/text.h"

#define INVALID_ARGUMENT "501 5.5.4 Invalid argument"
#define BAD_SEQUENCE	 "503 5.5.1 Bad sequence of commands"

static enum want hear_command(struct dialog *d, struct str line);

static const struct state COMMAND = { "command", "in auth state", hear_command };

static void forget_envelope(struct front *f)
{
	buf_clear(&f->dialog.login->mail);
	buf_clear(&f->dialog.login->rcpt);
}

static enum want greeted(struct front *f, const struct args *args)
{
	struct login *l = f->dialog.login;

	buf_set(&l->helo, args->at[0]);
	l->esmtp = false;
	forget_envelope(f);
	return WANT_INPUT;
}

static bool one_name(const struct args *args)
{
	return args->len == 1 && has_no_controls(args->at[0]);
}

static enum want helo(struct front *f, const struct args *args)
{
	if (!one_name(args))
		return front_reply(f, INVALID_ARGUMENT);
	buf_put(f->dialog.out, STR("250 "));
	front_put_line(f, f->dialog.stage->server_name);
	return greeted(f, args);
}

/* One line of a reply of which more may follow; `*last` remembers where its mark stands. */
static void more(struct front *f, size_t *last)
{
	buf_put(f->dialog.out, STR("250"));
	*last = f->dialog.out->len;
	buf_put_byte(f->dialog.out, '-');
}

static void put_ehlo_lines(struct front *f, size_t *last)
{
	const struct strs *words = &front_settings(f)->capabilities;

	more(f, last);
	front_put_line(f, f->dialog.stage->server_name);
	for (size_t i = 0; i < words->len; i++) {
		more(f, last);
		front_put_line(f, words->at[i]);
	}
	if ((front_methods(f) & ~(unsigned)SASL_NONE) != 0) {
		more(f, last);
		buf_put(f->dialog.out, STR("AUTH"));
		sasl_announce(f->dialog.out, front_methods(f), " ", "");
		front_put_line(f, STR(""));
	}
	if (front_offers_tls(f)) {
		more(f, last);
		front_put_line(f, STR("STARTTLS"));
	}
}

static enum want ehlo(struct front *f, const struct args *args)
{
	size_t last = 0;

	if (!one_name(args))
		return front_reply(f, INVALID_ARGUMENT);
	put_ehlo_lines(f, &last);
	if (f->dialog.out->full)
		return WANT_CLOSE;
	f->dialog.out->at[last] = ' ';
	greeted(f, args);
	f->dialog.login->esmtp = true;
	return WANT_INPUT;
}

static enum want auth(struct front *f, const struct args *args)
{
	if (args->len == 0)
		return front_reply(f, INVALID_ARGUMENT);
	return front_authenticate(f, args);
}

static enum want starttls(struct front *f, const struct args *args)
{
	(void)args;
	if (!front_offers_tls(f))
		return front_invalid(f);
	front_reply(f, "220 2.0.0 Start TLS");
	return WANT_TLS;
}

/* May this go into the envelope? NULL, or the reply that says why not. */
static const char *envelope_fault(const struct front *f, const struct args *args)
{
	if (front_needs_tls(f))
		return "530 5.7.0 Must issue a STARTTLS command first";
	return args->len == 0 || !has_no_controls(args->line) ? INVALID_ARGUMENT : NULL;
}

static enum want mail(struct front *f, const struct args *args)
{
	struct login *l = f->dialog.login;
	const char *fault = envelope_fault(f, args);

	if ((front_settings(f)->methods & SASL_NONE) == 0) {
		dialog_note(&f->dialog, "client was rejected", args->line);
		return front_reply(f, "530 5.7.1 Authentication required");
	}
	if (l->mail.len != 0)
		return front_reply(f, BAD_SEQUENCE);
	if (fault != NULL)
		return front_reply(f, fault);
	front_begin_login(f, SASL_NONE);
	buf_set(&l->mail, args->line);
	return front_reply(f, "250 2.0.0 OK");
}

static enum want rcpt(struct front *f, const struct args *args)
{
	struct login *l = f->dialog.login;
	const char *fault = envelope_fault(f, args);

	if (l->mail.len == 0)
		return front_reply(f, BAD_SEQUENCE);
	if (fault != NULL)
		return front_reply(f, fault);
	front_begin_login(f, SASL_NONE);
	buf_set(&l->rcpt, args->line);
	return WANT_AUTH;
}

static enum want rset(struct front *f, const struct args *args)
{
	(void)args;
	forget_envelope(f);
	return front_reply(f, "250 2.0.0 OK");
}

static enum want noop(struct front *f, const struct args *args)
{
	(void)args;
	return front_reply(f, "250 2.0.0 OK");
}

static enum want quit(struct front *f, const struct args *args)
{
	(void)args;
	front_reply(f, "221 2.0.0 Bye");
	return WANT_CLOSE;
}

static enum want unavailable(struct front *f, const struct args *args)
{
	(void)args;
	return front_invalid(f);
}

static const struct verb VERBS[] = {
	{ LIT("EHLO"), ehlo, 0 },
	{ LIT("HELO"), helo, 0 },
	{ LIT("AUTH"), auth, VERB_CREDENTIALS },
	{ LIT("STARTTLS"), starttls, 0 },
	{ LIT("MAIL"), mail, 0 },
	{ LIT("RCPT"), rcpt, 0 },
	{ LIT("RSET"), rset, 0 },
	{ LIT("NOOP"), noop, 0 },
	{ LIT("QUIT"), quit, 0 },
	{ LIT("VRFY"), unavailable, 0 },
	{ LIT("EXPN"), unavailable, 0 },
	{ LIT("HELP"), unavailable, 0 },
	{ { NULL, 0 }, NULL, 0 },
};

static enum want hear_command(struct dialog *d, struct str line)
{
	return front_command(front_of(d), VERBS, line);
}

static void reply(struct front *f, const char *text)
{
	front_put_line(f, str_of(text));
}

/* Whatever the auth server calls it, a refusal is one: a code that says otherwise would leave the client
 * waiting for the rest. */
static bool is_refusal(struct str code)
{
	return code.len >= 3 && (code.at[0] == '4' || code.at[0] == '5');
}

static void deny(struct front *f, const struct refusal *r)
{
	struct str code = buf_text(&r->code);

	front_put_foreign(f, is_refusal(code) ? code : STR("535 5.7.0"));
	buf_put_byte(f->dialog.out, ' ');
	front_put_foreign(f, buf_text(&r->text));
	front_put_line(f, STR(""));
}

static const struct excuse *excuses(const struct front *f)
{
	static const struct excuse LOGIN[EXCUSES] = {
		[EXCUSE_DENIED] = { "535 5.7.8", "Authentication failed" },
		[EXCUSE_FORBIDDEN] = { "535 5.7.8", "Access denied" },
		[EXCUSE_UNAVAILABLE] = { "454 4.7.0", "Temporary authentication failure" },
	};
	static const struct excuse MAIL[EXCUSES] = {
		[EXCUSE_DENIED] = { "550 5.7.1", "Mail not accepted" },
		[EXCUSE_FORBIDDEN] = { "550 5.7.1", "Mail not accepted" },
		[EXCUSE_UNAVAILABLE] = { "451 4.3.0", "Temporary failure, try again later" },
	};

	return f->dialog.login->method == SASL_NONE ? MAIL : LOGIN;
}

/* RFC 3207 section 4.2: nothing from the time before TLS counts. */
static void restart(struct front *f)
{
	buf_clear(&f->dialog.login->helo);
	f->dialog.login->esmtp = false;
	forget_envelope(f);
}

static const char *const FAREWELLS[NEWS_KINDS] = {
	[NEWS_BROKEN] = "451 4.3.2 Internal server error\r\n",
	[NEWS_FORBIDDEN] = "554 5.7.1 Access denied\r\n",
	[NEWS_BAD_CERTIFICATE] = "421 4.7.1 SSL certificate error\r\n",
	[NEWS_NO_CERTIFICATE] = "421 4.7.1 No required SSL certificate\r\n",
	[NEWS_EARLY_INPUT] = "503 5.5.0 Improper use of SMTP command pipelining\r\n",
	[NEWS_SHUTDOWN] = "421 4.3.2 Server is shutting down\r\n",
};

static const struct manner MANNER = {
	.command = &COMMAND,
	.challenge = "334 ",
	.invalid = "500 5.5.1 Invalid command",
	.welcome = "235 2.0.0 OK",
	.farewells = FAREWELLS,
	.args_max = ARGS_MAX,
	.reply = reply,
	.excuses = excuses,
	.deny = deny,
	.restart = restart,
};

static enum want open(struct dialog *d)
{
	buf_put(d->out, STR("220 "));
	buf_put(d->out, d->stage->server_name);
	front_put_line(front_of(d), STR(" ESMTP ready"));
	d->at = &COMMAND;
	return WANT_INPUT;
}

const struct dialog_ops smtp_front = {
	.size = sizeof(struct front),
	.first = &front_unopened,
	.manner = &MANNER,
	.open = open,
	.told = front_told,
};
