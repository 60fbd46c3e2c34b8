/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts with variables in helpers; see text.h. */
#include "helpers/text.h"

enum { JOINED_MAX = PIPE_QUESTION_MAX };

const char *helper_pattern(const struct helper_settings *s, const char *name, struct helper_pattern *to)
{
	struct str text = helper_text(s, name, 0);
	struct pattern_names names = { .len = 0 };
	const char *fault = NULL;
	size_t known;

	*to = (struct helper_pattern){ .given = text.at != NULL };
	while (names.len < PIPE_VALUES_MAX && helper_text(s, "variable", names.len).at != NULL) {
		names.at[names.len] = helper_text(s, "variable", names.len);
		names.len++;
	}
	known = names.len;
	if (!pattern_read(&to->pattern, text, &names, s->home, &fault))
		return fault;
	return names.len == known ? NULL : "a variable in the settings has no value";
}

static void put_as_it_is(struct buf *to, struct str value)
{
	buf_put(to, value);
}

struct str helper_join_by(const struct helper_pattern *p, const struct pipe_question *q, struct arena *home,
			  void (*put)(struct buf *to, struct str value))
{
	struct buf b;

	buf_init_in(&b, home, JOINED_MAX);
	for (size_t i = 0; i < p->pattern.len; i++) {
		const struct pattern_piece *piece = &p->pattern.at[i];

		if (piece->value < 0)
			buf_put(&b, piece->text);
		else if ((uint64_t)piece->value < q->values_len)
			put(&b, q->values[piece->value]);
	}
	return arena_str(home, buf_text(&b));
}

struct str helper_join(const struct helper_pattern *p, const struct pipe_question *q, struct arena *home)
{
	return helper_join_by(p, q, home, put_as_it_is);
}

bool helper_is_c_string(struct str s)
{
	return !str_has(s, '\0');
}

/* How many bytes the character takes that begins with `c`, and the least it may stand for; 0: it begins none.
 */
static size_t utf8_len(unsigned char c, uint32_t *least)
{
	if (c < 0x80)
		return 1;
	*least = c < 0xe0 ? 0x80 : c < 0xf0 ? 0x800 : 0x10000;
	return c < 0xc2 || c > 0xf4 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool helper_is_utf8(struct str s)
{
	while (s.len != 0) {
		unsigned char first = (unsigned char)s.at[0];
		uint32_t least = 0, point;
		size_t n = utf8_len(first, &least);

		if (n == 0 || n > s.len)
			return false;
		point = n == 1 ? first : first & (0x7fu >> n);
		for (size_t i = 1; i < n; i++) {
			if (((unsigned char)s.at[i] & 0xc0) != 0x80)
				return false;
			point = point << 6 | ((unsigned char)s.at[i] & 0x3f);
		}
		if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
			return false;
		s = str_skip(s, n);
	}
	return true;
}
