/* SPDX-License-Identifier: BSD-2-Clause */
/* The messages of XOAUTH2 and OAUTHBEARER: the published examples, there and back, and every way of getting
 * them wrong. */
#include "sasl/oauth.h"

#include "unit.h"

typedef enum oauth_fault read_fn(struct str message, struct buf *user, struct str *token);

static void good(read_fn *read, struct str message, struct str want_user, struct str want_token)
{
	struct buf user;
	struct str token;

	buf_init(&user, 4096);
	assert_int_equal(read(message, &user, &token), OAUTH_GOOD);
	assert_str(buf_text(&user), want_user);
	assert_str(token, want_token);
	buf_done(&user);
}

static void bad(read_fn *read, struct str message, enum oauth_fault want)
{
	struct buf user;
	struct str token;

	buf_init(&user, 4096);
	assert_int_equal(read(message, &user, &token), want);
	buf_done(&user);
}

static void published(void **state)
{
	(void)state;
	/* Google's example */
	good(oauth_read_xoauth2,
	     STR("user=someuser@example.com\1auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1"),
	     STR("someuser@example.com"), STR("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"));
	/* RFC 7628 section 4.1 */
	good(oauth_read_bearer,
	     STR("n,a=user@example.com,\1host=server.example.com\1port=143\1"
		 "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"),
	     STR("user@example.com"), STR("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
}

static void tolerated(void **state)
{
	(void)state;
	good(oauth_read_xoauth2, STR("USER=a\1AUTH=bearer  t \1\1"), STR("a"), STR("t"));
	good(oauth_read_xoauth2, STR("user=a\1x=y\1auth=Bearer t\1\1"), STR("a"), STR("t"));
	good(oauth_read_bearer, STR("y,a=a=2cb=3Dc,\1auth=Bearer t\1\1"), STR("a,b=c"), STR("t"));
	/* the first one counts */
	good(oauth_read_bearer, STR("n,a=a,\1auth=Bearer t\1auth=Bearer u\1\1"), STR("a"), STR("t"));
}

static void no_user(void **state)
{
	(void)state;
	bad(oauth_read_xoauth2, STR(""), OAUTH_BAD_USER);
	bad(oauth_read_xoauth2, STR("user=a"), OAUTH_BAD_USER);
	bad(oauth_read_xoauth2, STR("user=\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_xoauth2, STR("name=a\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR(""), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("n,,\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("n,a=,\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("n,a=a,b\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("p=tls-exporter,a=a,\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("x,a=a,\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("n,a=a=20b,\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("n,a=a=,\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
	bad(oauth_read_bearer, STR("a,a=a,\1auth=Bearer t\1\1"), OAUTH_BAD_USER);
}

static void no_token(void **state)
{
	static const struct str tails[] = {
		LIT(""),
		LIT("\1"),
		LIT("auth=Bearer t"),
		LIT("auth=Bearer t\1"),
		LIT("auth=Bearer \1\1"),
		LIT("auth=Basic t\1\1"),
		LIT("auth=Bearert\1\1"),
		LIT("host=h\1\1"),
		LIT("auth=Bearer t\1\1more"),
		LIT("\1auth=Bearer t\1\1"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		struct buf message;

		buf_init(&message, 4096);
		buf_set(&message, STR("user=a\1"));
		buf_put(&message, tails[i]);
		bad(oauth_read_xoauth2, buf_text(&message), OAUTH_BAD_TOKEN);
		buf_set(&message, STR("n,a=a,\1"));
		buf_put(&message, tails[i]);
		bad(oauth_read_bearer, buf_text(&message), OAUTH_BAD_TOKEN);
		buf_done(&message);
	}
}

/* Whatever name is said can be read, and cutting the message short anywhere makes it unreadable. */
static void there_and_back(void **state)
{
	const struct str name = STR("an,na=2C@mail=example,"), secret = STR("ya29.a=b,c");
	struct buf message, user;
	struct str token;

	(void)state;
	buf_init(&message, 4096);
	buf_init(&user, 4096);
	oauth_put_bearer(&message, name, secret);
	good(oauth_read_bearer, buf_text(&message), name, secret);
	for (size_t n = 0; n < message.len; n++)
		assert_int_not_equal(oauth_read_bearer((struct str){ message.at, n }, &user, &token),
				     OAUTH_GOOD);
	buf_clear(&message);
	oauth_put_xoauth2(&message, name, secret);
	good(oauth_read_xoauth2, buf_text(&message), name, secret);
	for (size_t n = 0; n < message.len; n++)
		assert_int_not_equal(oauth_read_xoauth2((struct str){ message.at, n }, &user, &token),
				     OAUTH_GOOD);
	buf_done(&user);
	buf_done(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published), cmocka_unit_test(tolerated),      cmocka_unit_test(no_user),
		cmocka_unit_test(no_token),  cmocka_unit_test(there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
