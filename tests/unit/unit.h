/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every unit test needs besides cmocka: spans that compare readably, a random generator whose runs can
 * be repeated, and the proof that a must() is not so.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The span holds exactly these bytes. */
#define assert_str(span, want) unit_assert_str((span), (want), __FILE__, __LINE__)

static inline void unit_assert_str(struct str got, struct str want, const char *file, int line)
{
	if (str_eq(got, want))
		return;
	print_error("\"%.*s\" (%zu bytes) != \"%.*s\" (%zu bytes)\n", (int)got.len, got.at, got.len,
		    (int)want.len, want.at, want.len);
	_fail(file, line);
}

/* Numbers that look random and are the same in every run: splitmix64. */
struct dice {
	uint64_t state;
};

static inline uint64_t dice_roll(struct dice *d, uint64_t below)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

/* Calling fn(arg) in a process of its own ends in abort(), as must() does; what it says on stderr is
 * dropped. */
#define assert_aborts(fn, arg) unit_assert_aborts((fn), (arg), __FILE__, __LINE__)

static inline void unit_assert_aborts(void (*fn)(void *arg), void *arg, const char *file, int line)
{
	struct rlimit no_core = { 0 };
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(nowhere, STDERR_FILENO);
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		fn(arg);
		_exit(0);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGABRT)
		return;
	print_error("no abort (status %d)\n", status);
	_fail(file, line);
}
