/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IMAP side that faces servers: LOGIN with the client's own tag, so that the server's last line is the
 * client's too.
 *
 * The whole login goes out in one write wherever that is sound: quoted strings when name and password have 7
 * bits and reasonable length, literals without waiting when the greeting announced LITERAL+ or LITERAL- (RFC
 * 7888). Otherwise literals that wait. What the server says untagged between our command and its tagged OK,
 * however many lines, belongs to the client (Gmail and Courier do so).
 */
#include "proto/imap/imap.h"
#include "proto/imap/syntax.h"
#include "talk/back.h"

/* Servers bound the length of a line (RFC 7162 section 4: 8192 octets; old ones 1000), but not that of a
 * literal. */
enum { QUOTED_MAX = 800, LITERAL_MINUS_MAX = 4096 };

static enum want hear_greeting(struct dialog *d, struct str line);
static enum want hear_go_on(struct dialog *d, struct str line);
static enum want hear_reply(struct dialog *d, struct str line);

static const struct state GREETING = { "greeting", "connecting to upstream", hear_greeting };
static const struct state USER = { "user", "sending user name to upstream", hear_go_on };
static const struct state PASSWORD = { "password", "sending password to upstream", hear_go_on };
static const struct state REPLY = { "reply", "sending LOGIN command to upstream", hear_reply };
static const struct state MECHANISM = { "mechanism", "sending AUTH to upstream", hear_go_on };
static const struct state OAUTH = { "OAuth reply", "sending AUTH to upstream", hear_reply };

enum sort { UNTAGGED, BYE, GO_ON, AGREED, REFUSED, OTHER };

/* Take the word `word` off the front of the line, any case; blank or the line's end must follow. */
static bool take_word(struct str *line, struct str word)
{
	struct str rest = *line;

	if (!str_same(str_cut(&rest, ' '), word))
		return false;
	*line = rest;
	return true;
}

static enum sort sort_of(const struct dialog *d, struct str line)
{
	struct str rest = line;

	if (str_starts(line, STR("+")))
		return GO_ON;
	if (take_word(&rest, STR("*")))
		return take_word(&rest, STR("BYE")) ? BYE : UNTAGGED;
	if (!str_eq(str_cut(&rest, ' '), buf_text(&d->login->tag)))
		return OTHER;
	if (take_word(&rest, STR("OK")))
		return AGREED;
	return take_word(&rest, STR("NO")) || take_word(&rest, STR("BAD")) ? REFUSED : OTHER;
}

/* Make this line the whole reply. */
static bool only(struct dialog *d, struct str line)
{
	back_forget_reply(d);
	return back_collect(d, line);
}

/* What is no answer to what was said last: a refusal, or nothing that can be understood. */
static enum want unwelcome(struct dialog *d, struct str line, enum sort sort)
{
	if (!only(d, line))
		return WANT_GIVE_UP;
	return sort == REFUSED || sort == BYE ? back_refused(d) : back_nonsense(d);
}

/* Does the greeting's [CAPABILITY …] have this word? */
static bool announces(struct str greeting, struct str word)
{
	struct str list = str_skip(greeting, str_index(greeting, '[') + 1);

	list = str_cut(&list, ']');
	if (!take_word(&list, STR("CAPABILITY")))
		return false;
	while (list.len != 0)
		if (str_same(str_cut(&list, ' '), word))
			return true;
	return false;
}

static void say_tag(struct dialog *d, const char *command)
{
	buf_put(d->out, buf_text(&d->login->tag));
	buf_put_byte(d->out, ' ');
	buf_put(d->out, str_of(command));
}

/* "{n}" or "{n+}" for what follows on the next line. */
static void put_literal_head(struct dialog *d, const struct buf *what, const char *plus)
{
	buf_format(d->out, "{%zu%s}\r\n", what->len, plus);
}

static enum want say_quoted(struct dialog *d)
{
	say_tag(d, "LOGIN ");
	imap_put_quoted(d->out, buf_text(&d->login->user));
	buf_put_byte(d->out, ' ');
	imap_put_quoted(d->out, buf_text(&d->login->secret));
	return back_say(d, &REPLY, "", STR(""));
}

static enum want say_literals(struct dialog *d)
{
	say_tag(d, "LOGIN ");
	put_literal_head(d, &d->login->user, "+");
	buf_put(d->out, buf_text(&d->login->user));
	buf_put_byte(d->out, ' ');
	put_literal_head(d, &d->login->secret, "+");
	return back_say(d, &REPLY, "", buf_text(&d->login->secret));
}

static enum want say_waiting(struct dialog *d)
{
	say_tag(d, "LOGIN ");
	put_literal_head(d, &d->login->user, "");
	d->at = &USER;
	return WANT_INPUT;
}

static bool fits_quoted(const struct login *l)
{
	return l->user.len + l->secret.len <= QUOTED_MAX && imap_quotable(buf_text(&l->user)) &&
	       imap_quotable(buf_text(&l->secret));
}

static bool fits_literals(const struct login *l, struct str greeting)
{
	if (announces(greeting, STR("LITERAL+")))
		return true;
	return l->user.len <= LITERAL_MINUS_MAX && l->secret.len <= LITERAL_MINUS_MAX &&
	       announces(greeting, STR("LITERAL-"));
}

static enum want say_login(struct dialog *d, struct str greeting)
{
	if (fits_quoted(d->login))
		return say_quoted(d);
	return fits_literals(d->login, greeting) ? say_literals(d) : say_waiting(d);
}

static enum want say_oauth(struct dialog *d, struct str greeting)
{
	say_tag(d, "AUTHENTICATE ");
	buf_put(d->out, sasl_name(back_oauth(d)));
	if (!announces(greeting, STR("SASL-IR")))
		return back_say(d, &MECHANISM, "", STR(""));
	buf_put_byte(d->out, ' ');
	return back_say_oauth(d, &OAUTH);
}

/* PREAUTH would mean a mailbox that nobody has asked for. */
static enum want hear_greeting(struct dialog *d, struct str line)
{
	struct str rest = line;

	if (!take_word(&rest, STR("*")) || !take_word(&rest, STR("OK")))
		return unwelcome(d, line, sort_of(d, line));
	return back_oauth(d) != 0 ? say_oauth(d, line) : say_login(d, line);
}

static enum want go_on(struct dialog *d)
{
	struct login *l = d->login;

	if (d->at == &MECHANISM)
		return back_say_oauth(d, &OAUTH);
	if (d->at == &PASSWORD)
		return back_say(d, &REPLY, "", buf_text(&l->secret));
	buf_put(d->out, buf_text(&l->user));
	buf_put_byte(d->out, ' ');
	put_literal_head(d, &l->secret, "");
	d->at = &PASSWORD;
	return WANT_INPUT;
}

/* Untagged lines before the password was sent tell nobody anything. */
static enum want hear_go_on(struct dialog *d, struct str line)
{
	enum sort sort = sort_of(d, line);

	if (sort == GO_ON)
		return go_on(d);
	return sort == UNTAGGED ? WANT_INPUT : unwelcome(d, line, sort);
}

/* An untagged line with a literal cannot be told from what follows it; no server sends any before login. */
static enum want keep_untagged(struct dialog *d, struct str line)
{
	struct imap_literal due;

	if (imap_announces(line, &due))
		return unwelcome(d, line, OTHER);
	return back_collect(d, line) ? WANT_INPUT : WANT_GIVE_UP;
}

static enum want hear_reply(struct dialog *d, struct str line)
{
	enum sort sort = sort_of(d, line);

	if (sort == UNTAGGED)
		return keep_untagged(d, line);
	if (sort == AGREED)
		return back_collect(d, line) ? WANT_RELAY : WANT_GIVE_UP;
	/* an OAuth server says what was wrong, and refuses once that was acknowledged */
	if (sort == GO_ON && d->at == &OAUTH)
		return back_say(d, &REPLY, "", sasl_dummy(back_oauth(d)));
	return unwelcome(d, line, sort);
}

/* A server may say untagged lines whenever it likes; only answers must wait for their question. */
static enum want told(struct dialog *d, enum news what, struct str text)
{
	if (what == NEWS_EARLY_INPUT && str_starts(text, STR("*")))
		return WANT_INPUT;
	return back_told(d, what, text);
}

static enum want open(struct dialog *d)
{
	return back_open_into(d, &GREETING);
}

const struct dialog_ops imap_back = {
	.size = sizeof(struct dialog),
	.takes_turns = true,
	.first = &back_unopened,
	.open = open,
	.told = told,
};
