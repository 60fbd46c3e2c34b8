/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The master's helper processes: started for the orders of a generation, replaced when they die, let go when
 * no generation wants them any more.
 */
#pragma once
#include "main/load.h"
#include <sys/types.h>

struct staff;

/* A new helper process becomes what it shall be before it runs its program; false after the log has heard why
 * not. */
typedef bool staff_prepare_fn(void *owner, bool privileged);

/* `loop` may come later, with staff_start. */
struct staff *staff_new(staff_prepare_fn *prepare, void *owner);

/* In a child, or at the end: close and forget everything; no process is touched. NULL is allowed. */
void staff_forget(struct staff *s);

/* Is each program there? Complains through the loader. */
bool staff_can_serve(const struct generation *g, const struct loader *loader);

/*
 * Give every order of `g` a descriptor for questions, of helpers that serve an equal order already or of new
 * ones; with `fresh` all are new, since a process cannot change its user or its limits. Nothing happens to
 * those that run before staff_start. False with errno: then nothing has happened at all.
 */
bool staff_fit(struct staff *s, struct generation *g, bool fresh);

/* Start what the last staff_fit has found missing; from here deaths are heard of and replaced. Those that it
 * did not choose are let go: they end when the last worker has closed them. */
void staff_start(struct staff *s, struct loop *loop, const struct log *log);

/* No more questions from here: they end when the workers have closed theirs, too. */
void staff_let_go(struct staff *s);

/* A child has died, or was stopped: true if it was a helper. A stopped one is killed, as nobody knows whether
 * it will ever go on. */
bool staff_reaped(struct staff *s, pid_t pid, int status);

void staff_kill(struct staff *s);

/* Has each team seen the end of its questions, or been forgotten? A team whose helpers have died is still to
 * get others. */
bool staff_is_gone(const struct staff *s);

/* How many processes there are. */
unsigned staff_size(const struct staff *s);
