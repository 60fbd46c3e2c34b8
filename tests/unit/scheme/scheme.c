/* SPDX-License-Identifier: BSD-2-Clause */
/* Every line of `vectors` (made by other tools) matches its password and no other; what is malformed, locked
 * or too dear is told from a wrong password; what is made here can be tried here. The first argument is the
 * file. */
#include "scheme/scheme.h"

#include "unit.h"
#include <string.h>

static const char *vectors;

static bool missing_library(const char *complaint)
{
	return complaint != NULL && strstr(complaint, "was built without") != NULL;
}

static void check_vector(struct str password, struct str stored)
{
	char other[128];
	const char *complaint = scheme_complaint(stored);

	if (missing_library(complaint))
		return;
	if (complaint != NULL)
		print_error("%.*s: %s\n", STR_ARG(stored), complaint);
	assert_null(complaint);
	if (scheme_verify(stored, password) != SCHEME_MATCH)
		print_error("no match: %.*s\n", STR_ARG(stored));
	assert_int_equal(scheme_verify(stored, password), SCHEME_MATCH);
	assert_true(password.len < sizeof(other));
	memcpy(other, password.at, password.len);
	other[0] ^= 1;
	assert_int_equal(scheme_verify(stored, (struct str){ other, password.len }), SCHEME_MISMATCH);
	assert_int_equal(scheme_verify(stored, STR("")), SCHEME_MISMATCH);
}

static void made_by_others(void **state)
{
	FILE *f = fopen(vectors, "r");
	char line[1024];
	int tried = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		struct str stored = str_of(line), password;

		stored.len = str_index(stored, '\n');
		password = str_cut(&stored, '\t');
		if (line[0] == '#')
			continue;
		check_vector(password, stored);
		tried++;
	}
	fclose(f);
	assert_true(tried > 100);
}

/* What stands there, and a word that its complaint has. */
static void complaints(void **state)
{
	static const struct {
		struct str stored;
		const char *word;
	} cases[] = {
		{ LIT("{NOSUCH}abc"), "unknown" },
		{ LIT("{PLAIN"), "\"}\"" },
		{ LIT("{}x"), "unknown" },
		{ LIT("{SHA256}not base64!"), "encoded" },
		{ LIT("{SHA256.HEX}abc"), "encoded" },
		{ LIT("{SHA256.ROT13}abc"), "encoded" },
		{ LIT("{SHA256}YWJj"), "length" },
		{ LIT("{SSHA256}YWJj"), "short" },
		{ LIT("{SSHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0="), "short" },
		{ LIT("{PLAIN}"), "empty" },
		{ LIT("{PBKDF2}$1$salt$0$"), "malformed" },
		{ LIT("{PBKDF2}$2$salt$5000$356a38c2ca64f8c6aee7b38ab44442025f7a63e8"), "malformed" },
		{ LIT("{PBKDF2}$1$salt$4000000000$356a38c2ca64f8c6aee7b38ab44442025f7a63e8"), "rounds" },
		{ LIT("{SCRAM-SHA-256}4096,VdFW"), "malformed" },
		{ LIT("{SCRAM-SHA-256}4000000000,VdFW/Cu07BZ7zRtzF3HDjg==,"
		      "T7Vecz05RA9VLPYFZOi9j2ESyyjPhlxgtT10ZfHYuoo=,OGCHayh6SPYNGePA8fzszhu0B0dUkAeg/CW/"
		      "z78Elkw="),
		  "rounds" },
		{ LIT("{SCRAM-SHA-256}4096,VdFW/Cu07BZ7zRtzF3HDjg==,"
		      "T7Vecz05RA9VLPYFZOi9j2ESyyjPhlxgtT10ZfHYuoo=,OGCHayh6SPYNGePA8fzszhu0B0dUkAeg/CW/"
		      "z78Elkw=,"
		      "YQ=="),
		  "malformed" },
		{ LIT("$6$rounds=999999999$salt$x"), "costs too much" },
		{ LIT("$6$rounds=x$salt$x"), "malformed" },
		{ LIT("$2b$31$abcdefghijklmnopqrstuu"), "costs too much" },
		{ LIT("$2b$1"), "malformed" },
		{ LIT("$y$jzzz$salt$x"), "costs too much" },
		{ LIT("$y$jLT$salt$x"), "costs too much" },
		{ LIT("$7$zzzzzzzzzzzzz$x"), "costs too much" },
		{ LIT("$sha1$4294967295$x$y"), "costs too much" },
		{ LIT("$md5,rounds=4294967295$x"), "costs too much" },
		{ LIT("_zzzzxxxx"), "costs too much" },
		{ LIT("$9$what"), "does not know" },
		{ LIT("plain words"), "malformed" },
		{ LIT("x"), "malformed" },
		{ LIT("{ARGON2ID}$argon2id$v=19$m=4194304,t=3,p=1$UjRTLyKYg76HJsOqRKQvZA$abcd"),
		  "costs too much" },
		{ LIT("{ARGON2ID}$argon2id$v=19$m=65536,t=4000000000,p=1$UjRTLyKYg76HJsOqRKQvZA$abcd"),
		  "costs too much" },
		{ LIT("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=4000$UjRTLyKYg76HJsOqRKQvZA$abcd"),
		  "costs too much" },
		{ LIT("{ARGON2ID}$argon2i$v=19$m=65536,t=3,p=1$UjRTLyKYg76HJsOqRKQvZA$abcd"), "malformed" },
		{ LIT("{ARGON2ID}nonsense"), "malformed" },
		{ LIT("{PLAIN}a\0b"), "NUL" },
		{ LIT("{PLAIN.HEX}6100"), "NUL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *complaint = scheme_complaint(cases[i].stored);

		if (missing_library(complaint))
			continue;
		if (complaint == NULL || strstr(complaint, cases[i].word) == NULL)
			print_error("%.*s: %s\n", STR_ARG(cases[i].stored),
				    complaint != NULL ? complaint : "fine");
		assert_non_null(complaint);
		assert_non_null(strstr(complaint, cases[i].word));
		assert_int_equal(scheme_verify(cases[i].stored, STR("secret")), SCHEME_UNKNOWN);
		assert_int_equal(scheme_verify_digest(cases[i].stored, SCHEME_APOP, STR("<1@x>"), STR("00")),
				 SCHEME_UNKNOWN);
	}
}

static void too_long(void **state)
{
	static char stored[SCHEME_STORED_MAX + 1], password[SCHEME_PASSWORD_MAX + 1];

	(void)state;
	memset(stored, 'a', sizeof(stored));
	memset(password, 'a', sizeof(password));
	memcpy(stored, "{PLAIN}", 7);
	assert_non_null(scheme_complaint((struct str){ stored, sizeof(stored) }));
	assert_null(scheme_complaint((struct str){ stored, sizeof(stored) - 1 }));
	assert_int_equal(scheme_verify(STR("{PLAIN}a"), (struct str){ password, sizeof(password) }),
			 SCHEME_MISMATCH);
	assert_int_equal(scheme_verify(STR("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"),
				       (struct str){ password, SCHEME_PASSWORD_MAX }),
			 SCHEME_MISMATCH);
}

static void locked_accounts(void **state)
{
	(void)state;
	assert_int_equal(scheme_verify(STR(""), STR("")), SCHEME_MISMATCH);
	assert_int_equal(scheme_verify(STR("*"), STR("*")), SCHEME_MISMATCH);
	assert_int_equal(scheme_verify(STR("!"), STR("!")), SCHEME_MISMATCH);
	assert_int_equal(scheme_verify(STR("!$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"), STR("password")),
			 SCHEME_MISMATCH);
	assert_null(scheme_complaint(STR("!")));
}

/* crypt would stop at the NUL and find the password in front of it. */
static void nul_in_passwords(void **state)
{
	(void)state;
	assert_int_equal(scheme_verify(STR("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"), STR("password")),
			 SCHEME_MATCH);
	assert_int_equal(scheme_verify(STR("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"), STR("password\0x")),
			 SCHEME_MISMATCH);
	assert_int_equal(scheme_verify(STR("{PLAIN}a"), STR("a\0")), SCHEME_MISMATCH);
}

static void plain(void **state)
{
	struct buf to;

	(void)state;
	buf_init(&to, 64);
	assert_true(scheme_plain(STR("{PLAIN}{odd} word"), &to));
	assert_str(buf_text(&to), STR("{odd} word"));
	assert_true(scheme_plain(STR("{cleartext}x"), &to));
	assert_str(buf_text(&to), STR("x"));
	assert_true(scheme_plain(STR("{CLEAR.HEX}7879"), &to));
	assert_str(buf_text(&to), STR("xy"));
	assert_false(scheme_plain(STR("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"), &to));
	assert_int_equal(to.len, 0);
	assert_false(scheme_plain(STR("!"), &to));
	buf_done(&to);
}

/* The examples of RFC 2195 and RFC 1939 */
static void digests(void **state)
{
	struct str cram_salt = STR("<1896.697170952@postoffice.reston.mci.net>");
	struct str apop_salt = STR("<1896.697170952@dbc.mtview.ca.us>");

	(void)state;
	assert_int_equal(scheme_verify_digest(STR("{PLAIN}tanstaaftanstaaf"), SCHEME_CRAM_MD5, cram_salt,
					      STR("b913a602c7eda7a495b4e6e7334d3890")),
			 SCHEME_MATCH);
	assert_int_equal(scheme_verify_digest(STR("{PLAIN}tanstaaf"), SCHEME_APOP, apop_salt,
					      STR("C4C9334BAC560ECC979E58001B3E22FB")),
			 SCHEME_MATCH);
	assert_int_equal(scheme_verify_digest(STR("{PLAIN}tanstaaf"), SCHEME_APOP, apop_salt,
					      STR("c4c9334bac560ecc979e58001b3e22fa")),
			 SCHEME_MISMATCH);
	assert_int_equal(scheme_verify_digest(STR("{PLAIN}tanstaaf"), SCHEME_APOP, apop_salt, STR("")),
			 SCHEME_MISMATCH);
	assert_int_equal(
		scheme_verify_digest(STR("{PLAIN}tanstaaf"), SCHEME_APOP, apop_salt,
				     STR("c4c9334bac560ecc979e58001b3e22fbc4c9334bac560ecc979e58001b3e22fb")),
		SCHEME_MISMATCH);
	assert_int_equal(scheme_verify_digest(STR("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="), SCHEME_APOP,
					      apop_salt, STR("c4c9334bac560ecc979e58001b3e22fb")),
			 SCHEME_UNKNOWN);
}

static void make_and_try(const char *scheme)
{
	struct buf a, b;
	const char *complaint;

	buf_init(&a, SCHEME_STORED_MAX);
	buf_init(&b, SCHEME_STORED_MAX);
	assert_true(scheme_make(scheme, STR("p\xc3\xa4ss word"), &a, &complaint));
	assert_null(complaint);
	assert_int_equal(scheme_verify(buf_text(&a), STR("p\xc3\xa4ss word")), SCHEME_MATCH);
	assert_int_equal(scheme_verify(buf_text(&a), STR("pass word")), SCHEME_MISMATCH);
	assert_true(scheme_make(scheme, STR("p\xc3\xa4ss word"), &b, &complaint));
	if (scheme == NULL || strcmp(scheme, "PLAIN") != 0)
		assert_false(str_eq(buf_text(&a), buf_text(&b)));
	buf_done(&a);
	buf_done(&b);
}

static void made_here(void **state)
{
	char name[32];
	struct buf names;
	struct str rest;

	(void)state;
	make_and_try(NULL);
	buf_init(&names, 1024);
	scheme_names(&names);
	for (rest = buf_text(&names); rest.len != 0;) {
		struct str one = str_trim(str_cut(&rest, ','));

		snprintf(name, sizeof(name), "%.*s", STR_ARG(one));
		make_and_try(name);
	}
	buf_done(&names);
	make_and_try("ssha512");
}

static void not_made(void **state)
{
	struct buf to;
	const char *complaint;

	(void)state;
	buf_init(&to, SCHEME_STORED_MAX);
	assert_false(scheme_make("ROT13", STR("x"), &to, &complaint));
	assert_non_null(strstr(complaint, "no such"));
	assert_false(scheme_make("SHA", STR("x"), &to, &complaint));
	assert_non_null(strstr(complaint, "too weak"));
	assert_false(scheme_make(NULL, STR("x\0y"), &to, &complaint));
	assert_non_null(strstr(complaint, "NUL"));
	assert_false(scheme_make("PLAIN", STR(""), &to, &complaint));
	assert_int_equal(to.len, 0);
	buf_done(&to);
}

static void nobody(void **state)
{
	(void)state;
	scheme_dummy(STR(""), STR("x"));
	scheme_dummy(STR("{NOSUCH}x"), STR("x"));
	scheme_dummy(STR("!"), STR("x"));
	scheme_dummy(STR("{PLAIN}x"), STR("x"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_by_others),   cmocka_unit_test(complaints),
		cmocka_unit_test(too_long),	    cmocka_unit_test(locked_accounts),
		cmocka_unit_test(nul_in_passwords), cmocka_unit_test(plain),
		cmocka_unit_test(digests),	    cmocka_unit_test(made_here),
		cmocka_unit_test(not_made),	    cmocka_unit_test(nobody),
	};

	if (argc < 2)
		return 1;
	vectors = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
