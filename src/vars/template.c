/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts with variables: compiled once, filled for each session.
 *
 * A text is cut into parts, each of which is literal, a variable, or a group of the regular expression of the
 * map's entry whose result the text is. A part keeps how it stands in the configuration: that is what a name
 * nobody knows is filled to, where the directive allows such names.
 */
#include "vars/inside.h"

#include "base/must.h"
#include <string.h>

/* How many maps may be looked up for one text. A configuration that needs more has maps of maps of maps, each
 * used several times by the next. */
enum { STEPS_MAX = 1000 };

/* How a text is being cut. */
struct cutter {
	struct conf *c;
	struct str text, rest;
	const struct regex *re;
	bool loose;
	struct part *parts;
	size_t len;
};

static void add_text(struct cutter *k, struct str text)
{
	struct part *last = k->len != 0 ? &k->parts[k->len - 1] : NULL;

	if (text.len == 0)
		return;
	/* what was taken for a variable and is none joins the text before it */
	if (last != NULL && last->variable == NULL && last->group == 0 &&
	    last->text.at + last->text.len == text.at)
		last->text.len += text.len;
	else
		k->parts[k->len++] = (struct part){ .text = text };
}

/* Take what a '$' at the front of `rest` names, and *whole, the same with '$' and braces. False: nothing. */
static bool take_name(struct str *rest, struct str *name, struct str *whole)
{
	bool braced = rest->len > 1 && rest->at[1] == '{';
	size_t begin = braced ? 2 : 1, end = begin;
	bool digit = begin < rest->len && rest->at[begin] >= '1' && rest->at[begin] <= '9';

	while (end < rest->len) {
		char x = rest->at[end];
		bool letter = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || x == '_';

		if (!letter && !(x >= '0' && x <= '9'))
			break;
		end++;
		if (digit && !braced)
			break; /* "$10" is group 1 and a zero */
	}
	*name = (struct str){ rest->at + begin, end - begin };
	if (end == begin || (braced && (end == rest->len || rest->at[end] != '}')))
		return false;
	end += braced;
	*whole = (struct str){ rest->at, end };
	*rest = str_skip(*rest, end);
	return true;
}

/* The group that `name` means: *number, or 0 for none. False after a fault. */
static bool find_group(struct cutter *k, struct str name, unsigned *number)
{
	uint64_t n = 0;

	*number = 0;
	if (str_number(name, UINT32_MAX, &n)) {
		if (k->re == NULL)
			return conf_fault(k->c,
					  "\"$%.*s\" stands for a group of a regular expression, and "
					  "here is none",
					  STR_ARG(name));
		if (n == 0 || n > regex_groups(k->re))
			return conf_fault(k->c, "the regular expression has no group %.*s", STR_ARG(name));
		*number = (unsigned)n;
	} else if (k->re != NULL) {
		*number = regex_group(k->re, name);
	}
	return true;
}

/* A '$' stands at the front of `rest`. False after a fault. */
static bool cut_variable(struct cutter *k)
{
	struct part *p = &k->parts[k->len];
	struct str name, whole;
	uint64_t n;

	if (!take_name(&k->rest, &name, &whole)) {
		add_text(k, (struct str){ k->rest.at, 1 });
		k->rest = str_skip(k->rest, 1);
		return k->loose || conf_fault(k->c, "invalid variable name in \"%.*s\"", STR_ARG(k->text));
	}
	*p = (struct part){ .text = whole };
	if (k->loose && str_number(name, UINT64_MAX, &n)) {
		add_text(k, whole);
		return true;
	}
	if (!k->loose && !find_group(k, name, &p->group))
		return false;
	if (p->group == 0)
		p->variable = variable_use(k->c, name, k->loose);
	if (p->group != 0 || p->variable != NULL)
		k->len++;
	else if (k->loose)
		add_text(k, whole);
	else
		return false;
	return true;
}

static size_t count_dollars(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '$';
	return n;
}

/* Cut; the whole text is read even after a fault, so that all are told. */
static const struct template *compile(struct conf *c, struct str text, const struct regex *re, bool loose)
{
	struct template *t = arena_take(conf_arena(c), sizeof(*t));
	struct cutter k = { .c = c, .text = text, .rest = text, .re = re, .loose = loose };
	size_t dollars = count_dollars(text);
	bool fine = true;

	t->text = text;
	if (dollars == 0)
		return t;
	k.parts = arena_take(conf_arena(c), (2 * dollars + 1) * sizeof(*k.parts));
	while (k.rest.len != 0) {
		struct str before = { k.rest.at, str_index(k.rest, '$') };

		add_text(&k, before);
		k.rest = str_skip(k.rest, before.len);
		if (k.rest.len != 0)
			fine = cut_variable(&k) && fine;
	}
	t->parts = k.parts;
	t->len = k.len == 1 && k.parts[0].variable == NULL && k.parts[0].group == 0 ? 0 : k.len;
	return fine ? t : NULL;
}

const struct template *template_compile(struct conf *c, struct str text, const struct regex *re)
{
	return compile(c, text, re, false);
}

const struct template *template_new(struct conf *c, struct str text)
{
	return compile(c, text, NULL, false);
}

const struct template *template_new_loose(struct conf *c, struct str text)
{
	return compile(c, text, NULL, true);
}

bool template_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	const struct template *t = template_new(c, w->at[1]);

	memcpy((char *)settings + d->offset, &t, sizeof(t));
	return t != NULL;
}

bool template_fixed(const struct template *t, struct str *text)
{
	if (t->len != 0)
		return false;
	*text = t->text;
	return true;
}

struct str template_source(const struct template *t)
{
	return t->text;
}

void template_write(struct filling *f, const struct template *t, const struct str *groups, struct buf *to)
{
	if (t->len == 0)
		buf_put(to, t->text);
	for (size_t i = 0; i < t->len; i++) {
		const struct part *p = &t->parts[i];

		if (p->variable != NULL)
			variable_write(f, p->variable, p->text, to);
		else
			buf_put(to, p->group != 0 ? groups[p->group] : p->text);
	}
}

void template_put(const struct template *t, const struct vars *v, struct buf *to)
{
	struct filling f = { .v = v, .steps = STEPS_MAX };

	template_write(&f, t, NULL, to);
}

struct str template_fill(const struct template *t, const struct vars *v)
{
	struct str fixed;
	struct buf value;

	if (template_fixed(t, &fixed))
		return fixed;
	buf_init(&value, VALUE_MAX);
	template_put(t, v, &value);
	if (value.full) {
		value_note(v, t->text, TOO_LONG);
		buf_clear(&value);
	}
	fixed = arena_str(v->home, buf_text(&value));
	buf_done(&value);
	return fixed;
}
