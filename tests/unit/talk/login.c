/* SPDX-License-Identifier: BSD-2-Clause */
/* What is forgotten between two attempts, what stays, and that secrets are overwritten. */
#include "talk/login.h"

#include "unit.h"
#include <string.h>

static void forgets(void **state)
{
	struct arena *home = arena_new(1024);
	struct login l;
	const char *user_at, *secret_at;

	(void)state;
	login_init(&l, home, 100, 200);
	buf_set(&l.user, STR("anna"));
	buf_set(&l.secret, STR("secret"));
	buf_set(&l.salt, STR("<1.2@x>"));
	buf_set(&l.tag, STR("a1"));
	buf_set(&l.mail, STR("MAIL FROM:<a@b>"));
	buf_set(&l.answer, STR("+OK\r\n"));
	buf_set(&l.refusal.text, STR("no"));
	buf_set(&l.refusal.sasl, STR("eyJ9"));
	l.refusal.final = l.presentable = l.esmtp = true;
	l.method = SASL_XOAUTH2;
	l.back_method = SASL_XOAUTH2;
	l.attempt = 3;
	user_at = l.user.at;
	secret_at = l.secret.at;
	login_forget(&l);
	assert_int_equal(l.user.len + l.secret.len + l.salt.len + l.answer.len + l.refusal.text.len +
				 l.refusal.sasl.len,
			 0);
	assert_memory_equal(user_at, "\0\0\0\0", 4);
	assert_memory_equal(secret_at, "\0\0\0\0\0\0", 6);
	assert_false(l.refusal.final || l.presentable);
	assert_int_equal(l.method, SASL_PLAIN);
	assert_int_equal(l.back_method, 0);
	assert_str(buf_text(&l.tag), STR("a1"));
	assert_str(buf_text(&l.mail), STR("MAIL FROM:<a@b>"));
	assert_true(l.esmtp);
	assert_int_equal(l.attempt, 3);
	arena_free(home);
}

static void bounds(void **state)
{
	struct arena *home = arena_new(1024);
	struct login l;
	char big[201] = { 0 };

	(void)state;
	login_init(&l, home, 100, 200);
	buf_put(&l.user, (struct str){ big, 100 });
	assert_false(l.user.full);
	buf_put(&l.user, (struct str){ big, 1 });
	assert_true(l.user.full);
	buf_put(&l.answer, (struct str){ big, 200 });
	assert_false(l.answer.full);
	buf_put(&l.answer, (struct str){ big, 1 });
	assert_true(l.answer.full);
	/* a thousand attempts take no more than the first */
	login_forget(&l);
	buf_put(&l.user, (struct str){ big, 100 });
	for (size_t i = 0, before = arena_size(home); i < 1000; i++) {
		login_forget(&l);
		buf_put(&l.user, (struct str){ big, 100 });
		assert_int_equal(arena_size(home), before);
	}
	arena_free(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgets),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
