/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The POP3 side that faces servers: USER and PASS, or AUTH with an OAuth mechanism.
 *
 * An OAuth message never goes along with AUTH itself: lines with an initial response may have no more than
 * 255 bytes (RFC 5034 section 4).
 */
#include "proto/pop3/pop3.h"
#include "talk/back.h"

static enum want hear_greeting(struct dialog *d, struct str line);
static enum want hear_user(struct dialog *d, struct str line);
static enum want hear_mechanism(struct dialog *d, struct str line);
static enum want hear_last(struct dialog *d, struct str line);

static const struct state GREETING = { "greeting", "connecting to upstream", hear_greeting };
static const struct state USER = { "USER", "sending user name to upstream", hear_user };
static const struct state PASS = { "PASS", "sending password to upstream", hear_last };
static const struct state MECHANISM = { "AUTH", "sending AUTH to upstream", hear_mechanism };
static const struct state OAUTH = { "OAuth reply", "sending AUTH to upstream", hear_last };

enum sort { AGREED, GO_ON, REFUSED, OTHER };

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

static enum want unwelcome(struct dialog *d, enum sort sort)
{
	if (d->complaint != NULL)
		return WANT_GIVE_UP;
	return sort == REFUSED ? back_refused(d) : back_nonsense(d);
}

static enum want hear_greeting(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	if (sort != AGREED)
		return unwelcome(d, sort);
	if (back_oauth(d) != 0)
		return back_say(d, &MECHANISM, "AUTH ", sasl_name(back_oauth(d)));
	return back_say(d, &USER, "USER ", buf_text(&d->login->user));
}

static enum want hear_user(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	return sort == AGREED ? back_say(d, &PASS, "PASS ", buf_text(&d->login->secret)) : unwelcome(d, sort);
}

static enum want hear_mechanism(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	return sort == GO_ON ? back_say_oauth(d, &OAUTH) : unwelcome(d, sort);
}

/* An OAuth server says what was wrong, and refuses once that was acknowledged. */
static enum want hear_last(struct dialog *d, struct str line)
{
	enum sort sort = sort_reply(d, line);

	if (sort == AGREED)
		return WANT_RELAY;
	if (sort == GO_ON && d->at == &OAUTH)
		return back_say(d, &PASS, "", sasl_dummy(back_oauth(d)));
	return unwelcome(d, sort);
}

static enum want open(struct dialog *d)
{
	return back_open_into(d, &GREETING);
}

const struct dialog_ops pop3_back = {
	.size = sizeof(struct dialog),
	.takes_turns = true,
	.first = &back_unopened,
	.open = open,
	.told = back_told,
};
