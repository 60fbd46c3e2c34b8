/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as text: the RFC's vectors, every byte value, every short length, and what must not be taken for an
 * encoding. */
#include "base/text.h"

#include "unit.h"
#include <string.h>

typedef void put_fn(struct buf *to, struct str bytes);

static void check(put_fn *put, struct str bytes, struct str want)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_put(&b, STR("<"));
	put(&b, bytes);
	assert_str(str_skip(buf_text(&b), 1), want);
	buf_done(&b);
}

static void base64_vectors(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check(base64_put, str_of(cases[i].bytes), str_of(cases[i].text));
		buf_clear(&b);
		assert_true(base64_get(&b, str_of(cases[i].text)));
		assert_str(buf_text(&b), str_of(cases[i].bytes));
	}
	buf_done(&b);
	check(base64_put, (struct str){ NULL, 0 }, STR(""));
}

/* Random bytes of every length; padding whole, in part and missing; and into a buffer that holds just that
 * much. */
static void base64_there_and_back(void **state)
{
	struct dice dice = { 3 };
	char bytes[200];

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct buf text, back;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)dice_roll(&dice, 256);
		buf_init(&text, (len + 2) / 3 * 4);
		buf_init(&back, len);
		base64_put(&text, (struct str){ bytes, len });
		assert_false(text.full);
		assert_int_equal(text.len, text.most);
		for (;;) {
			buf_clear(&back);
			assert_true(base64_get(&back, buf_text(&text)));
			assert_str(buf_text(&back), ((struct str){ bytes, len }));
			if (text.len == 0 || text.at[text.len - 1] != '=')
				break;
			text.len--;
		}
		buf_done(&text);
		buf_done(&back);
	}
}

static void base64_refusals(void **state)
{
	static const struct str bad[] = {
		LIT("A"),     LIT("AAAAA"), LIT("A==="),   LIT("A="),	    LIT("A=="),	     LIT("=="),
		LIT("==="),   LIT("===="),  LIT("=A"),	   LIT("=AAA"),	    LIT("Zg==="),    LIT("Zg====="),
		LIT("Zm8=="), LIT("Zm9v="), LIT("Zm9v=="), LIT("Zg=g"),	    LIT("Zg==Zg=="), LIT("Zg==\n"),
		LIT("Zg== "), LIT(" Zg=="), LIT("Zm 9v"),  LIT("Zm9v\r\n"), LIT("Zm9v\0"),   LIT("\0"),
		LIT("*"),     LIT("Zm9-"),  LIT("Zm9_"),   LIT("Zm9v*"),    LIT("Zm\x80v"),  LIT("Zm\xffv"),
	};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put(&b, STR("kept"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(base64_get(&b, bad[i]));
		assert_str(buf_text(&b), STR("kept"));
		assert_false(b.full);
	}
	buf_done(&b);
}

static void base64_leniency(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(base64_get(&b, (struct str){ NULL, 0 }));
	assert_true(base64_get(&b, STR("=")));
	assert_str(buf_text(&b), STR(""));
	assert_true(base64_get(&b, STR("Zg")));
	assert_true(base64_get(&b, STR("Zg=")));
	assert_true(base64_get(&b, STR("Zm8")));
	assert_str(buf_text(&b), STR("fffo"));
	/* bits of the last character that no byte takes */
	assert_true(base64_get(&b, STR("Zv==")));
	assert_true(base64_get(&b, STR("Zm//")));
	assert_str(str_skip(buf_text(&b), 4), STR("ff\x6f\xff"));
	buf_done(&b);
}

/* Of the 256 byte values 64 are of the alphabet, wherever they stand; '=' is none. */
static void base64_alphabet(void **state)
{
	(void)state;
	for (size_t at = 0; at < 4; at++) {
		int good = 0;

		for (unsigned c = 0; c < 256; c++) {
			char four[] = "AAAA";
			struct buf b;

			four[at] = (char)c;
			buf_init(&b, 3);
			if (base64_get(&b, (struct str){ four, 4 }) && b.len == 3)
				good++;
			buf_done(&b);
		}
		assert_int_equal(good, 64);
	}
}

static void base64_overflow(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	base64_put(&b, STR("1234567"));
	assert_true(b.full);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_false(base64_get(&b, STR("MTIzNDU2Nzg5")));
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	hex_put(&b, STR("12345"));
	assert_true(b.full);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void hex(void **state)
{
	(void)state;
	check(hex_put, STR(""), STR(""));
	check(hex_put, STR("\x00\x01\x7f\x80\xab\xff"), STR("00017f80abff"));
}

/* Each of the 256 values between two letters: itself, or `mark` and its hex. */
static void check_escapes(put_fn *put, const char *mark, bool (*escaped)(unsigned c))
{
	for (unsigned c = 0; c < 256; c++) {
		char bytes[] = { 'a', (char)c, 'b' }, want[16];
		int len;

		if (escaped(c))
			len = snprintf(want, sizeof(want), "a%s%02Xb", mark, c);
		else
			len = snprintf(want, sizeof(want), "a%cb", (char)c);
		check(put, (struct str){ bytes, 3 }, (struct str){ want, (size_t)len });
		check(put, (struct str){ bytes + 1, 1 }, (struct str){ want + 1, (size_t)len - 2 });
	}
	check(put, STR(""), STR(""));
	check(put, STR("plain"), STR("plain"));
}

static bool percent_escaped(unsigned c)
{
	return c <= 0x20 || c == '%';
}

static bool xtext_escaped(unsigned c)
{
	return c <= 0x20 || c == '+' || c == '=' || c >= 0x7f;
}

static bool invisible(unsigned c)
{
	return c < 0x20 || c == '"' || c == '\\' || c > 0x7e;
}

static void visible_whole(struct buf *to, struct str bytes)
{
	visible_put(to, bytes, bytes.len);
}

static void escapes(void **state)
{
	(void)state;
	check_escapes(percent_put, "%", percent_escaped);
	check_escapes(xtext_put, "+", xtext_escaped);
	check_escapes(visible_whole, "\\x", invisible);
	check(percent_put, STR("a b%\r\nc"), STR("a%20b%25%0D%0Ac"));
	check(xtext_put, STR("+=+="), STR("+2B+3D+2B+3D"));
}

static void visible_is_cut(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	visible_put(&b, STR("abc"), 3);
	visible_put(&b, STR("|abcd"), 4);
	visible_put(&b, STR("\n\n"), 1);
	visible_put(&b, STR("x"), 0);
	visible_put(&b, (struct str){ NULL, 0 }, 0);
	assert_str(buf_text(&b), STR("abc|abc...\\x0A......"));
	buf_done(&b);
}

static void line_safety(void **state)
{
	(void)state;
	assert_true(is_line_safe((struct str){ NULL, 0 }));
	assert_true(has_no_controls((struct str){ NULL, 0 }));
	for (unsigned c = 0; c < 256; c++) {
		char bytes[] = { 'a', (char)c, 'b' };
		struct str s = { bytes, 3 };

		assert_int_equal(is_line_safe(s), c != '\r' && c != '\n' && c != 0);
		assert_int_equal(has_no_controls(s), c >= 0x20 && c != 0x7f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_there_and_back),
		cmocka_unit_test(base64_refusals),
		cmocka_unit_test(base64_leniency),
		cmocka_unit_test(base64_alphabet),
		cmocka_unit_test(base64_overflow),
		cmocka_unit_test(hex),
		cmocka_unit_test(escapes),
		cmocka_unit_test(visible_is_cut),
		cmocka_unit_test(line_safety),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
