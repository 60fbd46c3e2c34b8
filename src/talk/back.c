/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of all backs; see back.h. */
#include "talk/back.h"

#include "base/must.h"
#include "base/text.h"

static enum want hear_nothing(struct dialog *d, struct str line);

const char BACK_NO_STARTTLS[] = "upstream does not offer STARTTLS";

const struct state back_unopened = { "unopened", "connecting to upstream", hear_nothing };

/* How much of what a server said out of turn goes to the log. */
enum { SHOWN_MAX = 256 };

/* How much of a refusal the client is shown. */
enum { WORDS_MAX = 256 };

static enum want hear_nothing(struct dialog *d, struct str line)
{
	(void)d, (void)line;
	return WANT_GIVE_UP;
}

static enum want give_up(struct dialog *d, enum failure why, const char *complaint)
{
	d->login->failure = why;
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
	const struct buf *said[] = {
		&l->user, &l->secret, &l->master, &l->tag, &l->helo, &l->mail, &l->rcpt
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		if (said[i]->full || !is_line_safe(buf_text(said[i])))
			return give_up(d, FAILURE_CONFIG, "login cannot be said to upstream");
	login_forget_answer(d->login);
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
	return give_up(d, FAILURE_TEMPORARY, complaint);
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

enum failure back_meaning(const struct back_code *table, struct str code)
{
	while (table->name != NULL && !str_starts_same(code, str_of(table->name)))
		table++;
	return table->means;
}

/* Only what explains an account or a limit is better in the server's words than in ours; it must be one line
 * of text. */
static void keep_words(struct dialog *d, struct str code, struct str words)
{
	struct refusal *r = &d->login->refusal;

	if (words.len > WORDS_MAX || !has_no_controls(words))
		return;
	buf_set(&r->code, code);
	buf_set(&r->text, words);
}

enum want back_refused(struct dialog *d, enum failure why, struct str code, struct str words)
{
	d->login->presentable = true;
	if (why == FAILURE_ACCOUNT || why == FAILURE_LIMIT)
		keep_words(d, code, words);
	return give_up(d, why, "upstream sent invalid response");
}

enum want back_nonsense(struct dialog *d)
{
	return give_up(d, FAILURE_TEMPORARY, "upstream sent invalid response");
}

enum want back_unfit(struct dialog *d, const char *complaint)
{
	return give_up(d, FAILURE_CONFIG, complaint);
}

void back_secured(struct dialog *d)
{
	d->secure = true;
	back_forget_reply(d);
}

enum want back_told(struct dialog *d, enum news what, struct str text)
{
	if (what == NEWS_TOO_LONG)
		return show(d, text, "upstream sent too long response line");
	return show(d, text, "upstream sent invalid response");
}

enum sasl_method back_oauth(const struct dialog *d, unsigned offered)
{
	enum sasl_method m = d->login->back_method, other = SASL_XOAUTH2;

	if (m != SASL_XOAUTH2 && m != SASL_OAUTHBEARER)
		return 0;
	if (m == SASL_XOAUTH2)
		other = SASL_OAUTHBEARER;
	return (offered & m) == 0 && (offered & other) != 0 ? other : m;
}

unsigned back_methods(struct str list, struct str before)
{
	unsigned methods = 0;

	while (list.len != 0) {
		struct str word = str_cut(&list, ' ');
		const struct sasl_mechanism *m;

		if (!str_starts_same(word, before))
			continue;
		m = sasl_find(str_skip(word, before.len));
		if (m != NULL)
			methods |= sasl_method(m);
	}
	return methods;
}

void back_expose(struct dialog *d)
{
	d->login->exposed = true;
}

void back_put_message(struct dialog *d, enum sasl_method m)
{
	const struct login *l = d->login;

	back_expose(d);
	sasl_say(d->out, m, buf_text(&l->master), buf_text(&l->user), buf_text(&l->secret));
}

enum want back_say_message(struct dialog *d, const struct state *next, enum sasl_method m)
{
	back_put_message(d, m);
	return back_say(d, next, "", STR(""));
}

void back_keep_challenge(struct dialog *d, struct str base64)
{
	struct buf *to = &d->login->refusal.sasl;

	if (has_no_controls(base64))
		buf_set(to, base64);
	if (to->full)
		buf_clear(to);
}
