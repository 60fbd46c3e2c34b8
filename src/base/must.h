/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions for our own bugs, kept in release builds: the process says what was not so, and aborts. The
 * master starts another worker. Never for what a peer, an operator or the world can cause.
 */
#pragma once

#define must(expr) ((expr) ? (void)0 : must_failed(#expr, __FILE__, __LINE__))

_Noreturn void must_failed(const char *what, const char *file, int line);

/* Out of memory for a small, bounded allocation: treated as must() is. */
_Noreturn void must_memory(void);
