/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is given out piece by piece and taken back as a whole, for the three lifetimes longer than a
 * turn: a session before its relay, a generation of the configuration, the process.
 */
#pragma once
#include "base/str.h"

struct arena;

/* A new arena whose first chunk has `first` bytes; more chunks follow as needed. Released with arena_free. */
struct arena *arena_new(size_t first);

/* Wipe all that was given out, then give it back. NULL is allowed. */
void arena_free(struct arena *a);

/* Zeroed memory, aligned for anything; lives until arena_free. `size` may be 0. */
void *arena_take(struct arena *a, size_t size);

/* A copy of `s` with a NUL behind it. */
struct str arena_str(struct arena *a, struct str s);

/* printf into the arena; the text ends in a NUL that `len` does not count. */
struct str arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many bytes were taken from the system so far. */
size_t arena_size(const struct arena *a);
