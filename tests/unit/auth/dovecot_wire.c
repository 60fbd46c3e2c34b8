/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of Dovecot's auth protocol, both ways. */
#include "auth/dovecot_wire.h"

#include "unit.h"
#include "base/mem.h"
#include <string.h>

static void fill(struct login *l, struct arena *home, enum sasl_method m, const char *user,
		 const char *secret)
{
	login_init(l, home, 4096, 64);
	l->method = m;
	buf_set(&l->user, str_of(user));
	buf_set(&l->secret, str_of(secret));
}

static const struct {
	enum sasl_method method;
	const char *user, *secret, *said;
} QUESTIONS[] = {
	{ SASL_PLAIN, "ada", "love",
	  "AUTH\t7\tPLAIN\tservice=imap\tsession=s1\tlip=::1\trip=192.0.2.7\tlport=993\t"
	  "rport=5\tnologin\tresp=AGFkYQBsb3Zl\n" },
	{ SASL_LOGIN, "a\tb", "x",
	  "AUTH\t7\tPLAIN\tservice=imap\tsession=s1\tlip=::1\trip=192.0.2.7\tlport=993\t"
	  "rport=5\tnologin\tresp=AGEJYgB4\n" },
};

static void asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(QUESTIONS) / sizeof(*QUESTIONS); i++) {
		struct arena *home = arena_new(4096);
		struct login l;
		struct auth_request r = { .login = &l,
					  .protocol = "imap",
					  .session_id = STR("s1"),
					  .client_ip = STR("192.0.2.7"),
					  .server_ip = STR("::1"),
					  .client_port = 5,
					  .server_port = 993 };
		struct buf b;

		fill(&l, home, QUESTIONS[i].method, QUESTIONS[i].user, QUESTIONS[i].secret);
		buf_init(&b, 4096);
		assert_true(dovecot_put_question(&b, 7, &r));
		assert_str(buf_text(&b), str_of(QUESTIONS[i].said));
		buf_done(&b);
		arena_free(home);
	}
}

/* A digest answers a challenge of ours, which Dovecot never gave. */
static void does_not_ask_about_digests(void **state)
{
	struct arena *home = arena_new(4096);
	struct login l;
	struct auth_request r = { .login = &l, .protocol = "imap" };
	struct buf b;

	(void)state;
	fill(&l, home, SASL_CRAM_MD5, "ada", "0123");
	buf_init(&b, 4096);
	assert_false(dovecot_put_question(&b, 7, &r));
	assert_int_equal(b.len, 0);
	buf_done(&b);
	arena_free(home);
}

/* Dovecot would hang up on everybody. */
static void does_not_say_too_long_a_line(void **state)
{
	static char secret[13000];
	struct arena *home = arena_new(4096);
	struct login l;
	struct auth_request r = { .login = &l, .protocol = "imap" };
	struct buf b;

	(void)state;
	memset(secret, 'x', sizeof(secret) - 1);
	login_init(&l, home, sizeof(secret), 64);
	l.method = SASL_PLAIN;
	buf_set(&l.secret, (struct str){ secret, sizeof(secret) - 100 });
	buf_init(&b, 65536);
	assert_false(dovecot_put_question(&b, 7, &r));
	assert_int_equal(b.len, 0);
	buf_set(&l.secret, (struct str){ secret, 11000 });
	assert_true(dovecot_put_question(&b, 7, &r));
	assert_true(b.len < 16000);
	buf_done(&b);
	arena_free(home);
}

static void escapes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	dovecot_put_escaped(&b, STR("a\0b\001c\td\re\nf"));
	assert_str(buf_text(&b), STR("a\0010b\0011c\001td\001re\001nf"));
	buf_done(&b);
}

static struct dovecot_line read_line(char *line)
{
	struct dovecot_line to;

	dovecot_read_line(line, strlen(line), &to);
	return to;
}

static void reads_a_yes(void **state)
{
	char text[] = "OK\t7\tuser=ada\tproxy\thost=2001:db8::1\tport=1143\tdestuser=ada\001tx\tpass="
		      "s\0010\tmaster=m"
		      "\tstarttls=any-cert\tproxy_mech=XOAUTH2\tuserdb_quota=1";
	struct dovecot_line l = read_line(text);

	(void)state;
	assert_int_equal(l.word, DOVECOT_OK);
	assert_int_equal(l.number, 7);
	assert_int_equal(l.answer.verdict, AUTH_OK);
	assert_str(l.answer.user, STR("ada\tx"));
	assert_str(l.answer.secret, STR("s\0"));
	assert_str(l.answer.master, STR("m"));
	assert_str(l.answer.target, STR("[2001:db8::1]"));
	assert_int_equal(l.answer.port, 1143);
	assert_int_equal(l.answer.tls, 3);
	assert_int_equal(l.answer.back_method, SASL_XOAUTH2);
	assert_true(l.answer.cache_ms == AUTH_CACHE_AS_CONFIGURED);
}

static void reads_a_plain_yes(void **state)
{
	char text[] = "OK\t1\tuser=ada";
	struct dovecot_line l = read_line(text);

	(void)state;
	assert_int_equal(l.answer.verdict, AUTH_OK);
	assert_null(l.answer.target.at);
	assert_null(l.answer.secret.at);
	assert_int_equal(l.answer.tls, 0);
}

static const struct {
	const char *line;
	enum auth_verdict verdict;
	enum auth_failure failure;
	const char *message;
} NOES[] = {
	{ "FAIL\t1\tuser=ada", AUTH_DENIED, AUTH_FAILURE_CREDENTIALS, NULL },
	{ "FAIL\t1\tuser=ada\treason=go\001taway", AUTH_DENIED, AUTH_FAILURE_CREDENTIALS, "go\taway" },
	{ "FAIL\t1\tuser=ada\treason=a\001rb", AUTH_DENIED, AUTH_FAILURE_CREDENTIALS, NULL },
	{ "FAIL\t1\tuser=ada\tuser_disabled", AUTH_DENIED, AUTH_FAILURE_DISABLED, NULL },
	{ "FAIL\t1\tcode=pass_expired", AUTH_DENIED, AUTH_FAILURE_EXPIRED, NULL },
	{ "FAIL\t1\tcode=authz_fail", AUTH_DENIED, AUTH_FAILURE_FORBIDDEN, NULL },
	{ "FAIL\t1\tuser=ada\ttemp", AUTH_BROKEN, 0, NULL },
	{ "FAIL\t1\tcode=temp_fail", AUTH_BROKEN, 0, NULL },
	{ "OK\t1\tuser=ada\tnologin\treason=closed", AUTH_DENIED, AUTH_FAILURE_FORBIDDEN, "closed" },
	{ "OK\t1\tuser=ada\tproxy\thost=a\001nb", AUTH_BROKEN, 0, NULL },
};

static void reads_a_no(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(NOES) / sizeof(*NOES); i++) {
		char *text = strdup(NOES[i].line);
		struct dovecot_line l = read_line(text);

		assert_int_equal(l.answer.verdict, NOES[i].verdict);
		if (l.answer.verdict == AUTH_BROKEN)
			assert_non_null(l.answer.cause);
		else
			assert_int_equal(l.answer.failure, NOES[i].failure);
		if (NOES[i].message != NULL)
			assert_str(l.answer.message, str_of(NOES[i].message));
		else
			assert_null(l.answer.message.at);
		free(text);
	}
}

static const struct {
	const char *line;
	enum dovecot_word word;
} WORDS[] = {
	{ "VERSION\t1\t2", DOVECOT_VERSION },
	{ "MECH\tPLAIN\tplaintext", DOVECOT_OTHER },
	{ "SPID\t5", DOVECOT_OTHER },
	{ "COOKIE\tab", DOVECOT_OTHER },
	{ "DONE", DOVECOT_READY },
	{ "CONT\t3\teyJ9", DOVECOT_CONTINUE },
	{ "", DOVECOT_BAD },
	{ "OK", DOVECOT_BAD },
	{ "OK\tx", DOVECOT_BAD },
	{ "FAIL\t99999999999", DOVECOT_BAD },
	{ "HTTP/1.1 400", DOVECOT_BAD },
};

static void tells_words_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++) {
		char *text = strdup(WORDS[i].line);

		assert_int_equal(read_line(text).word, WORDS[i].word);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks),
		cmocka_unit_test(does_not_ask_about_digests),
		cmocka_unit_test(does_not_say_too_long_a_line),
		cmocka_unit_test(escapes),
		cmocka_unit_test(reads_a_yes),
		cmocka_unit_test(reads_a_plain_yes),
		cmocka_unit_test(reads_a_no),
		cmocka_unit_test(tells_words_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
