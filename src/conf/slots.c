/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments into values: one reader per kind of slot, all behind slot_apply. The same way is taken by
 * directives of a file and by the defaults of their rows.
 */
#include "conf/inside.h"

#include "base/must.h"
#include <string.h>

typedef bool reader_fn(struct conf *c, const struct directive *d, const struct words *w, void *field);

static reader_fn read_flag, read_number, read_size, read_offset, read_msec, read_sec, read_text, read_enum,
	read_bits, read_list, read_path, read_prefix_path;

static const struct {
	reader_fn *read; /* NULL: the row's own `set` does it */
	size_t size;
} SLOTS[] = {
	[SLOT_NONE] = { NULL, 0 },
	[SLOT_FLAG] = { read_flag, sizeof(bool) },
	[SLOT_NUMBER] = { read_number, sizeof(uint64_t) },
	[SLOT_SIZE] = { read_size, sizeof(uint64_t) },
	[SLOT_OFFSET] = { read_offset, sizeof(uint64_t) },
	[SLOT_MSEC] = { read_msec, sizeof(uint64_t) },
	[SLOT_SEC] = { read_sec, sizeof(uint64_t) },
	[SLOT_TEXT] = { read_text, sizeof(struct str) },
	[SLOT_ENUM] = { read_enum, sizeof(unsigned) },
	[SLOT_BITS] = { read_bits, sizeof(unsigned) },
	[SLOT_LIST] = { read_list, sizeof(struct strs) },
	[SLOT_PATH] = { read_path, sizeof(struct str) },
	[SLOT_PREFIX_PATH] = { read_prefix_path, sizeof(struct str) },
	[SLOT_CUSTOM] = { NULL, 0 },
};

size_t slot_size(const struct directive *d)
{
	if (d->flags & CONF_NO_EFFECT)
		return 0;
	return d->slot == SLOT_CUSTOM ? d->size : SLOTS[d->slot].size;
}

bool slot_apply(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	union {
		uint64_t number;
		struct strs list;
	} nowhere = { .number = 0 };
	reader_fn *read = SLOTS[d->slot].read;
	void *field = &nowhere;

	if (slot_size(d) != 0) {
		must(settings != NULL);
		field = (char *)settings + d->offset;
	}
	if (read != NULL && !read(c, d, w, field))
		return false;
	return d->set == NULL || d->set(c, d, w, settings);
}

static bool complain(struct conf *c, const struct directive *d, const char *what)
{
	return conf_fault(c, "\"%s\" directive %s", d->name, what);
}

static bool read_flag(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	bool on = str_same(w->at[1], STR("on"));

	if (!on && !str_same(w->at[1], STR("off")))
		return conf_fault(c,
				  "invalid value \"%.*s\" in \"%s\" directive, "
				  "it must be \"on\" or \"off\"",
				  STR_ARG(w->at[1]), d->name);
	*(bool *)field = on;
	return true;
}

static bool within(struct conf *c, const struct directive *d, uint64_t n)
{
	unsigned long long least = d->least, most = d->most;

	if (n >= least && (most == 0 || n <= most))
		return true;
	if (most == 0)
		return conf_fault(c, "value must be equal to or greater than %llu", least);
	return conf_fault(c, "value must be between %llu and %llu", least, most);
}

static bool keep_number(struct conf *c, const struct directive *d, uint64_t n, void *field)
{
	if (!within(c, d, n))
		return false;
	*(uint64_t *)field = n;
	return true;
}

static bool read_number(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	uint64_t n;

	if (!str_number(w->at[1], INT64_MAX, &n))
		return complain(c, d, "invalid number");
	return keep_number(c, d, n, field);
}

static bool read_unit(struct conf *c, const struct directive *d, const struct words *w, void *field,
		      bool (*read)(struct str text, uint64_t *to))
{
	uint64_t n;

	if (!read(w->at[1], &n))
		return complain(c, d, "invalid value");
	return keep_number(c, d, n, field);
}

static bool read_size(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	return read_unit(c, d, w, field, conf_read_size);
}

static bool read_offset(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	return read_unit(c, d, w, field, conf_read_offset);
}

static bool read_msec(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	return read_unit(c, d, w, field, conf_read_msec);
}

static bool read_sec(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	return read_unit(c, d, w, field, conf_read_sec);
}

static bool read_text(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	(void)c;
	(void)d;
	*(struct str *)field = w->at[1];
	return true;
}

static const struct choice *choose(const struct directive *d, struct str word)
{
	for (const struct choice *choice = d->choices; choice->word != NULL; choice++) {
		struct str known = str_of(choice->word);

		if (d->flags & CONF_CASE ? str_eq(known, word) : str_same(known, word))
			return choice;
	}
	return NULL;
}

static bool read_enum(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	const struct choice *choice = choose(d, w->at[1]);

	if (choice == NULL)
		return conf_fault(c, "invalid value \"%.*s\"", STR_ARG(w->at[1]));
	*(unsigned *)field = choice->value;
	return true;
}

static bool read_bits(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	unsigned *bits = field;
	bool fine = true;

	for (size_t i = 1; i < w->len; i++) {
		const struct choice *choice = choose(d, w->at[i]);

		if (choice == NULL)
			fine = conf_fault(c, "invalid value \"%.*s\"", STR_ARG(w->at[i]));
		else if (*bits & choice->value)
			conf_say(c, LOG_WARN, "duplicate value \"%.*s\"", STR_ARG(w->at[i]));
		else
			*bits |= choice->value;
	}
	return fine;
}

static bool read_list(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	struct strs *list = field;
	struct str *all = arena_take(conf_arena(c), (list->len + w->len - 1) * sizeof(*all));

	(void)d;
	if (list->len != 0)
		memcpy(all, list->at, list->len * sizeof(*all));
	memcpy(all + list->len, w->at + 1, (w->len - 1) * sizeof(*all));
	list->at = all;
	list->len += w->len - 1;
	return true;
}

static bool read_path(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	(void)d;
	*(struct str *)field = conf_path(c, w->at[1]);
	return true;
}

static bool read_prefix_path(struct conf *c, const struct directive *d, const struct words *w, void *field)
{
	(void)d;
	*(struct str *)field = conf_prefix_path(c, w->at[1]);
	return true;
}
