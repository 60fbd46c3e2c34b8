/* SPDX-License-Identifier: BSD-2-Clause */
/* Text with variables, taken apart; see pattern.h. */
#include "auth/pattern.h"

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str cut_name(struct str *rest)
{
	struct str name = { rest->at, 0 };

	while (name.len < rest->len && is_name_byte(rest->at[name.len]))
		name.len++;
	*rest = str_skip(*rest, name.len);
	return name;
}

/* Behind the '$': "name" or "{name}". Empty when there is none. */
static struct str cut_variable(struct str *rest)
{
	struct str name;

	if (!str_starts(*rest, STR("{")))
		return cut_name(rest);
	*rest = str_skip(*rest, 1);
	name = cut_name(rest);
	if (!str_starts(*rest, STR("}")))
		return (struct str){ NULL, 0 };
	*rest = str_skip(*rest, 1);
	return name;
}

/* Its index in the list, -1 when the list is full. */
static int index_of(struct pattern_names *names, struct str name)
{
	size_t i = 0;

	while (i < names->len && !str_eq(names->at[i], name))
		i++;
	if (i == PIPE_VALUES_MAX)
		return -1;
	if (i == names->len)
		names->at[names->len++] = name;
	return (int)i;
}

static size_t count_dollars(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '$';
	return n;
}

bool pattern_read(struct pattern *p, struct str text, struct pattern_names *names, struct arena *home,
		  const char **fault)
{
	*p = (struct pattern){ .at = arena_take(home, (2 * count_dollars(text) + 1) * sizeof(*p->at)) };
	while (text.len != 0) {
		size_t n = str_index(text, '$');
		struct str name;
		int value;

		if (n != 0)
			p->at[p->len++] = (struct pattern_piece){ { text.at, n }, -1 };
		if (n == text.len)
			return true;
		text = str_skip(text, n + 1);
		name = cut_variable(&text);
		*fault = "invalid variable name";
		if (name.len == 0)
			return false;
		value = index_of(names, name);
		*fault = "too many variables";
		if (value < 0)
			return false;
		p->at[p->len++] = (struct pattern_piece){ { NULL, 0 }, value };
	}
	return true;
}
