/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was not written: each value that a scope was not given is taken from the next scope outside that has
 * the module's settings, else from the default of its row. Lists and sets of bits are values like any other,
 * so an inner one replaces the outer one as a whole.
 *
 * Then the modules check, outermost scopes first, so a check may rely on those outside. A check that fails
 * hides what lies inside of its scope, and what later modules think of it; scopes beside it are still
 * checked, since their faults are their own.
 */
#include "conf/inside.h"

#include "base/must.h"
#include "conf/lexer.h"
#include <string.h>

/* The settings of the same module in the next scope outside; NULL if there are none. */
static void *outer_settings(const struct scope *s, size_t module)
{
	for (s = s->outer; s != NULL; s = s->outer)
		if (s->settings[module] != NULL)
			return s->settings[module];
	return NULL;
}

/* The default is read as if it stood in the file; what it cannot be is our own bug. */
static void apply_preset(struct conf *c, struct scope *s, const struct directive *d, void *settings)
{
	struct lexer l;
	struct words *w = arena_take(c->arena, sizeof(*w));

	c->words = NULL;
	if (d->preset_fn != NULL)
		d->preset_fn(c, s, settings);
	if (d->preset == NULL)
		return;
	lexer_init(&l, arena_format(c->arena, "%s %s;", d->name, d->preset), "default", c->arena);
	must(lexer_next(&l, w) == TOKEN_LINE && l.wrong[0] == '\0' && w->len > 1);
	c->words = w;
	must(slot_apply(c, d, w, settings));
}

static void inherit_row(struct conf *c, struct scope *s, const struct row *r)
{
	char *settings = s->settings[r->module], *outer;
	size_t size = slot_size(r->d);

	if (settings == NULL || s->given[r->index] != NULL)
		return;
	outer = outer_settings(s, r->module);
	if (outer == NULL)
		apply_preset(c, s, r->d, settings);
	else if (size != 0)
		memcpy(settings + r->d->offset, outer + r->d->offset, size);
}

/* The scope behind `s` in the order of the file, the inner ones of a scope right after it. */
static struct scope *following(struct scope *s, bool inside)
{
	if (inside && s->first != NULL)
		return s->first;
	while (s != NULL && s->next == NULL)
		s = s->outer;
	return s != NULL ? s->next : NULL;
}

void conf_inherit(struct conf *c)
{
	for (struct scope *s = c->top; s != NULL; s = following(s, true)) {
		c->scope = s;
		for (struct row r = { 0 }; row_next(c->modules, &r);)
			inherit_row(c, s, &r);
	}
	c->scope = c->top;
}

static bool check_scope(struct conf *c, struct scope *s)
{
	for (size_t i = 0; i < c->modules_len; i++) {
		const struct module *m = c->modules[i];
		unsigned before = c->faults;

		if (m->check == NULL || s->settings[i] == NULL || m->check(c, s, s->settings[i]))
			continue;
		must(c->faults > before);
		return false;
	}
	return true;
}

void conf_check(struct conf *c)
{
	struct scope *s = c->top;

	while (s != NULL) {
		c->scope = s;
		c->words = s->words;
		s = following(s, check_scope(c, s));
	}
	c->scope = c->top;
	c->words = NULL;
}
