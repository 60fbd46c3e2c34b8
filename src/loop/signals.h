/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals as events of the loop, so that no handler ever interrupts code. */
#pragma once
#include "loop/loop.h"
#include <sys/signalfd.h>

struct signals;
typedef void signals_fn(void *owner, const struct signalfd_siginfo *info);

/* Block the signals of the 0-terminated list `which` in this process and hear them in the loop, at most one a
 * turn. NULL with errno on failure, and nothing is blocked then. A process that forks inherits neither ears
 * nor loop: it opens anew. */
struct signals *signals_open(struct loop *l, const int *which, signals_fn *fn, void *owner);

/* Stop hearing, at once and also from inside fn; the signals stay blocked. NULL is allowed. */
void signals_close(struct signals *s);

/* In a forked child: give it back without touching the parent's loop. NULL is allowed. */
void signals_drop(struct signals *s);

/* Unblock everything and set all defaults but for SIGPIPE, which is ignored: for a process that has just been
 * forked. */
void signals_reset(void);
