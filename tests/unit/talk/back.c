/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of backs: what no line can carry is never said, replies are kept whole and within bounds.
 */
#include "talk/back.h"

#include "stage.h"

static enum want hear_reply(struct dialog *d, struct str line)
{
	return back_collect(d, line) ? WANT_INPUT : WANT_GIVE_UP;
}

static const struct state REPLY = { "reply", "in a test", hear_reply };

static enum want open_toy(struct dialog *d)
{
	return back_open_into(d, &REPLY);
}

static const struct dialog_ops TOY = { .size = sizeof(struct dialog),
				       .takes_turns = true,
				       .first = &back_unopened,
				       .open = open_toy,
				       .told = back_told };

static struct dialog *begin(struct bare_stage *b)
{
	bare_stage_init(b, 64, 1000);
	return dialog_new(&TOY, &b->stage, &b->login, &b->out, false);
}

static void unsafe_logins(void **state)
{
	static const struct str unsafe[] = { LIT("a\r\nb"), LIT("a\rb"), LIT("a\nb"),
					     LIT("a\0b"),   LIT("\n"),	 LIT("\0") };

	(void)state;
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		for (int field = 0; field < 6; field++) {
			struct bare_stage b;
			struct dialog *d = begin(&b);
			struct buf *fields[] = { &b.login.user, &b.login.secret, &b.login.tag,
						 &b.login.helo, &b.login.mail,	 &b.login.rcpt };

			buf_set(fields[field], unsafe[i]);
			assert_int_equal(dialog_open(d), WANT_GIVE_UP);
			assert_string_equal(d->complaint, "login cannot be said to upstream");
			assert_int_equal(b.out.len, 0);
			bare_stage_done(&b);
		}
	}
}

/* What did not fit is not there, and nothing may be said in its stead. */
static void oversized_logins(void **state)
{
	static const char big[5000] = "";
	struct bare_stage b;
	struct dialog *d = begin(&b);

	(void)state;
	buf_put(&b.login.user, (struct str){ big, sizeof(big) });
	assert_int_equal(dialog_open(d), WANT_GIVE_UP);
	bare_stage_done(&b);
}

static void keeps_replies(void **state)
{
	struct bare_stage b;
	struct dialog *d = begin(&b);
	struct str in = STR("one\r\ntwo\n");

	(void)state;
	assert_int_equal(dialog_open(d), WANT_INPUT);
	assert_int_equal(dialog_heard(d, &in), WANT_INPUT);
	assert_str(buf_text(&b.login.answer), STR("one\r\ntwo\r\n"));
	assert_int_equal(back_refused(d, FAILURE_UNCLEAR, STR(""), STR("no")), WANT_GIVE_UP);
	assert_true(b.login.presentable);
	back_forget_reply(d);
	assert_int_equal(b.login.answer.len, 0);
	assert_false(b.login.presentable);
	bare_stage_done(&b);
}

/* The bare stage bounds an answer at 256 bytes and a line at 64. */
static void too_long(void **state)
{
	struct bare_stage b;
	struct dialog *d = begin(&b);
	char lines[256];
	struct str in = { lines, sizeof(lines) };

	(void)state;
	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = i % 32 == 31 ? '\n' : 'x';
	assert_int_equal(dialog_open(d), WANT_INPUT);
	/* 33 bytes each once they are kept with CRLF */
	assert_int_equal(dialog_heard(d, &in), WANT_GIVE_UP);
	assert_string_equal(d->complaint, "upstream sent too long response line");
	assert_int_equal(b.login.answer.len, 31);
	assert_false(b.login.presentable);
	bare_stage_done(&b);

	d = begin(&b);
	in = (struct str){ lines, 64 };
	lines[31] = 'x';
	lines[63] = 'x';
	assert_int_equal(dialog_open(d), WANT_INPUT);
	assert_int_equal(dialog_heard(d, &in), WANT_GIVE_UP);
	assert_string_equal(d->complaint, "upstream sent too long response line");
	bare_stage_done(&b);
}

static void no_lines(void **state)
{
	static const struct str lines[] = { LIT("a\rb\r\n"), LIT("a\0b\r\n"), LIT("\r\r\n") };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct bare_stage b;
		struct dialog *d = begin(&b);
		struct str in = lines[i];

		dialog_open(d);
		assert_int_equal(dialog_heard(d, &in), WANT_GIVE_UP);
		assert_string_equal(d->complaint, "upstream sent invalid response");
		assert_false(b.login.presentable);
		bare_stage_done(&b);
	}
}

static void say_unsafe(void *arg)
{
	back_say(arg, &REPLY, "USER ", STR("a\r\nDELE 1"));
}

/* Whatever slips past the check at the beginning ends the process, not in a command. */
static void never_says_unsafe(void **state)
{
	struct bare_stage b;
	struct dialog *d = begin(&b);

	(void)state;
	dialog_open(d);
	assert_aborts(say_unsafe, d);
	back_say(d, &REPLY, "USER ", STR("a b"));
	assert_str(buf_text(&b.out), STR("USER a b\r\n"));
	bare_stage_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsafe_logins), cmocka_unit_test(oversized_logins),
		cmocka_unit_test(keeps_replies), cmocka_unit_test(too_long),
		cmocka_unit_test(no_lines),	 cmocka_unit_test(never_says_unsafe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
