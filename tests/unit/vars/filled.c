/* SPDX-License-Identifier: BSD-2-Clause */
/* See filled.h. */
#include "filled.h"

#include <string.h>

struct texts {
	const struct template *say, *loose;
};

static bool loose_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct texts *t = settings;

	(void)d;
	t->loose = template_new_loose(c, w->at[1]);
	assert_non_null(t->loose);
	return true;
}

/* clang-format off */
static const struct directive ROWS[] = {
	{ .name = "mail", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_MAIL },
	{ .name = "server", .where = IN_MAIL, .flags = CONF_BLOCK | CONF_REPEATS, .opens = IN_SERVER },
	{ .name = "say", .where = IN_MAIL | IN_SERVER, .min = 1, .max = 1,
	  SLOT_TEMPLATE(struct texts, say) },
	{ .name = "loose", .where = IN_MAIL | IN_SERVER, .min = 1, .max = 1, .slot = SLOT_CUSTOM,
	  .offset = offsetof(struct texts, loose),
	  .size = sizeof(const struct template *), .set = loose_set },
	{ .name = NULL }
};
/* clang-format on */

static const struct module TEXTS = {
	.name = "texts", .places = IN_MAIL | IN_SERVER, .size = sizeof(struct texts), .directives = ROWS
};

static const struct module *const MODULES[] = { &TEXTS, &vars_module, NULL };

static bool fact(const struct vars *v, enum var which, struct str *to)
{
	const struct filled *f = (const void *)((const char *)v - offsetof(struct filled, vars));

	if (f->facts[which].at == NULL)
		return false;
	*to = f->facts[which];
	return true;
}

static void note(const struct vars *v, const char *what)
{
	struct filled *f = (void *)((char *)(uintptr_t)v - offsetof(struct filled, vars));

	buf_format(&f->notes, "%s\n", what);
}

void filled_init(struct filled *f)
{
	*f = (struct filled){ .vars = { .fact = fact, .note = note } };
	trial_init(&f->trial, MODULES);
	buf_init(&f->notes, 1 << 16);
	f->vars.home = arena_new(1024);
}

void filled_done(struct filled *f)
{
	trial_done(&f->trial);
	buf_done(&f->notes);
	arena_free(f->vars.home);
}

void filled_load(struct filled *f, const char *text)
{
	char *whole = NULL;
	const char *said;

	assert_true(asprintf(&whole, "mail {%s}", text) > 0);
	said = trial_load(&f->trial, whole);
	if (f->trial.conf == NULL)
		print_error("%s", said);
	free(whole);
	assert_non_null(f->trial.conf);
}

static const struct texts *texts(struct filled *f)
{
	return scope_settings(scope_first(conf_top(f->trial.conf), IN_MAIL), &TEXTS);
}

const struct template *filled_template(struct filled *f)
{
	return texts(f)->say;
}

struct str filled_say(struct filled *f)
{
	return template_fill(texts(f)->say, &f->vars);
}

struct str filled_loose(struct filled *f)
{
	return template_fill(texts(f)->loose, &f->vars);
}

struct str filled_with(struct filled *f, enum var which, const char *fact_text)
{
	f->facts[which] = str_of(fact_text);
	return filled_say(f);
}
