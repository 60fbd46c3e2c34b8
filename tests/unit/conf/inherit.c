/* SPDX-License-Identifier: BSD-2-Clause */
/* Defaults, values from outside, and the checks that follow. */
#include "trial.h"

#include <string.h>

static void defaults(void **state)
{
	struct trial t;
	const struct sample *s;

	(void)state;
	trial_init(&t, sample_modules);
	assert_string_equal(trial_load(&t, "mail {}"), "");
	s = sample_in_mail(&t);
	assert_true(s->flag);
	assert_int_equal(s->number, 7);
	assert_int_equal(s->size, 4096);
	assert_true(s->offset == (uint64_t)2 << 30);
	assert_int_equal(s->msec, 60000);
	assert_int_equal(s->sec, 300);
	assert_str(s->text, STR("HIGH:!aNULL:!MD5"));
	assert_int_equal(s->choice, 2);
	assert_int_equal(s->bits, 3);
	assert_int_equal(s->list.len, 3);
	assert_str(s->list.at[2], STR("UIDPLUS"));
	assert_null(s->path.at);
	assert_str(s->prefix_path, STR("/p/logs/x"));
	assert_str(s->custom[0], STR("first"));
	assert_str(s->custom[1], STR("last word"));
	assert_null(s->twice.at);
	assert_int_equal(s->bounded, 2);
	assert_str(s->computed, STR("computed in 4"));
	trial_done(&t);
}

static void values_from_outside(void **state)
{
	struct trial t;
	const struct sample *s;

	(void)state;
	trial_init(&t, sample_modules);
	/* the order in the block outside does not matter */
	assert_string_equal(
		trial_load(&t, "mail { flag off; list a b; bits Four; server {}\n"
			       "number 1; size 1; offset 1; msec 1ms; sec 1; text t; choice one; path p;\n"
			       "prefix_path q; custom x y; twice 1; computed c; }"),
		"");
	s = sample_in_server(&t, 0);
	assert_false(s->flag);
	assert_int_equal(s->number, 1);
	assert_int_equal(s->size, 1);
	assert_int_equal(s->offset, 1);
	assert_int_equal(s->msec, 1);
	assert_int_equal(s->sec, 1);
	assert_str(s->text, STR("t"));
	assert_int_equal(s->choice, 1);
	assert_int_equal(s->bits, 4);
	assert_int_equal(s->list.len, 2);
	assert_str(s->path, STR("/c/p"));
	assert_str(s->prefix_path, STR("/p/q"));
	assert_str(s->custom[0], STR("x"));
	assert_str(s->custom[1], STR("y"));
	assert_str(s->twice, STR("1"));
	assert_str(s->computed, STR("c"));
	trial_done(&t);
}

/* Lists and bits are replaced as a whole; siblings do not see one another. */
static void values_inside_replace(void **state)
{
	struct trial t;
	const struct sample *s;

	(void)state;
	trial_init(&t, sample_modules);
	assert_string_equal(
		trial_load(&t,
			   "mail { flag on; number 5; list a b; bits one; custom x y;\n"
			   "server { flag off; number 0; list c; list d e; bits two; bits Four; custom z; }\n"
			   "server { list f; } }"),
		"");
	s = sample_in_server(&t, 0);
	assert_false(s->flag);
	assert_int_equal(s->number, 0);
	assert_int_equal(s->list.len, 3);
	assert_str(s->list.at[0], STR("c"));
	assert_str(s->list.at[2], STR("e"));
	assert_int_equal(s->bits, 6);
	assert_str(s->custom[0], STR("z"));
	assert_str(s->custom[1], STR("z"));
	s = sample_in_server(&t, 1);
	assert_true(s->flag);
	assert_int_equal(s->number, 5);
	assert_int_equal(s->list.len, 1);
	assert_int_equal(s->bits, 1);
	assert_str(s->custom[1], STR("y"));
	s = sample_in_mail(&t);
	assert_int_equal(s->list.len, 2);
	assert_int_equal(s->bits, 1);
	trial_done(&t);
}

/* A module without settings in mail{} takes its defaults in each server. */
struct server_only {
	uint64_t port;
	struct str place;
};

static void place_preset(struct conf *c, struct scope *in, void *settings)
{
	struct server_only *s = settings;

	s->place = arena_format(conf_arena(c), "line %u", scope_line(in));
}

static const struct directive SERVER_ONLY_ROWS[] = { { .name = "port",
						       .where = IN_SERVER,
						       .min = 1,
						       .max = 1,
						       .slot = SLOT_NUMBER,
						       .offset = offsetof(struct server_only, port),
						       .preset = "143" },
						     { .name = "place",
						       .where = IN_SERVER,
						       .min = 1,
						       .max = 1,
						       .slot = SLOT_TEXT,
						       .offset = offsetof(struct server_only, place),
						       .preset_fn = place_preset },
						     { .name = NULL } };

/* What the checks saw, in order; a text of the tests' own. */
static bool note_check(struct conf *c, const char *who, struct scope *in)
{
	conf_say(c, LOG_INFO, "%s checks %d", who, (int)scope_place(in));
	return true;
}

static bool server_only_check(struct conf *c, struct scope *in, void *settings)
{
	const struct server_only *s = settings;

	note_check(c, "second", in);
	return s->port != 13 || conf_fault(c, "unlucky");
}

static const struct module SERVER_ONLY = {
	.name = "server only",
	.places = IN_SERVER,
	.size = sizeof(struct server_only),
	.directives = SERVER_ONLY_ROWS,
	.check = server_only_check,
};

struct everywhere {
	uint64_t level;
};

static const struct directive EVERYWHERE_ROWS[] = { { .name = "level",
						      .where = IN_MAIN | IN_MAIL | IN_SERVER,
						      .min = 1,
						      .max = 1,
						      .slot = SLOT_NUMBER,
						      .offset = offsetof(struct everywhere, level),
						      .preset = "3" },
						    { .name = NULL } };

static bool everywhere_check(struct conf *c, struct scope *in, void *settings)
{
	const struct everywhere *s = settings;

	note_check(c, "first", in);
	if (s->level == 99)
		conf_fault(c, "goes on");
	if (s->level == 98)
		return conf_fault_at(c, "elsewhere", 17, "stops at %d", (int)scope_place(in));
	return true;
}

static const struct module EVERYWHERE = {
	.name = "everywhere",
	.places = IN_MAIN | IN_MAIL | IN_SERVER,
	.size = sizeof(struct everywhere),
	.directives = EVERYWHERE_ROWS,
	.check = everywhere_check,
};

static const struct module *const BOTH[] = { &EVERYWHERE, &SERVER_ONLY, &sample_module, NULL };

static struct scope *nth_server(const struct trial *t, int nth)
{
	struct scope *s = scope_first(scope_first(conf_top(t->conf), IN_MAIL), IN_SERVER);

	while (nth-- > 0)
		s = scope_next(s);
	return s;
}

static void places_decide_where_values_come_from(void **state)
{
	struct trial t;
	const struct server_only *s;
	const struct everywhere *e;

	(void)state;
	trial_init(&t, BOTH);
	trial_load(&t, "level 5;\nmail {\nserver { port 25; }\nserver { level 6;\nplace here; } }");
	s = scope_settings(nth_server(&t, 0), &SERVER_ONLY);
	assert_int_equal(s->port, 25);
	assert_str(s->place, STR("line 3"));
	s = scope_settings(nth_server(&t, 1), &SERVER_ONLY);
	assert_int_equal(s->port, 143);
	assert_str(s->place, STR("here"));
	e = scope_settings(nth_server(&t, 0), &EVERYWHERE);
	assert_int_equal(e->level, 5);
	e = scope_settings(nth_server(&t, 1), &EVERYWHERE);
	assert_int_equal(e->level, 6);
	e = scope_settings(conf_top(t.conf), &EVERYWHERE);
	assert_int_equal(e->level, 5);
	trial_done(&t);
}

static void checks_go_from_outside_in(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, BOTH);
	assert_string_equal(trial_load(&t, "mail {\nserver {}\nserver {} }"),
			    "[info] first checks 1\n"
			    "[info] first checks 4 in /c/main.conf:1\n"
			    "[info] first checks 8 in /c/main.conf:2\n"
			    "[info] second checks 8 in /c/main.conf:2\n"
			    "[info] first checks 8 in /c/main.conf:3\n"
			    "[info] second checks 8 in /c/main.conf:3\n");
	assert_non_null(t.conf);
	trial_done(&t);
}

static void failed_checks_hide_what_is_inside(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, BOTH);
	assert_string_equal(trial_load(&t, "mail {\nserver { port 13; }\nserver { level 99; port 13; } }"),
			    "[info] first checks 1\n"
			    "[info] first checks 4 in /c/main.conf:1\n"
			    "[info] first checks 8 in /c/main.conf:2\n"
			    "[info] second checks 8 in /c/main.conf:2\n"
			    "[emerg] unlucky in /c/main.conf:2\n"
			    "[info] first checks 8 in /c/main.conf:3\n"
			    "[emerg] goes on in /c/main.conf:3\n"
			    "[info] second checks 8 in /c/main.conf:3\n"
			    "[emerg] unlucky in /c/main.conf:3\n");
	assert_null(t.conf);
	assert_string_equal(trial_load(&t, "mail { level 98;\nserver { port 13; } }"),
			    "[info] first checks 1\n"
			    "[info] first checks 4 in /c/main.conf:1\n"
			    "[emerg] stops at 4 in elsewhere:17\n");
	assert_null(t.conf);
	assert_string_equal(trial_load(&t, "mail { server { level 98; port 13; } server { port 13; } }"),
			    "[info] first checks 1\n"
			    "[info] first checks 4 in /c/main.conf:1\n"
			    "[info] first checks 8 in /c/main.conf:1\n"
			    "[emerg] stops at 8 in elsewhere:17\n"
			    "[info] first checks 8 in /c/main.conf:1\n"
			    "[info] second checks 8 in /c/main.conf:1\n"
			    "[emerg] unlucky in /c/main.conf:1\n");
	trial_done(&t);
}

/* A directive that could not be read leaves settings that nobody meant. */
static void no_checks_after_faults_of_reading(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, BOTH);
	assert_string_equal(trial_load(&t, "mail { server { port x; level 98; } }"),
			    "[emerg] \"port\" directive invalid number in /c/main.conf:1\n");
	trial_done(&t);
}

/* Our own bugs: a default that its slot refuses, a check that fails without a word. */
static const struct directive BAD_PRESET_ROWS[] = {
	{ .name = "level", .where = IN_MAIN, .min = 1, .max = 1, .slot = SLOT_NUMBER, .preset = "many" },
	{ .name = NULL }
};

static const struct module BAD_PRESET = {
	.name = "bad",
	.places = IN_MAIN,
	.size = sizeof(uint64_t),
	.directives = BAD_PRESET_ROWS,
};

static bool silent_check(struct conf *c, struct scope *in, void *settings)
{
	(void)c;
	(void)in;
	(void)settings;
	return false;
}

static const struct module SILENT = {
	.name = "silent",
	.places = IN_MAIN,
	.size = sizeof(struct server_only),
	.directives = SERVER_ONLY_ROWS,
	.check = silent_check,
};

static void load_nothing_with(void *arg)
{
	const struct module *const modules[] = { arg, NULL };
	struct trial t;

	trial_init(&t, modules);
	trial_load(&t, "");
}

static void bugs_of_our_own_abort(void **state)
{
	(void)state;
	assert_aborts(load_nothing_with, (void *)&BAD_PRESET);
	assert_aborts(load_nothing_with, (void *)&SILENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(values_from_outside),
		cmocka_unit_test(values_inside_replace),
		cmocka_unit_test(places_decide_where_values_come_from),
		cmocka_unit_test(checks_go_from_outside_in),
		cmocka_unit_test(failed_checks_hide_what_is_inside),
		cmocka_unit_test(no_checks_after_faults_of_reading),
		cmocka_unit_test(bugs_of_our_own_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
