/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a configuration, and how it complains.
 *
 * Loading has three parts: read (parse.c), inherit, check (inherit.c). A part begins only when the one before
 * found no fault, so a directive that could not be understood does not make a second fault out of its
 * absence.
 */
#include "conf/conf.h"

#include "base/mem.h"
#include "conf/inside.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CHUNK = 16 << 10, MESSAGE_MAX = 1024, TEXT_MAX = 16 << 10 };

bool row_next(const struct module *const *modules, struct row *r)
{
	if (r->d == NULL) {
		if (modules[0] == NULL)
			return false;
		r->d = modules[0]->directives;
	} else {
		r->d++;
		r->index++;
	}
	while (r->d->name == NULL) {
		if (modules[++r->module] == NULL)
			return false;
		r->d = modules[r->module]->directives;
	}
	return true;
}

static void gather_modules(struct conf *c)
{
	size_t len = 0;

	while (c->source.modules[len] != NULL)
		len++;
	c->modules_len = len + 1;
	c->modules = arena_take(c->arena, (len + 2) * sizeof(c->modules[0]));
	c->modules[0] = &conf_module;
	memcpy(c->modules + 1, c->source.modules, len * sizeof(c->modules[0]));
	for (struct row r = { 0 }; row_next(c->modules, &r);)
		c->rows_len = r.index + 1;
}

static struct conf *conf_new(const struct conf_source *source)
{
	struct arena *a = arena_new(FIRST_CHUNK);
	struct conf *c = arena_take(a, sizeof(*c));
	const char *slash = strrchr(source->file, '/');

	c->arena = a;
	c->source = *source;
	c->folder = (struct str){ source->file, slash != NULL ? (size_t)(slash - source->file) + 1 : 0 };
	c->folder = arena_str(a, c->folder);
	gather_modules(c);
	c->top = c->scope = scope_open(c, IN_MAIN, NULL);
	return c;
}

struct conf *conf_load(const struct conf_source *source)
{
	struct conf *c = conf_new(source);

	if (source->globals != NULL)
		parse_globals(c, source->globals);
	parse_file(c, arena_str(c->arena, str_of(source->file)));
	if (c->faults == 0)
		conf_inherit(c);
	if (c->faults == 0)
		conf_check(c);
	if (c->faults != 0) {
		conf_free(c);
		return NULL;
	}
	return c;
}

void conf_free(struct conf *c)
{
	if (c != NULL)
		arena_free(c->arena);
}

struct scope *conf_top(struct conf *c)
{
	return c->top;
}

struct arena *conf_arena(struct conf *c)
{
	return c->arena;
}

struct bundle *conf_bundle(struct conf *c)
{
	return c->source.bundle;
}

struct scope *conf_scope(struct conf *c)
{
	return c->scope;
}

const struct words *conf_words(struct conf *c)
{
	return c->words;
}

/*
 * A message may quote any byte of a file; what could end or overwrite a line of a log or terminal is shown as
 * \xNN.
 */
static void put_printable(struct buf *to, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 0x20 || c == 0x7f)
			buf_format(to, "\\x%02x", c);
		else
			buf_put_byte(to, text.at[i]);
	}
}

/* Neither file nor line: a complaint about no place. A line without a file: the command line. */
static void tell(struct conf *c, enum log_level level, const char *file, unsigned line, struct str message)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	put_printable(&text, message);
	if (file != NULL) {
		buf_put(&text, STR(" in "));
		put_printable(&text, str_of(file));
		buf_format(&text, ":%u", line);
	} else if (line != 0) {
		buf_put(&text, STR(" in command line"));
	}
	buf_put_byte(&text, '\0');
	c->source.say(c->source.to, level, text.at);
	buf_done(&text);
}

static void tell_fault(struct conf *c, const char *file, unsigned line, struct str message)
{
	if (++c->faults <= FAULTS_MAX)
		tell(c, LOG_EMERG, file, line, message);
	else if (c->faults == FAULTS_MAX + 1)
		tell(c, LOG_EMERG, NULL, 0, STR("too many faults, giving up"));
}

/* printf into `to`, cut where it is full. */
static struct str message_of(char to[static MESSAGE_MAX], const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static struct str message_of(char to[static MESSAGE_MAX], const char *format, va_list ap)
{
	int n = vsnprintf(to, MESSAGE_MAX, format, ap);

	if (n < 0)
		n = 0;
	return (struct str){ to, n < MESSAGE_MAX ? (size_t)n : MESSAGE_MAX - 1 };
}

static const char *file_here(const struct conf *c)
{
	return c->words != NULL ? c->words->file : NULL;
}

/* The lines of the command line are counted from 1, so that they are told from no place at all. */
static unsigned line_here(const struct conf *c)
{
	return c->words != NULL ? c->words->line : 0;
}

bool conf_fault(struct conf *c, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, format);
	tell_fault(c, file_here(c), line_here(c), message_of(message, format, ap));
	va_end(ap);
	return false;
}

bool conf_fault_at(struct conf *c, const char *file, unsigned line, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, format);
	tell_fault(c, file, line, message_of(message, format, ap));
	va_end(ap);
	return false;
}

void conf_say(struct conf *c, enum log_level level, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, format);
	tell(c, level, file_here(c), line_here(c), message_of(message, format, ap));
	va_end(ap);
}

static struct str path_from(struct conf *c, struct str folder, struct str name)
{
	if (name.len != 0 && name.at[0] == '/')
		return arena_str(c->arena, name);
	return arena_format(c->arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(name));
}

struct str conf_path(struct conf *c, struct str name)
{
	return path_from(c, c->folder, name);
}

struct str conf_prefix_path(struct conf *c, struct str name)
{
	return path_from(c, str_of(c->source.prefix), name);
}

bool fault_open(struct conf *c, const char *call, struct str path, int error)
{
	return conf_fault(c, "%s \"%.*s\" failed (%d: %s)", call, STR_ARG(path), error, strerror(error));
}

bool conf_read(struct conf *c, struct str path, struct str *content)
{
	int error;

	if (bundle_ask(c->source.bundle, BUNDLE_FILE, path, content, &error))
		return true;
	return fault_open(c, "open()", path, error);
}
