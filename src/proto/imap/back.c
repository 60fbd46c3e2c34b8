/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IMAP side that faces servers: STARTTLS and ID where they are wanted, then LOGIN with the client's own
 * tag, so that the server's last line is the client's too. Commands of ours bear longer tags.
 *
 * The whole login goes out in one write wherever that is sound: quoted strings when name and password have 7
 * bits and reasonable length; else AUTHENTICATE PLAIN where the greeting said that one line will do, or
 * literals without waiting when it announced LITERAL+ or LITERAL- (RFC 7888). Otherwise literals that wait.
 * So the server is asked for its capabilities only where something depends on them. What it says untagged
 * between our command and its tagged OK, however many lines, belongs to the client (Gmail and Courier do so).
 */
#include "proto/imap/back.h"
#include "proto/imap/identity.h"
#include "proto/imap/syntax.h"

/* Servers bound the length of a line (RFC 7162 section 4: 8192 octets; old ones 1000), but not that of a
 * literal. */
enum { QUOTED_MAX = 800, PLAIN_MAX = 4096, LITERAL_MINUS_MAX = 4096 };

static enum want hear_greeting(struct dialog *d, struct str line);
static enum want hear_starttls(struct dialog *d, struct str line);
static enum want hear_capability(struct dialog *d, struct str line);
static enum want hear_id(struct dialog *d, struct str line);
static enum want hear_go_on(struct dialog *d, struct str line);
static enum want hear_reply(struct dialog *d, struct str line);

static const struct state GREETING = { "greeting", "connecting to upstream", hear_greeting };
static const struct state STARTTLS = { "STARTTLS", "sending STARTTLS to upstream", hear_starttls };
static const struct state CAPABILITY = { "CAPABILITY", "sending CAPABILITY to upstream", hear_capability };
static const struct state ID = { "ID", "sending ID to upstream", hear_id };
static const struct state USER = { "user", "sending user name to upstream", hear_go_on };
static const struct state PASSWORD = { "password", "sending password to upstream", hear_go_on };
static const struct state REPLY = { "reply", "sending LOGIN command to upstream", hear_reply };
static const struct state MECHANISM = { "mechanism", "sending AUTH to upstream", hear_go_on };
static const struct state OAUTH = { "OAuth reply", "sending AUTH to upstream", hear_reply };

static const struct imap_settings *settings_of(const struct imap_back *b)
{
	return b->dialog.stage->settings;
}

static void say_tag(struct dialog *d, const char *suffix, const char *command)
{
	buf_put(d->out, buf_text(&d->login->tag));
	buf_put(d->out, str_of(suffix));
	buf_put_byte(d->out, ' ');
	buf_put(d->out, str_of(command));
}

enum want imap_say_own(struct dialog *d, const char *suffix, const char *command, const struct state *next)
{
	say_tag(d, suffix, command);
	return back_say(d, next, "", STR(""));
}

/* ---- the login ---- */

/* "{n}" or "{n+}" for what follows on the next line. */
static void put_literal_head(struct dialog *d, const struct buf *what, const char *plus)
{
	buf_format(d->out, "{%zu%s}\r\n", what->len, plus);
}

static enum want say_quoted(struct dialog *d)
{
	back_expose(d);
	say_tag(d, "", "LOGIN ");
	imap_put_quoted(d->out, buf_text(&d->login->user));
	buf_put_byte(d->out, ' ');
	imap_put_quoted(d->out, buf_text(&d->login->secret));
	return back_say(d, &REPLY, "", STR(""));
}

static enum want say_literals(struct dialog *d)
{
	back_expose(d);
	say_tag(d, "", "LOGIN ");
	put_literal_head(d, &d->login->user, "+");
	buf_put(d->out, buf_text(&d->login->user));
	buf_put_byte(d->out, ' ');
	put_literal_head(d, &d->login->secret, "+");
	return back_say(d, &REPLY, "", buf_text(&d->login->secret));
}

static enum want say_waiting(struct dialog *d)
{
	say_tag(d, "", "LOGIN ");
	put_literal_head(d, &d->login->user, "");
	d->at = &USER;
	return WANT_INPUT;
}

static const struct state *reply_to(enum sasl_method m)
{
	return m == SASL_XOAUTH2 || m == SASL_OAUTHBEARER ? &OAUTH : &REPLY;
}

static enum want say_authenticate(struct imap_back *b, enum sasl_method m)
{
	struct dialog *d = &b->dialog;

	b->method = m;
	say_tag(d, "", "AUTHENTICATE ");
	buf_put(d->out, sasl_name(m));
	if ((b->caps.words & IMAP_SASL_IR) == 0)
		return back_say(d, &MECHANISM, "", STR(""));
	buf_put_byte(d->out, ' ');
	return back_say_message(d, reply_to(m), m);
}

static bool fits_quoted(const struct login *l)
{
	return l->user.len + l->secret.len <= QUOTED_MAX && imap_quotable(buf_text(&l->user)) &&
	       imap_quotable(buf_text(&l->secret));
}

/* In one line, which has no trouble with 8 bits. */
static bool fits_plain(const struct imap_back *b)
{
	const struct login *l = b->dialog.login;

	return (b->caps.methods & SASL_PLAIN) != 0 && (b->caps.words & IMAP_SASL_IR) != 0 &&
	       l->user.len + l->secret.len <= PLAIN_MAX;
}

static bool fits_literals(const struct imap_back *b)
{
	const struct login *l = b->dialog.login;

	if ((b->caps.words & IMAP_LITERAL_PLUS) != 0)
		return true;
	return l->user.len <= LITERAL_MINUS_MAX && l->secret.len <= LITERAL_MINUS_MAX &&
	       (b->caps.words & IMAP_LITERAL_MINUS) != 0;
}

static enum want say_password(struct imap_back *b)
{
	struct dialog *d = &b->dialog;

	if (fits_quoted(d->login))
		return say_quoted(d);
	if (fits_plain(b))
		return say_authenticate(b, SASL_PLAIN);
	return fits_literals(b) ? say_literals(d) : say_waiting(d);
}

/* LOGIN knows no master user (RFC 4616 does), and not every server knows LOGIN. */
static enum want say_login(struct imap_back *b)
{
	struct dialog *d = &b->dialog;
	enum sasl_method oauth = back_oauth(d, b->caps.methods);
	bool disabled = (b->caps.words & IMAP_LOGINDISABLED) != 0;

	if (oauth != 0)
		return say_authenticate(b, oauth);
	if (d->stage->vouched && (b->caps.methods & SASL_EXTERNAL) != 0)
		return say_authenticate(b, SASL_EXTERNAL);
	if (disabled && !d->secure)
		return back_unfit(d, "upstream allows no login without TLS");
	if (disabled && (b->caps.methods & SASL_PLAIN) == 0)
		return back_unfit(d, "upstream offers no way to log in with a password");
	if (disabled || d->login->master.len != 0)
		return say_authenticate(b, SASL_PLAIN);
	return say_password(b);
}

/* ---- before it ---- */

static bool wants_id(const struct imap_back *b)
{
	unsigned identity = settings_of(b)->identity;

	if (identity == IMAP_IDENTITY_ON)
		return (b->caps.words & IMAP_ID) != 0;
	return identity != IMAP_IDENTITY_OFF;
}

static enum want introduce(struct imap_back *b)
{
	struct dialog *d = &b->dialog;
	enum want want = WANT_INPUT;

	if (!wants_id(b))
		return say_login(b);
	say_tag(d, ".i", "");
	imap_put_id(d, settings_of(b)->identity == IMAP_IDENTITY_ZIMBRA);
	if (settings_of(b)->pipelining) {
		want = say_login(b);
		b->behind = d->at;
	}
	d->at = &ID;
	return want;
}

static enum want ask_capability(struct imap_back *b)
{
	return imap_say_own(&b->dialog, ".c", "CAPABILITY", &CAPABILITY);
}

static enum want greeted(struct imap_back *b)
{
	struct dialog *d = &b->dialog;

	if (d->stage->secures && !d->secure) {
		if (b->caps.known && (b->caps.words & IMAP_STARTTLS) == 0)
			return back_unfit(d, BACK_NO_STARTTLS);
		return imap_say_own(d, ".s", "STARTTLS", &STARTTLS);
	}
	if (settings_of(b)->identity == IMAP_IDENTITY_ON && !b->caps.known)
		return ask_capability(b);
	return introduce(b);
}

/* PREAUTH would mean a mailbox that nobody has asked for, and a way around TLS. */
static enum want hear_greeting(struct dialog *d, struct str line)
{
	struct imap_back *b = imap_back_of(d);
	struct str text = line, list;

	if (!imap_take_word(&text, STR("*")) || !imap_take_word(&text, STR("OK"))) {
		enum want want = imap_unwelcome(d, line, imap_sort_of(d, line, ""));

		if (imap_take_word(&text, STR("PREAUTH")))
			d->login->failure = FAILURE_CONFIG;
		return want;
	}
	if (imap_caps_code(&text, &list))
		imap_caps_learn(&b->caps, list);
	return greeted(b);
}

static enum want hear_starttls(struct dialog *d, struct str line)
{
	enum imap_sort sort = imap_sort_of(d, line, ".s");

	if (sort == IMAP_UNTAGGED)
		return WANT_INPUT;
	if (sort == IMAP_AGREED)
		return WANT_TLS;
	return sort == IMAP_REFUSED ? back_unfit(d, BACK_NO_STARTTLS) : imap_unwelcome(d, line, sort);
}

/* A server that does not say what it can is taken for one that can the least. */
static enum want hear_capability(struct dialog *d, struct str line)
{
	struct imap_back *b = imap_back_of(d);
	enum imap_sort sort = imap_sort_of(d, line, ".c");
	struct str list = line;

	if (sort == IMAP_UNTAGGED) {
		imap_take_word(&list, STR("*"));
		if (imap_take_word(&list, STR("CAPABILITY")))
			imap_caps_learn(&b->caps, list);
		return WANT_INPUT;
	}
	if (sort != IMAP_AGREED && sort != IMAP_REFUSED)
		return imap_unwelcome(d, line, sort);
	return introduce(b);
}

/* A server that will not hear who the client is may still let it in; one with a bug will not. */
static enum want hear_id(struct dialog *d, struct str line)
{
	struct imap_back *b = imap_back_of(d);
	enum imap_sort sort = imap_sort_of(d, line, ".i");

	if (sort == IMAP_UNTAGGED)
		return WANT_INPUT;
	if (sort != IMAP_AGREED && sort != IMAP_REFUSED)
		return imap_unwelcome(d, line, sort);
	if (sort == IMAP_REFUSED && imap_is_server_bug(line)) {
		back_forget_reply(d);
		return back_collect(d, line) ? back_unfit(d, "upstream reports a fault of its own")
					     : WANT_GIVE_UP;
	}
	if (b->behind == NULL)
		return say_login(b);
	d->at = b->behind;
	return WANT_INPUT;
}

/* ---- behind it ---- */

static enum want go_on(struct dialog *d)
{
	struct imap_back *b = imap_back_of(d);
	struct login *l = d->login;

	if (d->at == &MECHANISM)
		return back_say_message(d, reply_to(b->method), b->method);
	if (d->at == &PASSWORD) {
		back_expose(d);
		return back_say(d, &REPLY, "", buf_text(&l->secret));
	}
	buf_put(d->out, buf_text(&l->user));
	buf_put_byte(d->out, ' ');
	put_literal_head(d, &l->secret, "");
	d->at = &PASSWORD;
	return WANT_INPUT;
}

/* Untagged lines before the password was sent tell nobody anything. */
static enum want hear_go_on(struct dialog *d, struct str line)
{
	enum imap_sort sort = imap_sort_of(d, line, "");

	if (sort == IMAP_GO_ON)
		return go_on(d);
	if (sort == IMAP_UNTAGGED)
		return WANT_INPUT;
	imap_unwelcome(d, line, sort);
	/* a mechanism was refused, and nobody's password with it */
	if (d->at == &MECHANISM && d->login->failure == FAILURE_UNCLEAR)
		d->login->failure = FAILURE_CONFIG;
	return WANT_GIVE_UP;
}

/* An untagged line with a literal cannot be told from what follows it; no server sends any before login. */
static enum want keep_untagged(struct dialog *d, struct str line)
{
	struct imap_literal due;

	if (imap_announces(line, &due))
		return imap_unwelcome(d, line, IMAP_OTHER);
	if (imap_retells(d) && imap_retell_keeps(imap_back_of(d), line))
		return WANT_INPUT;
	return back_collect(d, line) ? WANT_INPUT : WANT_GIVE_UP;
}

static enum want hear_reply(struct dialog *d, struct str line)
{
	struct imap_back *b = imap_back_of(d);
	enum imap_sort sort = imap_sort_of(d, line, "");

	if (sort == IMAP_UNTAGGED)
		return keep_untagged(d, line);
	if (sort == IMAP_AGREED && imap_retells(d))
		return imap_retell(b, line);
	if (sort == IMAP_AGREED)
		return back_collect(d, line) ? WANT_RELAY : WANT_GIVE_UP;
	/* an OAuth server says what was wrong, and refuses once that was acknowledged */
	if (sort == IMAP_GO_ON && d->at == &OAUTH) {
		back_keep_challenge(d, str_trim(str_skip(line, 1)));
		return back_say(d, &REPLY, "", sasl_dummy(b->method));
	}
	return imap_unwelcome(d, line, sort);
}

static enum want secured(struct imap_back *b)
{
	back_secured(&b->dialog);
	b->caps = (struct imap_caps){ .known = false };
	return ask_capability(b);
}

/* A server may say untagged lines whenever it likes, but not before a handshake; answers must wait for their
 * question. */
static enum want told(struct dialog *d, enum news what, struct str text)
{
	if (what == NEWS_SECURED)
		return secured(imap_back_of(d));
	if (what == NEWS_EARLY_INPUT && d->at != &STARTTLS && str_starts(text, STR("*")))
		return WANT_INPUT;
	return back_told(d, what, text);
}

static enum want open(struct dialog *d)
{
	struct imap_back *b = imap_back_of(d);

	buf_init_in(&b->list, d->stage->arena, d->stage->line_max);
	buf_init_in(&b->closing, d->stage->arena, d->stage->line_max);
	return back_open_into(d, &GREETING);
}

const struct dialog_ops imap_back = {
	.size = sizeof(struct imap_back),
	.takes_turns = true,
	.first = &back_unopened,
	.open = open,
	.told = told,
};
