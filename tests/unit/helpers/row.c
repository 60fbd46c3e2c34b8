/* SPDX-License-Identifier: BSD-2-Clause */
/* Named values: which there are, what they make of a user, and what is refused. */
#include "helpers/row.h"

#include "unit.h"

static void routes(void **state)
{
	static const struct {
		const char *host, *port, *want; /* want NULL: a fault */
	} SAMPLES[] = {
		{ "imap1.example.org", "", "imap1.example.org" },
		{ "192.0.2.1", "143", "192.0.2.1:143" },
		{ "2001:db8::1", "143", "[2001:db8::1]:143" },
		{ "name", "0", NULL },
		{ "name", "65536", NULL },
		{ "name", "x", NULL },
		{ "", "143", NULL },
		{ "na\nme", "", NULL },
	};
	struct arena *home = arena_new(256);

	(void)state;
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++) {
		struct row r = { 0 };

		assert_true(row_set(&r, STR("Host"), str_of(SAMPLES[i].host)));
		assert_true(row_set(&r, STR("port"), str_of(SAMPLES[i].port)));
		if (SAMPLES[i].want == NULL) {
			assert_non_null(row_complete(&r, home));
			continue;
		}
		assert_null(row_complete(&r, home));
		assert_str(r.user.route, str_of(SAMPLES[i].want));
	}
	arena_free(home);
}

static void truth(void **state)
{
	static const struct {
		struct str enabled;
		bool disabled, fault;
	} SAMPLES[] = {
		{ { NULL, 0 }, false, false }, { LIT("1"), false, false },   { LIT("t"), false, false },
		{ LIT("YES"), false, false },  { LIT("0"), true, false },    { LIT("f"), true, false },
		{ LIT(""), true, false },      { LIT("maybe"), true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++) {
		struct row r = { .enabled = SAMPLES[i].enabled };

		assert_int_equal(row_complete(&r, NULL) != NULL, SAMPLES[i].fault);
		assert_int_equal(r.user.disabled, SAMPLES[i].disabled);
	}
}

static void names_and_words(void **state)
{
	struct row r = { 0 };

	(void)state;
	assert_false(row_set(&r, STR("allow_net"), STR("x")));
	assert_true(row_set(&r, STR("ssl"), STR("starttls")));
	assert_null(row_complete(&r, NULL));
	assert_int_equal(r.user.tls, USER_TLS_STARTTLS);
	row_set(&r, STR("ssl"), STR("perhaps"));
	assert_non_null(row_complete(&r, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(routes), cmocka_unit_test(truth),
					    cmocka_unit_test(names_and_words) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
