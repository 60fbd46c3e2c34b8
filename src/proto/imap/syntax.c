/* SPDX-License-Identifier: BSD-2-Clause */
/* IMAP's tokens; see syntax.h. */
#include "proto/imap/syntax.h"

#include "base/text.h"
#include <string.h>

enum { TAG_MAX = 32, LITERAL_HUGE = 0x7fffffff };

/* ASTRING-CHAR but "+" (RFC 9051 section 9). */
static bool tag_char(char c)
{
	return c > ' ' && c < 0x7f && strchr("(){%*\"\\+", c) == NULL;
}

static void skip_blanks(struct str *rest)
{
	while (rest->len != 0 && rest->at[0] == ' ')
		*rest = str_skip(*rest, 1);
}

bool imap_tag(struct str *rest, struct str *tag)
{
	size_t len = 0;

	while (len < rest->len && tag_char(rest->at[len]))
		len++;
	if (len == 0 || len > TAG_MAX || len == rest->len || rest->at[len] != ' ')
		return false;
	*tag = (struct str){ rest->at, len };
	*rest = str_skip(*rest, len);
	skip_blanks(rest);
	return true;
}

/* Read "{n}" or "{n+}", the whole of it. */
static bool read_literal(struct str s, struct imap_literal *due)
{
	uint64_t size = LITERAL_HUGE;

	if (s.len < 3 || s.at[0] != '{' || s.at[s.len - 1] != '}')
		return false;
	s = (struct str){ s.at + 1, s.len - 2 };
	due->waits = s.at[s.len - 1] != '+';
	if (!due->waits)
		s.len--;
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	if (s.len == 0)
		return false;
	/* a number too large to read stays the largest: nothing of that size fits anywhere */
	str_number(s, LITERAL_HUGE, &size);
	due->size = size;
	return true;
}

/* The line from its last '{' on. */
static struct str last_brace(struct str line)
{
	size_t at = line.len;

	while (at != 0 && line.at[at - 1] != '{')
		at--;
	return at != 0 ? str_skip(line, at - 1) : STR("");
}

bool imap_announces(struct str line, struct imap_literal *due)
{
	struct str tail = last_brace(line);

	return tail.len != 0 && tail.len < line.len && strchr(" (~", tail.at[-1]) != NULL &&
	       read_literal(tail, due);
}

bool imap_drags(struct str line)
{
	return line.len >= 2 && line.at[line.len - 1] == '}' && line.at[line.len - 2] == '+';
}

static enum imap_read take_quoted(struct str *rest, struct str *arg)
{
	for (size_t i = 1; i < rest->len; i++) {
		if (rest->at[i] == '\\') {
			i++;
			continue;
		}
		if (rest->at[i] != '"')
			continue;
		*arg = (struct str){ rest->at + 1, i - 1 };
		*rest = str_skip(*rest, i + 1);
		return IMAP_WHOLE;
	}
	return IMAP_WRONG;
}

/* Here is a literal, or the announcement of one at the end of what was collected. */
static enum imap_read take_literal(struct str *rest, struct str *arg, struct imap_literal *due)
{
	bool last = !str_has(*rest, '\n');
	struct str head = str_cut(rest, '\n');

	if (!last && head.len != 0 && head.at[head.len - 1] == '\r')
		head.len--;
	if (!read_literal(head, due))
		return IMAP_WRONG;
	if (last)
		return IMAP_LITERAL;
	if (due->size > rest->len)
		return IMAP_WRONG;
	*arg = (struct str){ rest->at, due->size };
	*rest = str_skip(*rest, due->size);
	return IMAP_WHOLE;
}

static enum imap_read take_atom(struct str *rest, struct str *arg)
{
	*arg = (struct str){ rest->at, str_index(*rest, ' ') };
	*rest = str_skip(*rest, arg->len);
	return IMAP_WHOLE;
}

/* Does a blank follow, or the end? The peer takes two quoted strings without one, and nothing can be misread
 * in that. */
static bool parted(struct str rest, const struct args *args)
{
	return rest.len == 0 || rest.at[0] == ' ' ||
	       (rest.at[0] == '"' && (args->quoted >> (args->len - 1)) != 0);
}

static enum imap_read take_arg(struct args *args, struct str *rest, struct imap_literal *due)
{
	struct str *arg = &args->at[args->len];
	enum imap_read read;

	if (rest->at[0] == '"') {
		args->quoted |= 1u << args->len;
		read = take_quoted(rest, arg);
	} else if (rest->at[0] == '{') {
		read = take_literal(rest, arg, due);
	} else {
		read = take_atom(rest, arg);
	}
	args->len++;
	return read == IMAP_WHOLE && !parted(*rest, args) ? IMAP_WRONG : read;
}

enum imap_read imap_args(struct args *args, size_t most, struct imap_literal *due)
{
	struct str rest = args->rest;
	enum imap_read read = IMAP_WHOLE;

	args->len = 0;
	args->quoted = 0;
	for (skip_blanks(&rest); rest.len != 0 && read == IMAP_WHOLE; skip_blanks(&rest))
		read = args->len < most ? take_arg(args, &rest, due) : IMAP_WRONG;
	return read;
}

void imap_put_arg(struct buf *to, const struct args *args, size_t i)
{
	struct str arg = args->at[i];

	if ((args->quoted & 1u << i) == 0) {
		buf_put(to, arg);
		return;
	}
	for (size_t k = 0; k < arg.len; k++) {
		if (arg.at[k] == '\\')
			k++;
		buf_put_byte(to, arg.at[k]);
	}
}

bool imap_take_string(struct str *rest, struct buf *to)
{
	struct args one = { .len = 1 };
	struct imap_literal due;

	if (str_starts(*rest, STR("\""))) {
		one.quoted = 1;
		if (take_quoted(rest, &one.at[0]) != IMAP_WHOLE)
			return false;
	} else if (str_starts(*rest, STR("{"))) {
		if (take_literal(rest, &one.at[0], &due) != IMAP_WHOLE)
			return false;
	} else if (str_starts_same(*rest, STR("NIL"))) {
		*rest = str_skip(*rest, 3);
	} else {
		return false;
	}
	imap_put_arg(to, &one, 0);
	return true;
}

bool imap_quotable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] >= 0x80)
			return false;
	return is_line_safe(s);
}

void imap_put_quoted(struct buf *to, struct str s)
{
	buf_put_byte(to, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '"' || s.at[i] == '\\')
			buf_put_byte(to, '\\');
		buf_put_byte(to, s.at[i]);
	}
	buf_put_byte(to, '"');
}
