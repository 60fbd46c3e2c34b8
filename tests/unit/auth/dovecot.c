/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_dovecot against servers that live in the same loop and speak as the test wants: one that falls silent,
 * one that says what only a broken or hostile server says, and logins that Dovecot cannot be asked about.
 */
#include "load.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

const struct auth_kind *const auth_kinds[] = { &auth_dovecot_kind, NULL };

enum { SECRET_MOST = 40000 };

#define HELLO "VERSION\t1\t2\nMECH\tPLAIN\nSPID\t1\nCUID\t1\nDONE\n"

/* Greets whoever comes, and keeps what the last one said. */
struct dovecot {
	struct watch door, line;
	struct loop *loop;
	int accepted, questions;
	bool open;
	char said[65536];
	size_t len;
};

struct asker {
	struct login login;
	struct auth_request request;
	struct auth_answer got;
	char cause[256];
	int answers;
};

struct fixture {
	struct loop *loop;
	struct arena *arena;
	struct loaded conf;
	struct auth_source *source;
	struct dovecot servers[2];
	struct asker one, two;
};

#define UNTIL(f, so)                                  \
	do {                                          \
		for (int turns = 0; !(so); turns++) { \
			assert_true(turns < 1000);    \
			loop_turn((f)->loop, 20);     \
		}                                     \
	} while (0)

static void leave(struct dovecot *d)
{
	if (d->open) {
		loop_unwatch(d->loop, &d->line);
		close(d->line.fd);
	}
	d->open = false;
}

static void tell(struct dovecot *d, const char *text)
{
	assert_true(d->open);
	assert_int_equal(send(d->line.fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void line_heard(struct watch *w, unsigned ready)
{
	struct dovecot *d = CONTAINER(w, struct dovecot, line);
	ssize_t n = recv(w->fd, d->said + d->len, sizeof(d->said) - d->len - 1, MSG_DONTWAIT);
	const char *at = d->said;

	(void)ready;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		leave(d);
		return;
	}
	d->len += (size_t)n;
	d->said[d->len] = '\0';
	for (d->questions = 0; (at = strstr(at, "AUTH\t")) != NULL; at++)
		d->questions++;
}

static void door_heard(struct watch *w, unsigned ready)
{
	struct dovecot *d = CONTAINER(w, struct dovecot, door);

	(void)ready;
	leave(d);
	d->line = (struct watch){ line_heard, accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) };
	assert_true(d->line.fd >= 0);
	assert_true(loop_watch_listening(d->loop, &d->line));
	d->open = true;
	d->accepted++;
	d->len = 0;
	d->questions = 0;
	tell(d, HELLO);
}

static uint16_t serve_dovecot(struct dovecot *d, struct loop *l)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(at);

	assert_return_code(bind(fd, (struct sockaddr *)&at, len), errno);
	assert_return_code(listen(fd, 16), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&at, &len), errno);
	*d = (struct dovecot){ .door = { door_heard, fd }, .loop = l };
	assert_true(loop_watch_listening(l, &d->door));
	return ntohs(at.sin_port);
}

static void answered(struct auth_request *r, const struct auth_answer *a)
{
	struct asker *who = r->owner;

	who->answers++;
	who->got = *a;
	snprintf(who->cause, sizeof(who->cause), "%s", a->cause != NULL ? a->cause : "");
}

static void asker_init(struct asker *a, struct arena *arena)
{
	*a = (struct asker){ .request = { .protocol = "imap", .done = answered } };
	login_init(&a->login, arena, SECRET_MOST, 512);
	a->login.method = SASL_PLAIN;
	buf_set(&a->login.user, STR("joe"));
	buf_set(&a->login.secret, STR("s3cret"));
	a->request.login = &a->login;
	a->request.owner = a;
}

static struct fixture *begin(const char *timeout)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint16_t first, second;
	char text[256];

	f->loop = loop_new();
	f->arena = arena_new(4096);
	first = serve_dovecot(&f->servers[0], f->loop);
	second = serve_dovecot(&f->servers[1], f->loop);
	asker_init(&f->one, f->arena);
	asker_init(&f->two, f->arena);
	snprintf(text, sizeof(text),
		 "mail { server { auth_dovecot 127.0.0.1:%u 127.0.0.1:%u; auth_dovecot_timeout %s; } }",
		 first, second, timeout);
	load(&f->conf, text);
	assert_string_equal(f->conf.said, "");
	f->source = auth_source_new(&(struct auth_tools){ .loop = f->loop, .home = f->arena },
				    load_server(&f->conf, 0));
	return f;
}

static void end(struct fixture *f)
{
	auth_source_free(f->source);
	for (size_t i = 0; i < 2; i++) {
		leave(&f->servers[i]);
		loop_unwatch(f->loop, &f->servers[i].door);
		close(f->servers[i].door.fd);
	}
	unload(&f->conf);
	arena_free(f->arena);
	loop_free(f->loop);
	free(f);
}

/* The connection to the first server is there, and carried question 1. */
static struct fixture *begin_connected(void)
{
	struct fixture *f = begin("500ms");

	auth_ask(f->source, &f->one.request);
	UNTIL(f, f->servers[0].questions == 1);
	tell(&f->servers[0], "OK\t1\tuser=joe\n");
	UNTIL(f, f->one.answers != 0);
	f->one.answers = 0;
	return f;
}

/* --- tests --- */

/* Nothing is heard of the first server any more: its connection is given up, and the next one asked. */
static void a_silent_server_is_given_up(void **state)
{
	struct fixture *f = begin_connected();

	(void)state;
	auth_ask(f->source, &f->one.request);
	UNTIL(f, f->one.answers != 0);
	assert_int_equal(f->one.got.verdict, AUTH_BROKEN);
	assert_true(f->one.got.source_down);
	assert_non_null(strstr(f->one.cause, " does not answer (110: Connection timed out)"));
	UNTIL(f, !f->servers[0].open);
	auth_ask(f->source, &f->two.request);
	UNTIL(f, f->servers[1].questions == 1);
	tell(&f->servers[1], "OK\t3\tuser=joe\n");
	UNTIL(f, f->two.answers != 0);
	assert_int_equal(f->two.got.verdict, AUTH_OK);
	assert_int_equal(f->servers[0].accepted, 1);
	end(f);
}

/* One slow question is that question's trouble: whoever answers others is not silent. */
static void a_slow_answer_breaks_nothing(void **state)
{
	struct fixture *f = begin_connected();

	(void)state;
	auth_ask(f->source, &f->one.request);
	UNTIL(f, f->servers[0].questions == 2);
	tell(&f->servers[0], "MECH\tLOGIN\n");
	UNTIL(f, f->one.answers != 0);
	assert_int_equal(f->one.got.verdict, AUTH_BROKEN);
	assert_false(f->one.got.source_down);
	assert_string_equal(f->one.cause, "auth_dovecot: no answer in time");
	assert_true(f->servers[0].open);
	end(f);
}

static void only_answers_answer(void **state)
{
	struct fixture *f = begin("20s");

	(void)state;
	auth_ask(f->source, &f->one.request);
	UNTIL(f, f->servers[0].questions == 1);
	/* the question's number is 1 */
	tell(&f->servers[0], "VERSION\t1\nDONE\nMECH\t1\nFAIL\t1\n");
	UNTIL(f, f->one.answers != 0);
	assert_int_equal(f->one.answers, 1);
	assert_int_equal(f->one.got.verdict, AUTH_DENIED);
	assert_true(f->servers[0].open);
	end(f);
}

/* A login that makes too long a line is refused, and the connection with everybody's questions lives on. */
static void too_long_a_line_is_not_said(void **state)
{
	static char secret[SECRET_MOST - 1];
	struct fixture *f = begin("20s");

	(void)state;
	memset(secret, 'x', sizeof(secret));
	buf_set(&f->two.login.secret, (struct str){ secret, sizeof(secret) });
	auth_ask(f->source, &f->one.request);
	UNTIL(f, f->servers[0].questions == 1);
	auth_ask(f->source, &f->two.request);
	assert_int_equal(f->two.answers, 0);
	UNTIL(f, f->two.answers != 0);
	assert_int_equal(f->two.got.verdict, AUTH_DENIED);
	assert_int_equal(f->servers[0].questions, 1);
	tell(&f->servers[0], "OK\t1\tuser=joe\n");
	UNTIL(f, f->one.answers != 0);
	assert_int_equal(f->one.got.verdict, AUTH_OK);
	assert_int_equal(f->servers[0].accepted, 1);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_server_is_given_up),
		cmocka_unit_test(a_slow_answer_breaks_nothing),
		cmocka_unit_test(only_answers_answer),
		cmocka_unit_test(too_long_a_line_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
