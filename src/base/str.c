/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans of bytes; see str.h. An empty span may have a null pointer, so no function hands one to libc. */
#include "base/str.h"

#include <string.h>

struct str str_of(const char *text)
{
	return (struct str){ text, text != NULL ? strlen(text) : 0 };
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Not strncasecmp: that one stops at a NUL, and asks the locale what a letter is. */
bool str_same(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool str_starts(struct str s, struct str with)
{
	return s.len >= with.len && str_eq((struct str){ s.at, with.len }, with);
}

bool str_starts_same(struct str s, struct str with)
{
	return s.len >= with.len && str_same((struct str){ s.at, with.len }, with);
}

size_t str_index(struct str s, char c)
{
	const char *p = s.len != 0 ? memchr(s.at, c, s.len) : NULL;

	return p != NULL ? (size_t)(p - s.at) : s.len;
}

bool str_has(struct str s, char c)
{
	return str_index(s, c) < s.len;
}

struct str str_skip(struct str s, size_t n)
{
	if (s.len == 0)
		return s;
	if (n > s.len)
		n = s.len;
	return (struct str){ s.at + n, s.len - n };
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.len != 0 && blank(s.at[0]))
		s = str_skip(s, 1);
	while (s.len != 0 && blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct str str_cut(struct str *rest, char sep)
{
	size_t n = str_index(*rest, sep);
	struct str head = { rest->at, n };

	*rest = str_skip(*rest, n + 1);
	return head;
}

bool str_line(struct str *rest, struct str *line)
{
	size_t n = str_index(*rest, '\n');

	if (n == rest->len)
		return false;
	*line = (struct str){ rest->at, n };
	*rest = str_skip(*rest, n + 1);
	if (n != 0 && line->at[n - 1] == '\r')
		line->len--;
	return true;
}

bool str_number(struct str s, uint64_t most, uint64_t *number)
{
	uint64_t n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)s.at[i] - '0';

		if (digit > 9 || digit > most || n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return true;
}

/* Volatile, so that no compiler finds out that it may stop early. */
bool str_eq_secret(struct str a, struct str b)
{
	volatile unsigned char difference = a.len != b.len;

	for (size_t i = 0; i < a.len && i < b.len; i++)
		difference = (unsigned char)(difference | (a.at[i] ^ b.at[i]));
	return difference == 0;
}
