/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop; see loop.h.
 *
 * A watch that is forgotten while its event waits in the batch just fetched must not be told any more:
 * loop_unwatch strikes it from the batch. Batches are small, and closing is rare beside reading, so a linear
 * look is the cheapest way.
 *
 * How long to wait is reckoned from the clock as it was read at the beginning of the turn before. A timer may
 * so be late by as long as that turn took, which spares a look at the clock; it is never early.
 */
#include "loop/loop.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "loop/timers.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* PIPE_SIZE: what an unprivileged process may have; a pipe is full when its slots are, however little is in
 * each. */
enum { BATCH = 128, PIPE_SIZE = 1 << 20 };
static const uint32_t BOTH_WAYS = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

struct loop {
	int epoll;
	bool stopped;
	int status;
	int batch_at, batch_len;
	uint64_t now;
	struct task *tasks, **tasks_end;
	struct epoll_event batch[BATCH];
	struct timers timers;
	char *scratch;
	int pipe[2];
	bool pipe_refused;
};

struct loop *loop_new(void)
{
	struct loop *l = mem_new(sizeof(*l));

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	must(l->epoll >= 0);
	l->tasks_end = &l->tasks;
	l->pipe[0] = l->pipe[1] = -1;
	l->now = clock_ms();
	timers_init(&l->timers, l->now);
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	close(l->epoll);
	if (l->pipe[0] >= 0) {
		close(l->pipe[0]);
		close(l->pipe[1]);
	}
	free(l->scratch);
	free(l);
}

char *loop_scratch(struct loop *l)
{
	if (l->scratch == NULL)
		l->scratch = mem_new(SCRATCH_SIZE);
	return l->scratch;
}

/* Its size is a wish: a smaller pipe moves less at a time. */
const int *loop_pipe(struct loop *l)
{
	if (l->pipe[0] < 0 && !l->pipe_refused) {
		l->pipe_refused = pipe2(l->pipe, O_CLOEXEC | O_NONBLOCK) != 0;
		if (!l->pipe_refused)
			fcntl(l->pipe[0], F_SETPIPE_SZ, PIPE_SIZE);
	}
	return l->pipe_refused ? NULL : l->pipe;
}

uint64_t loop_now(const struct loop *l)
{
	return l->now;
}

void loop_stop(struct loop *l, int status)
{
	l->stopped = true;
	l->status = status;
}

static bool enter(struct loop *l, int how, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	return epoll_ctl(l->epoll, how, w->fd, &ev) == 0;
}

bool loop_watch(struct loop *l, struct watch *w)
{
	return enter(l, EPOLL_CTL_ADD, w, BOTH_WAYS);
}

bool loop_watch_listening(struct loop *l, struct watch *w)
{
	return enter(l, EPOLL_CTL_ADD, w, EPOLLIN | EPOLLEXCLUSIVE);
}

/* A modification that changes nothing makes the kernel look, and tell, anew. */
void loop_rouse(struct loop *l, struct watch *w)
{
	must(enter(l, EPOLL_CTL_MOD, w, BOTH_WAYS));
}

void loop_unwatch(struct loop *l, struct watch *w)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	loop_abandon(l, w);
}

/* The kernel takes a descriptor out of the set when its last duplicate is closed. */
void loop_abandon(struct loop *l, struct watch *w)
{
	for (int i = l->batch_at; i < l->batch_len; i++)
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
}

/* Not for this millisecond, which may be running: who arms for "now" in his callback must not be called again
 * in the same turn. */
void loop_arm(struct loop *l, struct timer *t, uint64_t after_ms)
{
	if (after_ms == 0)
		after_ms = 1;
	timers_arm(&l->timers, t, after_ms > UINT64_MAX - l->now ? UINT64_MAX : l->now + after_ms);
}

void loop_disarm(struct timer *t)
{
	timer_unlink(t);
}

void loop_later(struct loop *l, struct task *k)
{
	if (k->link != NULL)
		return;
	k->next = NULL;
	k->link = l->tasks_end;
	*l->tasks_end = k;
	l->tasks_end = &k->next;
}

/* The last of the waiting tasks holds the end of their list; the list that run_tasks works on needs no
 * end. */
void loop_cancel(struct loop *l, struct task *k)
{
	if (k->link == NULL)
		return;
	*k->link = k->next;
	if (k->next != NULL)
		k->next->link = k->link;
	else if (l->tasks_end == &k->next)
		l->tasks_end = k->link;
	k->next = NULL;
	k->link = NULL;
}

/* Only the tasks that wait now, as a list of its own: what they ask for comes in the next turn. */
static void run_tasks(struct loop *l)
{
	struct task *due = l->tasks;

	l->tasks = NULL;
	l->tasks_end = &l->tasks;
	if (due != NULL)
		due->link = &due;
	while (due != NULL) {
		struct task *k = due;

		loop_cancel(l, k);
		k->fn(k);
	}
}

static unsigned readiness(uint32_t events)
{
	unsigned ready = 0;

	if (events & EPOLLIN)
		ready |= READABLE;
	if (events & EPOLLOUT)
		ready |= WRITABLE;
	if (events & (EPOLLRDHUP | EPOLLHUP))
		ready |= READABLE | ENDED;
	if (events & EPOLLERR)
		ready |= READABLE | WRITABLE | BROKEN;
	return ready;
}

static void tell_watches(struct loop *l)
{
	while (l->batch_at < l->batch_len) {
		const struct epoll_event *ev = &l->batch[l->batch_at++];
		struct watch *w = ev->data.ptr;

		if (w != NULL)
			w->fn(w, readiness(ev->events));
	}
	l->batch_at = l->batch_len = 0;
}

void loop_turn(struct loop *l, int wait_ms)
{
	int due = timers_wait(&l->timers, l->now);
	int n;

	if (l->tasks != NULL)
		wait_ms = 0;
	else if (due >= 0 && (wait_ms < 0 || due < wait_ms))
		wait_ms = due;
	n = epoll_wait(l->epoll, l->batch, BATCH, wait_ms);
	must(n >= 0 || errno == EINTR);
	l->batch_at = 0;
	l->batch_len = n > 0 ? n : 0;
	l->now = clock_ms();
	timers_run(&l->timers, l->now);
	tell_watches(l);
	run_tasks(l);
}

int loop_run(struct loop *l)
{
	while (!l->stopped)
		loop_turn(l, -1);
	l->stopped = false;
	return l->status;
}
