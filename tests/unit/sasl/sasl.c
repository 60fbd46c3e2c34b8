/* SPDX-License-Identifier: BSD-2-Clause */
/* Exchanges with every mechanism: the RFCs' examples, what must be refused with which complaint, and that
 * nothing of a refused exchange stays. */
#include "sasl/sasl.h"

#include "base/text.h"
#include "unit.h"

struct table {
	struct buf user, secret, salt;
	struct sasl_exchange x;
};

static struct sasl_fields set_up(struct table *t, size_t most)
{
	buf_init(&t->user, most);
	buf_init(&t->secret, most);
	buf_init(&t->salt, most);
	return (struct sasl_fields){ &t->user, &t->secret, &t->salt };
}

static void clear(struct table *t)
{
	buf_done(&t->user);
	buf_done(&t->secret);
	buf_done(&t->salt);
}

static enum sasl_step begin(struct table *t, const char *name, struct str initial)
{
	struct sasl_fields f = { &t->user, &t->secret, &t->salt };

	return sasl_begin(&t->x, sasl_find(str_of(name)), f, STR("mail.example"), initial);
}

/* Begin with these bytes, encoded, as initial response. */
static enum sasl_step begin_with(struct table *t, const char *name, struct str bytes)
{
	struct buf b;
	enum sasl_step step;

	buf_init(&b, 65536);
	base64_put(&b, bytes);
	step = begin(t, name, b.len != 0 ? buf_text(&b) : STR(""));
	buf_done(&b);
	return step;
}

static enum sasl_step hear(struct table *t, struct str bytes)
{
	struct buf b;
	enum sasl_step step;

	buf_init(&b, 65536);
	base64_put(&b, bytes);
	step = sasl_hear(&t->x, buf_text(&b));
	buf_done(&b);
	return step;
}

static void names(void **state)
{
	struct buf b;

	(void)state;
	assert_int_equal(sasl_method(sasl_find(STR("cram-md5"))), SASL_CRAM_MD5);
	assert_int_equal(sasl_method(sasl_find(STR("Plain"))), SASL_PLAIN);
	assert_null(sasl_find(STR("")));
	assert_null(sasl_find(STR("PLAI")));
	assert_null(sasl_find(STR("APOP")));
	assert_null(sasl_find(STR("NONE")));
	assert_string_equal(sasl_auth_method(SASL_PLAIN), "plain");
	assert_string_equal(sasl_auth_method(SASL_LOGIN), "plain");
	assert_string_equal(sasl_auth_method(SASL_CRAM_MD5), "cram-md5");
	assert_string_equal(sasl_auth_method(SASL_EXTERNAL), "external");
	assert_string_equal(sasl_auth_method(SASL_XOAUTH2), "xoauth2");
	assert_string_equal(sasl_auth_method(SASL_OAUTHBEARER), "oauthbearer");
	assert_string_equal(sasl_auth_method(SASL_APOP), "apop");
	assert_string_equal(sasl_auth_method(SASL_NONE), "none");
	buf_init(&b, 1000);
	sasl_announce(&b, ~0u, " AUTH=", "");
	assert_str(buf_text(&b),
		   STR(" AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=EXTERNAL AUTH=XOAUTH2 AUTH=OAUTHBEARER"));
	buf_clear(&b);
	sasl_announce(&b, SASL_EXTERNAL | SASL_LOGIN | SASL_NONE, "", "\r\n");
	assert_str(buf_text(&b), STR("LOGIN\r\nEXTERNAL\r\n"));
	buf_done(&b);
}

/* RFC 4616 section 4. */
static void plain_published(void **state)
{
	struct table t;

	(void)state;
	set_up(&t, 1000);
	assert_int_equal(begin(&t, "PLAIN", (struct str){ NULL, 0 }), SASL_MORE);
	assert_str(t.x.challenge, STR(""));
	assert_int_equal(hear(&t, STR("\0tim\0tanstaaftanstaaf")), SASL_DONE);
	assert_str(buf_text(&t.user), STR("tim"));
	assert_str(buf_text(&t.secret), STR("tanstaaftanstaaf"));
	/* an empty password is one; whether it is right is not for us to say */
	assert_int_equal(begin_with(&t, "PLAIN", STR("\0tim\0")), SASL_DONE);
	assert_str(buf_text(&t.secret), STR(""));
	/* the same identity to act for as to log in with */
	assert_int_equal(begin_with(&t, "PLAIN", STR("tim\0tim\0pass word")), SASL_DONE);
	assert_str(buf_text(&t.secret), STR("pass word"));
	clear(&t);
}

static void refusals(void **state)
{
	static const struct {
		const char *name;
		struct str bytes;
		const char *complaint;
	} cases[] = {
		{ "PLAIN", LIT(""), "client sent invalid login in AUTH PLAIN command" },
		{ "PLAIN", LIT("tim"), "client sent invalid login in AUTH PLAIN command" },
		{ "PLAIN", LIT("\0tim"), "client sent invalid password in AUTH PLAIN command" },
		{ "PLAIN", LIT("\0\0secret"), "client sent invalid login in AUTH PLAIN command" },
		{ "PLAIN", LIT("kurt\0tim\0secret"), "client sent invalid login in AUTH PLAIN command" },
		{ "PLAIN", LIT("\0ti\nm\0secret"), "client sent invalid login in AUTH PLAIN command" },
		{ "PLAIN", LIT("\0ti\rm\0secret"), "client sent invalid login in AUTH PLAIN command" },
		{ "PLAIN", LIT("\0tim\0sec\nret"), "client sent invalid password in AUTH PLAIN command" },
		{ "PLAIN", LIT("\0tim\0sec\0ret"), "client sent invalid password in AUTH PLAIN command" },
		{ "EXTERNAL", LIT("tim\r\nX"), "client sent invalid login in AUTH EXTERNAL command" },
		{ "XOAUTH2", LIT("user=a\r\1auth=Bearer t\1\1"),
		  "client sent invalid login in AUTH XOAUTH2 command" },
		{ "XOAUTH2", LIT("user=a\1auth=Bearer t\nu\1\1"),
		  "client sent invalid token in AUTH XOAUTH2 command" },
		{ "XOAUTH2", LIT("auth=Bearer t\1\1"), "client sent invalid login in AUTH XOAUTH2 command" },
		{ "OAUTHBEARER", LIT("n,a=a,\1\1"), "client sent invalid token in AUTH OAUTHBEARER command" },
		{ "OAUTHBEARER", LIT("n,a=a\0b,\1auth=Bearer t\1\1"),
		  "client sent invalid login in AUTH OAUTHBEARER command" },
	};
	struct table t;

	(void)state;
	set_up(&t, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(begin_with(&t, cases[i].name, cases[i].bytes), SASL_REFUSED);
		assert_string_equal(t.x.complaint, cases[i].complaint);
		assert_int_equal(t.user.len, 0);
		assert_int_equal(t.secret.len, 0);
	}
	clear(&t);
}

static void broken_base64(void **state)
{
	static const char *const names_of_all[] = { "PLAIN", "LOGIN", "EXTERNAL", "XOAUTH2", "OAUTHBEARER" };
	static const struct str texts[] = { LIT("!"),	 LIT("YW5uY"), LIT("YQ==YQ=="), LIT("YQ== "),
					    LIT("Y Q="), LIT("**"),    LIT("==") };
	struct table t;
	char want[100];

	(void)state;
	set_up(&t, 1000);
	for (size_t i = 0; i < sizeof(names_of_all) / sizeof(names_of_all[0]); i++) {
		snprintf(want, sizeof(want), "client sent invalid base64 encoding in AUTH %s command",
			 names_of_all[i]);
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			assert_int_equal(begin(&t, names_of_all[i], texts[k]), SASL_REFUSED);
			assert_string_equal(t.x.complaint, want);
		}
	}
	clear(&t);
}

static void cancelled(void **state)
{
	struct table t;

	(void)state;
	set_up(&t, 1000);
	assert_int_equal(begin(&t, "LOGIN", (struct str){ NULL, 0 }), SASL_MORE);
	assert_int_equal(hear(&t, STR("anna")), SASL_MORE);
	assert_int_equal(sasl_hear(&t.x, STR("*")), SASL_REFUSED);
	assert_null(t.x.complaint);
	assert_int_equal(t.user.len, 0);
	clear(&t);
}

static void login_in_two_steps(void **state)
{
	struct table t;

	(void)state;
	set_up(&t, 1000);
	assert_int_equal(begin(&t, "LOGIN", (struct str){ NULL, 0 }), SASL_MORE);
	assert_str(t.x.challenge, STR("Username:"));
	assert_int_equal(hear(&t, STR("anna")), SASL_MORE);
	assert_str(t.x.challenge, STR("Password:"));
	assert_int_equal(hear(&t, STR("")), SASL_DONE);
	assert_str(buf_text(&t.user), STR("anna"));
	assert_str(buf_text(&t.secret), STR(""));
	assert_int_equal(begin(&t, "LOGIN", STR("YW5uYQ==")), SASL_MORE);
	assert_str(t.x.challenge, STR("Password:"));
	assert_int_equal(hear(&t, STR("sec\0ret")), SASL_REFUSED);
	assert_string_equal(t.x.complaint, "client sent invalid password in AUTH LOGIN command");
	/* a bad name is refused behind the password */
	assert_int_equal(begin_with(&t, "LOGIN", STR("victim\0x")), SASL_MORE);
	assert_int_equal(hear(&t, STR("secret")), SASL_REFUSED);
	assert_string_equal(t.x.complaint, "client sent invalid login in AUTH LOGIN command");
	assert_int_equal(begin(&t, "LOGIN", STR("=")), SASL_MORE);
	assert_int_equal(hear(&t, STR("secret")), SASL_REFUSED);
	assert_string_equal(t.x.complaint, "client sent invalid login in AUTH LOGIN command");
	assert_int_equal(t.user.len + t.secret.len, 0);
	clear(&t);
}

/* RFC 2195 section 2: the digest that a client makes of the challenge, the secret being "tanstaaftanstaaf".
 */
static void cram_published(void **state)
{
	struct table t;

	(void)state;
	set_up(&t, 1000);
	assert_int_equal(begin(&t, "CRAM-MD5", (struct str){ NULL, 0 }), SASL_MORE);
	assert_str(t.x.challenge, buf_text(&t.salt));
	assert_int_equal(sasl_hear(&t.x, STR("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw")), SASL_DONE);
	assert_str(buf_text(&t.user), STR("tim"));
	assert_str(buf_text(&t.secret), STR("b913a602c7eda7a495b4e6e7334d3890"));
	assert_true(t.salt.len != 0);
	clear(&t);
}

static void cram_refusals(void **state)
{
	static const struct str answers[] = {
		LIT(""),
		LIT("tim"),
		LIT(" b913a602c7eda7a495b4e6e7334d3890"),
		LIT("tim b913a602c7eda7a495b4e6e7334d389"),
		LIT("tim b913a602c7eda7a495b4e6e7334d38900"),
		LIT("t m b913a602c7eda7a495b4e6e7334d3890"),
		LIT("t\nm b913a602c7eda7a495b4e6e7334d3890"),
		LIT("tim b913a602c7eda7a495b4e6e7334d389\0"),
	};
	struct table t;

	(void)state;
	set_up(&t, 1000);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(begin(&t, "CRAM-MD5", (struct str){ NULL, 0 }), SASL_MORE);
		assert_int_equal(hear(&t, answers[i]), SASL_REFUSED);
		assert_non_null(t.x.complaint);
	}
	/* it has no initial response */
	assert_int_equal(begin(&t, "CRAM-MD5", STR("YQ==")), SASL_REFUSED);
	assert_null(t.x.complaint);
	clear(&t);
}

/* "<N.T@NAME>", N with 128 bits, never twice the same. */
static void salts(void **state)
{
	struct buf a, b;
	size_t digits = 1;

	(void)state;
	buf_init(&a, 1000);
	buf_init(&b, 1000);
	for (int i = 0; i < 100; i++) {
		struct str rest;

		sasl_make_salt(&a, STR("mail.example"));
		assert_false(str_eq(buf_text(&a), buf_text(&b)));
		buf_set(&b, buf_text(&a));
		rest = str_skip(buf_text(&a), 1);
		assert_int_equal(a.at[0], '<');
		digits = str_index(rest, '.');
		for (size_t k = 0; k < digits; k++)
			assert_true(rest.at[k] >= '0' && rest.at[k] <= '9');
		assert_true(digits > 20 && digits <= 40);
		str_cut(&rest, '@');
		assert_str(rest, STR("mail.example>"));
	}
	buf_done(&a);
	buf_done(&b);
}

/* Each exchange of CRAM-MD5 challenges anew. */
static void cram_challenges_anew(void **state)
{
	struct table t;
	struct buf first;

	(void)state;
	set_up(&t, 1000);
	buf_init(&first, 1000);
	begin(&t, "CRAM-MD5", (struct str){ NULL, 0 });
	buf_set(&first, buf_text(&t.salt));
	begin(&t, "CRAM-MD5", (struct str){ NULL, 0 });
	assert_false(str_eq(buf_text(&first), buf_text(&t.salt)));
	/* and no other mechanism keeps it */
	begin(&t, "PLAIN", (struct str){ NULL, 0 });
	assert_int_equal(t.salt.len, 0);
	buf_done(&first);
	clear(&t);
}

static void external(void **state)
{
	struct table t;

	(void)state;
	set_up(&t, 1000);
	buf_set(&t.secret, STR("of an earlier attempt"));
	assert_int_equal(begin(&t, "EXTERNAL", STR("=")), SASL_DONE);
	assert_int_equal(t.user.len, 0);
	assert_int_equal(t.secret.len, 0);
	assert_int_equal(begin(&t, "EXTERNAL", (struct str){ NULL, 0 }), SASL_MORE);
	assert_str(t.x.challenge, STR("Username:"));
	assert_int_equal(hear(&t, STR("tim")), SASL_DONE);
	assert_str(buf_text(&t.user), STR("tim"));
	clear(&t);
}

static void oauth(void **state)
{
	struct table t;

	(void)state;
	set_up(&t, 1000);
	assert_int_equal(begin(&t, "XOAUTH2", (struct str){ NULL, 0 }), SASL_MORE);
	assert_str(t.x.challenge, STR(""));
	assert_int_equal(hear(&t, STR("user=anna\1auth=Bearer ya29.token\1\1")), SASL_DONE);
	assert_str(buf_text(&t.user), STR("anna"));
	assert_str(buf_text(&t.secret), STR("ya29.token"));
	assert_int_equal(begin_with(&t, "OAUTHBEARER", STR("n,a=an=2Cna,\1auth=Bearer t\1\1")), SASL_DONE);
	assert_str(buf_text(&t.user), STR("an,na"));
	assert_str(buf_text(&t.secret), STR("t"));
	assert_str(sasl_dummy(SASL_XOAUTH2), STR(""));
	assert_str(sasl_dummy(SASL_OAUTHBEARER), STR("AQ=="));
	clear(&t);
}

/* What does not fit the fields is refused, not cut. */
static void too_large(void **state)
{
	static const char *const names_of_all[] = { "PLAIN", "LOGIN", "EXTERNAL", "XOAUTH2", "OAUTHBEARER" };
	struct table t;
	char big[65] = { 0 };

	(void)state;
	set_up(&t, 64);
	for (size_t i = 0; i < sizeof(names_of_all) / sizeof(names_of_all[0]); i++)
		assert_int_equal(begin_with(&t, names_of_all[i], (struct str){ big, sizeof(big) }),
				 SASL_REFUSED);
	clear(&t);
}

/* What is said towards a server is what our own other side reads. */
static void said_and_heard(void **state)
{
	static const enum sasl_method methods[] = { SASL_PLAIN, SASL_XOAUTH2, SASL_OAUTHBEARER };
	struct table t;
	struct buf said;

	(void)state;
	set_up(&t, 1000);
	buf_init(&said, 1000);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct sasl_fields f = { &t.user, &t.secret, &t.salt };

		buf_clear(&said);
		sasl_say(&said, methods[i], STR(""), STR("an,na=x"), STR("sec ret"));
		assert_int_equal(sasl_begin(&t.x, sasl_find(sasl_name(methods[i])), f, STR("x"),
					    buf_text(&said)),
				 SASL_DONE);
		assert_str(buf_text(&t.user), STR("an,na=x"));
		assert_str(buf_text(&t.secret), STR("sec ret"));
	}
	buf_clear(&said);
	sasl_say(&said, SASL_PLAIN, STR(""), STR("tim"), STR("tanstaaftanstaaf"));
	assert_str(buf_text(&said), STR("AHRpbQB0YW5zdGFhZnRhbnN0YWFm"));
	buf_done(&said);
	clear(&t);
}

/* Towards servers nobody says CRAM-MD5. */
static void say_cram(void *arg)
{
	sasl_say(arg, SASL_CRAM_MD5, STR(""), STR("tim"), STR("x"));
}

static void said_in_vain(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_aborts(say_cram, &b);
	buf_done(&b);
	/* a message that is too much for the buffer is not said in part */
	buf_init(&b, 8);
	sasl_say(&b, SASL_PLAIN, STR(""), STR("tim"), STR("tanstaaftanstaaf"));
	assert_true(b.full);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),	  cmocka_unit_test(plain_published),
		cmocka_unit_test(refusals),	  cmocka_unit_test(broken_base64),
		cmocka_unit_test(cancelled),	  cmocka_unit_test(login_in_two_steps),
		cmocka_unit_test(cram_published), cmocka_unit_test(cram_refusals),
		cmocka_unit_test(salts),	  cmocka_unit_test(cram_challenges_anew),
		cmocka_unit_test(external),	  cmocka_unit_test(oauth),
		cmocka_unit_test(too_large),	  cmocka_unit_test(said_and_heard),
		cmocka_unit_test(said_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
