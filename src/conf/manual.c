/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference manual, printed from the rows that also do the work, so it cannot tell of a directive that is
 * not there, nor of a default that is another one.
 */
#include "conf/inside.h"

#include <string.h>

enum { WIDTH = 78, MARGIN = 4 };

typedef void put_fn(struct buf *to, const struct directive *d);

static const struct {
	enum place place;
	const char *name;
} PLACES[] = {
	{ IN_MAIN, "main" },
	{ IN_EVENTS, "events" },
	{ IN_MAIL, "mail" },
	{ IN_SERVER, "server" },
	{ IN_UPSTREAM, "upstream" },
	{ IN_MAP, "map" },
	{ IN_SQL, "auth_mysql, auth_pgsql" },
	{ IN_LDAP, "auth_ldap" },
};

static void put(struct buf *to, const char *text)
{
	buf_put(to, str_of(text));
}

static void put_places(struct buf *to, const struct directive *d)
{
	const char *before = "";

	if (d->where == ~0u) {
		put(to, "any");
		return;
	}
	for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
		if (!(d->where & PLACES[i].place))
			continue;
		put(to, before);
		put(to, PLACES[i].name);
		before = ", ";
	}
}

static void put_default(struct buf *to, const struct directive *d)
{
	put(to, d->preset != NULL ? d->preset : d->preset_fn != NULL ? "see below" : "none");
}

static const char *effect_of(const struct directive *d)
{
	if (d->flags & CONF_NO_EFFECT)
		return " Checked, but without effect on mail.";
	if (d->flags & CONF_SKIPPED)
		return " Skipped with a notice.";
	return "";
}

/* Break a paragraph into lines between blanks, each behind a margin. */
static void put_wrapped(struct buf *to, struct str text)
{
	size_t column = 0;

	while (text.len != 0) {
		struct str word = str_cut(&text, ' ');

		if (column != 0 && column + 1 + word.len > WIDTH) {
			put(to, "\n");
			column = 0;
		}
		if (column == 0)
			buf_format(to, "%*s", MARGIN, "");
		else
			put(to, " ");
		column += column == 0 ? MARGIN + word.len : 1 + word.len;
		buf_put(to, word);
	}
	put(to, "\n");
}

static void put_labelled(struct buf *to, const char *label, put_fn *value, const struct directive *d)
{
	buf_format(to, "%*s%-9s", MARGIN, "", label);
	value(to, d);
	put(to, "\n");
}

static void put_synopsis(struct buf *to, const struct directive *d)
{
	put(to, d->name);
	if (d->args != NULL)
		buf_format(to, " %s", d->args);
	put(to, d->flags & CONF_BLOCK ? "" : ";");
}

static void put_entry(struct buf *to, const struct directive *d)
{
	struct buf help;

	put_synopsis(to, d);
	put(to, "\n");
	if (!(d->flags & (CONF_BLOCK | CONF_SKIPPED)))
		put_labelled(to, "default", put_default, d);
	put_labelled(to, "context", put_places, d);
	buf_init(&help, 4096);
	put(&help, d->help);
	put(&help, effect_of(d));
	put_wrapped(to, buf_text(&help));
	buf_done(&help);
	put(to, "\n");
}

/* The two lists as one: ours in front. */
static bool visit(const struct module *const *modules, put_fn *entry, struct str only, struct buf *to)
{
	const struct module *const own[] = { &conf_module, NULL }, *const *const lists[] = { own, modules };
	bool any = false;

	for (size_t i = 0; i < 2; i++) {
		for (struct row r = { 0 }; row_next(lists[i], &r);) {
			if (only.len != 0 && !str_eq(only, str_of(r.d->name)))
				continue;
			entry(to, r.d);
			any = true;
		}
	}
	return any;
}

bool manual_text(const struct module *const *modules, struct str only, struct buf *to)
{
	const char *near;

	if (visit(modules, put_entry, only, to))
		return true;
	near = suggest(modules, only, ~0u);
	buf_format(to, "unknown directive \"%.*s\"", STR_ARG(only));
	if (near != NULL)
		buf_format(to, ", did you mean \"%s\"?", near);
	put(to, "\n");
	return false;
}

/* A cell of a table: a bar would end it. */
static void put_cell(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			put(to, "\\");
		buf_put_byte(to, *text);
	}
}

static void put_code_cell(struct buf *to, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	put(to, "`");
	put_cell(to, text);
	put(to, "`");
}

static void put_default_cell(struct buf *to, const struct directive *d)
{
	if (d->preset != NULL)
		put_code_cell(to, d->preset);
	else
		put(to, d->preset_fn != NULL ? "see text" : "");
}

static void put_row(struct buf *to, const struct directive *d)
{
	put(to, "| ");
	put_code_cell(to, d->name);
	put(to, " | ");
	put_places(to, d);
	put(to, " | ");
	put_code_cell(to, d->args);
	put(to, " | ");
	put_default_cell(to, d);
	put(to, " | ");
	put_cell(to, d->help);
	put_cell(to, effect_of(d));
	put(to, " |\n");
}

static void put_module(struct buf *to, const struct module *m)
{
	const struct module *const alone[] = { m, NULL };

	buf_format(to, "\n## %s\n\n", m->name);
	put(to, "| directive | context | arguments | default | meaning |\n");
	put(to, "| --- | --- | --- | --- | --- |\n");
	for (struct row r = { 0 }; row_next(alone, &r);)
		put_row(to, r.d);
}

void manual_markdown(const struct module *const *modules, struct buf *to)
{
	put(to, "# Directives\n\n"
		"Printed from the tables that read the configuration; `postern -h NAME` shows the same for\n"
		"one directive. A value that is not given is the one of the block outside, else the\n"
		"default.\n");
	put_module(to, &conf_module);
	for (; *modules != NULL; modules++)
		put_module(to, *modules);
}
