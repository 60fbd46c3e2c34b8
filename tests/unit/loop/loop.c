/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop turn by turn: who is told what, once; and who is not told any more after he was forgotten, even if
 * his event was fetched already.
 */
#include "loop/loop.h"

#include "base/clock.h"
#include "unit.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

/* A watch, timer and task that write down what they hear, and may do one thing to another. */
struct ear {
	struct watch watch;
	struct timer timer;
	struct task task;
	struct loop *loop;
	int told, rung, ran, ran_as; /* ran_as: how many tasks ran before */
	unsigned ready;
	int *order;
	void (*act)(struct ear *e);
	struct ear *other;
	int peer; /* the other end of the socket pair */
};

static void on_watch(struct watch *w, unsigned ready)
{
	struct ear *e = CONTAINER(w, struct ear, watch);

	e->told++;
	e->ready = ready;
	if (e->act != NULL)
		e->act(e);
}

static void on_timer(struct timer *t)
{
	struct ear *e = CONTAINER(t, struct ear, timer);

	e->rung++;
	if (e->order != NULL)
		e->ran_as = (*e->order)++;
	if (e->act != NULL)
		e->act(e);
}

static void on_task(struct task *k)
{
	struct ear *e = CONTAINER(k, struct ear, task);

	e->ran++;
	if (e->order != NULL)
		e->ran_as = (*e->order)++;
	if (e->act != NULL)
		e->act(e);
}

static struct ear ear(struct loop *l)
{
	return (struct ear){
		.watch = { .fn = on_watch, .fd = -1 },
		.timer = { .fn = on_timer },
		.task = { .fn = on_task },
		.loop = l,
		.peer = -1,
	};
}

static void open_ear(struct ear *e, struct loop *l)
{
	int ends[2];

	*e = ear(l);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	e->watch.fd = ends[0];
	e->peer = ends[1];
	assert_true(loop_watch(l, &e->watch));
}

static void close_ear(struct ear *e)
{
	if (e->watch.fd >= 0) {
		loop_unwatch(e->loop, &e->watch);
		close(e->watch.fd);
	}
	if (e->peer >= 0)
		close(e->peer);
	e->watch.fd = e->peer = -1;
}

static void say(const struct ear *e)
{
	assert_int_equal(write(e->peer, "x", 1), 1);
}

/* Until the clock shows another millisecond than the loop's, so that a timer armed for 0 is due. */
static void pass_a_millisecond(const struct loop *l)
{
	while (clock_ms() <= loop_now(l))
		;
}

static void readiness_is_told_once(void **state)
{
	struct loop *l = loop_new();
	struct ear e;
	char byte;

	(void)state;
	open_ear(&e, l);
	loop_turn(l, 0);
	assert_int_equal(e.told, 1);
	assert_int_equal(e.ready, WRITABLE);
	loop_turn(l, 0);
	assert_int_equal(e.told, 1);
	say(&e);
	loop_turn(l, -1);
	assert_int_equal(e.told, 2);
	assert_int_equal(e.ready, READABLE | WRITABLE);
	/* unread, but nothing new */
	loop_turn(l, 0);
	assert_int_equal(e.told, 2);
	loop_rouse(l, &e.watch);
	loop_turn(l, -1);
	assert_int_equal(e.told, 3);
	assert_int_equal(e.ready, READABLE | WRITABLE);
	say(&e);
	loop_turn(l, -1);
	assert_int_equal(e.told, 4);
	assert_int_equal(read(e.watch.fd, &byte, 1), 1);
	close_ear(&e);
	loop_free(l);
}

static void ends_and_breaks(void **state)
{
	struct loop *l = loop_new();
	struct ear half, whole, broken;
	int error = 0;

	(void)state;
	open_ear(&half, l);
	open_ear(&whole, l);
	open_ear(&broken, l);
	loop_turn(l, 0);
	say(&half);
	assert_int_equal(shutdown(half.peer, SHUT_WR), 0);
	say(&whole);
	close(whole.peer);
	whole.peer = -1;
	/* bytes that the peer leaves unread make its close a reset */
	assert_int_equal(write(broken.watch.fd, "x", 1), 1);
	close(broken.peer);
	broken.peer = -1;
	loop_turn(l, -1);
	assert_int_equal(half.ready, READABLE | WRITABLE | ENDED);
	assert_int_equal(whole.ready & (READABLE | ENDED | BROKEN), READABLE | ENDED);
	assert_int_equal(broken.ready & (READABLE | WRITABLE | BROKEN), READABLE | WRITABLE | BROKEN);
	assert_int_equal(getsockopt(broken.watch.fd, SOL_SOCKET, SO_ERROR, &error,
				    &(socklen_t){ sizeof(error) }),
			 0);
	assert_int_equal(error, ECONNRESET);
	close_ear(&half);
	close_ear(&whole);
	close_ear(&broken);
	loop_free(l);
}

static void unwatch_other(struct ear *e)
{
	loop_unwatch(e->loop, &e->other->watch);
}

static void abandon_other(struct ear *e)
{
	loop_abandon(e->loop, &e->other->watch);
	close(e->other->watch.fd);
	e->other->watch.fd = -1;
}

/* Two are ready in the same batch; the one that is told first has the other forgotten. */
static void forgotten_in_the_batch(void **state)
{
	static void (*const acts[])(struct ear *) = { unwatch_other, abandon_other };

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		struct loop *l = loop_new();
		struct ear a, b;

		open_ear(&a, l);
		open_ear(&b, l);
		a.other = &b;
		b.other = &a;
		a.act = b.act = acts[i];
		loop_turn(l, -1);
		assert_int_equal(a.told + b.told, 1);
		for (struct ear *e = &a; e != NULL; e = e == &a ? &b : NULL)
			if (e->told == 0 && e->watch.fd >= 0)
				say(e);
		loop_turn(l, 0);
		assert_int_equal(a.told + b.told, 1);
		close_ear(&a);
		close_ear(&b);
		loop_free(l);
	}
}

static void unwatch_self(struct ear *e)
{
	loop_unwatch(e->loop, &e->watch);
}

static void forgotten_by_itself(void **state)
{
	struct loop *l = loop_new();
	struct ear e;

	(void)state;
	open_ear(&e, l);
	e.act = unwatch_self;
	loop_turn(l, -1);
	say(&e);
	loop_turn(l, 0);
	assert_int_equal(e.told, 1);
	/* and it may come back */
	assert_true(loop_watch(l, &e.watch));
	loop_turn(l, -1);
	assert_int_equal(e.told, 2);
	close_ear(&e);
	loop_free(l);
}

static void replace_other(struct ear *e)
{
	struct ear *o = e->other;

	if (o->told != 0)
		return;
	close_ear(o);
	open_ear(o, e->loop);
	o->other = e;
	o->act = replace_other;
}

/* A new watch in the place of a forgotten one does not inherit the old one's event. */
static void a_place_is_used_again(void **state)
{
	struct loop *l = loop_new();
	struct ear a, b;

	(void)state;
	open_ear(&a, l);
	open_ear(&b, l);
	say(&a);
	say(&b);
	a.other = &b;
	b.other = &a;
	a.act = b.act = replace_other;
	loop_turn(l, -1);
	assert_int_equal(a.told + b.told, 1);
	loop_turn(l, -1);
	assert_int_equal(a.told, 1);
	assert_int_equal(b.told, 1);
	assert_int_equal((a.ready | b.ready) & READABLE, READABLE);
	assert_int_equal(a.ready & b.ready, WRITABLE);
	close_ear(&a);
	close_ear(&b);
	loop_free(l);
}

/* Timers come before the batch, which is fetched already. */
static void forgotten_by_a_timer(void **state)
{
	struct loop *l = loop_new();
	struct ear clock = ear(l), e;

	(void)state;
	open_ear(&e, l);
	clock.other = &e;
	clock.act = unwatch_other;
	loop_arm(l, &clock.timer, 0);
	pass_a_millisecond(l);
	loop_turn(l, -1);
	assert_int_equal(clock.rung, 1);
	assert_int_equal(e.told, 0);
	close_ear(&e);
	loop_free(l);
}

/* More than one batch holds: nobody is left out, nobody is told twice. */
static void many_at_once(void **state)
{
	enum { MANY = 300 };
	static struct ear ears[MANY];
	struct loop *l = loop_new();
	int told = 0;

	(void)state;
	for (int i = 0; i < MANY; i++)
		open_ear(&ears[i], l);
	for (int turns = 0; turns < 10; turns++)
		loop_turn(l, 0);
	for (int i = 0; i < MANY; i++)
		told += ears[i].told == 1;
	assert_int_equal(told, MANY);
	for (int i = 0; i < MANY; i++)
		close_ear(&ears[i]);
	loop_free(l);
}

static void accept_one(struct ear *e)
{
	close(accept(e->watch.fd, NULL, NULL));
}

static void listening_is_told_until_empty(void **state)
{
	enum { CALLS = 5 };
	struct loop *l = loop_new();
	struct ear e = ear(l);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int calls[CALLS];

	(void)state;
	e.watch.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(e.watch.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(e.watch.fd, CALLS), 0);
	assert_int_equal(getsockname(e.watch.fd, (struct sockaddr *)&at, &(socklen_t){ sizeof(at) }), 0);
	e.act = accept_one;
	assert_true(loop_watch_listening(l, &e.watch));
	loop_turn(l, 0);
	assert_int_equal(e.told, 0);
	for (int i = 0; i < CALLS; i++) {
		calls[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(calls[i], (struct sockaddr *)&at, sizeof(at)), 0);
	}
	for (int i = 1; i <= CALLS; i++) {
		loop_turn(l, -1);
		assert_int_equal(e.told, i);
		assert_int_equal(e.ready, READABLE);
	}
	loop_turn(l, 0);
	assert_int_equal(e.told, CALLS);
	for (int i = 0; i < CALLS; i++)
		close(calls[i]);
	close_ear(&e);
	loop_free(l);
}

static void what_cannot_be_watched(void **state)
{
	struct loop *l = loop_new();
	struct ear e = ear(l);
	int file = memfd_create("file", MFD_CLOEXEC);

	(void)state;
	e.watch.fd = -1;
	assert_false(loop_watch(l, &e.watch));
	assert_int_equal(errno, EBADF);
	e.watch.fd = file;
	assert_false(loop_watch(l, &e.watch));
	assert_int_equal(errno, EPERM);
	assert_false(loop_watch_listening(l, &e.watch));
	assert_int_equal(errno, EPERM);
	close(file);
	open_ear(&e, l);
	assert_false(loop_watch(l, &e.watch));
	assert_int_equal(errno, EEXIST);
	close_ear(&e);
	loop_free(l);
}

static void tasks_run_in_order_and_once(void **state)
{
	struct loop *l = loop_new();
	struct ear tasks[4];
	int order = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		tasks[i] = ear(l);
		tasks[i].order = &order;
	}
	for (int twice = 0; twice < 2; twice++)
		for (int i = 3; i >= 0; i--)
			loop_later(l, &tasks[i].task);
	loop_turn(l, -1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(tasks[i].ran, 1);
		assert_int_equal(tasks[i].ran_as, 3 - i);
	}
	loop_turn(l, 0);
	assert_int_equal(order, 4);
	loop_free(l);
}

static void ask_again(struct ear *e)
{
	if (e->ran < 3)
		loop_later(e->loop, &e->task);
	if (e->ran == 1 && e->other != NULL)
		loop_later(e->loop, &e->other->task);
}

/* What a task asks for comes in the next turn, which does not wait for anything else. */
static void tasks_from_tasks(void **state)
{
	struct loop *l = loop_new();
	struct ear a = ear(l), b = ear(l);

	(void)state;
	a.act = ask_again;
	a.other = &b;
	loop_later(l, &a.task);
	loop_turn(l, -1);
	assert_int_equal(a.ran, 1);
	assert_int_equal(b.ran, 0);
	loop_turn(l, -1);
	assert_int_equal(a.ran, 2);
	assert_int_equal(b.ran, 1);
	loop_turn(l, -1);
	assert_int_equal(a.ran, 3);
	loop_turn(l, 0);
	assert_int_equal(a.ran, 3);
	assert_int_equal(b.ran, 1);
	loop_free(l);
}

/* Any subset of the waiting tasks is taken back, in any order; the others run in theirs, and the queue still
 * takes more. */
static void tasks_are_taken_back(void **state)
{
	enum { TASKS = 5 };
	struct dice dice = { 11 };
	struct loop *l = loop_new();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct ear tasks[TASKS + 1];
		int order = 0, expected = 0;
		bool waits[TASKS + 1] = { false };

		for (int i = 0; i <= TASKS; i++) {
			tasks[i] = ear(l);
			tasks[i].order = &order;
		}
		for (int i = 0; i < TASKS; i++) {
			loop_later(l, &tasks[i].task);
			waits[i] = true;
		}
		for (uint64_t i = dice_roll(&dice, 2 * TASKS); i != 0; i--) {
			size_t which = dice_roll(&dice, TASKS + 1);

			loop_cancel(l, &tasks[which].task);
			waits[which] = false;
		}
		loop_later(l, &tasks[TASKS].task);
		waits[TASKS] = true;
		loop_turn(l, -1);
		for (int i = 0; i <= TASKS; i++) {
			assert_int_equal(tasks[i].ran, waits[i]);
			if (waits[i])
				assert_int_equal(tasks[i].ran_as, expected++);
		}
		loop_turn(l, 0);
		assert_int_equal(order, expected);
	}
	loop_free(l);
}

static void free_other(struct ear *e)
{
	loop_cancel(e->loop, &e->other->task);
	memset(e->other, 0x5a, sizeof(*e->other));
	free(e->other);
	loop_later(e->loop, &e->task);
	loop_cancel(e->loop, &e->task);
}

/* A task takes back and frees one that was to run after it in the same turn. */
static void tasks_free_each_other(void **state)
{
	struct loop *l = loop_new();
	struct ear first = ear(l), last = ear(l), *victim = malloc(sizeof(*victim));

	(void)state;
	*victim = ear(l);
	first.act = free_other;
	first.other = victim;
	loop_later(l, &first.task);
	loop_later(l, &victim->task);
	loop_later(l, &last.task);
	loop_turn(l, -1);
	assert_int_equal(first.ran, 1);
	assert_int_equal(last.ran, 1);
	loop_turn(l, 0);
	assert_int_equal(first.ran, 1);
	loop_free(l);
}

static void timers_ring_in_order(void **state)
{
	struct loop *l = loop_new();
	struct ear a = ear(l), b = ear(l), c = ear(l), never = ear(l), far = ear(l);
	int order = 0;

	(void)state;
	a.order = b.order = c.order = &order;
	loop_arm(l, &c.timer, 5);
	loop_arm(l, &a.timer, 0);
	loop_arm(l, &b.timer, 1000000);
	loop_arm(l, &b.timer, 2);
	loop_arm(l, &never.timer, 1);
	loop_arm(l, &far.timer, UINT64_MAX);
	loop_disarm(&never.timer);
	loop_disarm(&never.timer);
	assert_true(timer_armed(&a.timer));
	assert_false(timer_armed(&never.timer));
	while (c.rung == 0)
		loop_turn(l, -1);
	assert_int_equal(a.rung, 1);
	assert_int_equal(b.rung, 1);
	assert_int_equal(never.rung + far.rung, 0);
	assert_int_equal(a.ran_as, 0);
	assert_int_equal(b.ran_as, 1);
	assert_int_equal(c.ran_as, 2);
	assert_false(timer_armed(&a.timer));
	loop_disarm(&far.timer);
	loop_free(l);
}

static void remember_time(struct ear *e)
{
	e->ready = (unsigned)(loop_now(e->loop) - e->timer.due);
}

/* Never before its time, by the loop's own clock. */
static void timers_are_not_early(void **state)
{
	struct loop *l = loop_new();
	struct ear e = ear(l);
	uint64_t armed_at = loop_now(l);

	(void)state;
	e.act = remember_time;
	loop_arm(l, &e.timer, 7);
	while (e.rung == 0)
		loop_turn(l, -1);
	assert_true(loop_now(l) >= armed_at + 7);
	assert_true((int)e.ready >= 0);
	loop_free(l);
}

static void arm_self_now(struct ear *e)
{
	loop_arm(e->loop, &e->timer, 0);
}

/* A timer that arms itself for "now" again and again does not keep the turn from ending, nor others from
 * their events. */
static void a_busy_timer_starves_nobody(void **state)
{
	struct loop *l = loop_new();
	struct ear busy = ear(l), e;

	(void)state;
	open_ear(&e, l);
	busy.act = arm_self_now;
	loop_arm(l, &busy.timer, 0);
	pass_a_millisecond(l);
	loop_turn(l, -1);
	assert_int_equal(busy.rung, 1);
	assert_int_equal(e.told, 1);
	assert_true(timer_armed(&busy.timer));
	loop_disarm(&busy.timer);
	close_ear(&e);
	loop_free(l);
}

static void stop_and_ask(struct ear *e)
{
	loop_stop(e->loop, 3);
	if (e->other != NULL)
		loop_later(e->loop, &e->other->task);
}

/* The turn in which the loop is stopped is a whole one; the next run begins afresh. */
static void stopping(void **state)
{
	struct loop *l = loop_new();
	struct ear e, task = ear(l), other = ear(l);

	(void)state;
	open_ear(&e, l);
	e.act = stop_and_ask;
	e.other = &task;
	assert_int_equal(loop_run(l), 3);
	assert_int_equal(e.told, 1);
	assert_int_equal(task.ran, 1);
	other.act = stop_and_ask;
	loop_later(l, &other.task);
	assert_int_equal(loop_run(l), 3);
	assert_int_equal(other.ran, 1);
	loop_stop(l, 4);
	assert_int_equal(loop_run(l), 4);
	close_ear(&e);
	loop_free(l);
	loop_free(NULL);
}

static volatile sig_atomic_t interrupts;

static void interrupted(int number)
{
	(void)number;
	interrupts = interrupts + 1;
}

/* A signal handler (of a library, say) only ends the wait. */
static void an_interrupted_wait_is_a_turn(void **state)
{
	struct sigaction act = { .sa_handler = interrupted }, before;
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } }, off = { { 0, 0 }, { 0, 0 } };
	struct loop *l = loop_new();
	struct ear task = ear(l);

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &act, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
	loop_turn(l, -1);
	assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
	assert_true(interrupts > 0);
	loop_later(l, &task.task);
	loop_turn(l, -1);
	assert_int_equal(task.ran, 1);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	loop_free(l);
}

/* One pipe for all, non-blocking, large enough for a scratch. */
static void pipe_for_all(void **state)
{
	struct loop *l = loop_new();
	const int *pipe = loop_pipe(l);
	char byte = 'x';

	(void)state;
	assert_non_null(pipe);
	assert_ptr_equal(loop_pipe(l), pipe);
	assert_int_equal(read(pipe[0], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(fcntl(pipe[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(pipe[0], F_GETPIPE_SZ) >= SCRATCH_SIZE);
	assert_int_equal(write(pipe[1], "y", 1), 1);
	assert_int_equal(read(pipe[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	loop_free(l);
}

static void scratch(void **state)
{
	struct loop *l = loop_new();
	char *at = loop_scratch(l);

	(void)state;
	memset(at, 'x', SCRATCH_SIZE);
	assert_ptr_equal(loop_scratch(l), at);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readiness_is_told_once),
		cmocka_unit_test(ends_and_breaks),
		cmocka_unit_test(forgotten_in_the_batch),
		cmocka_unit_test(forgotten_by_itself),
		cmocka_unit_test(a_place_is_used_again),
		cmocka_unit_test(forgotten_by_a_timer),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(listening_is_told_until_empty),
		cmocka_unit_test(what_cannot_be_watched),
		cmocka_unit_test(tasks_run_in_order_and_once),
		cmocka_unit_test(tasks_from_tasks),
		cmocka_unit_test(tasks_are_taken_back),
		cmocka_unit_test(tasks_free_each_other),
		cmocka_unit_test(timers_ring_in_order),
		cmocka_unit_test(timers_are_not_early),
		cmocka_unit_test(a_busy_timer_starves_nobody),
		cmocka_unit_test(stopping),
		cmocka_unit_test(an_interrupted_wait_is_a_turn),
		cmocka_unit_test(scratch),
		cmocka_unit_test(pipe_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
