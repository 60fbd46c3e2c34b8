/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts with variables in the settings of sources; see source_text.h. */
#include "auth/source_text.h"

bool source_text_read(struct conf *c, struct source_text *t, struct str text)
{
	struct arena *home = arena_new(512);
	const char *fault = NULL;
	struct pattern p;
	bool good;

	*t = (struct source_text){ .text = text };
	good = pattern_read(&p, text, &t->names, home, &fault);
	arena_free(home);
	if (!good)
		return conf_fault(c, "%s in \"%.*s\"", fault, STR_ARG(text));
	for (size_t i = 0; i < t->names.len; i++) {
		struct str name = t->names.at[i];

		t->values[i] = template_new(c, arena_format(conf_arena(c), "${%.*s}", STR_ARG(name)));
		if (t->values[i] == NULL)
			return false;
	}
	return true;
}

bool source_text_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	return source_text_read(c, (struct source_text *)((char *)settings + d->offset), w->at[1]);
}

/* The order's list holds the names of all its texts, each once. */
void source_text_order(struct helper_order *o, const char *name, const struct source_text *t)
{
	helper_setting(o, name, t->text);
	for (size_t i = 0; i < t->names.len; i++) {
		size_t n = 0;

		while (n < o->variables.len && !str_eq(o->variables.at[n], t->names.at[i]))
			n++;
		if (n == o->variables.len && n < PIPE_VALUES_MAX) {
			o->variables.at[n] = t->names.at[i];
			o->values[n] = t->values[i];
			o->variables.len++;
		}
	}
}
