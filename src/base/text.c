/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as text; see text.h. */
#include "base/text.h"

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char HEX_LOWER[] = "0123456789abcdef";
static const char HEX_UPPER[] = "0123456789ABCDEF";

static unsigned byte_at(struct str s, size_t i)
{
	return i < s.len ? (unsigned char)s.at[i] : 0;
}

void base64_put(struct buf *to, struct str bytes)
{
	size_t size = (bytes.len + 2) / 3 * 4;
	char *at = size != 0 ? buf_space(to, size) : NULL;

	if (at == NULL)
		return;
	for (size_t i = 0; i < bytes.len; i += 3) {
		unsigned bits = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);

		*at++ = BASE64[bits >> 18];
		*at++ = BASE64[bits >> 12 & 63];
		*at++ = i + 1 < bytes.len ? BASE64[bits >> 6 & 63] : '=';
		*at++ = i + 2 < bytes.len ? BASE64[bits & 63] : '=';
	}
	buf_grew(to, size);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Is the tail behind the alphabet's characters what padding may be? Only '=', and no more than make up
 * four. */
static bool good_padding(struct str tail, size_t chars)
{
	for (size_t i = 0; i < tail.len; i++)
		if (tail.at[i] != '=')
			return false;
	if (chars == 0)
		return tail.len <= 1;
	return tail.len <= (4 - chars % 4) % 4;
}

bool base64_get(struct buf *to, struct str text)
{
	size_t chars = 0, size;
	unsigned bits = 0;
	char *at;

	while (chars < text.len && base64_value(text.at[chars]) >= 0)
		chars++;
	if (chars % 4 == 1 || !good_padding(str_skip(text, chars), chars))
		return false;
	size = chars / 4 * 3 + (chars % 4 != 0 ? chars % 4 - 1 : 0);
	if (size == 0)
		return true;
	at = buf_space(to, size);
	if (at == NULL)
		return false;
	for (size_t i = 0, done = 0; i < chars; i++) {
		bits = bits << 6 | (unsigned)base64_value(text.at[i]);
		if (i % 4 != 0)
			at[done++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	buf_grew(to, size);
	return true;
}

void hex_put(struct buf *to, struct str bytes)
{
	char *at = bytes.len != 0 ? buf_space(to, 2 * bytes.len) : NULL;

	if (at == NULL)
		return;
	for (size_t i = 0; i < bytes.len; i++) {
		*at++ = HEX_LOWER[byte_at(bytes, i) >> 4];
		*at++ = HEX_LOWER[byte_at(bytes, i) & 15];
	}
	buf_grew(to, 2 * bytes.len);
}

/* Put `bytes`, with `mark` and two hex digits in place of each one that `special` picks; untouched runs go in
 * one piece. */
static void escape(struct buf *to, struct str bytes, struct str mark, bool (*special)(unsigned char))
{
	size_t start = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.at[i];

		if (!special(c))
			continue;
		buf_put(to, (struct str){ bytes.at + start, i - start });
		buf_put(to, mark);
		buf_put_byte(to, HEX_UPPER[c >> 4]);
		buf_put_byte(to, HEX_UPPER[c & 15]);
		start = i + 1;
	}
	buf_put(to, str_skip(bytes, start));
}

static bool percent_special(unsigned char c)
{
	return c <= ' ' || c == '%';
}

void percent_put(struct buf *to, struct str bytes)
{
	escape(to, bytes, STR("%"), percent_special);
}

static bool xtext_special(unsigned char c)
{
	return c <= ' ' || c == '+' || c == '=' || c >= 0x7f;
}

void xtext_put(struct buf *to, struct str bytes)
{
	escape(to, bytes, STR("+"), xtext_special);
}

static bool invisible(unsigned char c)
{
	return c < ' ' || c == '"' || c == '\\' || c >= 0x7f;
}

void visible_put(struct buf *to, struct str bytes, size_t most)
{
	bool cut = bytes.len > most;

	if (cut)
		bytes.len = most;
	escape(to, bytes, STR("\\x"), invisible);
	if (cut)
		buf_put(to, STR("..."));
}

bool is_line_safe(struct str s)
{
	return !str_has(s, '\r') && !str_has(s, '\n') && !str_has(s, '\0');
}

bool has_no_controls(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
			return false;
	return true;
}
