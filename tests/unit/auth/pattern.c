/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts with variables, taken apart: written down with each variable as <index>. */
#include "auth/pattern.h"

#include "unit.h"
#include <string.h>

static const struct sample {
	const char *text, *want, *names; /* want NULL: a fault */
} SAMPLES[] = {
	{ "", "", "" },
	{ "plain", "plain", "" },
	{ "$login", "<0>", "login " },
	{ "a $login b", "a <0> b", "login " },
	{ "${login}x$login_local-$login", "<0>x<1>-<0>", "login login_local " },
	{ "(&(a=b)(mail=$login))", "(&(a=b)(mail=<0>))", "login " },
	{ "$", NULL, "" },
	{ "$$", NULL, "" },
	{ "a$-b", NULL, "" },
	{ "${login", NULL, "" },
	{ "${}", NULL, "" },
	{ "${lo gin}", NULL, "" },
};

static void write_down(struct buf *to, const struct pattern *p)
{
	for (size_t i = 0; i < p->len; i++) {
		if (p->at[i].value < 0)
			buf_put(to, p->at[i].text);
		else
			buf_format(to, "<%d>", p->at[i].value);
	}
	buf_put_byte(to, '\0');
}

static void try_sample(const struct sample *s)
{
	struct arena *home = arena_new(256);
	struct pattern_names names = { .len = 0 };
	const char *fault = NULL;
	struct pattern p;
	struct buf b;

	buf_init(&b, 4096);
	if (!pattern_read(&p, str_of(s->text), &names, home, &fault)) {
		assert_null(s->want);
		assert_string_equal(fault, "invalid variable name");
	} else {
		write_down(&b, &p);
		assert_string_equal(b.at, s->want);
		buf_clear(&b);
		for (size_t i = 0; i < names.len; i++)
			buf_format(&b, "%.*s ", STR_ARG(names.at[i]));
		buf_put_byte(&b, '\0');
		assert_string_equal(b.at, s->names);
	}
	buf_done(&b);
	arena_free(home);
}

static void samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++)
		try_sample(&SAMPLES[i]);
}

static void too_many_names(void **state)
{
	struct arena *home = arena_new(256);
	struct pattern_names names = { .len = 0 };
	const char *fault = NULL;
	struct pattern p;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (int i = 0; i <= PIPE_VALUES_MAX; i++)
		buf_format(&b, "$v%d ", i);
	assert_false(pattern_read(&p, buf_text(&b), &names, home, &fault));
	assert_string_equal(fault, "too many variables");
	buf_done(&b);
	arena_free(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(samples), cmocka_unit_test(too_many_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
