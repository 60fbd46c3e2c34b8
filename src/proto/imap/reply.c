/* SPDX-License-Identifier: BSD-2-Clause */
/* What IMAP servers say before and at the login, and what it means (RFC 9051 section 7, RFC 5530). */
#include "proto/imap/back.h"

bool imap_take_word(struct str *line, struct str word)
{
	struct str rest = *line;

	if (!str_same(str_cut(&rest, ' '), word))
		return false;
	*line = rest;
	return true;
}

static bool is_tag(const struct dialog *d, struct str word, struct str suffix)
{
	struct str tag = buf_text(&d->login->tag);

	return str_starts(word, tag) && str_eq(str_skip(word, tag.len), suffix);
}

enum imap_sort imap_sort_of(const struct dialog *d, struct str line, const char *suffix)
{
	struct str rest = line;

	if (str_starts(line, STR("+")))
		return IMAP_GO_ON;
	if (imap_take_word(&rest, STR("*")))
		return imap_take_word(&rest, STR("BYE")) ? IMAP_BYE : IMAP_UNTAGGED;
	if (!is_tag(d, str_cut(&rest, ' '), str_of(suffix)))
		return IMAP_OTHER;
	if (imap_take_word(&rest, STR("OK")))
		return IMAP_AGREED;
	if (imap_take_word(&rest, STR("NO")) || imap_take_word(&rest, STR("BAD")))
		return IMAP_REFUSED;
	return IMAP_OTHER;
}

/* REFERRAL names another server, and nobody here follows it: a client that did could be led anywhere. */
static enum failure meaning(struct str line, struct str *words)
{
	static const struct back_code CODES[] = {
		{ "[AUTHENTICATIONFAILED]", FAILURE_CREDENTIALS },
		{ "[AUTHORIZATIONFAILED]", FAILURE_ACCOUNT },
		{ "[EXPIRED]", FAILURE_ACCOUNT },
		{ "[PRIVACYREQUIRED]", FAILURE_ACCOUNT },
		{ "[CONTACTADMIN]", FAILURE_ACCOUNT },
		{ "[UNAVAILABLE]", FAILURE_TEMPORARY },
		{ "[INUSE]", FAILURE_LIMIT },
		{ "[LIMIT]", FAILURE_LIMIT },
		{ "[SERVERBUG]", FAILURE_CONFIG },
		{ "[REFERRAL ", FAILURE_CONFIG },
		{ NULL, FAILURE_UNCLEAR },
	};

	str_cut(&line, ' ');
	*words = line;
	return imap_take_word(words, STR("NO")) ? back_meaning(CODES, *words) : FAILURE_CONFIG;
}

bool imap_is_server_bug(struct str line)
{
	str_cut(&line, ' ');
	return imap_take_word(&line, STR("NO")) && str_starts_same(line, STR("[SERVERBUG]"));
}

enum want imap_unwelcome(struct dialog *d, struct str line, enum imap_sort sort)
{
	struct str words;
	enum failure why;

	back_forget_reply(d);
	if (!back_collect(d, line))
		return WANT_GIVE_UP;
	if (sort == IMAP_BYE)
		return back_refused(d, FAILURE_TEMPORARY, STR(""), STR(""));
	if (sort != IMAP_REFUSED)
		return back_nonsense(d);
	why = meaning(line, &words);
	return back_refused(d, why, STR(""), words);
}
