/* SPDX-License-Identifier: BSD-2-Clause */
/* See envelope.h. Whatever was typed, the answer lies within it: a command that makes no sense has some
 * address or none, and the mail server will refuse it. */
#include "talk/envelope.h"

/* The position of the first `c` outside of quoted strings (RFC 5321 section 4.1.2), or s.len. */
static size_t unquoted(struct str s, char c)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (!quoted && s.at[i] == c)
			return i;
		if (quoted && s.at[i] == '\\')
			i++;
		else if (s.at[i] == '"')
			quoted = !quoted;
	}
	return s.len;
}

static struct str without_route(struct str path)
{
	size_t colon = str_index(path, ':');

	return str_starts(path, STR("@")) && colon < path.len ? str_skip(path, colon + 1) : path;
}

struct str envelope_address(struct str command)
{
	struct str text = str_trim(str_skip(command, str_index(command, ':') + 1));

	if (str_starts(text, STR("<"))) {
		text = str_skip(text, 1);
		return without_route((struct str){ text.at, unquoted(text, '>') });
	}
	return (struct str){ text.at, unquoted(text, ' ') };
}
