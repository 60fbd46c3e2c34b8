/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: one epoll set, one timer wheel, and tasks for the end of the turn.
 *
 * A turn: wait; read the clock once; run the due timers; tell each ready watch; run the tasks. A descriptor
 * is registered once for its whole life, edge-triggered, for both directions; who is told must read or write
 * until it would block, or remember. Nothing is freed inside its own callback: owners unhook at once and free
 * in a task, which runs when no callback is on the stack.
 *
 * The loop owns no watch, timer or task, and knows nothing of threads. Turns do not nest.
 */
#pragma once
#include "base/str.h"

struct loop;
struct watch;
struct timer;
struct task;

/* Bits of `ready`. ENDED: the other side will send no more (FIN or hang-up), data may still be unread.
 * BROKEN: an error is pending. */
enum { READABLE = 1, WRITABLE = 2, ENDED = 4, BROKEN = 8 };

typedef void watch_fn(struct watch *w, unsigned ready);
typedef void timer_fn(struct timer *t);
typedef void task_fn(struct task *t);

/* Embedded in who waits; found again with CONTAINER. */
struct watch {
	watch_fn *fn;
	int fd;
};

struct timer {
	timer_fn *fn;
	struct timer *next, **link; /* link != NULL: armed */
	uint64_t due;		    /* in loop time, ms */
};

struct task {
	task_fn *fn;
	struct task *next, **link; /* link != NULL: waits to be run */
};

#define CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct loop *loop_new(void);

/* NULL is allowed. Watches are forgotten; timers and tasks that still wait are not run, and must not be
 * touched again. */
void loop_free(struct loop *l);

/* Run turns until loop_stop; returns its status. A stop that was asked for before ends it before the first
 * turn. */
int loop_run(struct loop *l);

/* Run one turn, waiting at most `wait_ms` (-1: for ever). For tests and for who owns the outer loop. */
void loop_turn(struct loop *l, int wait_ms);

/* Have loop_run return `status` once the present turn is over, tasks included. */
void loop_stop(struct loop *l, int status);

/* Milliseconds on the monotonic clock, as of this turn. */
uint64_t loop_now(const struct loop *l);

/* Register w->fd, edge-triggered in both directions, for its life. False with errno on failure. */
bool loop_watch(struct loop *l, struct watch *w);

/* Register a descriptor that is only read and is told again every turn until nothing is left to read: a
 * listening socket, of whose sharing processes only one is woken, or a source of signals. False with errno on
 * failure. */
bool loop_watch_listening(struct loop *l, struct watch *w);

/* Forget w->fd; its callback will not come any more, not even in this turn. Call it before close(). */
void loop_unwatch(struct loop *l, struct watch *w);

/* The same without a system call, for a descriptor that is closed next and of which there is no duplicate. */
void loop_abandon(struct loop *l, struct watch *w);

/* Have w->fn called in the next turn with what is ready then, though it was told before. Costs a system
 * call. */
void loop_rouse(struct loop *l, struct watch *w);

/* Have t->fn called once after `after_ms` of loop time, or a little later; never from inside. Arming an armed
 * timer moves it; that costs no system call. 0 is the next millisecond. */
void loop_arm(struct loop *l, struct timer *t, uint64_t after_ms);

/* Its callback will not come, not even in this turn. Nothing happens to a timer that is not armed. */
void loop_disarm(struct timer *t);

static inline bool timer_armed(const struct timer *t)
{
	return t->link != NULL;
}

/* Run k->fn at the end of this turn (or of the next one when called from a task). Once, however often it is
 * asked for. */
void loop_later(struct loop *l, struct task *k);

/* Take a task back: it will not run, not even in this turn. Nothing happens to one that does not wait. */
void loop_cancel(struct loop *l, struct task *k);

/* The turn's scratch memory, SCRATCH_SIZE bytes for whoever runs: valid until the callback returns, shared by
 * all. */
enum { SCRATCH_SIZE = 256 * 1024 };
char *loop_scratch(struct loop *l);

/* The turn's pipe, for bytes that go from socket to socket without being looked at: [0] to read from, [1]
 * to write to. Whoever uses it leaves it empty. NULL when the system gives none. */
const int *loop_pipe(struct loop *l);
