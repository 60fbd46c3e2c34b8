/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as directives name them: every form, every refusal. */
#include "trial.h"

#include <string.h>

/* The addresses of a text, blank-separated, or what is wrong with it. */
static void check(struct trial *t, struct str text, const char *want)
{
	struct addr found[4];
	size_t len = 99;
	const char *wrong = conf_addresses(t->conf, text, 514, found, 4, &len);
	struct buf got;
	char one[ADDR_TEXT_MAX];

	buf_init(&got, 4096);
	assert_true(wrong == NULL || len == 0);
	if (wrong != NULL)
		buf_put(&got, str_of(wrong));
	for (size_t i = 0; i < len; i++)
		buf_format(&got, "%s%s", i != 0 ? " " : "", addr_text(&found[i], one));
	if (!str_eq(buf_text(&got), str_of(want)))
		print_error("for: %.*s\n", STR_ARG(text));
	assert_str(buf_text(&got), str_of(want));
	buf_done(&got);
}

static void world(struct trial *t)
{
	trial_init(t, sample_modules);
	bundle_put(t->world, BUNDLE_HOST, STR("two.test"),
		   STR("192.0.2.7\0"
		       "2001:db8::7\0"));
	bundle_put(t->world, BUNDLE_HOST, STR("many.test"),
		   STR("192.0.2.1\0"
		       "192.0.2.2\0"
		       "192.0.2.3\0"
		       "192.0.2.4\0"
		       "192.0.2.5\0"));
	bundle_put(t->world, BUNDLE_HOST, STR("none.test"), STR(""));
	trial_load(t, "");
}

static void forms_and_refusals(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1:514" },
		{ "192.0.2.1:25", "192.0.2.1:25" },
		{ "192.0.2.1:65535", "192.0.2.1:65535" },
		{ "[2001:db8::1]", "[2001:db8::1]:514" },
		{ "[2001:db8::1]:25", "[2001:db8::1]:25" },
		{ "two.test", "192.0.2.7:514 [2001:db8::7]:514" },
		{ "two.test:9000", "192.0.2.7:9000 [2001:db8::7]:9000" },
		{ "many.test:1", "192.0.2.1:1 192.0.2.2:1 192.0.2.3:1 192.0.2.4:1" },
		{ "unix:/run/x", "unix:/run/x" },
		{ "UNIX:/run/x", "unix:/run/x" },
		{ "unix:rel:x/y?z", "unix:rel:x/y?z" },
		{ "unix:", "no path in the unix domain socket" },
		{ "unix:/01234567890123456789012345678901234567890123456789012345678901234567890123456789"
		  "01234567890123456789012345",
		  "unix:/01234567890123456789012345678901234567890123456789012345678901"
		  "23456789012345678901234567890123456789012345" },
		{ "unix:/01234567890123456789012345678901234567890123456789012345678901234567890123456789"
		  "012345678901234567890123456",
		  "too long path in the unix domain socket" },
		{ "", "no host" },
		{ ":25", "no host" },
		{ ":", "invalid port" },
		{ "192.0.2.1:", "invalid port" },
		{ "192.0.2.1:0", "invalid port" },
		{ "192.0.2.1:65536", "invalid port" },
		{ "192.0.2.1:x", "invalid port" },
		{ "192.0.2.1:25x", "invalid port" },
		{ "192.0.2.1:-1", "invalid port" },
		{ "two.test:1:2", "invalid port" },
		{ "::1", "invalid port" },
		{ "2001:db8::1", "invalid port" },
		{ "[::1", "invalid host" },
		{ "[::1]x", "invalid host" },
		{ "[::1]x:25", "invalid host" },
		{ "[::1]:", "invalid port" },
		{ "[::1]:0", "invalid port" },
		{ "[::1]:25/x", "invalid host" },
		{ "[]", "no host" },
		{ "[]:25", "no host" },
		{ "[::g]", "invalid IPv6 address" },
		{ "[192.0.2.1]", "invalid IPv6 address" },
		{ "two.test/x", "invalid host" },
		{ "two.test:25/x", "invalid host" },
		{ "two.test?x", "invalid host" },
		{ "http://two.test", "invalid host" },
		{ "other.test", "host not found" },
		{ "none.test", "host not found" },
		{ "192.0.2.256", "host not found" },
	};
	struct trial t;

	(void)state;
	world(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&t, str_of(cases[i].text), cases[i].want);
	check(&t, (struct str)LIT("two.test\0"), "host not found");
	trial_done(&t);
}

static void hosts_alone(void **state)
{
	struct addr found[4];
	struct trial t;
	size_t len = 0;
	char one[ADDR_TEXT_MAX];

	(void)state;
	world(&t);
	assert_null(conf_hosts(t.conf, STR("two.test"), found, 4, &len));
	assert_int_equal(len, 2);
	assert_string_equal(addr_text(&found[1], one), "[2001:db8::7]:0");
	assert_null(conf_hosts(t.conf, STR("::1"), found, 4, &len));
	assert_int_equal(len, 1);
	assert_string_equal(conf_hosts(t.conf, STR("two.test:25"), found, 4, &len), "host not found");
	assert_int_equal(len, 0);
	trial_done(&t);
}

static void files_and_paths(void **state)
{
	struct trial t;
	struct str content = STR("untouched");

	(void)state;
	world(&t);
	bundle_put(t.world, BUNDLE_FILE, STR("/c/key"), STR("secret"));
	trial_load(&t, "");
	assert_str(conf_path(t.conf, STR("key")), STR("/c/key"));
	assert_str(conf_prefix_path(t.conf, STR("key")), STR("/p/key"));
	assert_str(conf_path(t.conf, STR("/key")), STR("/key"));
	assert_true(conf_read(t.conf, STR("/c/key"), &content));
	assert_str(content, STR("secret"));
	buf_clear(&t.said);
	content = STR("untouched");
	assert_false(conf_read(t.conf, STR("/c/none"), &content));
	assert_str(content, STR("untouched"));
	assert_str(buf_text(&t.said),
		   STR("[emerg] open() \"/c/none\" failed (2: No such file or directory)\n"));
	trial_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_and_refusals),
		cmocka_unit_test(hosts_alone),
		cmocka_unit_test(files_and_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
