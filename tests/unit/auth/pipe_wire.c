/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages between workers and helpers: what is written is read again, and nothing else is: not cut short,
 * not longer, not with a number or length changed. */
#include "auth/pipe_wire.h"

#include "unit.h"
#include <string.h>

static const struct pipe_question QUESTION = {
	.user = LIT("u@example.org"),
	.secret = LIT("p\0\n\xff"),
	.salt = LIT(""),
	.protocol = LIT("imap"),
	.client_ip = LIT("192.0.2.1"),
	.client_port = 65535,
	.server_port = 143,
	.method = 1,
	.tls = 1,
	.values_len = 2,
	.values = { LIT("' OR 1=1"), LIT("") },
};

static const struct pipe_answer ANSWER = {
	.verdict = PIPE_OK,
	.user = LIT("other"),
	.target = LIT("imap1.example.org:993"),
	.port = 993,
	.tls = 2,
	.cache_ms = PIPE_CACHE_AS_CONFIGURED,
};

static void put_question(struct buf *to)
{
	buf_init(to, PIPE_QUESTION_MAX);
	assert_true(pipe_question_put(to, &QUESTION));
}

static void same(struct str a, struct str b)
{
	assert_true((a.at == NULL) == (b.at == NULL));
	assert_true(str_eq(a, b));
}

static void question_comes_back(void **state)
{
	struct pipe_question q;
	struct buf b;

	(void)state;
	put_question(&b);
	assert_true(pipe_question_get(buf_text(&b), &q));
	same(q.user, QUESTION.user);
	same(q.secret, QUESTION.secret);
	same(q.salt, QUESTION.salt);
	same(q.session, QUESTION.session);
	assert_int_equal(q.client_port, 65535);
	assert_int_equal(q.tls, 1);
	assert_int_equal(q.values_len, 2);
	same(q.values[0], QUESTION.values[0]);
	same(q.values[1], QUESTION.values[1]);
	buf_done(&b);
}

static void answer_comes_back(void **state)
{
	struct pipe_answer a;
	struct buf b;

	(void)state;
	buf_init(&b, PIPE_ANSWER_MAX);
	assert_true(pipe_answer_put(&b, &ANSWER));
	assert_true(pipe_answer_get(buf_text(&b), &a));
	assert_int_equal(a.verdict, PIPE_OK);
	same(a.user, ANSWER.user);
	same(a.secret, ANSWER.secret);
	same(a.target, ANSWER.target);
	assert_int_equal(a.port, 993);
	assert_true(a.cache_ms == PIPE_CACHE_AS_CONFIGURED);
	buf_done(&b);
}

static void cut_short_is_none(void **state)
{
	struct pipe_question q;
	struct buf b;

	(void)state;
	put_question(&b);
	for (size_t n = 0; n < b.len; n++)
		assert_false(pipe_question_get((struct str){ b.at, n }, &q));
	buf_put_byte(&b, 'x');
	assert_false(pipe_question_get(buf_text(&b), &q));
	buf_done(&b);
}

static void no_verdict_is_none(void **state)
{
	static const struct pipe_answer none = { .verdict = 0 };
	struct pipe_answer a;
	struct buf b;

	(void)state;
	buf_init(&b, PIPE_ANSWER_MAX);
	assert_true(pipe_answer_put(&b, &none));
	assert_false(pipe_answer_get(buf_text(&b), &a));
	buf_done(&b);
}

static void bounds_are_kept(void **state)
{
	static char big[PIPE_TEXT_MAX + 1];
	struct pipe_question q = QUESTION, got;
	struct buf b;

	(void)state;
	memset(big, 'a', sizeof(big));
	q.secret = (struct str){ big, PIPE_TEXT_MAX };
	buf_init(&b, PIPE_QUESTION_MAX);
	assert_true(pipe_question_put(&b, &q));
	assert_true(pipe_question_get(buf_text(&b), &got));
	assert_int_equal(got.secret.len, PIPE_TEXT_MAX);
	buf_wipe(&b);
	q.secret.len++;
	assert_false(pipe_question_put(&b, &q));
	buf_done(&b);
}

/* Every number and length of the message made as large as it can be. */
static void wild_numbers_are_refused(void **state)
{
	struct pipe_question q;
	struct buf b;
	unsigned refused = 0;

	(void)state;
	put_question(&b);
	for (size_t n = 0; n + 8 <= b.len; n++) {
		char kept[8];

		memcpy(kept, b.at + n, 8);
		memset(b.at + n, 0x7f, 8);
		refused += !pipe_question_get(buf_text(&b), &q);
		memcpy(b.at + n, kept, 8);
	}
	assert_true(refused > b.len / 2);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_comes_back), cmocka_unit_test(answer_comes_back),
		cmocka_unit_test(cut_short_is_none),   cmocka_unit_test(no_verdict_is_none),
		cmocka_unit_test(bounds_are_kept),     cmocka_unit_test(wild_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
