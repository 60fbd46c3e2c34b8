/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans: empty ones with and without a pointer, NULs inside, the edges of numbers. */
#include "base/str.h"

#include "unit.h"
#include <string.h>

static const struct str NOTHING = { NULL, 0 };

static void equality(void **state)
{
	(void)state;
	assert_true(str_eq(NOTHING, STR("")));
	assert_true(str_same(NOTHING, STR("")));
	assert_true(str_eq_secret(NOTHING, STR("")));
	assert_true(str_eq(STR("abc"), STR("abc")));
	assert_false(str_eq(STR("abc"), STR("abd")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_false(str_eq(STR("abc"), NOTHING));
	assert_true(str_same(STR("StArT[]{}"), STR("sTaRt[]{}")));
	/* the letters' neighbours differ in the same bit as letters do */
	assert_false(str_same(STR("@[`{"), STR("`{@[")));
	assert_false(str_same(STR("\xc4"), STR("\xe4")));
}

/* Each pair of bytes: the same only if both are one letter. */
static void case_is_that_of_ascii(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		for (unsigned j = 0; j < 256; j++) {
			char a = (char)i, b = (char)j;
			bool letters = (i | 0x20) == (j | 0x20) && (i | 0x20) >= 'a' && (i | 0x20) <= 'z';

			assert_int_equal(str_same((struct str){ &a, 1 }, (struct str){ &b, 1 }),
					 i == j || letters);
		}
	}
}

/* What stands behind a NUL counts: a name cut there would be another's. */
static void nul_is_a_byte_like_others(void **state)
{
	(void)state;
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_false(str_same(STR("a\0b"), STR("a\0c")));
	assert_true(str_same(STR("a\0b"), STR("A\0B")));
	assert_false(str_eq_secret(STR("a\0b"), STR("a\0c")));
	assert_false(str_starts_same(STR("a\0bx"), STR("a\0c")));
	assert_int_equal(str_index(STR("a\0b"), 'b'), 2);
	assert_int_equal(str_index(STR("a\0b"), '\0'), 1);
	assert_false(str_has(STR("ab"), '\0'));
}

static void secrets_differ_wherever_they_differ(void **state)
{
	char a[64], b[64];

	(void)state;
	memset(a, 'x', sizeof(a));
	for (size_t i = 0; i < sizeof(b); i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(b, a, sizeof(b));
			b[i] = (char)(b[i] ^ 1 << bit);
			assert_false(
				str_eq_secret((struct str){ a, sizeof(a) }, (struct str){ b, sizeof(b) }));
		}
	}
	assert_true(str_eq_secret((struct str){ a, sizeof(a) }, (struct str){ a, sizeof(a) }));
	assert_false(str_eq_secret((struct str){ a, sizeof(a) }, (struct str){ a, sizeof(a) - 1 }));
	assert_false(str_eq_secret((struct str){ a, sizeof(a) }, NOTHING));
}

static void beginnings(void **state)
{
	(void)state;
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), NOTHING));
	assert_true(str_starts(NOTHING, NOTHING));
	assert_false(str_starts(NOTHING, STR("a")));
	assert_false(str_starts(STR("ab"), STR("abc")));
	assert_false(str_starts(STR("aBc"), STR("ab")));
	assert_true(str_starts_same(STR("aBc"), STR("Ab")));
	assert_false(str_starts_same(STR("a"), STR("Ab")));
}

static void pieces(void **state)
{
	struct str rest = STR("a:b::c");

	(void)state;
	assert_str(str_of(NULL), STR(""));
	assert_str(str_of("x"), STR("x"));
	assert_str(str_skip(STR("abc"), 1), STR("bc"));
	assert_str(str_skip(STR("abc"), 3), STR(""));
	assert_str(str_skip(STR("abc"), SIZE_MAX), STR(""));
	assert_str(str_skip(NOTHING, 5), STR(""));
	assert_str(str_trim(STR(" \t a b\t ")), STR("a b"));
	assert_str(str_trim(STR(" \t ")), STR(""));
	assert_str(str_trim(NOTHING), STR(""));
	assert_str(str_trim(STR("\r\na\v")), STR("\r\na\v"));
	assert_str(str_cut(&rest, ':'), STR("a"));
	assert_str(str_cut(&rest, ':'), STR("b"));
	assert_str(str_cut(&rest, ':'), STR(""));
	assert_str(rest, STR("c"));
	assert_str(str_cut(&rest, ':'), STR("c"));
	assert_str(rest, STR(""));
	assert_str(str_cut(&rest, ':'), STR(""));
	rest = NOTHING;
	assert_str(str_cut(&rest, ':'), STR(""));
	rest = STR("x:");
	assert_str(str_cut(&rest, ':'), STR("x"));
	assert_int_equal(rest.len, 0);
}

static void lines(void **state)
{
	struct str rest = STR("one\r\ntwo\n\r\n\n\rx\r\r\nlast\r"), line = STR("untouched");
	const char *const want[] = { "one", "two", "", "", "\rx\r" };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(str_line(&rest, &line));
		assert_str(line, str_of(want[i]));
	}
	assert_false(str_line(&rest, &line));
	assert_str(line, STR("\rx\r"));
	assert_str(rest, STR("last\r"));
	rest = NOTHING;
	assert_false(str_line(&rest, &line));
}

static void numbers(void **state)
{
	static const char *const bad[] = { "",
					   " 1",
					   "1 ",
					   "+1",
					   "-1",
					   "0x1",
					   "1.0",
					   "1\n",
					   "a",
					   "18446744073709551616",
					   "184467440737095516150",
					   "99999999999999999999" };
	uint64_t n = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(str_number(str_of(bad[i]), UINT64_MAX, &n));
		assert_true(n == 77);
	}
	assert_false(str_number(NOTHING, UINT64_MAX, &n));
	assert_false(str_number(STR("1\0"), UINT64_MAX, &n));
	assert_true(str_number(STR("18446744073709551615"), UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(str_number(STR("0000000000000000000000000065535"), 65535, &n));
	assert_true(n == 65535);
}

/* Each bound from 0 to 300, each number from 0 to 300: accepted exactly when it is within. */
static void numbers_have_bounds(void **state)
{
	char text[8];

	(void)state;
	for (uint64_t most = 0; most <= 300; most++) {
		for (uint64_t i = 0; i <= 300; i++) {
			uint64_t n = UINT64_MAX;
			int len = snprintf(text, sizeof(text), "%u", (unsigned)i);

			assert_int_equal(str_number((struct str){ text, (size_t)len }, most, &n), i <= most);
			assert_true(n == (i <= most ? i : UINT64_MAX));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality),
		cmocka_unit_test(case_is_that_of_ascii),
		cmocka_unit_test(nul_is_a_byte_like_others),
		cmocka_unit_test(secrets_differ_wherever_they_differ),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(pieces),
		cmocka_unit_test(lines),
		cmocka_unit_test(numbers),
		cmocka_unit_test(numbers_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
