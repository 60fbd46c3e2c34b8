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
