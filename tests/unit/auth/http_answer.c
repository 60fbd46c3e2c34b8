/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts: header fields in, one line of text out that says what the session would be told. */
#include "auth/http_answer.h"

#include "unit.h"
#include <string.h>

#define PLACE  "Auth-Server: 10.0.0.1\nAuth-Port: 143\n"
#define BROKEN "broken: auth http server 192.0.2.9:80 "
#define LONG   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* After a status line with 200, for a client that said its password. */
static const struct {
	const char *fields, *want;
} SAMPLES[] = {
	/* OK */
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143" },
	{ PLACE "Auth-Status: OK\nAuth-User: u\nAuth-Pass: p%20 p\n",
	  "ok 10.0.0.1:143 user=[u] secret=[p%20 p]" },
	{ "Auth-Status: OK\n" PLACE "Auth-User:\nAuth-Pass:\n", "ok 10.0.0.1:143 user=[] secret=[]" },
	{ "Auth-Status: OK\nAuth-Server: 2001:db8::1\nAuth-Port: 65535\n", "ok [2001:db8::1]:65535" },
	{ "Auth-Status: OK\nAuth-Wait: 3\n" PLACE, "ok 10.0.0.1:143" },
	{ "Auth-Status: OK\n" PLACE "Auth-Method: XOAUTH2\n", "ok 10.0.0.1:143 back=16" },
	{ "Auth-Status: OK\n" PLACE "Auth-Method: oauthbearer\n", "ok 10.0.0.1:143 back=32" },
	{ "Auth-Status: OK\n" PLACE "Auth-Method: plain\n", "ok 10.0.0.1:143" },

	/* nothing that says so: no way in */
	{ "", BROKEN "did not send Auth-Status" },
	{ PLACE, BROKEN "did not send Auth-Status" },
	{ "Auth-Status:\n" PLACE, BROKEN "sent an empty Auth-Status" },
	{ "Auth-Status: OK\nAuth-Status:\n" PLACE, BROKEN "sent an empty Auth-Status" },

	/* no */
	{ "Auth-Status: Invalid login\n", "denied [Invalid login]" },
	{ "Auth-Status: ok\n" PLACE, "denied [ok]" },
	{ "Auth-Status: OK now\n" PLACE, "denied [OK now]" },
	{ "Auth-Status: OK\nAuth-Status: no\n" PLACE, "denied [no]" },
	{ "Auth-Status: no\nAuth-Status: OK\nAuth-Status:\nAuth-Status: WAIT\n" PLACE, "denied [no]" },
	{ "Auth-Status: no\nAuth-Wait: 0\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Wait: 3\n", "denied [no] wait=3000" },
	{ "Auth-Status: no\nAuth-Wait: 03\n", "denied [no] wait=3000" },
	{ "Auth-Status: no\nAuth-Wait: 600\n", "denied [no] wait=600000" },
	{ "Auth-Status: no\nAuth-Wait: 601\n", "denied [no] wait=600000" },
	{ "Auth-Status: no\nAuth-Wait: 4294967296\n", "denied [no] wait=600000" },
	{ "Auth-Status: no\nAuth-Wait: 9223372036854775807\n", "denied [no] wait=600000" },
	{ "Auth-Status: no\nAuth-Wait: 9223372036854775808\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Wait: -1\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Wait: 3s\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Wait: 3.5\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-Code: 454 4.7.0\n", "denied [no] code=[454 4.7.0]" },
	{ "Auth-Status: no\nAuth-Error-Code: 550\n", "denied [no] code=[550]" },
	{ "Auth-Status: no\nAuth-Error-Code: 235 2.7.0\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-Code: 334\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-Code: 5a0\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-Code: 55\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-Code: 550-5.7.0\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-Code: 550 \x1b[2J\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-SASL: eyJzIjoiNDAxIn0+/9==\n",
	  "denied [no] sasl=[eyJzIjoiNDAxIn0+/9==]" },
	{ "Auth-Status: no\nAuth-Error-SASL: {\"status\"}\n", "denied [no]" },
	{ "Auth-Status: no\nAuth-Error-SASL:\n", "denied [no]" },

	/* wait: never at once, never for ever */
	{ "Auth-Status: WAIT\n", "wait 1000" },
	{ "Auth-Status: WAIT\nAuth-Wait: 0\n", "wait 1000" },
	{ "Auth-Status: WAIT\nAuth-Wait: x\n", "wait 1000" },
	{ "Auth-Status: WAIT\nAuth-Wait: 1\n", "wait 1000" },
	{ "Auth-Status: WAIT\nAuth-Wait: 2\n", "wait 2000" },
	{ "Auth-Status: WAIT\nAuth-Wait: 4294967296\n", "wait 600000" },
	{ "Auth-Status: OK\nAuth-Status: WAIT\n" PLACE, "wait 1000" },
	{ "Auth-Status: wait\n", "denied [wait]" },

	/* OK, but */
	{ "Auth-Status: OK\n", BROKEN "did not send server or port" },
	{ "Auth-Status: OK\nAuth-Server: 10.0.0.1\n", BROKEN "did not send server or port" },
	{ "Auth-Status: OK\nAuth-Port: 143\n", BROKEN "did not send server or port" },
	{ "Auth-Status: OK\nAuth-Server:\nAuth-Port: 143\n", BROKEN "did not send server or port" },
	{ "Auth-Status: OK\nAuth-Server: mail.example.org\nAuth-Port: 143\n",
	  "ok target=[mail.example.org] port=143" },
	{ "Auth-Status: OK\nAuth-Server: mail.example.org\n", "ok target=[mail.example.org]" },
	{ "Auth-Status: OK\nAuth-Server: [::1]\nAuth-Port: 143\n", "ok target=[[::1]] port=143" },
	{ "Auth-Status: OK\nAuth-Server: 10.0.0.1:143\nAuth-Port: 143\n",
	  "ok target=[10.0.0.1:143] port=143" },
	{ "Auth-Status: OK\nAuth-Server: unix:/x\n", "ok target=[unix:/x]" },
	{ "Auth-Status: OK\nAuth-Server: store\nAuth-TLS: starttls\nAuth-TLS-Name: a.example\n",
	  "ok target=[store] tls=3 name=[a.example]" },
	{ "Auth-Status: OK\n" PLACE "Auth-TLS: On\n", "ok 10.0.0.1:143 tls=2" },
	{ "Auth-Status: OK\n" PLACE "Auth-TLS: off\n", "ok 10.0.0.1:143 tls=1" },
	{ "Auth-Status: OK\n" PLACE "Auth-TLS: yes\n", BROKEN "sent invalid Auth-TLS:\"yes\"" },
	{ "Auth-Status: OK\n" PLACE "Auth-Master-User: root\nAuth-Pass: s\n",
	  "ok 10.0.0.1:143 secret=[s] master=[root]" },
	{ "Auth-Status: OK\n" PLACE "Auth-Cache-TTL: 30\n", "ok 10.0.0.1:143 cache=30000" },
	{ "Auth-Status: no\nAuth-Cache-TTL: 0\n", "denied [no] cache=0" },
	{ "Auth-Status: OK\n" PLACE "Auth-Cache-TTL: soon\n", "ok 10.0.0.1:143" },
	{ "Auth-Status: OK\nAuth-Server: mail.example.org\nAuth-Port: 0\n",
	  BROKEN "sent invalid server port:\"0\"" },
	{ "Auth-Status: OK\nAuth-Server: 127.0.0.256\nAuth-Port: 143\n",
	  BROKEN "sent invalid server address:\"127.0.0.256\"" },
	{ "Auth-Status: OK\nAuth-Server: two words\nAuth-Port: 143\n",
	  BROKEN "sent invalid server address:\"two words\"" },
	{ "Auth-Status: OK\nAuth-Server: a\"b\\\x1b\xff\nAuth-Port: 143\n",
	  BROKEN "sent invalid server address:\"a\\x22b\\x5C\\x1B\\xFF\"" },
	{ "Auth-Status: OK\nAuth-Server: " LONG LONG LONG LONG LONG LONG "\nAuth-Port: 143\n",
	  BROKEN "sent invalid server address:\"" LONG LONG "...\"" },
	{ "Auth-Status: OK\nAuth-Server: 10.0.0.1\nAuth-Port: 0\n", BROKEN "sent invalid server port:\"0\"" },
	{ "Auth-Status: OK\nAuth-Server: 10.0.0.1\nAuth-Port: 65536\n",
	  BROKEN "sent invalid server port:\"65536\"" },
	{ "Auth-Status: OK\nAuth-Server: 10.0.0.1\nAuth-Port: imap\n",
	  BROKEN "sent invalid server port:\"imap\"" },
	{ "Auth-Status: OK\nAuth-Server: 10.0.0.1\nAuth-Port: +143\n",
	  BROKEN "sent invalid server port:\"+143\"" },
};

/* The status line does not matter, except as a hint in the log. */
static const struct {
	const char *fields, *want, *start;
} STARTS[] = {
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", "HTTP/1.1 500 Oops\n" },
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", "" },
	{ "", BROKEN "did not send Auth-Status", "" },
	{ PLACE, BROKEN "did not send Auth-Status (HTTP status 404)", "HTTP/1.1 404 Not Found\n" },
};

/* A digest opens no door at the mail server. */
static const struct {
	const char *fields, *want;
	enum sasl_method method;
	bool needs_secret;
} METHODS[] = {
	{ "Auth-Status: OK\n" PLACE, BROKEN "did not send password", SASL_CRAM_MD5, true },
	{ "Auth-Status: OK\n" PLACE, BROKEN "did not send password", SASL_APOP, true },
	{ "Auth-Status: OK\n" PLACE, BROKEN "did not send password", SASL_EXTERNAL, true },
	{ "Auth-Status: OK\nAuth-Server: x\nAuth-Port: y\n", BROKEN "did not send password", SASL_EXTERNAL,
	  true },
	{ "Auth-Status: OK\n" PLACE "Auth-Pass: p\n", "ok 10.0.0.1:143 secret=[p]", SASL_CRAM_MD5, true },
	{ "Auth-Status: OK\n" PLACE "Auth-Pass:\n", "ok 10.0.0.1:143 secret=[]", SASL_APOP, true },
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", SASL_CRAM_MD5, false },
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", SASL_NONE, false },
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", SASL_PLAIN, true },
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", SASL_LOGIN, true },
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", SASL_XOAUTH2, true },
	{ "Auth-Status: OK\n" PLACE, "ok 10.0.0.1:143", SASL_OAUTHBEARER, true },
};

static void show(struct buf *to, const char *name, struct str value)
{
	if (value.at == NULL)
		return;
	buf_format(to, " %s=[", name);
	buf_put(to, value);
	buf_put(to, STR("]"));
}

static void show_ok(struct buf *to, const struct auth_answer *a)
{
	char text[ADDR_TEXT_MAX];

	buf_put(to, STR("ok"));
	if (a->server.family != AF_UNSPEC)
		buf_format(to, " %s", addr_text(&a->server, text));
	show(to, "target", a->target);
	if (a->port != 0)
		buf_format(to, " port=%u", a->port);
	if (a->tls != 0)
		buf_format(to, " tls=%u", a->tls);
	show(to, "name", a->tls_name);
	show(to, "user", a->user);
	show(to, "secret", a->secret);
	if (a->back_method != 0)
		buf_format(to, " back=%d", (int)a->back_method);
	show(to, "master", a->master);
}

static void show_denied(struct buf *to, const struct auth_answer *a)
{
	buf_put(to, STR("denied ["));
	buf_put(to, a->message);
	buf_put(to, STR("]"));
	show(to, "code", a->error_code);
	show(to, "sasl", a->error_sasl);
	if (a->wait_ms != 0)
		buf_format(to, " wait=%d", (int)a->wait_ms);
}

static void write_down(struct buf *to, const struct auth_answer *a)
{
	if (a->verdict == AUTH_OK)
		show_ok(to, a);
	else if (a->verdict == AUTH_DENIED)
		show_denied(to, a);
	else if (a->verdict == AUTH_WAIT)
		buf_format(to, "wait %d", (int)a->wait_ms);
	else
		buf_format(to, "broken: %s", a->cause);
	if (a->verdict != AUTH_BROKEN && a->cache_ms != AUTH_CACHE_AS_CONFIGURED)
		buf_format(to, " cache=%d", (int)a->cache_ms);
	if (a->verdict == AUTH_BROKEN)
		assert_int_equal(a->level, LOG_ERROR);
}

static void check(const char *start, const char *fields, const char *want, enum sasl_method method,
		  bool needs_secret)
{
	struct login login = { .method = method };
	struct auth_request request = { .login = &login, .needs_secret = needs_secret };
	struct http_response h = { 0 };
	struct buf head, cause, got;
	struct auth_answer a;

	buf_init(&head, 4096);
	buf_init(&cause, 4096);
	buf_init(&got, 4096);
	buf_format(&head, "%s%s\n", start, fields);
	assert_int_equal(http_response_read(&h, buf_text(&head)), HTTP_DONE);
	http_answer_read(&a, &h, &request, "192.0.2.9:80", &cause);
	write_down(&got, &a);
	assert_str(buf_text(&got), str_of(want));
	buf_done(&head);
	buf_done(&cause);
	buf_done(&got);
}

#define START "HTTP/1.1 200 OK\n"

static void verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++)
		check(START, SAMPLES[i].fields, SAMPLES[i].want, SASL_PLAIN, true);
}

static void status_line_does_not_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(STARTS) / sizeof(STARTS[0]); i++)
		check(STARTS[i].start, STARTS[i].fields, STARTS[i].want, SASL_PLAIN, true);
}

static void passwords_that_are_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++)
		check(START, METHODS[i].fields, METHODS[i].want, METHODS[i].method, METHODS[i].needs_secret);
}

/* Even if there is no room for the cause, there is a cause. */
static void cause_without_room(void **state)
{
	struct auth_answer a;
	struct buf cause;

	(void)state;
	buf_init(&cause, 8);
	buf_put(&cause, STR("too much for so little room"));
	http_answer_broken(&a, LOG_CRIT, &cause);
	assert_int_equal(a.verdict, AUTH_BROKEN);
	assert_int_equal(a.level, LOG_CRIT);
	assert_string_equal(a.cause, "auth http server failed");
	buf_done(&cause);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(status_line_does_not_decide),
		cmocka_unit_test(passwords_that_are_missing),
		cmocka_unit_test(cause_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
