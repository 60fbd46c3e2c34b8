/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directives of a text, one after the other: find the row, see whether it may stand here and has the right
 * shape, hand it on.
 *
 * Whatever is at fault, reading goes on behind it, so that one attempt shows all faults. What a faulty
 * directive would have opened is passed over as a whole: its lines could only be judged by a guess at where
 * they stand.
 */
#include "conf/inside.h"

#include "conf/lexer.h"
#include <string.h>

/* Where lines are read from: decides what may end them. */
enum inside { INSIDE_FILE, INSIDE_BLOCK, INSIDE_GLOBALS };

static void read_lines(struct conf *c, struct lexer *l, enum inside inside);
static directive_set_fn include_set;

/* clang-format off */
static const struct directive ROWS[] = {
	{ .name = "include", .where = ~0u, .min = 1, .max = 1, .flags = CONF_REPEATS, .set = include_set,
	  .args = "file | pattern",
	  .help = "Reads another file, or in alphabetical order all files whose names match a pattern with "
		  "*, ? or [], as if they stood here. A relative name begins in the folder of the main "
		  "configuration file. A pattern may match nothing." },
	{ .name = NULL }
};
/* clang-format on */

const struct module conf_module = { .name = "configuration", .directives = ROWS };

/*
 * The row that handles `name` where we are: the first one of that name that may stand here. *known tells of
 * one for another place.
 */
static bool find_row(struct conf *c, struct str name, struct row *r, bool *known)
{
	*r = (struct row){ 0 };
	*known = false;
	while (row_next(c->modules, r)) {
		if (!str_eq(name, str_of(r->d->name)))
			continue;
		*known = true;
		if (r->d->where & c->scope->place)
			return true;
	}
	return false;
}

static bool fault_unknown(struct conf *c, struct str name, bool known)
{
	const char *near = known ? NULL : suggest(c->modules, name, c->scope->place);

	if (known)
		return conf_fault(c, "\"%.*s\" directive is not allowed here", STR_ARG(name));
	if (near == NULL)
		return conf_fault(c, "unknown directive \"%.*s\"", STR_ARG(name));
	return conf_fault(c, "unknown directive \"%.*s\", did you mean \"%s\"?", STR_ARG(name), near);
}

static bool may_repeat(const struct directive *d)
{
	return d->flags & CONF_REPEATS || d->slot == SLOT_LIST || d->slot == SLOT_BITS;
}

/*
 * Does the directive end as it must, with the right number of arguments, and for the first time where it may
 * stand once?
 */
static bool right_shape(struct conf *c, const struct row *r, enum token t, const struct words *w)
{
	const struct directive *d = r->d;
	size_t args = w->len - 1;

	if (t == TOKEN_OPEN && !(d->flags & CONF_BLOCK))
		return conf_fault(c, "directive \"%s\" is not terminated by \";\"", d->name);
	if (t != TOKEN_OPEN && d->flags & CONF_BLOCK)
		return conf_fault(c, "directive \"%s\" has no opening \"{\"", d->name);
	if (args < d->min || (args > d->max && !(d->flags & CONF_UNLIMITED)))
		return conf_fault(c, "invalid number of arguments in \"%s\" directive", d->name);
	if (c->scope->given[r->index] != NULL && !may_repeat(d))
		return conf_fault(c, "\"%s\" directive is duplicate", d->name);
	return true;
}

/* The lines of a block, until its '}': in a scope of their own, or to the block's `row`. */
static void read_block(struct conf *c, struct lexer *l, const struct directive *d, const struct words *w,
		       void *settings)
{
	struct scope *outside = c->scope;

	if (d->row != NULL) {
		c->taker = d;
		c->taker_settings = settings;
		read_lines(c, l, INSIDE_BLOCK);
		c->taker = NULL;
	} else {
		c->scope = scope_open(c, d->opens, w);
		read_lines(c, l, INSIDE_BLOCK);
		c->scope = outside;
	}
}

/*
 * Without a fault of its own when the text ends inside: reading goes on at the end of the text, and there
 * says it.
 */
static void pass_block(struct conf *c, struct lexer *l)
{
	if (!lexer_pass_block(l)) {
		l->cut_short = true;
		conf_fault_at(c, l->file, l->line, "unexpected end of file, expecting \"}\"");
	}
}

static void skip(struct conf *c, struct lexer *l, const struct directive *d)
{
	if (d->flags & CONF_BLOCK) {
		conf_say(c, LOG_NOTICE, "\"%s\" block is not for a mail proxy, skipped", d->name);
		pass_block(c, l);
	} else {
		conf_say(c, LOG_NOTICE, "\"%s\" directive has no use here, skipped", d->name);
	}
}

static void apply_row(struct conf *c, struct lexer *l, const struct row *r, const struct words *w)
{
	const struct directive *d = r->d;
	void *settings = c->scope->settings[r->module];
	bool fine;

	c->scope->given[r->index] = w;
	fine = slot_apply(c, d, w, settings);
	if (fine && d->flags & CONF_SKIPPED)
		skip(c, l, d);
	else if (fine && d->flags & CONF_BLOCK)
		read_block(c, l, d, w, settings);
	else if (d->flags & CONF_BLOCK)
		pass_block(c, l);
}

/*
 * A forgotten ';' makes the next line part of the directive, and when that line opens a block, the block
 * would be lost: take the words from the first one on that can open a block here.
 */
static bool hidden_block(struct conf *c, const struct words *w, struct words *block, struct row *r)
{
	bool known;

	for (size_t i = 1; i < w->len; i++) {
		if (!find_row(c, w->at[i], r, &known) || !(r->d->flags & CONF_BLOCK))
			continue;
		*block = *w;
		block->at += i;
		block->len -= i;
		return true;
	}
	return false;
}

/* Behind a '{' that no block begins with. Without a '}' of its own, it stands there in place of a ';'. */
static void read_stray_block(struct conf *c, struct lexer *l, const struct words *w)
{
	struct words *block = arena_take(c->arena, sizeof(*block));
	struct row r;

	if (hidden_block(c, w, block, &r) && right_shape(c, &r, TOKEN_OPEN, block))
		apply_row(c, l, &r, block);
	else if (lexer_closes_all(l))
		pass_block(c, l);
	else
		l->open--;
}

static void read_directive(struct conf *c, struct lexer *l, enum token t, const struct words *w)
{
	struct row r;
	bool known;

	if (!find_row(c, w->at[0], &r, &known)) {
		fault_unknown(c, w->at[0], known);
		if (t == TOKEN_OPEN)
			pass_block(c, l);
	} else if (right_shape(c, &r, t, w)) {
		apply_row(c, l, &r, w);
	} else if (t == TOKEN_OPEN && r.d->flags & CONF_BLOCK) {
		pass_block(c, l);
	} else if (t == TOKEN_OPEN) {
		read_stray_block(c, l, w);
	}
}

/* A line of a block that takes its lines itself. Other files may be included there too. */
static void read_row(struct conf *c, struct lexer *l, enum token t, const struct words *w)
{
	if (t == TOKEN_OPEN) {
		conf_fault(c, "unexpected \"{\"");
		pass_block(c, l);
	} else if (w->len == 2 && str_eq(w->at[0], STR("include"))) {
		include_set(c, &ROWS[0], w, NULL);
	} else {
		c->taker->row(c, c->taker, w, c->taker_settings);
	}
}

static void read_line(struct conf *c, struct lexer *l, enum inside inside, enum token t,
		      const struct words *w)
{
	if (t == TOKEN_OPEN && inside == INSIDE_GLOBALS) {
		conf_fault(c, "block directives are not supported in -g option");
		lexer_pass_block(l);
	} else if (c->taker != NULL) {
		read_row(c, l, t, w);
	} else {
		read_directive(c, l, t, w);
	}
}

static void read_lines(struct conf *c, struct lexer *l, enum inside inside)
{
	while (c->faults <= FAULTS_MAX) {
		struct words *w = arena_take(c->arena, sizeof(*w));
		enum token t = lexer_next(l, w);
		bool fine = l->wrong[0] == '\0';

		w->order = ++c->lines;
		c->words = w;
		if (!fine)
			conf_fault_at(c, l->file, l->wrong_line, "%s", l->wrong);
		if (t == TOKEN_END && inside == INSIDE_BLOCK && !l->cut_short) {
			l->cut_short = true;
			conf_fault(c, "unexpected end of file, expecting \"}\"");
		}
		if (t == TOKEN_END || (t == TOKEN_CLOSE && inside == INSIDE_BLOCK))
			return;
		if (fine && t == TOKEN_CLOSE)
			conf_fault(c, "unexpected \"}\"");
		else if (fine)
			read_line(c, l, inside, t, w);
		else if (t == TOKEN_OPEN)
			pass_block(c, l);
	}
}

void parse_globals(struct conf *c, const char *text)
{
	struct lexer l;

	lexer_init(&l, str_of(text), NULL, c->arena);
	read_lines(c, &l, INSIDE_GLOBALS);
	c->words = NULL;
}

static bool is_opened(const struct opened *o, struct str path)
{
	for (; o != NULL; o = o->by)
		if (str_eq(o->path, path))
			return true;
	return false;
}

bool parse_file(struct conf *c, struct str path)
{
	const struct words *by = c->words;
	struct opened here = { path, c->opened };
	struct lexer l;
	struct str text;
	int error;

	if (is_opened(c->opened, path))
		return conf_fault(c, "\"%.*s\" includes itself", STR_ARG(path));
	if (!bundle_ask(c->source.bundle, BUNDLE_CONF, path, &text, &error))
		return fault_open(c, "open()", path, error);
	lexer_init(&l, text, path.at, c->arena);
	c->opened = &here;
	read_lines(c, &l, INSIDE_FILE);
	c->opened = here.by;
	c->words = by;
	return true;
}

/* The files of a pattern come from the bundle as names that each end in a NUL. */
static bool include_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct str path = conf_path(c, w->at[1]), names, name;
	bool fine = true;
	int error;

	(void)d;
	(void)settings;
	if (strpbrk(path.at, "*?[") == NULL)
		return parse_file(c, path);
	if (!bundle_ask(c->source.bundle, BUNDLE_GLOB, path, &names, &error))
		return fault_open(c, "open glob", path, error);
	while (names.len != 0) {
		name = str_cut(&names, '\0');
		fine = parse_file(c, name) && fine;
	}
	return fine;
}
