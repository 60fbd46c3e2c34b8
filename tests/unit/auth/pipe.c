/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's side of helpers, with the test as the helper: it reads questions from the socket and answers
 * into the pipes that come with them, or lets them fall.
 */
#include "auth/pipe.h"

#include "unit.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct auth_kind *const auth_kinds[] = { NULL };

static uint64_t helpers, timeout_ms, queue;

static bool order(const struct scope *server, struct helper_order *o)
{
	(void)server;
	o->helpers = helpers;
	o->timeout_ms = timeout_ms;
	o->queue = queue;
	return true;
}

static const struct auth_kind KIND = { .name = "test", .helper = order };

/* One worker and what it has heard. */
static struct world {
	struct loop *loop;
	struct auth_helpers orders;
	struct auth_source *source;
	struct arena *home;
	struct login login;
	int questions; /* the helpers' end */
	unsigned answers;
	enum auth_verdict verdict;
	enum log_level level;
	char cause[1024], user[64];
} w;

static void heard(struct auth_request *r, const struct auth_answer *a)
{
	(void)r;
	w.answers++;
	w.verdict = a->verdict;
	w.level = a->level;
	snprintf(w.cause, sizeof(w.cause), "%s", a->cause != NULL ? a->cause : "");
	snprintf(w.user, sizeof(w.user), "%.*s", STR_ARG(a->user));
}

static void begin(uint64_t helpers_now, uint64_t timeout_now, uint64_t queue_now)
{
	struct helper_order o;
	int ends[2];

	helpers = helpers_now;
	timeout_ms = timeout_now;
	queue = queue_now;
	memset(&w, 0, sizeof(w));
	w.loop = loop_new();
	w.home = arena_new(1024);
	login_init(&w.login, w.home, 4096, 4096);
	buf_set(&w.login.user, STR("u"));
	buf_set(&w.login.secret, STR("p"));
	w.login.method = SASL_PLAIN;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	helper_order_init(&o, "test");
	order(NULL, &o);
	helper_orders_add(&w.orders, &o)->fd = ends[1];
	w.questions = ends[0];
	w.source = pipe_make(&KIND, &(struct auth_tools){ .loop = w.loop, .helpers = &w.orders }, NULL);
}

static void end(void)
{
	pipe_free(w.source);
	helper_orders_free(&w.orders);
	if (w.questions >= 0)
		close(w.questions);
	loop_free(w.loop);
	arena_free(w.home);
}

static struct auth_request asked(void)
{
	return (struct auth_request){ .login = &w.login, .protocol = "imap", .done = heard };
}

/* Turn until so many answers have come. */
static void turn_until(unsigned answers)
{
	for (int i = 0; i < 1000 && w.answers < answers; i++)
		loop_turn(w.loop, 10);
	assert_int_equal(w.answers, answers);
}

/* The next question in the socket, and its pipe; -1 when there is none. */
static int take(struct pipe_question *q)
{
	static char text[PIPE_QUESTION_MAX];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &data,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	ssize_t n = recvmsg(w.questions, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int reply;

	if (n <= 0)
		return -1;
	assert_true(pipe_question_get((struct str){ text, (size_t)n }, q));
	memcpy(&reply, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return reply;
}

static void reply(int to, struct pipe_answer a)
{
	struct buf b;

	buf_init(&b, PIPE_ANSWER_MAX);
	assert_true(pipe_answer_put(&b, &a));
	assert_int_equal(write(to, b.at, b.len), b.len);
	buf_done(&b);
	close(to);
}

static void answer_arrives(void **state)
{
	struct auth_request r;
	struct pipe_question q;
	int to;

	(void)state;
	begin(1, 5000, 10);
	r = asked();
	pipe_ask(w.source, &r);
	assert_int_equal(w.answers, 0);
	to = take(&q);
	assert_true(str_eq(q.user, STR("u")) && str_eq(q.secret, STR("p")));
	reply(to, (struct pipe_answer){ .verdict = PIPE_OK, .user = STR("mapped") });
	turn_until(1);
	assert_int_equal(w.verdict, AUTH_OK);
	assert_string_equal(w.user, "mapped");
	assert_null(r.state);
	end();
}

static void lost_is_asked_once_more(void **state)
{
	struct auth_request r;
	struct pipe_question q;

	(void)state;
	begin(1, 5000, 10);
	r = asked();
	pipe_ask(w.source, &r);
	close(take(&q));
	loop_turn(w.loop, 1000);
	reply(take(&q), (struct pipe_answer){ .verdict = PIPE_DENIED });
	turn_until(1);
	assert_int_equal(w.verdict, AUTH_DENIED);
	end();
}

static void half_an_answer_is_none(void **state)
{
	struct auth_request r;
	struct pipe_question q;
	int to;

	(void)state;
	begin(1, 5000, 10);
	r = asked();
	pipe_ask(w.source, &r);
	for (int i = 0; i < 2; i++) {
		to = take(&q);
		assert_int_equal(write(to, "half", 4), 4);
		close(to);
		loop_turn(w.loop, 1000);
	}
	turn_until(1);
	assert_int_equal(w.verdict, AUTH_BROKEN);
	assert_string_equal(w.cause, "auth test: two helper processes ended over the same question");
	assert_int_equal(take(&q), -1);
	end();
}

static void too_late(void **state)
{
	struct auth_request r;
	struct pipe_question q;
	int to;

	(void)state;
	begin(1, 30, 10);
	r = asked();
	pipe_ask(w.source, &r);
	turn_until(1);
	assert_string_equal(w.cause, "auth test: no answer in time");
	/* whoever answers now speaks into a closed pipe */
	to = take(&q);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write(to, "x", 1), -1);
	close(to);
	end();
}

static void few_fly_and_the_others_wait(void **state)
{
	struct auth_request r[5];
	struct pipe_question q;
	int first, second;

	(void)state;
	begin(1, 5000, 3);
	for (int i = 0; i < 5; i++) {
		r[i] = asked();
		pipe_ask(w.source, &r[i]);
	}
	first = take(&q);
	second = take(&q);
	assert_int_equal(take(&q), -1);
	/* cancelling one that waits, and one that flies: its place is taken by the next */
	pipe_cancel(&r[2]);
	pipe_cancel(&r[0]);
	close(first);
	first = take(&q);
	assert_true(first >= 0);
	reply(first, (struct pipe_answer){ .verdict = PIPE_UNKNOWN });
	reply(second, (struct pipe_answer){ .verdict = PIPE_UNKNOWN });
	turn_until(2);
	reply(take(&q), (struct pipe_answer){ .verdict = PIPE_UNKNOWN });
	turn_until(3);
	assert_int_equal(w.verdict, AUTH_UNKNOWN);
	end();
}

static void full_queue_says_so(void **state)
{
	struct auth_request r[4];

	(void)state;
	begin(1, 5000, 1);
	for (int i = 0; i < 4; i++) {
		r[i] = asked();
		pipe_ask(w.source, &r[i]);
	}
	assert_int_equal(w.answers, 0);
	for (int i = 0; i < 3; i++)
		pipe_cancel(&r[i]);
	turn_until(1);
	assert_int_equal(w.verdict, AUTH_BROKEN);
	assert_string_equal(w.cause, "auth test: too many logins wait for a helper process");
	end();
}

static void nobody_reads(void **state)
{
	struct auth_request r;

	(void)state;
	begin(1, 5000, 10);
	close(w.questions);
	w.questions = -1;
	r = asked();
	pipe_ask(w.source, &r);
	turn_until(1);
	assert_string_equal(w.cause, "auth test: no helper process runs");
	end();
}

static void causes_are_made_safe(void **state)
{
	struct auth_request r;
	struct pipe_question q;

	(void)state;
	begin(1, 5000, 10);
	r = asked();
	pipe_ask(w.source, &r);
	reply(take(&q), (struct pipe_answer){ .verdict = PIPE_BROKEN, .cause = STR("say \"x\"\n\x80y") });
	turn_until(1);
	assert_string_equal(w.cause, "auth test: say 'x'??y");
	assert_int_equal(w.level, LOG_ERROR);
	r = asked();
	pipe_ask(w.source, &r);
	reply(take(&q), (struct pipe_answer){ .verdict = PIPE_BROKEN, .cause = STR("x"), .repeated = 1 });
	turn_until(2);
	assert_int_equal(w.level, LOG_INFO);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_arrives),
		cmocka_unit_test(lost_is_asked_once_more),
		cmocka_unit_test(half_an_answer_is_none),
		cmocka_unit_test(too_late),
		cmocka_unit_test(few_fly_and_the_others_wait),
		cmocka_unit_test(full_queue_says_so),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(causes_are_made_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
