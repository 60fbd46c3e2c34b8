/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability lists; see capability.h. */
#include "proto/imap/capability.h"

#include "talk/back.h"

static const struct {
	struct str name;
	enum imap_word bit;
} WORDS[] = {
	{ LIT("STARTTLS"), IMAP_STARTTLS },
	{ LIT("LOGINDISABLED"), IMAP_LOGINDISABLED },
	{ LIT("SASL-IR"), IMAP_SASL_IR },
	{ LIT("LITERAL+"), IMAP_LITERAL_PLUS },
	{ LIT("ID"), IMAP_ID },
	{ LIT("LITERAL-"), IMAP_LITERAL_MINUS },
};

static unsigned bit_of(struct str word)
{
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++)
		if (str_same(word, WORDS[i].name))
			return WORDS[i].bit;
	return 0;
}

void imap_caps_learn(struct imap_caps *c, struct str list)
{
	*c = (struct imap_caps){ .known = true, .methods = back_methods(list, STR("AUTH=")) };
	while (list.len != 0)
		c->words |= bit_of(str_cut(&list, ' '));
}

bool imap_caps_code(struct str *text, struct str *list)
{
	struct str rest = *text, code;

	if (!str_starts(rest, STR("[")) || !str_has(rest, ']'))
		return false;
	rest = str_skip(rest, 1);
	code = str_cut(&rest, ']');
	if (!str_same(str_cut(&code, ' '), STR("CAPABILITY")))
		return false;
	*list = code;
	*text = str_trim(rest);
	return true;
}

static bool is_over(struct str word)
{
	return word.len == 0 || (bit_of(word) & (IMAP_STARTTLS | IMAP_LOGINDISABLED | IMAP_SASL_IR)) != 0 ||
	       str_starts_same(word, STR("AUTH=")) || str_same(word, STR("LOGIN-REFERRALS"));
}

void imap_put_caps(struct buf *to, struct str list)
{
	while (list.len != 0) {
		struct str word = str_cut(&list, ' ');

		if (is_over(word))
			continue;
		buf_put_byte(to, ' ');
		buf_put(to, word);
	}
}
