/* SPDX-License-Identifier: BSD-2-Clause */
/* Values in filters and DNs: whatever the bytes are, nothing special to either notation is left, and the
 * value can be read out again. */
#include "helpers/ldap_text.h"

#include "unit.h"
#include <string.h>

static void samples(void **state)
{
	static const struct {
		struct str value;
		const char *want;
	} SAMPLES[] = {
		{ LIT(""), "" },
		{ LIT("anna@example.org"), "anna@example.org" },
		{ LIT("*)(uid=*"), "\\2a\\29\\28uid\\3d\\2a" },
		{ LIT("a\0b"), "a\\00b" },
		{ LIT("\\2a"), "\\5c2a" },
		{ LIT(" #,+\"\\<>;="), "\\20\\23\\2c\\2b\\22\\5c\\3c\\3e\\3b\\3d" },
		{ LIT("\xc3\xa4"), "\\c3\\a4" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++) {
		buf_clear(&b);
		ldap_put_filter(&b, SAMPLES[i].value);
		assert_str(buf_text(&b), str_of(SAMPLES[i].want));
		buf_clear(&b);
		ldap_put_dn(&b, SAMPLES[i].value);
		assert_str(buf_text(&b), str_of(SAMPLES[i].want));
	}
	buf_done(&b);
}

static void every_byte(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	for (int c = 0; c < 256; c++) {
		char byte = (char)c, *end;

		buf_clear(&b);
		ldap_put_filter(&b, (struct str){ &byte, 1 });
		buf_put_byte(&b, '\0');
		if (b.at[0] != '\\') {
			assert_int_equal(b.at[0], byte);
			assert_null(strpbrk(b.at, "*()\\,+\"<>;= #"));
		} else {
			assert_int_equal(strtoul(b.at + 1, &end, 16), c);
			assert_int_equal(end - b.at, 3);
		}
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(samples), cmocka_unit_test(every_byte) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
