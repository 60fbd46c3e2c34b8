/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scopes: the blocks of a configuration as they lie in one another, each with the settings of the modules
 * that have some there.
 */
#include "conf/conf.h"

#include "conf/inside.h"
#include <string.h>

struct scope *scope_open(struct conf *c, enum place place, const struct words *words)
{
	struct scope *s = arena_take(c->arena, sizeof(*s));

	s->place = place;
	s->conf = c;
	s->words = words;
	s->given = arena_take(c->arena, c->rows_len * sizeof(s->given[0]));
	s->settings = arena_take(c->arena, c->modules_len * sizeof(s->settings[0]));
	for (size_t i = 0; i < c->modules_len; i++)
		if (c->modules[i]->places & place)
			s->settings[i] = arena_take(c->arena, c->modules[i]->size);
	s->outer = c->scope;
	if (s->outer == NULL)
		return s;
	if (s->outer->last != NULL)
		s->outer->last->next = s;
	else
		s->outer->first = s;
	s->outer->last = s;
	return s;
}

enum place scope_place(const struct scope *s)
{
	return s->place;
}

struct scope *scope_outer(const struct scope *s)
{
	return s->outer;
}

static struct scope *from(struct scope *s, enum place place)
{
	while (s != NULL && s->place != place)
		s = s->next;
	return s;
}

struct scope *scope_first(const struct scope *s, enum place place)
{
	return from(s->first, place);
}

struct scope *scope_next(const struct scope *s)
{
	return from(s->next, s->place);
}

const char *scope_file(const struct scope *s)
{
	return s->words != NULL ? s->words->file : NULL;
}

unsigned scope_line(const struct scope *s)
{
	return s->words != NULL ? s->words->line : 0;
}

const struct words *scope_words(const struct scope *s)
{
	return s->words;
}

void *scope_settings(const struct scope *s, const struct module *m)
{
	for (size_t i = 0; i < s->conf->modules_len; i++)
		if (s->conf->modules[i] == m)
			return s->settings[i];
	return NULL;
}

/* A module may have several rows of one name, for different places. */
const struct words *scope_directive(const struct scope *s, const struct module *m, const char *directive)
{
	for (struct row r = { 0 }; row_next(s->conf->modules, &r);)
		if (s->conf->modules[r.module] == m && s->given[r.index] != NULL &&
		    strcmp(r.d->name, directive) == 0)
			return s->given[r.index];
	return NULL;
}

bool scope_given(const struct scope *s, const struct module *m, const char *directive)
{
	return scope_directive(s, m, directive) != NULL;
}

const void *scope_settings_over(const struct scope *base, const struct scope *over, const struct module *m,
				struct arena *home)
{
	const char *settings = scope_settings(base, m), *from = over != NULL ? scope_settings(over, m) : NULL;
	char *copy = NULL;

	for (struct row r = { 0 }; from != NULL && row_next(over->conf->modules, &r);) {
		if (over->conf->modules[r.module] != m || over->given[r.index] == NULL)
			continue;
		if (copy == NULL)
			copy = memcpy(arena_take(home, m->size), settings, m->size);
		memcpy(copy + r.d->offset, from + r.d->offset, slot_size(r.d));
	}
	return copy != NULL ? copy : settings;
}
