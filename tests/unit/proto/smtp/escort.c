/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMTP's escort: where commands begin and end, what goes to the server and what is answered, whether the
 * client is heard whole or byte by byte. In the scripts a server called "here" has all recipients with "here"
 * in them.
 */
#include "unit.h"

#include "proto/smtp/smtp.h"

enum { LINE_MAX_HERE = 64, ROOM = 16384 };

struct walk {
	struct arena *arena;
	struct login login;
	struct stage stage;
	struct smtp_settings settings;
	struct escort *escort;
	struct buf out, in, passed;
	size_t piece;
	enum escort_step at;
};

static void begin(struct walk *w, const char *answer, size_t piece)
{
	*w = (struct walk){ .arena = arena_new(1024), .piece = piece, .settings.route_recipients = true };
	login_init(&w->login, w->arena, LINE_MAX_HERE, LINE_MAX_HERE);
	w->login.method = SASL_NONE;
	w->stage.line_max = LINE_MAX_HERE;
	buf_set(&w->login.mail, STR("MAIL FROM:<a@b>"));
	buf_set(&w->login.answer, str_of(answer));
	buf_init_in(&w->out, w->arena, ROOM);
	buf_init_in(&w->in, w->arena, ROOM);
	buf_init_in(&w->passed, w->arena, ROOM);
	w->escort = arena_take(w->arena, smtp_escort.size);
	w->escort->ops = &smtp_escort;
	w->escort->stage = &w->stage;
	w->escort->login = &w->login;
	w->escort->out = &w->out;
	smtp_escort.open(w->escort);
}

static bool is_near(struct str command)
{
	for (; command.len >= 4; command = str_skip(command, 1))
		if (str_starts(command, STR("near")))
			return true;
	return false;
}

static void take(struct walk *w, size_t len)
{
	buf_put(&w->passed, (struct str){ w->in.at, len });
	buf_drop(&w->in, len);
}

/* What the session does, until there is nothing to do. */
static void go_on(struct walk *w)
{
	for (;;) {
		size_t len;

		w->at = smtp_escort.client(w->escort, buf_text(&w->in), &len);
		if (w->at == ESCORT_PASS) {
			take(w, len);
		} else if (w->at == ESCORT_SAID) {
			buf_drop(&w->in, len);
		} else if (w->at != ESCORT_ROUTE) {
			return;
		} else if (is_near(buf_text(&w->login.rcpt))) {
			smtp_escort.routed(w->escort);
			take(w, len);
		} else {
			smtp_escort.elsewhere(w->escort);
			buf_drop(&w->in, len);
		}
	}
}

static void client(struct walk *w, struct str text)
{
	while (text.len != 0 && w->at != ESCORT_CLOSE) {
		size_t n = text.len < w->piece ? text.len : w->piece;

		buf_put(&w->in, (struct str){ text.at, n });
		text = str_skip(text, n);
		go_on(w);
	}
}

static void server(struct walk *w, const char *reply)
{
	struct str text = str_of(reply);

	while (text.len != 0) {
		size_t n = text.len < w->piece ? text.len : w->piece;

		smtp_escort.server(w->escort, (struct str){ text.at, n });
		text = str_skip(text, n);
	}
	go_on(w);
}

/* This much has gone to the server since the last look, this was said to the client. */
static void expect(struct walk *w, const char *passed, const char *said)
{
	assert_str(buf_text(&w->passed), str_of(passed));
	assert_str(buf_text(&w->out), str_of(said));
	buf_clear(&w->passed);
	buf_clear(&w->out);
}

#define ELSEWHERE "451 4.5.3 Recipient belongs to another server, try again\r\n"

static void each_size(const char *answer, void (*play)(struct walk *w))
{
	static const size_t PIECES[] = { ROOM, 1, 7 };

	for (size_t i = 0; i < sizeof(PIECES) / sizeof(*PIECES); i++) {
		struct walk w;

		begin(&w, answer, PIECES[i]);
		play(&w);
		arena_free(w.arena);
	}
}

static void play_recipients(struct walk *w)
{
	assert_false(w->escort->movable);
	client(w, STR("RCPT TO:<x@near>\r\nRCPT TO:<y@far>\r\nrcpt to:<z@near>\nDATA\r\n"));
	expect(w, "RCPT TO:<x@near>\r\n", "");
	server(w, "250-one\r\n250 two\r\n");
	expect(w, "rcpt to:<z@near>\n", ELSEWHERE);
	server(w, "550 no\r\n");
	expect(w, "DATA\r\n", "");
	server(w, "354 go\r\n");
	client(w, STR("RCPT TO:<y@far>\r\n..\r\n.\n.\r\r\n.\r\nRSET\r\n"));
	expect(w, "RCPT TO:<y@far>\r\n..\r\n.\n.\r\r\n.\r\n", "");
	assert_false(w->escort->movable);
	server(w, "250 taken\r\n");
	expect(w, "RSET\r\n", "");
	assert_true(w->escort->movable);
	assert_int_equal(w->login.mail.len, 0);
}

static void recipients(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_recipients);
}

static void play_empty(struct walk *w)
{
	client(w, STR("DATA\r\n"));
	server(w, "354 go\r\n");
	client(w, STR(".\r\nNOOP\r\n"));
	expect(w, "DATA\r\n.\r\n", "");
	server(w, "250 taken\r\n");
	expect(w, "NOOP\r\n", "");
	client(w, STR("RCPT TO:<y@far>\r\n"));
	server(w, "250 well\r\n");
	/* without MAIL it is the server's affair */
	expect(w, "RCPT TO:<y@far>\r\n", "");
}

static void empty_content(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_empty);
}

static void play_refused_data(struct walk *w)
{
	assert_true(w->escort->movable);
	client(w, STR("DATA\r\nRCPT TO:<y@far>\r\n"));
	server(w, "554 nobody\r\n");
	expect(w, "DATA\r\n", ELSEWHERE);
	assert_true(w->escort->movable);
}

static void refused_data(void **state)
{
	(void)state;
	each_size("550 nobody\r\n", play_refused_data);
}

static void play_early_end(struct walk *w)
{
	client(w, STR("DATA\r\n"));
	server(w, "354 go\r\n");
	client(w, STR("some\r\n"));
	server(w, "552 enough\r\n");
	client(w, STR("more\r\n.\r\nQUIT\r\n"));
	expect(w, "DATA\r\nsome\r\nmore\r\n.\r\nQUIT\r\n", "");
}

static void early_end(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_early_end);
}

static void play_chunks(struct walk *w)
{
	client(w, STR("BDAT 8\r\n.\r\nRCPT BDAT 0\r\nBDAT 3 LAST\r\nx\r\nMAIL FROM:<c@d>\r\n"));
	expect(w, "BDAT 8\r\n.\r\nRCPT ", "");
	server(w, "250 8\r\n");
	expect(w, "BDAT 0\r\n", "");
	server(w, "250 0\r\n");
	expect(w, "BDAT 3 LAST\r\nx\r\n", "");
	server(w, "250 taken\r\n");
	expect(w, "MAIL FROM:<c@d>\r\n", "");
	assert_str(buf_text(&w->login.mail), STR("MAIL FROM:<c@d>"));
	assert_true(w->escort->movable);
	server(w, "452 later\r\n");
	assert_int_equal(w->login.mail.len, 0);
	client(w, STR("BDAT x\r\nNOOP\r\n"));
	server(w, "501 what\r\n");
	expect(w, "BDAT x\r\nNOOP\r\n", "");
}

static void chunks(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_chunks);
}

static void play_greeting(struct walk *w)
{
	client(w, STR("EHLO other.example\r\nRCPT TO:<y@far>\r\n"));
	server(w, "250-there\r\n250 PIPELINING\r\n");
	expect(w, "EHLO other.example\r\nRCPT TO:<y@far>\r\n", "");
	assert_str(buf_text(&w->login.helo), STR("other.example"));
	assert_true(w->login.esmtp);
}

static void greeting(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_greeting);
}

static void play_controls(struct walk *w)
{
	client(w, STR("RCPT TO:<x@near>\rRCPT TO:<y@far>\r\n"));
	expect(w, "", "501 5.5.4 Invalid argument\r\n");
	client(w, STR("RSET\r\n"));
	server(w, "250 ok\r\n");
	client(w, STR("MAIL FROM:<a\0b>\r\n\r\n"));
	expect(w, "RSET\r\n\r\n", "501 5.5.4 Invalid argument\r\n");
}

static void controls(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_controls);
}

#define TEN "0123456789"

static void play_long_lines(struct walk *w)
{
	client(w, STR("TOKEN " TEN TEN TEN TEN TEN TEN TEN "\r\nNOOP\r\n"));
	expect(w, "TOKEN " TEN TEN TEN TEN TEN TEN TEN "\r\n", "");
	server(w, "500 what\r\n");
	expect(w, "NOOP\r\n", "");
	server(w, "250 ok\r\n");
	client(w, STR(" RCPT TO:<" TEN TEN TEN TEN TEN TEN));
	expect(w, "", "500 5.5.2 Line too long\r\n");
	assert_int_equal(w->at, ESCORT_CLOSE);
}

static void long_lines(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_long_lines);
}

static void play_starttls(struct walk *w)
{
	client(w, STR("STARTTLS\r\n"));
	server(w, "454 not now\r\n");
	assert_int_equal(w->at, ESCORT_MORE);
	client(w, STR("STARTTLS\r\n"));
	server(w, "220 go\r\n");
	assert_int_equal(w->at, ESCORT_BLIND);
	expect(w, "STARTTLS\r\nSTARTTLS\r\n", "");
}

static void starttls(void **state)
{
	(void)state;
	each_size("250 ok\r\n", play_starttls);
}

static void only_where_wanted(void **state)
{
	struct smtp_settings on = { .route_recipients = true }, off = { 0 };
	struct login none = { .method = SASL_NONE }, plain = { .method = SASL_PLAIN };

	(void)state;
	assert_true(smtp_escort.wanted(&on, &none));
	assert_false(smtp_escort.wanted(&off, &none));
	assert_false(smtp_escort.wanted(&on, &plain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recipients),	cmocka_unit_test(empty_content),
		cmocka_unit_test(refused_data), cmocka_unit_test(early_end),
		cmocka_unit_test(chunks),	cmocka_unit_test(greeting),
		cmocka_unit_test(controls),	cmocka_unit_test(long_lines),
		cmocka_unit_test(starttls),	cmocka_unit_test(only_where_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
