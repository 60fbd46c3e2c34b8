/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions against an HTTP server that lives in the same loop and answers as it is told: whole, in pieces,
 * too late, nonsense, or not at all. What counts is what the asker hears, how many connections and requests
 * the server saw, and that nothing stays behind.
 */
#include "auth/http_pool.h"
#include "load.h"
#include "server.h"

const struct auth_kind *const auth_kinds[] = { &auth_http_kind, NULL };

/* --- the asker --- */

struct asker {
	struct login login;
	struct auth_request request;
	struct buf got; /* the answer in words; empty: not answered */
	int answers;
	bool inside; /* in auth_ask */
	void (*then)(struct asker *a);
};

struct fixture {
	struct loop *loop;
	struct arena *arena;
	struct auth_pool *pool;
	struct server server;
	struct loaded conf;
	struct auth_source *source;
	struct asker one, two;
	uint16_t port;
};

#define LOOPBACK                                           \
	{                                                  \
		.family = AF_INET, .ip4 = { 127, 0, 0, 1 } \
	}

static void write_down(struct buf *to, const struct auth_answer *a)
{
	char text[ADDR_TEXT_MAX];

	if (a->verdict == AUTH_OK)
		buf_format(to, "ok %s %.*s %.*s", addr_text(&a->server, text), STR_ARG(a->user),
			   STR_ARG(a->secret));
	else if (a->verdict == AUTH_DENIED)
		buf_format(to, "denied %.*s", STR_ARG(a->message));
	else if (a->verdict == AUTH_WAIT)
		buf_format(to, "wait %d", (int)a->wait_ms);
	else
		buf_format(to, "%s: %s", log_level_names[a->level], a->cause);
}

static void answered(struct auth_request *r, const struct auth_answer *a)
{
	struct asker *who = r->owner;

	assert_false(who->inside);
	assert_null(r->state);
	buf_clear(&who->got);
	write_down(&who->got, a);
	who->answers++;
	auth_cancel(r);
	if (who->then != NULL)
		who->then(who);
}

static void asker_init(struct asker *a, struct arena *arena)
{
	*a = (struct asker){ .request = { .protocol = "imap", .done = answered } };
	a->request.client_ip = STR("192.0.2.7");
	login_init(&a->login, arena, 300000, 512);
	buf_init_in(&a->got, arena, 4096);
	a->login.method = SASL_PLAIN;
	a->login.attempt = 1;
	buf_set(&a->login.user, STR("joe"));
	buf_set(&a->login.secret, STR("s3cret"));
	a->request.login = &a->login;
	a->request.owner = a;
}

static void ask(struct fixture *f, struct asker *a)
{
	buf_clear(&a->got);
	a->inside = true;
	auth_ask(f->source, &a->request);
	a->inside = false;
}

/* Turn until it is so. Without any hope of it the test fails after a while; nothing here measures time. */
#define UNTIL(f, so)                                  \
	do {                                          \
		for (int turns = 0; !(so); turns++) { \
			assert_true(turns < 1000);    \
			loop_turn((f)->loop, 20);     \
		}                                     \
	} while (0)

/* Whatever is on its way arrives: events on loopback are there at once. */
static void settle(struct fixture *f)
{
	for (int i = 0; i < 10; i++)
		loop_turn(f->loop, 0);
}

static void assert_answer(struct fixture *f, struct asker *a, const char *want)
{
	UNTIL(f, a->got.len != 0);
	assert_str(buf_text(&a->got), str_of(want));
}

static void asks(struct fixture *f, const char *want)
{
	ask(f, &f->one);
	assert_answer(f, &f->one, want);
	settle(f);
}

/* Load a configuration in which %u is the server's port. */
static void configure(struct fixture *f, const char *text)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "mail { server { %s; } }", text);
	load(&f->conf, whole);
	assert_string_equal(f->conf.said, "");
	f->source =
		auth_source_new(&(struct auth_tools){ .loop = f->loop, .pool = f->pool, .home = f->arena },
				load_server(&f->conf, 0));
}

static struct fixture *begin_with(const struct step *steps, size_t len, const char *more)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct addr at = LOOPBACK;
	char text[256];
	int fd = listen_at(&at, 16);

	f->loop = loop_new();
	f->arena = arena_new(4096);
	f->pool = auth_pool_new(f->loop);
	f->port = port_of(fd);
	serve(&f->server, f->loop, fd, steps, len);
	asker_init(&f->one, f->arena);
	asker_init(&f->two, f->arena);
	snprintf(text, sizeof(text), "auth_http 127.0.0.1:%u/auth; %s", f->port, more);
	configure(f, text);
	return f;
}

#define BEGIN_WITH(steps, more) begin_with((steps), sizeof(steps) / sizeof((steps)[0]), (more))
#define BEGIN(steps)		BEGIN_WITH(steps, "auth_http_timeout 20s")

static void end(struct fixture *f)
{
	auth_pool_free(f->pool);
	settle(f);
	server_close(&f->server);
	unload(&f->conf);
	arena_free(f->arena);
	loop_free(f->loop);
	free(f);
}

static size_t idle(const struct fixture *f)
{
	size_t n = 0;

	for (const struct http_conn *c = f->pool->idle; c != NULL; c = c->next)
		n++;
	return n;
}

/* In how many milliseconds the connection's timer will ring. */
static uint64_t ring_in(const struct fixture *f, const struct http_conn *c)
{
	assert_true(timer_armed(&c->limit));
	return c->limit.due - loop_now(f->loop);
}

/* No connection is left, and nothing will ring for one that is gone. */
static void assert_at_rest(struct fixture *f)
{
	settle(f);
	assert_null(f->pool->idle);
	assert_null(f->pool->busy);
	assert_null(f->pool->dead);
	for (const struct http_conn *c = f->pool->spare; c != NULL; c = c->next)
		assert_false(timer_armed(&c->limit));
}

/* The text of a failure, with the server's port in place of each '@'. */
static const char *cause(const struct fixture *f, const char *pattern)
{
	static char text[512];
	size_t len = 0;

	for (; *pattern != '\0'; pattern++)
		len += (size_t)(*pattern == '@' ? snprintf(text + len, sizeof(text) - len, "%u", f->port)
						: snprintf(text + len, sizeof(text) - len, "%c", *pattern));
	return text;
}

#define FIELDS                                                           \
	"Auth-Status: OK\r\nAuth-Server: 10.0.0.1\r\nAuth-Port: 143\r\n" \
	"Auth-User: u\r\nAuth-Pass: p4ss\r\n"
#define SERVER	 "error: auth http server 127.0.0.1:@"
#define TOO_SLOW "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
#define GOOD	 "HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 0\r\n\r\n"
#define WANT	 "ok 10.0.0.1:143 u p4ss"
#define CUT	 SERVER " closed the connection before the response was complete"

/* --- persistent connections --- */

static void one_connection_for_many_questions(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	for (int i = 1; i <= 5; i++) {
		f->one.login.attempt = (unsigned)i;
		asks(f, WANT);
		assert_int_equal(f->server.requests, i);
	}
	assert_string_equal(f->server.last, "GET /auth HTTP/1.1\r\nHost: 127.0.0.1\r\nAuth-Method: plain\r\n"
					    "Auth-User: joe\r\nAuth-Pass: s3cret\r\nAuth-Protocol: imap\r\n"
					    "Auth-Login-Attempt: 5\r\nClient-IP: 192.0.2.7\r\n\r\n");
	assert_int_equal(f->server.accepted, 1);
	assert_int_equal(idle(f), 1);
	end(f);
}

/* Whatever says that the connection will not stay: it is closed after the server closed it, never by a
 * reset. */
static void servers_that_close(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.0 200 OK\r\n" FIELDS "\r\n",
		"HTTP/1.0 200 OK\r\n" FIELDS "\r\nsome body",
		"HTTP/1.1 200 OK\r\n" FIELDS "\r\nsome body",
		"HTTP/1.1 200 OK\r\n" FIELDS "Connection: close\r\nContent-Length: 4\r\n\r\nbody",
		"HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 0\r\n\r\n",
		FIELDS "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const struct step steps[] = { { replies[i], CLOSE } };
		struct fixture *f = BEGIN(steps);

		asks(f, WANT);
		asks(f, WANT);
		assert_int_equal(f->server.accepted, 2);
		assert_int_equal(f->server.requests, 2);
		assert_int_equal(idle(f), 0);
		assert_null(f->pool->busy);
		end(f);
	}
}

/* A server that says "close" and does not: the answer is there at once, the connection waits for the end. */
static void close_is_awaited(void **state)
{
	static const struct step steps[] = {
		{ "HTTP/1.1 200 OK\r\n" FIELDS "Connection: close\r\nContent-Length: 0\r\n\r\n", STAY }
	};
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	assert_int_equal(idle(f), 0);
	assert_non_null(f->pool->busy);
	assert_in_range(ring_in(f, f->pool->busy), 100, 1001);
	assert_int_equal(f->server.ended, 0);
	f->pool->busy->at->late(f->pool->busy);
	assert_null(f->pool->busy);
	UNTIL(f, f->server.ended == 1);
	end(f);
}

static void bodies_are_passed_over(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 11\r\n\r\nHTTP/1.1 no",
		"HTTP/1.1 200 OK\r\n" FIELDS "Transfer-Encoding: chunked\r\n\r\n"
		"4;x\r\nHTTP\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n" FIELDS "\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 0\r\n\r\n",
		"HTTP/1.0 200 OK\r\n" FIELDS "Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const struct step steps[] = { { replies[i], STAY } };
		struct fixture *f = BEGIN(steps);

		asks(f, WANT);
		asks(f, WANT);
		assert_int_equal(f->server.accepted, 1);
		end(f);
	}
}

/* The answer is given before the body is there, and the connection serves again once it is. */
static void answer_does_not_wait_for_the_body(void **state)
{
	static const struct step steps[] = {
		{ "HTTP/1.1 200 OK\r\n" FIELDS "Transfer-Encoding: chunked\r\n\r\n5\r\nhe", STAY },
		{ GOOD, STAY },
	};
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	assert_int_equal(idle(f), 0);
	say(&f->server.clients[0], "llo\r\n0\r");
	settle(f);
	assert_int_equal(idle(f), 0);
	say(&f->server.clients[0], "\n\r\n");
	UNTIL(f, idle(f) == 1);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	end(f);
}

static void bytes_behind_the_answer_end_the_connection(void **state)
{
	static const struct step steps[] = { { GOOD "HTTP/1.1 200 OK\r\n", STAY }, { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	assert_int_equal(idle(f), 0);
	assert_int_equal(f->server.ended, 1);
	asks(f, WANT);
	say(&f->server.clients[1], "x");
	UNTIL(f, f->server.ended == 2);
	assert_int_equal(idle(f), 0);
	end(f);
}

static void endless_bodies_end_the_connection(void **state)
{
	static const struct step steps[] = { { "HTTP/1.1 200 OK\r\n" FIELDS "\r\n", STAY } };
	struct fixture *f = BEGIN(steps);
	char piece[4097];

	(void)state;
	memset(piece, 'x', sizeof(piece));
	piece[sizeof(piece) - 1] = '\0';
	asks(f, WANT);
	for (int i = 0; i < 16; i++)
		say(&f->server.clients[0], piece);
	settle(f);
	assert_int_equal(f->server.ended, 0);
	say(&f->server.clients[0], "x");
	UNTIL(f, !f->server.clients[0].open);
	end(f);
}

static void idle_connections_are_bounded(void **state)
{
	static const struct step steps[] = { { NULL, STAY } };
	struct fixture *f = BEGIN_WITH(steps, "auth_http_keepalive 1");

	(void)state;
	ask(f, &f->one);
	ask(f, &f->two);
	UNTIL(f, f->server.requests == 2);
	assert_int_equal(f->server.accepted, 2);
	say(&f->server.clients[0], GOOD);
	say(&f->server.clients[1], GOOD);
	assert_answer(f, &f->one, WANT);
	assert_answer(f, &f->two, WANT);
	UNTIL(f, f->server.ended == 1);
	assert_int_equal(idle(f), 1);
	end(f);
}

static void last_used_first(void **state)
{
	static const struct step steps[] = { { NULL, STAY }, { NULL, STAY }, { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	int cold;

	(void)state;
	ask(f, &f->one);
	ask(f, &f->two);
	UNTIL(f, f->server.requests == 2);
	cold = f->server.used[0];
	say(&f->server.clients[cold], GOOD);
	UNTIL(f, idle(f) == 1);
	say(&f->server.clients[1 - cold], GOOD);
	UNTIL(f, idle(f) == 2);
	asks(f, WANT);
	asks(f, WANT);
	assert_int_equal(f->server.used[2], 1 - cold);
	assert_int_equal(f->server.used[3], 1 - cold);
	end(f);
}

static void idle_connections_grow_old(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	assert_in_range(ring_in(f, f->pool->idle), 5000, 10001);
	f->pool->idle->at->late(f->pool->idle);
	UNTIL(f, f->server.ended == 1);
	assert_int_equal(idle(f), 0);
	asks(f, WANT);
	auth_pool_flush(f->pool);
	UNTIL(f, f->server.ended == 2);
	assert_at_rest(f);
	end(f);
}

static void without_persistent_connections(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN_WITH(steps, "auth_http_keepalive 0; auth_http_header X-Key k");

	(void)state;
	asks(f, WANT);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 2);
	assert_int_equal(f->server.ended, 2);
	assert_true(str_starts(str_of(f->server.last), STR("GET /auth HTTP/1.0\r\nHost: 127.0.0.1\r\n")));
	assert_non_null(strstr(f->server.last, "Client-IP: 192.0.2.7\r\nX-Key: k\r\n\r\n"));
	end(f);
}

/* --- the race --- */

static void closed_while_idle(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	hang_up(&f->server.clients[0]);
	UNTIL(f, idle(f) == 0);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 2);
	assert_int_equal(f->server.requests, 2);
	end(f);
}

/* The server closes when the question is already on its way: asked once more, on a new connection. */
static void closed_under_the_question(void **state)
{
	static const struct step closes[] = { { GOOD, STAY }, { NULL, CLOSE }, { GOOD, STAY } };
	static const struct step resets[] = { { GOOD, STAY }, { NULL, RESET }, { GOOD, STAY } };
	static const struct step too_late[] = { { GOOD, STAY }, { TOO_SLOW, CLOSE }, { GOOD, STAY } };
	const struct step *kinds[] = { closes, resets, too_late };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct fixture *f = begin_with(kinds[i], 3, "auth_http_timeout 20s");

		asks(f, WANT);
		asks(f, WANT);
		assert_int_equal(f->server.accepted, 2);
		assert_int_equal(f->server.requests, 3);
		assert_int_equal(f->one.answers, 2);
		end(f);
	}
}

/* The FIN is in the asker's kernel, unread, when the question comes. */
static void closed_just_before_the_question(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	reset(&f->server.clients[0]);
	ask(f, &f->one);
	assert_answer(f, &f->one, WANT);
	assert_int_equal(f->server.accepted, 2);
	assert_int_equal(f->server.requests, 2);
	end(f);
}

static void asked_again_only_once(void **state)
{
	static const struct step steps[] = { { GOOD, STAY }, { NULL, CLOSE } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	asks(f, cause(f, CUT));
	assert_int_equal(f->server.requests, 3);
	asks(f, cause(f, CUT));
	assert_int_equal(f->server.requests, 4);
	end(f);
}

/* A new connection may live in the memory of an old one, but not on its reputation. */
static void new_connections_have_no_past(void **state)
{
	static const struct step steps[] = { { GOOD, STAY }, { GOOD, STAY }, { NULL, CLOSE } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	asks(f, WANT);
	hang_up(&f->server.clients[0]);
	UNTIL(f, f->pool->spare != NULL);
	ask(f, &f->one);
	assert_false(f->pool->busy->reused);
	assert_null(f->pool->dead);
	assert_answer(f, &f->one, cause(f, CUT));
	assert_int_equal(f->server.requests, 3);
	end(f);
}

/* Once a single byte of an answer has come, the question was heard. */
static void half_an_answer_is_final(void **state)
{
	static const struct step steps[] = { { GOOD, STAY }, { "H", CLOSE } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	asks(f, cause(f, CUT));
	assert_int_equal(f->server.requests, 2);
	end(f);
}

static void a_408_on_a_new_connection_is_an_answer(void **state)
{
	static const struct step steps[] = { { TOO_SLOW, CLOSE } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, cause(f, SERVER " did not send Auth-Status (HTTP status 408)"));
	assert_int_equal(f->server.requests, 1);
	end(f);
}

/* One deadline for both attempts. */
static void deadline_covers_the_second_attempt(void **state)
{
	static const struct step steps[] = { { GOOD, STAY }, { NULL, CLOSE }, { NULL, STAY } };
	struct fixture *f = BEGIN_WITH(steps, "auth_http_timeout 200ms");

	(void)state;
	asks(f, WANT);
	asks(f, cause(f, SERVER " timed out (110: Connection timed out)"));
	assert_int_equal(f->server.requests, 3);
	end(f);
}

/* --- servers that fail --- */

static const struct {
	const char *say, *want;
	int then;
} FAILURES[] = {
	{ NULL, CUT, CLOSE },
	{ "HTTP/1.1 200 OK\r\n", CUT, CLOSE },
	{ "HTTP/1.1 200 OK\r\n" FIELDS, CUT, CLOSE },
	{ NULL, SERVER ": recv() failed (104: Connection reset by peer)", RESET },
	{ "HTTP/1.1 200 OK\rX", SERVER " sent invalid response", STAY },
	{ "HTTP/1.1 200 OK\r\nA_b: c\r\n", SERVER " sent invalid header in response", STAY },
	{ "SSH-2.0-OpenSSH\r\n", SERVER " sent invalid header in response", STAY },
	{ "HTTP/1.1 404 Not Found\r\n\r\n", SERVER " did not send Auth-Status (HTTP status 404)", STAY },
	{ "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n\r\n", SERVER " did not send server or port", STAY },
};

static void failures_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(FAILURES) / sizeof(FAILURES[0]); i++) {
		const struct step steps[] = { { FAILURES[i].say, (int)FAILURES[i].then }, { GOOD, STAY } };
		struct fixture *f = BEGIN(steps);

		asks(f, cause(f, FAILURES[i].want));
		assert_int_equal(f->server.requests, 1);
		assert_int_equal(idle(f), 0);
		asks(f, WANT);
		end(f);
	}
}

static void head_is_bounded(void **state)
{
	static const struct step steps[] = { { "HTTP/1.1 200 OK\r\n" FIELDS "X-Long: ", STAY } };
	struct fixture *f = BEGIN(steps);
	size_t start = strlen(steps[0].say);
	char text[HTTP_HEAD_MOST + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	/* one byte less than the bound, completed in time, is an answer */
	ask(f, &f->one);
	UNTIL(f, f->server.requests == 1);
	text[HTTP_HEAD_MOST - 4 - start] = '\0';
	say(&f->server.clients[0], text);
	settle(f);
	say(&f->server.clients[0], "\r\n\r\n");
	assert_answer(f, &f->one, WANT);
	/* at the bound it is over */
	ask(f, &f->two);
	UNTIL(f, f->server.requests == 2);
	text[HTTP_HEAD_MOST - 4 - start] = 'x';
	text[HTTP_HEAD_MOST - start] = '\0';
	say(&f->server.clients[1], text);
	assert_answer(f, &f->two, cause(f, SERVER " sent too long header in response"));
	end(f);
}

static void answer_byte_by_byte(void **state)
{
	static const struct step steps[] = { { NULL, STAY } };
	struct fixture *f = BEGIN(steps);
	char byte[2] = "";

	(void)state;
	ask(f, &f->one);
	UNTIL(f, f->server.requests == 1);
	for (const char *p = GOOD; *p != '\0'; p++) {
		assert_int_equal(f->one.answers, 0);
		byte[0] = *p;
		say(&f->server.clients[0], byte);
		settle(f);
	}
	assert_answer(f, &f->one, WANT);
	assert_int_equal(idle(f), 1);
	end(f);
}

static void silence_and_dribble_time_out(void **state)
{
	static const struct step steps[] = {
		{ NULL, STAY }, { "HTTP/1.1 200 OK\r\nAuth-Status: O", STAY }, { GOOD, STAY }, { NULL, STAY }
	};
	struct fixture *f = BEGIN_WITH(steps, "auth_http_timeout 100ms");

	(void)state;
	for (int i = 1; i <= 2; i++) {
		asks(f, cause(f, SERVER " timed out (110: Connection timed out)"));
		UNTIL(f, f->server.ended == i);
	}
	/* on a kept connection as well, and there silence is no reason to ask again */
	asks(f, WANT);
	ask(f, &f->one);
	assert_true(ring_in(f, f->pool->busy) <= 100);
	assert_answer(f, &f->one, cause(f, SERVER " timed out (110: Connection timed out)"));
	assert_int_equal(f->server.accepted, 3);
	assert_int_equal(f->server.requests, 4);
	end(f);
}

static void nobody_listens(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct addr at = LOOPBACK;
	int fd = listen_at(&at, 1);
	char text[64];

	(void)state;
	f->port = port_of(fd);
	close(fd);
	snprintf(text, sizeof(text), "auth_http 127.0.0.1:%u", f->port);
	unload(&f->conf);
	configure(f, text);
	asks(f, cause(f, "error: connect() to 127.0.0.1:@ failed (111: Connection refused)"));
	assert_null(f->pool->busy);
	end(f);
}

/* connect() fails at once, but the answer does not come from inside. */
static void no_such_socket(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	unload(&f->conf);
	configure(f, "auth_http unix:/nonexistent/auth.sock:/x");
	asks(f, "crit: connect() to unix:/nonexistent/auth.sock failed (2: No such file or directory)");
	ask(f, &f->one);
	auth_cancel(&f->one.request);
	settle(f);
	assert_int_equal(f->one.answers, 1);
	end(f);
}

/* --- several addresses --- */

static void next_address_when_one_refuses(void **state)
{
	static const struct step steps[] = { { "HTTP/1.0 200 OK\r\n" FIELDS "\r\n", CLOSE } };
	struct fixture *f = BEGIN(steps);
	struct addr first = { .family = AF_INET, .ip4 = { 127, 0, 0, 2 }, .port = f->port };
	struct server late;
	char text[64];

	(void)state;
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http two.test:%u", f->port);
	configure(f, text);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	/* the good one is remembered, though the other is back */
	serve(&late, f->loop, listen_at(&first, 4), steps, 1);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 2);
	assert_int_equal(late.accepted, 0);
	server_close(&late);
	end(f);
}

/* Each server has its own Host and URI. */
static void next_server_when_one_refuses(void **state)
{
	static const struct step steps[] = { { "HTTP/1.0 200 OK\r\n" FIELDS "\r\n", CLOSE } };
	struct fixture *f = BEGIN(steps);
	char text[128];

	(void)state;
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http 127.0.0.2:%u/first http://127.0.0.1:%u/second", f->port,
		 f->port);
	configure(f, text);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	assert_non_null(strstr(f->server.last, "GET /second HTTP/1.1\r\nHost: 127.0.0.1\r\n"));
	end(f);
}

/* The first server takes the question and is no use; `then` it is not the first one any more. */
static void second_server_answers(const struct step *first, const char *more)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct addr at = { .family = AF_INET, .ip4 = { 127, 0, 0, 2 }, .port = f->port };
	struct server bad;
	char text[128];

	serve(&bad, f->loop, listen_at(&at, 4), first, 1);
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http two.test:%u; %s", f->port, more);
	configure(f, text);
	asks(f, WANT);
	assert_int_equal(bad.requests, 1);
	asks(f, WANT);
	assert_int_equal(bad.accepted, 1);
	assert_int_equal(f->server.requests, 2);
	server_close(&bad);
	end(f);
}

static void next_server_when_one_is_no_use(void **state)
{
	static const struct step silent = { NULL, STAY }, hangs_up = { NULL, CLOSE },
				 resets = { NULL, RESET },
				 unable = { "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", STAY };

	(void)state;
	second_server_answers(&silent, "auth_http_timeout 1s");
	second_server_answers(&hangs_up, "auth_http_timeout 20s");
	second_server_answers(&resets, "auth_http_timeout 20s");
	second_server_answers(&unable, "auth_http_timeout 20s");
}

static void all_addresses_refuse(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct addr at = LOOPBACK;
	int fd = listen_at(&at, 1);
	char text[64];

	(void)state;
	f->port = port_of(fd);
	close(fd);
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http two.test:%u", f->port);
	configure(f, text);
	asks(f, cause(f, "error: connect() to 127.0.0.2:@ failed (111: Connection refused), "
			 "connect() to 127.0.0.1:@ failed (111: Connection refused)"));
	end(f);
}

/* A backlog that is full swallows connections without a word. */
static int swallow(struct addr *at, int fill[2])
{
	struct sockaddr_storage to;
	int fd = listen_at(at, 0);
	socklen_t len;

	len = addr_to_sockaddr(at, &to);
	for (int i = 0; i < 2; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fill[i], (struct sockaddr *)&to, len);
	}
	return fd;
}

static void next_address_when_one_swallows(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct addr hole = { .family = AF_INET, .ip4 = { 127, 0, 0, 2 }, .port = f->port };
	int fill[2], fd = swallow(&hole, fill);
	char text[128];

	(void)state;
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http two.test:%u; auth_http_timeout 400ms", f->port);
	configure(f, text);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	/* alone, it costs the whole time */
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http 127.0.0.2:%u; auth_http_timeout 50ms", f->port);
	configure(f, text);
	asks(f, cause(f, "error: auth http server 127.0.0.2:@ timed out (110: Connection timed out)"));
	/* and who does not want to know any more leaves nothing behind */
	ask(f, &f->one);
	settle(f);
	auth_cancel(&f->one.request);
	UNTIL(f, f->pool->busy == NULL);
	assert_int_equal(f->one.answers, 2);
	close(fill[0]);
	close(fill[1]);
	close(fd);
	end(f);
}

/* --- cancelling, asking from inside --- */

static void cancelled_before_a_word_was_said(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	ask(f, &f->one);
	auth_cancel(&f->one.request);
	auth_cancel(&f->one.request);
	UNTIL(f, idle(f) == 1);
	assert_int_equal(f->server.requests, 0);
	assert_int_equal(f->one.answers, 0);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	end(f);
}

static void cancelled_while_the_server_thinks(void **state)
{
	static const struct step steps[] = { { NULL, STAY }, { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	ask(f, &f->one);
	UNTIL(f, f->server.requests == 1);
	auth_cancel(&f->one.request);
	UNTIL(f, f->server.ended == 1);
	assert_int_equal(f->one.answers, 0);
	assert_at_rest(f);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 2);
	end(f);
}

static struct fixture *inner;

static void ask_more(struct asker *a)
{
	a->then = NULL;
	ask(inner, &inner->two);
	ask(inner, a);
}

static void asking_from_inside_an_answer(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = inner = BEGIN(steps);

	(void)state;
	f->one.then = ask_more;
	ask(f, &f->one);
	UNTIL(f, f->one.answers == 2 && f->two.answers == 1);
	settle(f);
	assert_int_equal(f->server.requests, 3);
	assert_int_equal(idle(f), 3);
	end(f);
}

static void flush_inside(struct asker *a)
{
	(void)a;
	auth_pool_flush(inner->pool);
}

static void flushing_from_inside_an_answer(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = inner = BEGIN(steps);

	(void)state;
	f->one.then = flush_inside;
	asks(f, WANT);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	end(f);
}

/* --- requests --- */

static void what_cannot_be_said_is_not_asked(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	for (int i = 0; i < 2; i++) {
		f->one.request.client_host = STR("evil\r\nAuth-User: root");
		asks(f, cause(f, SERVER " was not asked: control character in Client-Host"));
		assert_int_equal(f->server.requests, i);
		f->one.request.client_host = STR("good");
		asks(f, WANT);
	}
	end(f);
}

/* What is told is why it was not asked, not what went wrong before. */
static void refused_after_a_failed_connect(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	char text[64];

	(void)state;
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http two.test:%u", f->port);
	configure(f, text);
	f->one.request.protocol = "\n";
	asks(f, cause(f, SERVER " was not asked: control character in Auth-Protocol"));
	end(f);
}

static struct str big(size_t len)
{
	char *at = malloc(len);

	memset(at, 'x', len);
	return (struct str){ at, len };
}

/* Ask with more than the sockets hold, of a server that does not read. */
static void ask_at_length(struct fixture *f, struct str pem)
{
	int small = 4096;

	f->one.request.tls = (struct auth_tls){ .on = true, .certificate = pem };
	f->server.deaf = true;
	setsockopt(f->server.watch.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	ask(f, &f->one);
	setsockopt(f->pool->busy->stream.watch.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	UNTIL(f, f->pool->busy->out.len != 0);
	settle(f);
}

/* More than the sockets hold: the rest follows when there is room. */
static void long_requests_go_out_in_pieces(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct str pem = big(250000);

	(void)state;
	ask_at_length(f, pem);
	f->server.deaf = false;
	assert_true(loop_watch_listening(f->loop, &f->server.clients[0].watch));
	assert_answer(f, &f->one, WANT);
	assert_true(f->pool->request.room < 65536);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	free((void *)(uintptr_t)pem.at);
	end(f);
}

/* A server may answer before it has heard everything; such a connection has no future. */
static void answered_before_all_was_said(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct str pem = big(250000);

	(void)state;
	ask_at_length(f, pem);
	say(&f->server.clients[0], GOOD);
	assert_answer(f, &f->one, WANT);
	assert_int_equal(idle(f), 0);
	assert_null(f->pool->busy);
	free((void *)(uintptr_t)pem.at);
	end(f);
}

static bool has(const struct buf *b, const char *text)
{
	return b->at != NULL && memmem(b->at, b->room, text, strlen(text)) != NULL;
}

/* Neither the client's password nor the one that the server gave stays in memory. */
static void secrets_are_wiped(void **state)
{
	static const struct step steps[] = { { GOOD, STAY }, { "HTTP/1.1 200 OK\r\n" FIELDS, CLOSE } };
	struct fixture *f = BEGIN(steps);

	(void)state;
	asks(f, WANT);
	assert_non_null(f->pool->idle->in.at);
	assert_false(has(&f->pool->idle->in, "p4ss"));
	assert_non_null(f->pool->request.at);
	assert_false(has(&f->pool->request, "s3cret"));
	asks(f, cause(f, CUT));
	assert_non_null(f->pool->spare);
	for (const struct http_conn *c = f->pool->spare; c != NULL; c = c->next)
		assert_false(has(&c->in, "p4ss"));
	end(f);
}

/* Nor what was still to be said when nobody wanted to know any more. */
static void unsaid_secrets_are_wiped(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct str pem = big(250000);
	struct http_conn *c;

	(void)state;
	ask_at_length(f, pem);
	c = f->pool->busy;
	assert_true(has(&c->out, "xxxxxxxx"));
	auth_cancel(&f->one.request);
	assert_non_null(c->out.at);
	assert_false(has(&c->out, "xxxxxxxx"));
	free((void *)(uintptr_t)pem.at);
	end(f);
}

static void long_answers_do_not_make_idle_connections_fat(void **state)
{
	static const struct step steps[] = { { NULL, STAY }, { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	char text[8192];

	(void)state;
	ask(f, &f->one);
	UNTIL(f, f->server.requests == 1);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	say(&f->server.clients[0], "HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 0\r\nX: ");
	say(&f->server.clients[0], text);
	say(&f->server.clients[0], "\r\n\r\n");
	assert_answer(f, &f->one, WANT);
	assert_int_equal(idle(f), 1);
	assert_true(f->pool->idle->in.room <= 4096);
	asks(f, WANT);
	assert_int_equal(f->server.accepted, 1);
	end(f);
}

/* --- generations --- */

static void connections_outlive_their_configuration(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	char path[64], text[128];
	struct addr at = { .family = AF_UNIX, .path = path };
	struct server local;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/postern-test-auth-%d.sock", (int)getpid());
	snprintf(text, sizeof(text), "auth_http unix:%s:/a", path);
	serve(&local, f->loop, listen_at(&at, 4), steps, 1);
	unload(&f->conf);
	configure(f, text);
	asks(f, WANT);
	unload(&f->conf);
	snprintf(text, sizeof(text), "auth_http unix:%s:/b", path);
	configure(f, text);
	asks(f, WANT);
	assert_int_equal(local.accepted, 1);
	assert_true(str_starts(str_of(local.last), STR("GET /b HTTP/1.1\r\nHost: localhost\r\n")));
	auth_pool_flush(f->pool);
	server_close(&local);
	unlink(path);
	end(f);
}

static void other_servers_have_other_connections(void **state)
{
	static const struct step steps[] = { { GOOD, STAY } };
	struct fixture *f = BEGIN(steps);
	struct addr at = LOOPBACK;
	struct server other;
	char text[64];

	(void)state;
	asks(f, WANT);
	serve(&other, f->loop, listen_at(&at, 4), steps, 1);
	snprintf(text, sizeof(text), "auth_http 127.0.0.1:%u", port_of(other.watch.fd));
	unload(&f->conf);
	configure(f, text);
	asks(f, WANT);
	assert_int_equal(f->server.requests, 1);
	assert_int_equal(other.requests, 1);
	assert_int_equal(idle(f), 2);
	server_close(&other);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_connection_for_many_questions),
		cmocka_unit_test(servers_that_close),
		cmocka_unit_test(close_is_awaited),
		cmocka_unit_test(bodies_are_passed_over),
		cmocka_unit_test(answer_does_not_wait_for_the_body),
		cmocka_unit_test(bytes_behind_the_answer_end_the_connection),
		cmocka_unit_test(endless_bodies_end_the_connection),
		cmocka_unit_test(idle_connections_are_bounded),
		cmocka_unit_test(last_used_first),
		cmocka_unit_test(idle_connections_grow_old),
		cmocka_unit_test(without_persistent_connections),
		cmocka_unit_test(closed_while_idle),
		cmocka_unit_test(closed_under_the_question),
		cmocka_unit_test(closed_just_before_the_question),
		cmocka_unit_test(asked_again_only_once),
		cmocka_unit_test(new_connections_have_no_past),
		cmocka_unit_test(half_an_answer_is_final),
		cmocka_unit_test(a_408_on_a_new_connection_is_an_answer),
		cmocka_unit_test(deadline_covers_the_second_attempt),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(head_is_bounded),
		cmocka_unit_test(answer_byte_by_byte),
		cmocka_unit_test(silence_and_dribble_time_out),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(no_such_socket),
		cmocka_unit_test(next_address_when_one_refuses),
		cmocka_unit_test(next_server_when_one_refuses),
		cmocka_unit_test(next_server_when_one_is_no_use),
		cmocka_unit_test(all_addresses_refuse),
		cmocka_unit_test(next_address_when_one_swallows),
		cmocka_unit_test(cancelled_before_a_word_was_said),
		cmocka_unit_test(cancelled_while_the_server_thinks),
		cmocka_unit_test(asking_from_inside_an_answer),
		cmocka_unit_test(flushing_from_inside_an_answer),
		cmocka_unit_test(what_cannot_be_said_is_not_asked),
		cmocka_unit_test(refused_after_a_failed_connect),
		cmocka_unit_test(long_requests_go_out_in_pieces),
		cmocka_unit_test(answered_before_all_was_said),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(unsaid_secrets_are_wiped),
		cmocka_unit_test(long_answers_do_not_make_idle_connections_fat),
		cmocka_unit_test(connections_outlive_their_configuration),
		cmocka_unit_test(other_servers_have_other_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
