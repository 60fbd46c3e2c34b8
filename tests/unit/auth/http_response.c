/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Responses of auth servers, read whole, cut in two at every place, and byte by byte: what was understood is
 * written down as one line of text and must be the same each time. Each piece lies at the end of memory of
 * its own, so a look too far is found.
 */
#include "auth/http_response.h"

#include "base/buf.h"
#include "unit.h"
#include <string.h>

static const char *const OUTCOMES[] = {
	[HTTP_MORE] = "more",		[HTTP_DONE] = "done",	      [HTTP_BAD_START] = "bad-start",
	[HTTP_BAD_FIELD] = "bad-field", [HTTP_BAD_BODY] = "bad-body",
};

static const char *const FRAMINGS[] = {
	[HTTP_EMPTY] = "empty",
	[HTTP_LENGTH] = "length",
	[HTTP_CHUNKED] = "chunked",
	[HTTP_UNTIL_CLOSE] = "until-close",
};

static const char *const FIELDS[] = {
	[FIELD_REFUSAL] = "refusal", [FIELD_SERVER] = "server",	  [FIELD_PORT] = "port",
	[FIELD_USER] = "user",	     [FIELD_PASS] = "pass",	  [FIELD_WAIT] = "wait",
	[FIELD_ERROR_CODE] = "code", [FIELD_ERROR_SASL] = "sasl", [FIELD_METHOD] = "method",
};

struct sample {
	const char *bytes, *want;
};

#define OK_LINE "HTTP/1.1 200 OK\r\n"

static const struct sample HEADS[] = {
	/* status lines */
	{ "HTTP/1.1 200 OK\r\n\r\n", "done 200 until-close" },
	{ "HTTP/1.1 200 OK\n\n", "done 200 until-close" },
	{ "HTTP/1.0 500 Internal Server Error\r\nAuth-Status: OK\r\n\r\n", "done 500 OK until-close" },
	{ "HTTP/1.1 404\r\n\r\n", "done 404 until-close" },
	{ "HTTP/1.1 \r\nAuth-Status: OK\r\n\r\n", "done 0 OK until-close" },
	{ "HTTP/\r\nContent-Length: 0\r\n\r\n", "done 0 until-close" },
	{ "HTTP/1.1 99 x\r\n\r\n", "done 0 until-close" },
	{ "HTTP/1.1 2000 x\r\n\r\n", "done 0 until-close" },
	{ "HTTP/1.1 200 OK\rx\n", "bad-start" },
	{ "HTTP/1.1 200 OK\r\r\n", "bad-start" },
	{ "Auth-Status: OK\r\nAuth-Server: 10.0.0.1\r\n\r\n", "done 0 OK server=[10.0.0.1] until-close" },
	{ "HTTP-Thing: 1\r\n\r\n", "done 0 until-close" },
	{ "HTTPS/1.1 200 OK\r\n\r\n", "bad-field" },
	{ "http/1.1 200 OK\r\n\r\n", "bad-field" },
	{ "\r\n", "done 0 until-close" },
	{ "SSH-2.0-OpenSSH_9.2\r\n", "bad-field" },
	{ "\x15\x03\x03", "bad-field" },
	{ "220 mail ESMTP\r\n", "bad-field" },
	{ OK_LINE "HTTP/1.1 200 OK\r\n", "bad-field" },

	/* names and values */
	{ OK_LINE "Auth-Server:10.0.0.1\r\nAuth-Port:  143  \r\n\r\n",
	  "done 200 server=[10.0.0.1] port=[143] until-close" },
	{ OK_LINE "AUTH-SERVER: a\r\nauth-port: b\r\n\r\n", "done 200 server=[a] port=[b] until-close" },
	{ OK_LINE "Auth-User: \t a b\tc \t\r\n\r\n", "done 200 user=[a b\tc] until-close" },
	{ OK_LINE "Auth-User:\r\nAuth-Pass\r\n\r\n", "done 200 user=[] pass=[] until-close" },
	{ OK_LINE "Auth-User: a:b: c\r\n\r\n", "done 200 user=[a:b: c] until-close" },
	{ OK_LINE "Auth-User: \xc3\xa4\xff\r\n\r\n", "done 200 user=[\xc3\xa4\xff] until-close" },

	{ OK_LINE "Auth-Wait: 5\r\nAuth-Error-Code: 454 4.7.0\r\nAuth-Error-SASL: YQ==\r\n"
		  "Auth-Method: xoauth2\r\n\r\n",
	  "done 200 wait=[5] code=[454 4.7.0] sasl=[YQ==] method=[xoauth2] until-close" },
	{ OK_LINE "Auth-Server: 1\r\nAuth-Server: 2\r\n\r\n", "done 200 server=[2] until-close" },
	{ OK_LINE "Auth-Serve: 1\r\nAuth-Servers: 2\r\n0X-9: 3\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Auth_Server: 1\r\n\r\n", "bad-field" },
	{ OK_LINE "Auth-Server : 1\r\n\r\n", "bad-field" },
	{ OK_LINE ": 1\r\n\r\n", "bad-field" },
	{ OK_LINE "-X: 1\r\n\r\n", "bad-field" },
	{ OK_LINE "X: 1\r\n folded\r\n\r\n", "bad-field" },
	{ OK_LINE "X: 1\r\n\tfolded\r\n\r\n", "bad-field" },
	{ OK_LINE "X: 1\rY: 2\r\n\r\n", "bad-field" },
	{ OK_LINE "X: 1\r\r\n\r\n", "bad-field" },
	{ OK_LINE "X\r: 1\r\n\r\n", "bad-field" },
	{ OK_LINE "X: 1\r\n\rX", "bad-field" },
	{ OK_LINE "X: 1\r\n\r\r\n", "bad-field" },
	{ OK_LINE "\xc3\xa4: 1\r\n\r\n", "bad-field" },

	/* Auth-Status: who refuses and agrees in one breath, refuses */
	{ OK_LINE "Auth-Status: OK\r\n\r\n", "done 200 OK until-close" },
	{ OK_LINE "Auth-Status: ok\r\n\r\n", "done 200 refusal=[ok] until-close" },
	{ OK_LINE "Auth-Status: WAIT\r\n\r\n", "done 200 WAIT until-close" },
	{ OK_LINE "Auth-Status:\r\n\r\n", "done 200 nothing until-close" },
	{ OK_LINE "Auth-Status: no such user\r\n\r\n", "done 200 refusal=[no such user] until-close" },
	{ OK_LINE "Auth-Status: no\r\nAuth-Status: OK\r\n\r\n", "done 200 OK refusal=[no] until-close" },
	{ OK_LINE "Auth-Status: OK\r\nAuth-Status: no\r\nAuth-Status: never\r\n\r\n",
	  "done 200 OK refusal=[never] until-close" },
	{ OK_LINE "Auth-Status: OK\r\nAuth-Status: WAIT\r\nAuth-Status:\r\n\r\n",
	  "done 200 OK WAIT nothing until-close" },

	/* interim responses */
	{ "HTTP/1.1 100 Continue\r\n\r\n", "more" },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "done 204 empty" },
	{ "HTTP/1.1 103 Early Hints\r\nAuth-Status: OK\r\nContent-Length: 5\r\n\r\n"
	  "HTTP/1.1 200 OK\r\nAuth-Server: x\r\n\r\n",
	  "done 200 server=[x] until-close" },
	{ "HTTP/1.1 101 Switching Protocols\r\n\r\n", "done 101 until-close" },
	{ "HTTP/1.1 100 Continue\r\n\r\n100 Continue\r\n", "bad-field" },

	/* how the body ends, and whether the connection lives on */
	{ OK_LINE "Content-Length: 0\r\n\r\n", "done 200 length" },
	{ OK_LINE "Content-Length: 0\r\nConnection: close\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: 0\r\nConnection: x, CLOSE ,y\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: 0\r\nConnection: keep-alive, close\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: 0\r\nConnection: closed\r\n\r\n", "done 200 length" },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", "done 200 until-close" },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\n\r\n", "done 200 length" },
	{ "HTTP/2 200\r\nContent-Length: 3\r\n\r\n", "done 200 until-close" },
	{ "Auth-Status: OK\r\nContent-Length: 3\r\n\r\n", "done 0 OK until-close" },
	{ OK_LINE "Content-Length: 65536\r\n\r\n", "done 200 length" },
	{ OK_LINE "Content-Length: 65537\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: 99999999999999999999\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: -1\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: +1\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length:\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: 3, 3\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n", "done 200 chunked" },
	{ OK_LINE "Transfer-Encoding: Chunked\r\n\r\n", "done 200 chunked" },
	{ OK_LINE "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", "done 200 until-close" },
	{ OK_LINE "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", "done 200 until-close" },
	{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
	  "done 200 until-close" },
	{ "HTTP/1.1 204 No Content\r\n\r\n", "done 204 empty" },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "done 304 empty" },
	{ "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "done 204 until-close" },
};

static void write_down(struct buf *to, const struct http_response *r, enum http_outcome outcome)
{
	struct http_body body;

	buf_format(to, "%s", OUTCOMES[outcome]);
	if (outcome != HTTP_DONE)
		return;
	buf_format(to, " %u%s%s%s", r->status, r->said_ok ? " OK" : "", r->said_wait ? " WAIT" : "",
		   r->said_nothing ? " nothing" : "");
	for (int i = 0; i < HTTP_FIELDS; i++) {
		struct str value = http_response_field(r, (enum http_field)i);

		if (value.at == NULL)
			continue;
		buf_format(to, " %s=[", FIELDS[i]);
		buf_put(to, value);
		buf_put(to, STR("]"));
	}
	http_body_begin(&body, r);
	buf_format(to, " %s", FRAMINGS[body.framing]);
}

/* A copy that ends where its memory ends. */
static struct str move(struct str s)
{
	char *at = malloc(s.len != 0 ? s.len : 1);

	memcpy(at, s.at, s.len);
	return (struct str){ at, s.len };
}

/* Read the first `len` bytes, lying in memory of their own. */
static enum http_outcome read_part(struct http_response *r, struct str all, size_t len)
{
	struct str part = move((struct str){ all.at, len });
	const char *last = r->head.at;
	enum http_outcome outcome = http_response_read(r, part);

	free((void *)(uintptr_t)last);
	return outcome;
}

/* Reads in steps that end at `first`, then every `step` bytes. */
static void check(const struct sample *s, size_t first, size_t step)
{
	struct http_response r = { 0 };
	struct str all = str_of(s->bytes);
	enum http_outcome outcome = HTTP_MORE;
	struct buf got;

	buf_init(&got, 4096);
	for (size_t len = first; outcome == HTTP_MORE; len += step) {
		outcome = read_part(&r, all, len < all.len ? len : all.len);
		if (len >= all.len)
			break;
	}
	write_down(&got, &r, outcome);
	if (outcome == HTTP_DONE)
		assert_int_equal(r.seen, all.len);
	if (!str_eq(buf_text(&got), str_of(s->want)))
		print_error("%s\nread up to %zu, then by %zu\n", s->bytes, first, step);
	assert_str(buf_text(&got), str_of(s->want));
	free((void *)(uintptr_t)r.head.at);
	buf_done(&got);
}

static void heads_are_understood_however_they_come(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
		size_t len = strlen(HEADS[i].bytes);

		check(&HEADS[i], len, 1);
		check(&HEADS[i], 0, 1);
		for (size_t at = 0; at < len; at++)
			check(&HEADS[i], at, len);
	}
}

static void nul_is_refused_everywhere(void **state)
{
	static const char HEAD[] = "HTTP/1.1 200 OK\r\nX-Y: some value\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(HEAD) - 1; i++) {
		struct http_response r = { 0 };
		enum http_outcome outcome;
		char bytes[sizeof(HEAD)];

		memcpy(bytes, HEAD, sizeof(HEAD));
		bytes[i] = '\0';
		outcome = http_response_read(&r, (struct str){ bytes, sizeof(HEAD) - 1 });
		assert_int_equal(outcome, i >= 5 && i < 17 ? HTTP_BAD_START : HTTP_BAD_FIELD);
		assert_int_equal(r.seen, i + 1);
	}
}

/* What follows a complete head belongs to the body, whatever it looks like. */
static void head_ends_where_it_ends(void **state)
{
	static const char BYTES[] = OK_LINE "Content-Length: 4\r\n\r\nA\n\0B";
	struct http_response r = { 0 };

	(void)state;
	assert_int_equal(http_response_read(&r, (struct str){ BYTES, sizeof(BYTES) - 1 }), HTTP_DONE);
	assert_int_equal(r.seen, sizeof(BYTES) - 1 - 4);
}

/* Bodies: the framing, the bytes, then outcome and how many bytes are left over. */
static const struct {
	enum http_framing framing;
	uint64_t length;
	const char *bytes;
	enum http_outcome outcome;
	size_t over;
} BODIES[] = {
	{ HTTP_EMPTY, 0, "", HTTP_DONE, 0 },
	{ HTTP_EMPTY, 0, "abc", HTTP_DONE, 3 },
	{ HTTP_LENGTH, 0, "", HTTP_DONE, 0 },
	{ HTTP_LENGTH, 3, "", HTTP_MORE, 0 },
	{ HTTP_LENGTH, 3, "ab", HTTP_MORE, 0 },
	{ HTTP_LENGTH, 3, "abc", HTTP_DONE, 0 },
	{ HTTP_LENGTH, 3, "abcHTTP", HTTP_DONE, 4 },
	{ HTTP_UNTIL_CLOSE, 0, "abc", HTTP_MORE, 0 },
	{ HTTP_CHUNKED, 0, "0\r\n\r\n", HTTP_DONE, 0 },
	{ HTTP_CHUNKED, 0, "0\n\n", HTTP_DONE, 0 },
	{ HTTP_CHUNKED, 0, "0000\r\n\r\nrest", HTTP_DONE, 4 },
	{ HTTP_CHUNKED, 0, "3\r\nabc\r\n0\r\n\r\n", HTTP_DONE, 0 },
	{ HTTP_CHUNKED, 0, "3\r\n\r\n0\r\n0\r\n\r\nX", HTTP_DONE, 1 },
	{ HTTP_CHUNKED, 0, "A;name=\"va;l\"\r\n0123456789\r\n1 \r\nx\r\n0;x\r\n\r\n", HTTP_DONE, 0 },
	{ HTTP_CHUNKED, 0, "0\r\nTrailer: x\r\nAuth-Status: OK\r\n\r\n", HTTP_DONE, 0 },
	{ HTTP_CHUNKED, 0, "0\r\nTrailer: x\r\n", HTTP_MORE, 0 },
	{ HTTP_CHUNKED, 0, "3\r\nabc", HTTP_MORE, 0 },
	{ HTTP_CHUNKED, 0, "\r\n", HTTP_BAD_BODY, 1 },
	{ HTTP_CHUNKED, 0, "g\r\n", HTTP_BAD_BODY, 2 },
	{ HTTP_CHUNKED, 0, "-1\r\n", HTTP_BAD_BODY, 3 },
	{ HTTP_CHUNKED, 0, "1x\r\n", HTTP_BAD_BODY, 2 },
	{ HTTP_CHUNKED, 0, "3\r\nabcd", HTTP_BAD_BODY, 0 },
	{ HTTP_CHUNKED, 0, "100000000\r\n", HTTP_BAD_BODY, 2 },
};

static void check_body(size_t i, size_t first)
{
	struct http_body b = { .framing = BODIES[i].framing, .left = BODIES[i].length };
	struct str all = move(str_of(BODIES[i].bytes)), one = { all.at, first }, two = str_skip(all, first);
	enum http_outcome outcome = http_body_read(&b, &one);

	if (outcome == HTTP_MORE)
		outcome = http_body_read(&b, &two);
	assert_int_equal(outcome, BODIES[i].outcome);
	assert_int_equal(one.len + two.len, BODIES[i].over);
	free((void *)(uintptr_t)all.at);
}

static void bodies_end_where_they_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BODIES) / sizeof(BODIES[0]); i++)
		for (size_t first = 0; first <= strlen(BODIES[i].bytes); first++)
			check_body(i, first);
}

/* Endless bodies of each kind are given up at the bound. */
static void bodies_are_bounded(void **state)
{
	struct http_body kinds[] = { { .framing = HTTP_UNTIL_CLOSE }, { .framing = HTTP_CHUNKED } };
	const char *pieces[] = { "0123456789abcdef", "a\r\n0123456789\r\n" };
	struct http_body trailer = { .framing = HTTP_CHUNKED };
	struct str start = STR("0\r\n");

	(void)state;
	for (int i = 0; i < 2; i++) {
		enum http_outcome outcome = HTTP_MORE;
		size_t sent = 0;

		for (; outcome == HTTP_MORE; sent += strlen(pieces[i])) {
			struct str piece = str_of(pieces[i]);

			outcome = http_body_read(&kinds[i], &piece);
			assert_true(sent <= HTTP_BODY_MOST);
		}
		assert_int_equal(outcome, HTTP_BAD_BODY);
		assert_true(sent > HTTP_BODY_MOST);
	}
	assert_int_equal(http_body_read(&trailer, &start), HTTP_MORE);
	for (size_t i = start.len + 3; i < HTTP_BODY_MOST; i++) {
		struct str x = STR("x");

		assert_int_equal(http_body_read(&trailer, &x), HTTP_MORE);
	}
	start = STR("x");
	assert_int_equal(http_body_read(&trailer, &start), HTTP_BAD_BODY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_understood_however_they_come),
		cmocka_unit_test(nul_is_refused_everywhere),
		cmocka_unit_test(head_ends_where_it_ends),
		cmocka_unit_test(bodies_end_where_they_end),
		cmocka_unit_test(bodies_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
