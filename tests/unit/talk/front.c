/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of fronts, by a toy protocol of three verbs: reading, gates, counting, and what each news
 * makes it say. */
#include "talk/front.h"

#include "stage.h"

static enum want hear_command(struct dialog *d, struct str line);

static const struct state COMMAND = { "command", "in a test", hear_command };

/* Show the arguments. */
static enum want show(struct front *f, const struct args *args)
{
	for (size_t i = 0; i < args->len; i++) {
		buf_put(f->dialog.out, args->at[i]);
		buf_put_byte(f->dialog.out, '|');
	}
	return front_reply(f, "ok");
}

static enum want whole(struct front *f, const struct args *args)
{
	front_put_line(f, args->rest);
	return WANT_INPUT;
}

static enum want auth(struct front *f, const struct args *args)
{
	return front_authenticate(f, args);
}

static const struct verb VERBS[] = {
	{ LIT("SHOW"), show, 0 },
	{ LIT("WHOLE"), whole, VERB_WHOLE },
	{ LIT("AUTH"), auth, VERB_CREDENTIALS },
	{ { NULL, 0 }, NULL, 0 },
};

static enum want hear_command(struct dialog *d, struct str line)
{
	return front_command(front_of(d), VERBS, line);
}

static void reply(struct front *f, const char *text)
{
	front_put_line(f, str_of(text));
}

static void deny(struct front *f, const struct refusal *r)
{
	front_put_foreign(f, buf_text(&r->text));
	front_put_line(f, STR("!"));
}

static bool drags(struct str line)
{
	return str_has(line, '+');
}

static const struct excuse *excuses(const struct front *f)
{
	static const struct excuse WORDS[EXCUSES] = { { "", "wrong" }, { "", "forbidden" }, { "", "later" } };

	(void)f;
	return WORDS;
}

static const char *const FAREWELLS[NEWS_KINDS] = {
	[NEWS_BROKEN] = "broken\r\n", [NEWS_EARLY_INPUT] = "early\r\n"
};

static const struct manner MANNER = {
	.command = &COMMAND,
	.challenge = "+ ",
	.invalid = "bad",
	.farewells = FAREWELLS,
	.args_max = 3,
	.reply = reply,
	.excuses = excuses,
	.deny = deny,
	.drags = drags,
};

static enum want open_toy(struct dialog *d)
{
	d->at = &COMMAND;
	return WANT_INPUT;
}

static const struct dialog_ops TOY = { .size = sizeof(struct front),
				       .first = &front_unopened,
				       .manner = &MANNER,
				       .open = open_toy,
				       .told = front_told };

struct toy {
	struct bare_stage b;
	struct front_settings settings;
	struct dialog *dialog;
};

static void begin(struct toy *t, unsigned methods)
{
	bare_stage_init(&t->b, 256, 4096);
	t->settings = (struct front_settings){ .methods = methods, .client_buffer = 256 };
	t->b.stage.settings = &t->settings;
	t->dialog = dialog_new(&TOY, &t->b.stage, &t->b.login, &t->b.out, false);
	dialog_open(t->dialog);
}

static void end(struct toy *t)
{
	bare_stage_done(&t->b);
}

/* Hear a line; check what is said to it and what is wanted then. */
static void check(struct toy *t, struct str line, struct str said, enum want want)
{
	buf_clear(&t->b.out);
	assert_int_equal(dialog_heard(t->dialog, &line), want);
	assert_str(buf_text(&t->b.out), said);
}

static void reads_words(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 0);
	check(&t, STR("show\r\n"), STR("ok\r\n"), WANT_INPUT);
	check(&t, STR("Show  a   b c  \r\n"), STR("a|b|c|ok\r\n"), WANT_INPUT);
	check(&t, STR("SHOW a\tb\r\n"), STR("a\tb|ok\r\n"), WANT_INPUT);
	check(&t, STR("WHOLE  a  b c d \r\n"), STR(" a  b c d \r\n"), WANT_INPUT);
	check(&t, STR("SHOW a b c d\r\n"), STR("bad\r\n"), WANT_INPUT);
	end(&t);
}

static void counts_mistakes(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 0);
	check(&t, STR("\r\n"), STR("bad\r\n"), WANT_INPUT);
	check(&t, STR("SHOW\0\r\n"), STR("bad\r\n"), WANT_INPUT);
	/* out of place, but no mistake */
	check(&t, STR("AUTH\r\n"), STR("bad\r\n"), WANT_INPUT);
	check(&t, STR("show a\rb\r\n"), STR("bad\r\n"), WANT_CLOSE);
	assert_str(buf_text(&t.b.notes), STR("client sent too many invalid commands\n"));
	end(&t);
}

static void counts_commands(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 0);
	for (int i = 0; i < 100; i++)
		check(&t, STR("SHOW\r\n"), STR("ok\r\n"), WANT_INPUT);
	check(&t, STR("SHOW\r\n"), STR("bad\r\n"), WANT_CLOSE);
	assert_str(buf_text(&t.b.notes), STR("client sent too many commands\n"));
	end(&t);
}

static void ends_what_it_cannot_follow(void **state)
{
	static const struct str lines[] = {
		LIT("GET / HTTP/1.1\r\n"),     LIT("POST / HTTP/1.1\r\n"),
		LIT("PUT / HTTP/1.1\r\n"),     LIT("HEAD / HTTP/1.0\r\n"),
		LIT("OPTIONS * HTTP/1.1\r\n"), LIT("CONNECT mail:25 HTTP/1.1\r\n"),
		LIT("DELETE /x HTTP/1.1\r\n"), LIT("TRACE / HTTP/1.1\r\n"),
		LIT("PATCH / HTTP/1.1\r\n"),   LIT("PRI * HTTP/2.0\r\n"),
		LIT("bring {3+}\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct toy t;

		begin(&t, 0);
		check(&t, lines[i], STR("bad\r\n"), WANT_CLOSE);
		end(&t);
	}
}

/* One gate before all credentials. */
static void needs_tls_first(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, SASL_PLAIN | SASL_EXTERNAL);
	t.b.stage.starttls = STARTTLS_ONLY;
	check(&t, STR("AUTH PLAIN AGFubmEAc2VjcmV0\r\n"), STR("bad\r\n"), WANT_INPUT);
	check(&t, STR("AUTH EXTERNAL =\r\n"), STR("bad\r\n"), WANT_INPUT);
	assert_int_equal(front_methods(front_of(t.dialog)), 0);
	assert_int_equal(t.b.login.user.len, 0);
	assert_int_equal(dialog_told(t.dialog, NEWS_SECURED, STR("")), WANT_INPUT);
	check(&t, STR("AUTH PLAIN AGFubmEAc2VjcmV0\r\n"), STR(""), WANT_AUTH);
	assert_str(buf_text(&t.b.login.user), STR("anna"));
	end(&t);
}

static void refuses_by_words(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 0);
	check(&t, STR("AUTH PLAIN AGFubmEAc2VjcmV0\r\n"), STR(""), WANT_AUTH);
	buf_set(&t.b.login.refusal.text, STR("a\r\nb\0c"));
	buf_clear(&t.b.out);
	assert_int_equal(dialog_told(t.dialog, NEWS_DENIED, STR("")), WANT_INPUT);
	assert_str(buf_text(&t.b.out), STR("a  b c!\r\n"));
	assert_int_equal(t.b.login.secret.len, 0);
	/* an error challenge is for OAuth only */
	check(&t, STR("AUTH PLAIN AGFubmEAc2VjcmV0\r\n"), STR(""), WANT_AUTH);
	buf_set(&t.b.login.refusal.sasl, STR("eyJ9"));
	t.b.login.refusal.final = true;
	buf_clear(&t.b.out);
	assert_int_equal(dialog_told(t.dialog, NEWS_DENIED, STR("")), WANT_CLOSE);
	assert_str(buf_text(&t.b.out), STR("!\r\n"));
	end(&t);
}

static void says_farewell(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 0);
	assert_int_equal(dialog_told(t.dialog, NEWS_EARLY_INPUT, STR("EHLO secret words\r\n")), WANT_CLOSE);
	assert_str(buf_text(&t.b.out), STR("early\r\n"));
	assert_str(buf_text(&t.b.notes), STR("client was rejected before greetingEHLO\n"));
	buf_clear(&t.b.out);
	assert_int_equal(dialog_told(t.dialog, NEWS_BROKEN, STR("")), WANT_CLOSE);
	assert_str(buf_text(&t.b.out), STR("broken\r\n"));
	/* news for which there are no words still end it */
	buf_clear(&t.b.out);
	assert_int_equal(dialog_told(t.dialog, NEWS_SHUTDOWN, STR("")), WANT_CLOSE);
	assert_int_equal(t.b.out.len, 0);
	end(&t);
}

/* Nothing is heard before it was opened. */
static void unopened(void **state)
{
	struct toy t;
	struct str in = STR("SHOW\r\n");

	(void)state;
	begin(&t, 0);
	t.dialog = dialog_new(&TOY, &t.b.stage, &t.b.login, &t.b.out, false);
	assert_int_equal(dialog_heard(t.dialog, &in), WANT_CLOSE);
	assert_int_equal(t.b.out.len, 0);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_words),	   cmocka_unit_test(counts_mistakes),
		cmocka_unit_test(counts_commands), cmocka_unit_test(ends_what_it_cannot_follow),
		cmocka_unit_test(needs_tls_first), cmocka_unit_test(refuses_by_words),
		cmocka_unit_test(says_farewell),   cmocka_unit_test(unopened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
