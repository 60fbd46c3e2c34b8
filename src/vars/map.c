/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map STRING $name { … }: the value of a text, looked up.
 *
 * What is found is what the peer finds: an exact value; with `hostnames` the longest *.example.com, then the
 * longest mail.*; the first regular expression that matches; the default. Exact values and wildcards are
 * hashed, so a map of a hundred thousand lines answers as fast as one of three.
 *
 * Maps may use the variables of other maps, wherever these stand; vars.c sees to it that none comes back to
 * itself.
 */
#include "vars/inside.h"

#include "vars/table.h"
#include <string.h>

/* The longest host name that wildcards are compared with. */
enum { HOST_MAX = 255 };

struct pattern {
	const struct regex *re;
	const struct template *result;
	struct pattern *next;
};

struct map {
	struct variable *variable;
	const struct template *text;
	struct table exact, suffixes, prefixes; /* "example.com", ".example.com", "mail." */
	struct pattern *patterns, **patterns_end;
	const struct template *otherwise; /* NULL: empty */
	const struct template *last;	  /* the result made last: many lines in a row have the same */
	bool hostnames, begun;
};

bool map_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct vars_conf *vars = vars_conf(c);
	struct map *m = arena_take(conf_arena(c), sizeof(*m));

	(void)d;
	(void)settings;
	m->text = template_new(c, w->at[1]);
	m->variable = variable_declare(c, w->at[2]);
	if (m->text == NULL || m->variable == NULL)
		return false;
	m->variable->map = m;
	table_init(&m->exact, conf_arena(c), true);
	table_init(&m->suffixes, conf_arena(c), true);
	table_init(&m->prefixes, conf_arena(c), true);
	m->patterns_end = &m->patterns;
	variable_needs(c, m->variable, m->text);
	vars->map = m;
	return true;
}

/* The result of an entry; the one before it again if it is the same. NULL after a fault. */
static const struct template *result_of(struct conf *c, struct map *m, struct str text,
					const struct regex *re)
{
	const struct template *t;

	if (m->last != NULL && re == NULL && str_eq(m->last->text, text))
		return m->last;
	t = template_compile(c, text, re);
	if (t == NULL)
		return NULL;
	variable_needs(c, m->variable, t);
	if (re == NULL)
		m->last = t;
	return t;
}

static bool add_pattern(struct conf *c, struct map *m, struct str text, struct str result)
{
	bool fold = str_starts(text, STR("~*"));
	struct str pattern = str_skip(text, fold ? 2 : 1);
	struct pattern *p = arena_take(conf_arena(c), sizeof(*p));
	char why[REGEX_WHY] = "it is empty";

	if (pattern.len != 0)
		p->re = regex_new(conf_arena(c), pattern, fold, why);
	if (p->re == NULL)
		return conf_fault(c, "the regular expression \"%.*s\" cannot be used: %s", STR_ARG(text),
				  why);
	p->result = result_of(c, m, result, p->re);
	if (p->result == NULL)
		return false;
	*m->patterns_end = p;
	m->patterns_end = &p->next;
	return true;
}

static bool put_key(struct conf *c, struct map *m, struct table *to, struct str key, struct str result)
{
	const struct template *t = result_of(c, m, result, NULL);

	if (t == NULL)
		return false;
	if (table_find(to, key) != NULL)
		return conf_fault(c, "conflicting parameter \"%.*s\"", STR_ARG(key));
	table_add(to, key)->value = t;
	return true;
}

static bool put_hostname(struct conf *c, struct map *m, struct str key, struct str result)
{
	size_t stars = 0, dots = 0; /* dots: two in a row */
	struct str inner = key;

	for (size_t i = 0; i < key.len; i++) {
		stars += key.at[i] == '*';
		dots += key.at[i] == '.' && i + 1 < key.len && key.at[i + 1] == '.';
	}
	if (dots != 0 || stars > 1)
		return conf_fault(c, "invalid hostname or wildcard \"%.*s\"", STR_ARG(key));
	if (stars == 0 && key.len > 1 && key.at[0] == '.')
		return put_key(c, m, &m->exact, str_skip(key, 1), result) &&
		       put_key(c, m, &m->suffixes, key, result);
	if (stars == 0)
		return put_key(c, m, &m->exact, key, result);
	if (key.len > 2 && str_starts(key, STR("*.")))
		return put_key(c, m, &m->suffixes, str_skip(key, 1), result);
	inner.len--;
	if (key.len > 2 && key.at[key.len - 1] == '*' && key.at[key.len - 2] == '.')
		return put_key(c, m, &m->prefixes, inner, result);
	return conf_fault(c, "invalid hostname or wildcard \"%.*s\"", STR_ARG(key));
}

static bool set_default(struct conf *c, struct map *m, struct str result)
{
	if (m->otherwise != NULL)
		return conf_fault(c, "duplicate default map parameter");
	m->otherwise = result_of(c, m, result, NULL);
	return m->otherwise != NULL;
}

static bool read_word(struct conf *c, struct map *m, struct str word)
{
	if (str_eq(word, STR("volatile")))
		return true;
	if (!str_eq(word, STR("hostnames")))
		return conf_fault(c, "invalid number of the map parameters");
	if (m->begun)
		return conf_fault(c, "\"hostnames\" must stand before the values of the map");
	m->hostnames = true;
	return true;
}

bool map_row(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct map *m = vars_conf(c)->map;
	struct str key = w->at[0];

	(void)d;
	(void)settings;
	if (w->len == 1)
		return read_word(c, m, key);
	if (w->len != 2)
		return conf_fault(c, "invalid number of the map parameters");
	if (str_eq(key, STR("default")))
		return set_default(c, m, w->at[1]);
	m->begun = true;
	if (str_starts(key, STR("~")))
		return add_pattern(c, m, key, w->at[1]);
	if (str_starts(key, STR("\\")))
		key = str_skip(key, 1);
	return m->hostnames ? put_hostname(c, m, key, w->at[1]) : put_key(c, m, &m->exact, key, w->at[1]);
}

/* The longest part of `s` that begins at a dot, or that ends behind one, and is in the table. */
static const struct table_entry *find_suffix(const struct table *t, struct str s)
{
	const struct table_entry *e = NULL;

	for (size_t i = 0; t->len != 0 && i < s.len && e == NULL; i++)
		if (s.at[i] == '.' && i > 0)
			e = table_find(t, str_skip(s, i));
	return e;
}

static const struct table_entry *find_prefix(const struct table *t, struct str s)
{
	const struct table_entry *e = NULL;

	for (size_t i = s.len; t->len != 0 && i > 0 && e == NULL; i--)
		if (s.at[i - 1] == '.' && i < s.len)
			e = table_find(t, (struct str){ s.at, i });
	return e;
}

static const struct template *find_hashed(const struct map *m, struct str value)
{
	const struct table_entry *e;

	if (m->hostnames && value.len != 0 && value.at[value.len - 1] == '.')
		value.len--;
	e = table_find(&m->exact, value);
	if (e == NULL && m->hostnames && value.len <= HOST_MAX)
		e = find_suffix(&m->suffixes, value);
	if (e == NULL && m->hostnames && value.len <= HOST_MAX)
		e = find_prefix(&m->prefixes, value);
	return e != NULL ? e->value : NULL;
}

static const struct template *find_pattern(struct filling *f, const struct map *m, struct str value,
					   struct str groups[static REGEX_GROUPS])
{
	for (const struct pattern *p = m->patterns; p != NULL; p = p->next) {
		enum regex_result r = regex_match(p->re, value, groups);

		if (r == REGEX_YES)
			return p->result;
		if (r == REGEX_GAVE_UP)
			value_note(f->v, m->variable->name, "makes a regular expression try too much");
	}
	return NULL;
}

/* The result is made apart, so that one that is too long can be taken back. */
void map_write(struct filling *f, const struct map *m, struct buf *to)
{
	struct str groups[REGEX_GROUPS] = { { NULL, 0 } };
	const struct template *result = NULL;
	struct buf value, made;

	buf_init(&value, VALUE_MAX);
	buf_init(&made, VALUE_MAX);
	template_write(f, m->text, NULL, &value);
	if (!value.full) {
		result = find_hashed(m, buf_text(&value));
		if (result == NULL)
			result = find_pattern(f, m, buf_text(&value), groups);
		if (result == NULL)
			result = m->otherwise;
	}
	if (result != NULL)
		template_write(f, result, groups, &made);
	if (value.full || made.full)
		value_note(f->v, m->variable->name, TOO_LONG);
	else
		buf_put(to, buf_text(&made));
	buf_done(&value);
	buf_done(&made);
}
