/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the client learns of the server's capabilities behind the login. It has seen ours, or none, and may
 * never ask again.
 *
 * The server's list is that of its tagged OK, else of an untagged line before it, else it is asked, and only
 * then costs a round trip; a list from before the login says little about the time behind it. A client that
 * has asked for capabilities itself may not read codes: it hears the list untagged. One that never did gets
 * it as the code of its OK. What is no longer true behind a login is left out (capability.h).
 */
#include "proto/imap/back.h"
#include "proto/imap/syntax.h"

#include "base/text.h"

static enum want hear_list(struct dialog *d, struct str line);

static const struct state LIST = { "list", "sending CAPABILITY to upstream", hear_list };

bool imap_retells(const struct dialog *d)
{
	const struct imap_settings *s = d->stage->settings;

	return d->stage->retells || d->secure || s->identity != IMAP_IDENTITY_OFF;
}

bool imap_retell_keeps(struct imap_back *b, struct str line)
{
	if (!imap_take_word(&line, STR("*")) || !imap_take_word(&line, STR("CAPABILITY")) ||
	    !is_line_safe(line))
		return false;
	buf_set(&b->list, line);
	return true;
}

/* Another code at the front of the text makes room for ours. */
static struct str without_code(struct str text)
{
	if (!str_starts(text, STR("[")) || !str_has(text, ']'))
		return text;
	return str_trim(str_skip(text, str_index(text, ']') + 1));
}

static enum want answer_client(struct imap_back *b)
{
	struct login *l = b->dialog.login;
	struct buf *to = &l->answer;
	struct str text = buf_text(&b->closing);

	if (b->list.len != 0 && l->asked_capability) {
		buf_put(to, STR("* CAPABILITY"));
		imap_put_caps(to, buf_text(&b->list));
		buf_put(to, STR("\r\n"));
	}
	buf_put(to, buf_text(&l->tag));
	buf_put(to, STR(" OK "));
	if (b->list.len != 0 && !l->asked_capability) {
		buf_put(to, STR("[CAPABILITY"));
		imap_put_caps(to, buf_text(&b->list));
		buf_put(to, STR("] "));
		text = without_code(text);
	}
	buf_put(to, text);
	buf_put(to, STR("\r\n"));
	if (!to->full)
		return WANT_RELAY;
	back_forget_reply(&b->dialog);
	return back_nonsense(&b->dialog);
}

enum want imap_retell(struct imap_back *b, struct str line)
{
	struct dialog *d = &b->dialog;
	struct str text = line, list;

	if (!is_line_safe(line))
		return imap_unwelcome(d, line, IMAP_OTHER);
	str_cut(&text, ' ');
	imap_take_word(&text, STR("OK"));
	if (imap_caps_code(&text, &list))
		buf_set(&b->list, list);
	buf_set(&b->closing, text);
	if (b->list.len != 0)
		return answer_client(b);
	return imap_say_own(d, ".l", "CAPABILITY", &LIST);
}

/* Logged in is logged in: a server that does not tell changes nothing about that. */
static enum want hear_list(struct dialog *d, struct str line)
{
	struct imap_back *b = imap_back_of(d);
	enum imap_sort sort = imap_sort_of(d, line, ".l");

	if (sort == IMAP_UNTAGGED) {
		struct imap_literal due;

		if (imap_retell_keeps(b, line))
			return WANT_INPUT;
		if (imap_announces(line, &due))
			return imap_unwelcome(d, line, IMAP_OTHER);
		return back_collect(d, line) ? WANT_INPUT : WANT_GIVE_UP;
	}
	if (sort == IMAP_AGREED || sort == IMAP_REFUSED)
		return answer_client(b);
	return imap_unwelcome(d, line, sort);
}
