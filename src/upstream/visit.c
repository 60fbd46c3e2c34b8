/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A visit: hear how a mail server greets, perhaps ask what it can, take leave. What it says is compared with
 * the first bytes that it must say when it is well; a server that greets with trouble (421, * BYE, -ERR) is
 * not. Replies of several lines end in a line that begins as `end`.
 */
#include "upstream/visit.h"

struct words {
	struct str greeting;	 /* how the greeting's lines begin … */
	struct str greeting_end; /* … and its last one */
	struct str ask;
	struct str reply; /* how lines of the reply may begin … */
	struct str end;	  /* … and the last one of a reply that is good */
	struct str leave;
};

static const struct words IMAP = { LIT("* OK"), LIT("* OK"), LIT("a CAPABILITY\r\n"),
				   LIT("* "),	LIT("a OK"), LIT("b LOGOUT\r\n") };
static const struct words POP3 = {
	LIT("+OK"), LIT("+OK"), LIT("CAPA\r\n"), LIT(""), LIT("."), LIT("QUIT\r\n")
};
static const struct words SMTP = { LIT("220"),	LIT("220 "), LIT("EHLO localhost\r\n"),
				   LIT("250-"), LIT("250 "), LIT("QUIT\r\n") };

struct visit {
	struct dialog dialog;
	bool first; /* no line of the reply was heard yet */
};

struct visit_ops {
	struct dialog_ops ops;
	const struct words *words;
	bool asks;
};

static const struct words *words_of(const struct dialog *d)
{
	return ((const struct visit_ops *)(const void *)d->ops)->words;
}

static enum want give_up(struct dialog *d, const char *complaint)
{
	d->complaint = complaint;
	return WANT_GIVE_UP;
}

static enum want take_leave(struct dialog *d)
{
	buf_put(d->out, words_of(d)->leave);
	return WANT_RELAY;
}

static enum want hear_reply(struct dialog *d, struct str line)
{
	struct visit *v = (struct visit *)(void *)d;
	const struct words *w = words_of(d);
	bool first = v->first;

	v->first = false;
	if (first && w == &POP3)
		return str_starts(line, STR("+OK")) ? WANT_INPUT : give_up(d, "it does not tell what it can");
	if (str_starts(line, w->end))
		return take_leave(d);
	return str_starts(line, w->reply) ? WANT_INPUT : give_up(d, "it does not tell what it can");
}

static const struct state REPLY = { "capability", "asking what it can", hear_reply };

static enum want hear_greeting(struct dialog *d, struct str line)
{
	const struct visit_ops *ops = (const struct visit_ops *)(const void *)d->ops;

	if (!str_starts(line, ops->words->greeting))
		return give_up(d, "its greeting is none, or one of trouble");
	if (!str_starts(line, ops->words->greeting_end) && line.len > ops->words->greeting.len)
		return WANT_INPUT;
	if (!ops->asks)
		return take_leave(d);
	buf_put(d->out, ops->words->ask);
	((struct visit *)(void *)d)->first = true;
	d->at = &REPLY;
	return WANT_INPUT;
}

static const struct state GREETING = { "greeting", "waiting for the greeting", hear_greeting };

static enum want open(struct dialog *d)
{
	d->at = &GREETING;
	return WANT_INPUT;
}

static enum want told(struct dialog *d, enum news what, struct str text)
{
	(void)text;
	return give_up(d, what == NEWS_TOO_LONG ? "it sent a line that is too long" : "it spoke out of turn");
}

#define VISIT(which, asking)                                                                              \
	{                                                                                                 \
		{ .size = sizeof(struct visit), .first = &GREETING, .open = open, .told = told }, &which, \
			asking                                                                            \
	}

static const struct {
	struct str name;
	struct visit_ops greeting, capability;
} VISITS[] = {
	{ LIT("imap"), VISIT(IMAP, false), VISIT(IMAP, true) },
	{ LIT("pop3"), VISIT(POP3, false), VISIT(POP3, true) },
	{ LIT("smtp"), VISIT(SMTP, false), VISIT(SMTP, true) },
};

enum { VISITS_LEN = sizeof(VISITS) / sizeof(VISITS[0]) };

const struct dialog_ops *visit_greeting(struct str protocol)
{
	for (size_t i = 0; i < VISITS_LEN; i++)
		if (str_eq(VISITS[i].name, protocol))
			return &VISITS[i].greeting.ops;
	return NULL;
}

const struct dialog_ops *visit_capability(struct str protocol)
{
	for (size_t i = 0; i < VISITS_LEN; i++)
		if (str_eq(VISITS[i].name, protocol))
			return &VISITS[i].capability.ops;
	return NULL;
}
