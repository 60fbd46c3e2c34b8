/* SPDX-License-Identifier: BSD-2-Clause */
/* What is UTF-8 and what is not, and texts put together from the values of a question. */
#include "helpers/text.h"

#include "unit.h"

static void utf8(void **state)
{
	static const struct {
		struct str text;
		bool good;
	} SAMPLES[] = {
		{ LIT(""), true },
		{ LIT("anna"), true },
		{ LIT("\xc3\xa4"), true },
		{ LIT("\xe2\x82\xac"), true },
		{ LIT("\xf0\x9f\x98\x80"), true },
		{ LIT("\xf4\x8f\xbf\xbf"), true },
		{ LIT("\xff"), false },
		{ LIT("\x80"), false },
		{ LIT("\xc3"), false },
		{ LIT("\xc3("), false },
		{ LIT("\xc0\xaf"), false },	    /* overlong */
		{ LIT("\xe0\x80\xaf"), false },	    /* overlong */
		{ LIT("\xf0\x80\x80\xaf"), false }, /* overlong */
		{ LIT("\xed\xa0\x80"), false },	    /* a surrogate */
		{ LIT("\xf4\x90\x80\x80"), false }, /* beyond the last */
		{ LIT("\xe2\x82"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++)
		assert_int_equal(helper_is_utf8(SAMPLES[i].text), SAMPLES[i].good);
}

static void joined(void **state)
{
	struct helper_setting list[] = { { STR("variable"), STR("login") },
					 { STR("variable"), STR("protocol") },
					 { STR("text"), STR("<$login> by ${protocol}, $login") },
					 { STR("bad"), STR("$other") } };
	struct helper_settings s = { .at = list, .len = 4, .home = arena_new(256) };
	struct pipe_question q = { .values_len = 2, .values = { STR("u$login"), STR("imap") } };
	struct helper_pattern p;

	(void)state;
	assert_null(helper_pattern(&s, "text", &p));
	assert_true(p.given);
	assert_str(helper_join(&p, &q, s.home), STR("<u$login> by imap, u$login"));
	assert_null(helper_pattern(&s, "missing", &p));
	assert_false(p.given);
	assert_non_null(helper_pattern(&s, "bad", &p));
	arena_free(s.home);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(utf8), cmocka_unit_test(joined) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
