/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals heard in the loop: in turn, not after closing, and what a child begins with. */
#include "loop/signals.h"

#include "unit.h"
#include <errno.h>

/* Who hears, and what he does then. */
struct listener {
	struct loop *loop;
	struct signals *signals;
	int heard, last;
	pid_t from;
	bool close_at_once;
};

static void hear(void *owner, const struct signalfd_siginfo *info)
{
	struct listener *l = owner;

	l->heard++;
	l->last = (int)info->ssi_signo;
	l->from = (pid_t)info->ssi_pid;
	if (!l->close_at_once)
		return;
	signals_close(l->signals);
	l->signals = NULL;
}

static const int WHICH[] = { SIGUSR1, SIGUSR2, SIGHUP, 0 };

static struct listener listener(void)
{
	return (struct listener){ .loop = loop_new() };
}

static void open_ears(struct listener *l)
{
	l->signals = signals_open(l->loop, WHICH, hear, l);
	assert_non_null(l->signals);
}

/* What is still pending is taken away with the ears, so that tests do not disturb each other. */
static void close_all(struct listener *l)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t set;

	signals_close(l->signals);
	loop_free(l->loop);
	sigemptyset(&set);
	for (const int *w = WHICH; *w != 0; w++)
		sigaddset(&set, *w);
	while (sigtimedwait(&set, NULL, &at_once) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void signals_are_events(void **state)
{
	struct listener l = listener();

	(void)state;
	open_ears(&l);
	loop_turn(l.loop, 0);
	assert_int_equal(l.heard, 0);
	for (const int *w = WHICH; *w != 0; w++) {
		raise(*w);
		loop_turn(l.loop, -1);
		assert_int_equal(l.last, *w);
		assert_int_equal(l.from, getpid());
	}
	assert_int_equal(l.heard, 3);
	close_all(&l);
}

/* Those that wait together are all heard, each once. */
static void several_wait(void **state)
{
	struct listener l = listener();

	(void)state;
	open_ears(&l);
	raise(SIGUSR1);
	raise(SIGUSR2);
	raise(SIGUSR1);
	raise(SIGHUP);
	for (int i = 1; i <= 3; i++) {
		loop_turn(l.loop, -1);
		assert_int_equal(l.heard, i);
	}
	loop_turn(l.loop, 0);
	assert_int_equal(l.heard, 3);
	close_all(&l);
}

/* Who closes in the callback hears no more, though more was waiting; it stays blocked and waits for the next
 * ears. */
static void closed_from_inside(void **state)
{
	struct listener l = listener();

	(void)state;
	open_ears(&l);
	l.close_at_once = true;
	raise(SIGUSR1);
	raise(SIGUSR2);
	loop_turn(l.loop, -1);
	loop_turn(l.loop, 0);
	assert_int_equal(l.heard, 1);
	assert_null(l.signals);
	l.close_at_once = false;
	open_ears(&l);
	loop_turn(l.loop, -1);
	assert_int_equal(l.heard, 2);
	close_all(&l);
}

static bool is_blocked(int number)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, number) == 1;
}

/* Without a free descriptor nothing is opened, and nothing is left blocked. */
static void failure_leaves_no_trace(void **state)
{
	struct listener l = listener();
	struct rlimit before, none;
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(lowest >= 0);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	l.signals = signals_open(l.loop, WHICH, hear, &l);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_null(l.signals);
	for (const int *w = WHICH; *w != 0; w++)
		assert_false(is_blocked(*w));
	open_ears(&l);
	for (const int *w = WHICH; *w != 0; w++)
		assert_true(is_blocked(*w));
	close_all(&l);
	signals_close(NULL);
	signals_drop(NULL);
}

/* The child's part: 0 when all is as signals_reset promises. */
static int reset_in_child(struct listener *l)
{
	struct sigaction act;
	sigset_t now;

	signals_drop(l->signals);
	signals_reset();
	sigprocmask(SIG_BLOCK, NULL, &now);
	if (!sigisemptyset(&now))
		return 1;
	for (int i = 1; i < NSIG; i++)
		if (sigaction(i, NULL, &act) == 0 && act.sa_handler != (i == SIGPIPE ? SIG_IGN : SIG_DFL))
			return 2;
	return 0;
}

/* And the parent goes on hearing: the child has not touched what they share. */
static void reset_after_fork(void **state)
{
	struct listener l = listener();
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	pid_t child;
	int status;

	(void)state;
	open_ears(&l);
	sigaction(SIGWINCH, &ignore, &before);
	child = fork();
	if (child == 0)
		_exit(reset_in_child(&l));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	sigaction(SIGWINCH, &before, NULL);
	raise(SIGUSR1);
	loop_turn(l.loop, -1);
	assert_int_equal(l.heard, 1);
	close_all(&l);
}

static void no_such_signal(void *loop)
{
	static const int bad[] = { 9999, 0 };

	signals_open(loop, bad, hear, NULL);
}

static void misuse(void **state)
{
	struct loop *l = loop_new();

	(void)state;
	assert_aborts(no_such_signal, l);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_events), cmocka_unit_test(several_wait),
		cmocka_unit_test(closed_from_inside), cmocka_unit_test(failure_leaves_no_trace),
		cmocka_unit_test(reset_after_fork),   cmocka_unit_test(misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
