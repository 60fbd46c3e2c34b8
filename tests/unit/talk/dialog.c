/* SPDX-License-Identifier: BSD-2-Clause */
/* Framing: lines, counted pieces, skipped lines, limits, and turns; by a dialog that repeats in brackets what
 * it hears. */
#include "talk/dialog.h"

#include "stage.h"

enum { LINE_MAX_HERE = 16 };

static enum want hear_line(struct dialog *d, struct str line);
static enum want hear_counted(struct dialog *d, struct str bytes);

static const struct state LINE = { "line", "in a test", hear_line };
static const struct state COUNTED = { "counted", "in a test", hear_counted };

static void echo(struct dialog *d, char open, struct str piece, char close)
{
	buf_put_byte(d->out, open);
	buf_put(d->out, piece);
	buf_put_byte(d->out, close);
}

/* "count N" makes the next piece N bytes; "quiet" says nothing; "stop" wants to close. */
static enum want hear_line(struct dialog *d, struct str line)
{
	uint64_t n = 0;

	if (str_eq(line, STR("quiet")))
		return WANT_INPUT;
	echo(d, '[', line, ']');
	if (str_starts(line, STR("count ")) && str_number(str_skip(line, 6), 100, &n)) {
		dialog_expect(d, n);
		d->at = &COUNTED;
	}
	return str_eq(line, STR("stop")) ? WANT_TLS : WANT_INPUT;
}

static enum want hear_counted(struct dialog *d, struct str bytes)
{
	echo(d, '{', bytes, '}');
	d->at = &LINE;
	return WANT_INPUT;
}

static enum want open_echo(struct dialog *d)
{
	d->at = &LINE;
	return WANT_INPUT;
}

/* Too long lines that begin with 's' are skipped, up to 32 bytes of them. */
static enum want told_echo(struct dialog *d, enum news what, struct str text)
{
	if (what == NEWS_EARLY_INPUT)
		buf_put(d->out, STR("early:"));
	else if (text.at[0] == 's' && !d->skipping)
		return dialog_skip(d, 32), WANT_INPUT;
	else
		echo(d, '(', text, ')');
	return WANT_CLOSE;
}

static const struct dialog_ops ECHO = {
	.size = sizeof(struct dialog), .first = &LINE, .open = open_echo, .told = told_echo
};
static const struct dialog_ops TURNS = { .size = sizeof(struct dialog),
					 .first = &LINE,
					 .takes_turns = true,
					 .open = open_echo,
					 .told = told_echo };

/* Let a dialog hear `text` in pieces of at most `step` bytes; check what it said, wants and left. */
static void check_in_steps(struct str text, size_t step, struct str want_said, enum want want,
			   struct str want_left)
{
	struct bare_stage b;
	struct dialog *d;
	enum want got;
	struct str in;

	bare_stage_init(&b, LINE_MAX_HERE, 1000);
	d = dialog_new(&ECHO, &b.stage, &b.login, &b.out, false);
	got = dialog_open(d);
	in = (struct str){ text.at, 0 };
	for (size_t given = 0; got == WANT_INPUT && given < text.len;) {
		size_t more = text.len - given < step ? text.len - given : step;

		given += more;
		in.len += more;
		got = dialog_heard(d, &in);
	}
	in.len = (size_t)(text.at + text.len - in.at);
	assert_str(buf_text(&b.out), want_said);
	assert_int_equal(got, want);
	assert_str(in, want_left);
	bare_stage_done(&b);
}

static void check(struct str text, struct str want_said, enum want want, struct str want_left)
{
	for (size_t step = 1; step <= text.len; step++)
		check_in_steps(text, step, want_said, want, want_left);
}

static void lines(void **state)
{
	(void)state;
	check(STR("a\r\nb\n\r\n\nc"), STR("[a][b][][]"), WANT_INPUT, STR("c"));
	check(STR("a\rb\r\n"), STR("[a\rb]"), WANT_INPUT, STR(""));
	check(STR("a\r\r\n"), STR("[a\r]"), WANT_INPUT, STR(""));
	check(STR("a\0b\r\n"), STR("[a\0b]"), WANT_INPUT, STR(""));
}

static void stops_when_it_wants(void **state)
{
	(void)state;
	check(STR("a\r\nstop\r\nb\r\n"), STR("[a][stop]"), WANT_TLS, STR("b\r\n"));
}

static void counted(void **state)
{
	(void)state;
	check(STR("count 5\r\na\r\nb\n.c\r\n"), STR("[count 5]{a\r\nb\n}[.c]"), WANT_INPUT, STR(""));
	check(STR("count 0\r\nc\r\n"), STR("[count 0]{}[c]"), WANT_INPUT, STR(""));
	/* a counted piece has no limit but its own */
	check(STR("count 20\r\n01234567890123456789"), STR("[count 20]{01234567890123456789}"), WANT_INPUT,
	      STR(""));
}

static void limits(void **state)
{
	(void)state;
	/* 16 bytes with the line's end are the most */
	check(STR("01234567890123\r\n"), STR("[01234567890123]"), WANT_INPUT, STR(""));
	check(STR("012345678901234\n"), STR("[012345678901234]"), WANT_INPUT, STR(""));
	check(STR("012345678901234\r\n"), STR("(012345678901234\r)"), WANT_CLOSE, STR("012345678901234\r\n"));
	check(STR("a\r\n0123456789012345"), STR("[a](0123456789012345)"), WANT_CLOSE,
	      STR("0123456789012345"));
}

static void skipped(void **state)
{
	(void)state;
	check(STR("s12345678901234567890x\r\nb\r\n"), STR("[x][b]"), WANT_INPUT, STR(""));
	check(STR("s1234567890123456\n\r\n"), STR("[6][]"), WANT_INPUT, STR(""));
	/* 32 bytes are skipped, not one more */
	check(STR("s123456789012345678901234567890\r\n"), STR("[0]"), WANT_INPUT, STR(""));
}

static void skipped_too_far(void **state)
{
	const struct str text = STR("s1234567890123456789012345678901x\r\n");
	struct bare_stage b;
	struct dialog *d;
	struct str in = text;

	(void)state;
	bare_stage_init(&b, LINE_MAX_HERE, 1000);
	d = dialog_new(&ECHO, &b.stage, &b.login, &b.out, false);
	dialog_open(d);
	assert_int_equal(dialog_heard(d, &in), WANT_CLOSE);
	assert_str(buf_text(&b.out), STR("(s123456789012345)"));
	bare_stage_done(&b);
}

/* Who takes turns is heard once for each thing said; what was not asked for is told. */
static void turns(void **state)
{
	struct bare_stage b;
	struct dialog *d;
	struct str in = STR("quiet\r\nquiet\r\na\r\n"), early = STR("a\r\nb");

	(void)state;
	bare_stage_init(&b, LINE_MAX_HERE, 1000);
	d = dialog_new(&TURNS, &b.stage, &b.login, &b.out, false);
	dialog_open(d);
	assert_int_equal(dialog_heard(d, &in), WANT_INPUT);
	assert_int_equal(dialog_heard(d, &early), WANT_CLOSE);
	assert_str(buf_text(&b.out), STR("[a][a]early:"));
	bare_stage_done(&b);
}

/* More said than may be kept: nothing of it may be sent. */
static void out_is_full(void **state)
{
	struct bare_stage b;
	struct dialog *d;
	struct str in = STR("12345678\r\n");

	(void)state;
	bare_stage_init(&b, LINE_MAX_HERE, 8);
	d = dialog_new(&ECHO, &b.stage, &b.login, &b.out, false);
	assert_int_equal(dialog_open(d), WANT_INPUT);
	assert_int_equal(dialog_heard(d, &in), WANT_CLOSE);
	bare_stage_done(&b);
}

/* Much to hear at once: what was said is sent before more is heard. */
static void out_is_half_full(void **state)
{
	struct bare_stage b;
	struct dialog *d;
	struct str in = STR("1\r\n2\r\n3\r\n");

	(void)state;
	bare_stage_init(&b, LINE_MAX_HERE, 8);
	d = dialog_new(&ECHO, &b.stage, &b.login, &b.out, false);
	dialog_open(d);
	assert_int_equal(dialog_heard(d, &in), WANT_INPUT);
	assert_str(buf_text(&b.out), STR("[1][2]"));
	buf_clear(&b.out);
	assert_int_equal(dialog_heard(d, &in), WANT_INPUT);
	assert_str(buf_text(&b.out), STR("[3]"));
	bare_stage_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(stops_when_it_wants),
		cmocka_unit_test(counted),
		cmocka_unit_test(limits),
		cmocka_unit_test(skipped),
		cmocka_unit_test(skipped_too_far),
		cmocka_unit_test(turns),
		cmocka_unit_test(out_is_full),
		cmocka_unit_test(out_is_half_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
