/* SPDX-License-Identifier: BSD-2-Clause */
/* Every kind of value: what it takes, what it refuses, and with which words. */
#include "trial.h"

#include <string.h>

/* Load "mail { LINE }"; the settings of mail{}. */
static const struct sample *load_line(struct trial *t, const char *line)
{
	char text[512];

	snprintf(text, sizeof(text), "mail { %s }", line);
	assert_string_equal(trial_load(t, text), "");
	return sample_in_mail(t);
}

static void refuse_line(struct trial *t, const char *line, const char *want)
{
	char text[512], said[512];

	snprintf(text, sizeof(text), "mail { %s }", line);
	snprintf(said, sizeof(said), "%s:1", want);
	assert_faults(t, text, said);
}

static void flags(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	assert_true(load_line(&t, "flag on;")->flag);
	assert_true(load_line(&t, "flag ON;")->flag);
	assert_false(load_line(&t, "flag off;")->flag);
	assert_false(load_line(&t, "flag oFf;")->flag);
	refuse_line(&t, "flag 1;", "invalid value \"1\" in \"flag\" directive, it must be \"on\" or \"off\"");
	refuse_line(&t, "flag \"\";",
		    "invalid value \"\" in \"flag\" directive, it must be \"on\" or \"off\"");
	refuse_line(&t, "flag onn;",
		    "invalid value \"onn\" in \"flag\" directive, it must be \"on\" or \"off\"");
	trial_done(&t);
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"",    "x",  "-1", "+1", "1k", "1 ", " 1", "9223372036854775808", "99999999999999999999",
		"0x1", "1.5"
	};
	struct trial t;
	char line[64];

	(void)state;
	trial_init(&t, sample_modules);
	assert_int_equal(load_line(&t, "number 0;")->number, 0);
	assert_int_equal(load_line(&t, "number 007;")->number, 7);
	assert_true(load_line(&t, "number 9223372036854775807;")->number == INT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "number \"%s\";", bad[i]);
		refuse_line(&t, line, "\"number\" directive invalid number");
	}
	trial_done(&t);
}

static void bounds(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	assert_int_equal(load_line(&t, "bounded 2;")->bounded, 2);
	assert_int_equal(load_line(&t, "bounded 10;")->bounded, 10);
	assert_int_equal(load_line(&t, "from_ten 10;")->from_ten, 10);
	assert_int_equal(load_line(&t, "from_ten 1m;")->from_ten, 1 << 20);
	refuse_line(&t, "bounded 1;", "value must be between 2 and 10");
	refuse_line(&t, "bounded 11;", "value must be between 2 and 10");
	refuse_line(&t, "bounded 3;", "odd");
	refuse_line(&t, "from_ten 9;", "value must be equal to or greater than 10");
	trial_done(&t);
}

/* A text and what it is in the unit at hand; UINT64_MAX: refused. */
struct quantity {
	const char *text;
	uint64_t value;
};

#define NO UINT64_MAX

static void check_quantities(const struct quantity *cases, size_t len,
			     bool (*read)(struct str text, uint64_t *to))
{
	for (size_t i = 0; i < len; i++) {
		uint64_t value = 12345;
		bool fine = read(str_of(cases[i].text), &value);

		if (fine != (cases[i].value != NO) || value != (fine ? cases[i].value : 12345)) {
			print_error("for \"%s\"\n", cases[i].text);
			fail();
		}
	}
}

#define CHECK_QUANTITIES(cases, read) check_quantities((cases), sizeof(cases) / sizeof((cases)[0]), (read))

static void sizes(void **state)
{
	static const struct quantity of_size[] = {
		{ "0", 0 },
		{ "10", 10 },
		{ "4k", 4096 },
		{ "4K", 4096 },
		{ "1m", 1 << 20 },
		{ "1M", 1 << 20 },
		{ "1g", NO },
		{ "1G", NO },
		{ "", NO },
		{ "k", NO },
		{ "m", NO },
		{ "-1", NO },
		{ "1kk", NO },
		{ "1 k", NO },
		{ "1b", NO },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", NO },
		{ "9007199254740991k", (uint64_t)INT64_MAX - 1023 },
		{ "9007199254740992k", NO },
		{ "8796093022207m", (uint64_t)INT64_MAX - 1048575 },
		{ "8796093022208m", NO },
	};
	static const struct quantity of_offset[] = {
		{ "0", 0 },
		{ "4k", 4096 },
		{ "1M", 1 << 20 },
		{ "3g", (uint64_t)3 << 30 },
		{ "3G", (uint64_t)3 << 30 },
		{ "g", NO },
		{ "", NO },
		{ "1t", NO },
		{ "8589934591g", (uint64_t)8589934591 << 30 },
		{ "8589934592g", NO },
	};
	struct trial t;

	(void)state;
	CHECK_QUANTITIES(of_size, conf_read_size);
	CHECK_QUANTITIES(of_offset, conf_read_offset);
	trial_init(&t, sample_modules);
	assert_int_equal(load_line(&t, "size 8k;")->size, 8192);
	assert_int_equal(load_line(&t, "offset 1g;")->offset, 1 << 30);
	refuse_line(&t, "size 1g;", "\"size\" directive invalid value");
	refuse_line(&t, "offset 1t;", "\"offset\" directive invalid value");
	trial_done(&t);
}

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY, MONTH = 30 * DAY, YEAR = 365 * DAY };

static void times(void **state)
{
	static const struct quantity in_ms[] = {
		{ "0", 0 },
		{ "60", 60000 },
		{ "60s", 60000 },
		{ "500ms", 500 },
		{ "1s500ms", 1500 },
		{ "1m", 60000 },
		{ "1h", HOUR * 1000 },
		{ "1d", DAY * 1000 },
		{ "2w", (uint64_t)2 * WEEK * 1000 },
		{ "1h30m", 5400000 },
		{ "1h 30m", 5400000 },
		{ "1h  30m", 5400000 },
		{ "1h30", 3630000 },
		{ "1h 30", 3630000 },
		{ "1h 30 5", 3635000 },
		{ " 10", 10000 },
		{ "10 ", 10000 },
		{ "1hm", 3600000 },
		{ "1h ", 3600000 },
		{ "1w1d1h1m1s1ms", (uint64_t)(WEEK + DAY + HOUR + MINUTE + 1) * 1000 + 1 },
		{ "1M", NO },
		{ "1y", NO },
		{ "30m1h", NO },
		{ "1s1s", NO },
		{ "1ms1s", NO },
		{ "5 ms", NO },
		{ "5 5s", NO },
		{ "5 5 5", NO },
		{ "", NO },
		{ " ", NO },
		{ "s", NO },
		{ "ms", NO },
		{ "h", NO },
		{ "-1", NO },
		{ "1x", NO },
		{ "1.5s", NO },
		{ "1H", NO },
		{ "9223372036854775", 9223372036854775000 },
		{ "9223372036854776", NO },
		{ "9223372036854775807", NO },
		{ "9223372036854775807ms", INT64_MAX },
		{ "9223372036854775808ms", NO },
		{ "99999999999999999999", NO },
		{ "106751991167300d", NO },
		{ "9223372036854775s999ms", NO },
	};
	static const struct quantity in_sec[] = {
		{ "0", 0 },
		{ "60", 60 },
		{ "5m", 300 },
		{ "1M", MONTH },
		{ "1y", YEAR },
		{ "1y1M1w1d1h1m1s", YEAR + MONTH + WEEK + DAY + HOUR + MINUTE + 1 },
		{ "1y 1M", YEAR + MONTH },
		{ "1M1y", NO },
		{ "1y1y", NO },
		{ "1M1M", NO },
		{ "500ms", NO },
		{ "ms", NO },
		{ "1s1ms", NO },
		{ "", NO },
		{ "x", NO },
		{ "9223372036854775807", INT64_MAX },
		{ "292471208678y", NO },
	};
	struct trial t;

	(void)state;
	CHECK_QUANTITIES(in_ms, conf_read_msec);
	CHECK_QUANTITIES(in_sec, conf_read_sec);
	trial_init(&t, sample_modules);
	assert_int_equal(load_line(&t, "msec \"1h 30m\";")->msec, 5400000);
	assert_int_equal(load_line(&t, "sec 1M;")->sec, MONTH);
	refuse_line(&t, "msec 1M;", "\"msec\" directive invalid value");
	refuse_line(&t, "sec 1ms;", "\"sec\" directive invalid value");
	refuse_line(&t, "msec 1h 30m;", "invalid number of arguments in \"msec\" directive");
	trial_done(&t);
}

static void choices(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	assert_int_equal(load_line(&t, "choice one;")->choice, 1);
	assert_int_equal(load_line(&t, "choice FOUR;")->choice, 4);
	load_line(&t, "cased Four;");
	refuse_line(&t, "cased four;", "invalid value \"four\"");
	refuse_line(&t, "choice three;", "invalid value \"three\"");
	refuse_line(&t, "choice \"\";", "invalid value \"\"");
	refuse_line(&t, "choice one two;", "invalid number of arguments in \"choice\" directive");
	trial_done(&t);
}

static void bits(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	assert_int_equal(load_line(&t, "bits Four;")->bits, 4);
	assert_int_equal(load_line(&t, "bits one four;")->bits, 5);
	assert_int_equal(load_line(&t, "bits one; bits TWO;")->bits, 3);
	refuse_line(&t, "bits one three two;", "invalid value \"three\"");
	assert_faults(&t, "mail {\nbits a\nb; }", "invalid value \"a\":3\ninvalid value \"b\":3");
	assert_string_equal(trial_load(&t, "mail { bits one one;\nbits two one; }"),
			    "[warn] duplicate value \"one\" in /c/main.conf:1\n"
			    "[warn] duplicate value \"one\" in /c/main.conf:2\n");
	assert_int_equal(sample_in_mail(&t)->bits, 3);
	trial_done(&t);
}

static void lists_and_texts(void **state)
{
	struct trial t;
	const struct sample *s;

	(void)state;
	trial_init(&t, sample_modules);
	s = load_line(&t, "list a \"b c\"; list d; list \"\"; text \"x y\"; twice 1; twice 2;");
	assert_int_equal(s->list.len, 4);
	assert_str(s->list.at[0], STR("a"));
	assert_str(s->list.at[1], STR("b c"));
	assert_str(s->list.at[2], STR("d"));
	assert_str(s->list.at[3], STR(""));
	assert_str(s->text, STR("x y"));
	assert_str(s->twice, STR("2"));
	assert_int_equal(load_line(&t, "text \"\";")->text.len, 0);
	trial_done(&t);
}

static void paths(void **state)
{
	struct trial t;
	const struct sample *s;

	(void)state;
	trial_init(&t, sample_modules);
	s = load_line(&t, "path a/b; prefix_path a/b;");
	assert_str(s->path, STR("/c/a/b"));
	assert_str(s->prefix_path, STR("/p/a/b"));
	assert_int_equal(s->path.at[s->path.len], '\0');
	s = load_line(&t, "path /a/b; prefix_path /a/b;");
	assert_str(s->path, STR("/a/b"));
	assert_str(s->prefix_path, STR("/a/b"));
	trial_done(&t);
}

static void customs(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	assert_str(load_line(&t, "custom a b;")->custom[1], STR("b"));
	refuse_line(&t, "custom bad;", "bad \"custom\"");
	trial_done(&t);
}

/* Read like any other value, but the module's struct keeps its bytes. */
static void without_effect(void **state)
{
	struct trial t;
	struct sample before;

	(void)state;
	trial_init(&t, sample_modules);
	before = *load_line(&t, "");
	assert_int_equal(load_line(&t, "vain 5m; cased one;")->choice, before.choice);
	assert_int_equal(sample_in_mail(&t)->flag, before.flag);
	refuse_line(&t, "vain 1y;", "\"vain\" directive invalid value");
	trial_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags),   cmocka_unit_test(numbers),	      cmocka_unit_test(bounds),
		cmocka_unit_test(sizes),   cmocka_unit_test(times),	      cmocka_unit_test(choices),
		cmocka_unit_test(bits),	   cmocka_unit_test(lists_and_texts), cmocka_unit_test(paths),
		cmocka_unit_test(customs), cmocka_unit_test(without_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
