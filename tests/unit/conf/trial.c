/* SPDX-License-Identifier: BSD-2-Clause */
/* See trial.h. */
#include "trial.h"

#include <string.h>

void trial_init(struct trial *t, const struct module *const *modules)
{
	*t = (struct trial){ .modules = modules, .world = bundle_record() };
	buf_init(&t->said, 1 << 20);
}

static void forget_load(struct trial *t)
{
	conf_free(t->conf);
	bundle_free(t->sealed);
	t->conf = NULL;
	t->sealed = NULL;
	buf_clear(&t->said);
}

void trial_done(struct trial *t)
{
	forget_load(t);
	bundle_free(t->world);
	buf_done(&t->said);
}

void trial_file(struct trial *t, const char *path, const char *text)
{
	bundle_put(t->world, BUNDLE_CONF, str_of(path), str_of(text));
}

static void hear(void *to, enum log_level level, const char *text)
{
	struct trial *t = to;

	buf_format(&t->said, "[%s] %s\n", log_level_names[level], text);
}

const char *trial_load_with(struct trial *t, const char *globals, struct str text)
{
	struct conf_source source = {
		.modules = t->modules,
		.file = "/c/main.conf",
		.prefix = "/p/",
		.globals = globals,
		.say = hear,
		.to = t,
	};
	int fd;

	forget_load(t);
	bundle_put(t->world, BUNDLE_CONF, STR("/c/main.conf"), text);
	fd = bundle_seal(t->world);
	assert_true(fd >= 0);
	t->sealed = source.bundle = bundle_replay(fd);
	assert_non_null(t->sealed);
	close(fd);
	t->conf = conf_load(&source);
	buf_put_byte(&t->said, '\0');
	return t->said.at;
}

const char *trial_load(struct trial *t, const char *text)
{
	return trial_load_with(t, NULL, str_of(text));
}

void trial_assert_faults(struct trial *t, const char *text, const char *want, const char *file, int line)
{
	static const char place[] = " in /c/main.conf", level[] = "[emerg] ";
	char *said = strdup(trial_load(t, text)), *at;

	while ((at = strstr(said, place)) != NULL)
		memmove(at, at + strlen(place), strlen(at + strlen(place)) + 1);
	while ((at = strstr(said, level)) != NULL)
		memmove(at, at + strlen(level), strlen(at + strlen(level)) + 1);
	if (said[0] != '\0')
		said[strlen(said) - 1] = '\0';
	if (t->conf != NULL || strcmp(said, want) != 0) {
		print_error("for: %s\n said: %s\n want: %s\n", text, said, want);
		_fail(file, line);
	}
	free(said);
}

static const struct choice CHOICES[] = { { "one", 1 }, { "two", 2 }, { "Four", 4 }, { NULL, 0 } };

static bool custom_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct sample *s = settings;

	if (str_eq(w->at[1], STR("bad")))
		return conf_fault(c, "bad \"%s\"", d->name);
	s->custom[0] = w->at[1];
	s->custom[1] = w->at[w->len - 1];
	return true;
}

/* Refuses a value that the slot took. */
static bool even_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct sample *s = settings;

	(void)d;
	(void)w;
	return s->bounded % 2 == 0 || conf_fault(c, "odd");
}

static void computed_preset(struct conf *c, struct scope *in, void *settings)
{
	struct sample *s = settings;

	s->computed = arena_format(conf_arena(c), "computed in %d", (int)scope_place(in));
}

static bool map_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)d;
	(void)settings;
	return !str_eq(w->at[1], STR("refused")) || conf_fault(c, "refused");
}

static bool map_row(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct sample *s = settings;
	struct str *all = arena_take(conf_arena(c), (s->rows.len + 1) * sizeof(*all));
	struct buf line;

	if (str_eq(w->at[0], STR("bad")))
		return conf_fault(c, "bad line of \"%s\"", d->name);
	for (size_t i = 0; i < s->rows.len; i++)
		all[i] = s->rows.at[i];
	buf_init_in(&line, conf_arena(c), 4096);
	for (size_t i = 0; i < w->len; i++) {
		buf_put(&line, i != 0 ? STR("|") : STR(""));
		buf_put(&line, w->at[i]);
	}
	all[s->rows.len] = buf_text(&line);
	s->rows = (struct strs){ all, s->rows.len + 1 };
	return true;
}

/* clang-format off */
#define IN_BOTH .where = IN_MAIL | IN_SERVER
#define ONE .min = 1, .max = 1
#define FIELD(member) .offset = offsetof(struct sample, member)

static const struct directive ROWS[] = {
	{ .name = "mail", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_MAIL,
	  .args = "{ … }", .help = "Opens mail." },
	{ .name = "server", .where = IN_MAIL, .flags = CONF_BLOCK | CONF_REPEATS, .opens = IN_SERVER,
	  .args = "{ … }", .help = "Opens a server." },
	{ .name = "events", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_EVENTS,
	  .args = "{ … }", .help = "Opens events." },
	{ .name = "http", .where = IN_MAIN, .flags = CONF_BLOCK | CONF_SKIPPED,
	  .args = "{ … }", .help = "Not ours." },
	{ .name = "load_module", .where = IN_MAIN, ONE, .flags = CONF_SKIPPED | CONF_REPEATS,
	  .args = "file", .help = "Not ours either." },
	{ .name = "map", .where = IN_MAIL, ONE, .flags = CONF_BLOCK | CONF_REPEATS,
	  .set = map_set, .row = map_row,
	  .args = "name { … }", .help = "Takes its lines itself." },
	{ .name = "flag", IN_BOTH, ONE, .slot = SLOT_FLAG, FIELD(flag), .preset = "on",
	  .args = "on | off", .help = "A flag." },
	{ .name = "number", IN_BOTH, ONE, .slot = SLOT_NUMBER, FIELD(number), .preset = "7",
	  .args = "number", .help = "A number." },
	{ .name = "size", IN_BOTH, ONE, .slot = SLOT_SIZE, FIELD(size), .preset = "4k",
	  .args = "size", .help = "A size." },
	{ .name = "offset", IN_BOTH, ONE, .slot = SLOT_OFFSET, FIELD(offset), .preset = "2g",
	  .args = "size", .help = "An offset." },
	{ .name = "msec", IN_BOTH, ONE, .slot = SLOT_MSEC, FIELD(msec), .preset = "60s",
	  .args = "time", .help = "A time." },
	{ .name = "sec", IN_BOTH, ONE, .slot = SLOT_SEC, FIELD(sec), .preset = "5m",
	  .args = "time", .help = "A long time." },
	{ .name = "text", IN_BOTH, ONE, .slot = SLOT_TEXT, FIELD(text), .preset = "HIGH:!aNULL:!MD5",
	  .args = "text", .help = "A text." },
	{ .name = "choice", IN_BOTH, ONE, .slot = SLOT_ENUM, FIELD(choice), .choices = CHOICES,
	  .preset = "two",
	  .args = "one | two | Four", .help = "A choice." },
	{ .name = "cased", IN_BOTH, ONE, .slot = SLOT_ENUM, FIELD(choice), .choices = CHOICES,
	  .flags = CONF_CASE | CONF_NO_EFFECT,
	  .args = "one | two | Four", .help = "A choice that minds the case." },
	{ .name = "bits", IN_BOTH, .min = 1,
	  .flags = CONF_UNLIMITED, .slot = SLOT_BITS, FIELD(bits), .choices = CHOICES, .preset = "one two",
	  .args = "one | two | Four …", .help = "Some choices." },
	{ .name = "list", IN_BOTH, .min = 1,
	  .flags = CONF_UNLIMITED, .slot = SLOT_LIST, FIELD(list), .preset = "IMAP4 IMAP4rev1 UIDPLUS",
	  .args = "word …", .help = "A list." },
	{ .name = "path", IN_BOTH, ONE, .slot = SLOT_PATH, FIELD(path),
	  .args = "file", .help = "A file." },
	{ .name = "prefix_path", IN_BOTH, ONE, .slot = SLOT_PREFIX_PATH, FIELD(prefix_path),
	  .preset = "logs/x",
	  .args = "file", .help = "A file under the prefix." },
	{ .name = "custom", IN_BOTH, .min = 1, .max = 2, .slot = SLOT_CUSTOM, FIELD(custom),
	  .size = 2 * sizeof(struct str), .set = custom_set, .preset = "first \"last word\""
	  ,
	  .args = "word [word]", .help = "Two texts." },
	{ .name = "twice", IN_BOTH, ONE, .slot = SLOT_TEXT, FIELD(twice), .flags = CONF_REPEATS,
	  .args = "text", .help = "The last one counts." },
	{ .name = "bounded", IN_BOTH, ONE, .slot = SLOT_NUMBER, FIELD(bounded), .least = 2, .most = 10,
	  .set = even_set, .preset = "2",
	  .args = "number", .help = "An even number between 2 and 10." },
	{ .name = "from_ten", IN_BOTH, ONE, .slot = SLOT_SIZE, FIELD(from_ten), .least = 10, .preset = "10",
	  .args = "size", .help = "At least ten bytes." },
	{ .name = "computed", IN_BOTH, ONE, .slot = SLOT_TEXT, FIELD(computed), .preset_fn = computed_preset,
	  .args = "text", .help = "By default it is computed." },
	{ .name = "vain", .where = IN_MAIN | IN_MAIL | IN_SERVER, ONE, .slot = SLOT_MSEC,
	  .flags = CONF_NO_EFFECT,
	  .args = "time", .help = "A relic." },
	{ .name = NULL }
};
/* clang-format on */

const struct module sample_module = {
	.name = "sample",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct sample),
	.directives = ROWS,
};

const struct module *const sample_modules[] = { &sample_module, NULL };

struct sample *sample_in_mail(const struct trial *t)
{
	assert_non_null(t->conf);
	return scope_settings(scope_first(conf_top(t->conf), IN_MAIL), &sample_module);
}

struct sample *sample_in_server(const struct trial *t, int nth)
{
	struct scope *s = scope_first(scope_first(conf_top(t->conf), IN_MAIL), IN_SERVER);

	while (nth-- > 0)
		s = scope_next(s);
	assert_non_null(s);
	return scope_settings(s, &sample_module);
}
