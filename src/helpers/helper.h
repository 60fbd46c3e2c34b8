/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a helper process, postern-auth-NAME: what may block or take long (a database, PAM, a slow
 * hash) is done here, one question at a time, so that no worker ever waits.
 *
 * Questions come from all workers over one socket, and the kernel gives each to whichever helper is idle.
 * With a question comes the writing end of a pipe that belongs to it alone: the answer goes there. A helper
 * that dies over a question closes that pipe with it, and the worker knows at once. A helper that works
 * longer than it may is ended by its own alarm clock, and the master starts another. When the last worker and
 * the master have closed the questions' socket the helper ends.
 *
 * A program is one file with a struct helper_program and a main that is one call of helper_main.
 */
#pragma once
#include "auth/pipe_wire.h"
#include "base/arena.h"

/* What a helper is started with; the settings are then a sealed memory file. */
enum { HELPER_QUESTIONS = 0, HELPER_SETTINGS = 3 };

struct helper_setting {
	struct str name, value; /* a NUL stands behind the value */
};

/* The settings of the order, in its order; live as long as the process. */
struct helper_settings {
	struct helper_setting *at;
	size_t len;
	uint64_t timeout_ms; /* what one question may take: a bound for the program's own limits */
	struct arena *home;  /* lives as long as the process, too */
};

/* The `nth` setting of that name from 0 on; at NULL when there are not so many. */
struct str helper_text(const struct helper_settings *s, const char *name, size_t nth);

/* The first of that name as a number, or `otherwise`. */
uint64_t helper_number(const struct helper_settings *s, const char *name, uint64_t otherwise);

struct helper_program {
	const char *name; /* "mysql" */
	/* Look at the settings; connect later, at the first question. NULL, or what is wrong with them: then
	 * every question is answered with that. May be NULL. */
	const char *(*open)(const struct helper_settings *s);
	/* Answer. *a is zeroed and its cache_ms as configured; its texts may lie in `home`, which is wiped
	 * when the answer is said, or in the question. */
	void (*answer)(const struct pipe_question *q, struct pipe_answer *a, struct arena *home);
	/* The end; may be NULL. */
	void (*close)(void);
};

/* Answer PIPE_BROKEN, printf-like. Whatever the library said may stand in the text: who logs it makes it
 * safe. */
void helper_broken(struct pipe_answer *a, struct arena *home, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Answer PIPE_DENIED with the usual words for the failure. */
void helper_denied(struct pipe_answer *a, enum pipe_failure failure);

/* The life of a helper; returns the exit status. */
int helper_main(const struct helper_program *program);
