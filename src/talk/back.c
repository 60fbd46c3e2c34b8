/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of all backs; see back.h. */
#include "talk/back.h"

#include "base/must.h"
#include "base/text.h"

static enum want hear_nothing(struct dialog *d, struct str line);

const struct state back_unopened = { "unopened", "connecting to upstream", hear_nothing };

/* How much of what a server said out of turn goes to the log. */
enum { SHOWN_MAX = 256 };

static enum want hear_nothing(struct dialog *d, struct str line)
{
	(void)d, (void)line;
	return WANT_GIVE_UP;
}

static enum want give_up(struct dialog *d, const char *complaint)
{
	d->complaint = complaint;
	return WANT_GIVE_UP;
}

/*
 * Names and passwords may come from the auth server too, so what the front refused is looked for again, and
 * what was too long to be kept: here is the last place before the bytes become commands of ours.
 */
enum want back_open_into(struct dialog *d, const struct state *first)
{
	const struct login *l = d->login;
	const struct buf *said[] = { &l->user, &l->secret, &l->tag, &l->helo, &l->mail, &l->rcpt };

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		if (said[i]->full || !is_line_safe(buf_text(said[i])))
			return give_up(d, "login cannot be said to upstream");
	back_forget_reply(d);
	d->at = first;
	return WANT_INPUT;
}

void back_forget_reply(struct dialog *d)
{
	buf_clear(&d->login->answer);
	d->login->presentable = false;
}

enum want back_say(struct dialog *d, const struct state *next, const char *verb, struct str arg)
{
	must(is_line_safe(arg));
	buf_put(d->out, str_of(verb));
	buf_put(d->out, arg);
	buf_put(d->out, STR("\r\n"));
	d->at = next;
	return WANT_INPUT;
}

static enum want show(struct dialog *d, struct str text, const char *complaint)
{
	if (text.len > SHOWN_MAX)
		text.len = SHOWN_MAX;
	back_forget_reply(d);
	buf_put(&d->login->answer, text);
	return give_up(d, complaint);
}

bool back_collect(struct dialog *d, struct str line)
{
	struct buf *answer = &d->login->answer;

	if (!is_line_safe(line)) {
		show(d, line, "upstream sent invalid response");
		return false;
	}
	buf_put(answer, line);
	buf_put(answer, STR("\r\n"));
	if (answer->full)
		show(d, line, "upstream sent too long response line");
	return d->complaint == NULL;
}

enum want back_refused(struct dialog *d)
{
	d->login->presentable = true;
	return give_up(d, "upstream sent invalid response");
}

enum want back_nonsense(struct dialog *d)
{
	return give_up(d, "upstream sent invalid response");
}

enum want back_told(struct dialog *d, enum news what, struct str text)
{
	if (what == NEWS_TOO_LONG)
		return show(d, text, "upstream sent too long response line");
	return show(d, text, "upstream sent invalid response");
}

enum sasl_method back_oauth(const struct dialog *d)
{
	enum sasl_method m = d->login->back_method;

	return m == SASL_XOAUTH2 || m == SASL_OAUTHBEARER ? m : 0;
}

enum want back_say_oauth(struct dialog *d, const struct state *next)
{
	sasl_say(d->out, back_oauth(d), buf_text(&d->login->user), buf_text(&d->login->secret));
	return back_say(d, next, "", STR(""));
}
