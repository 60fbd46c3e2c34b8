/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded, growing byte buffers. Write freely, then look once whether it was too much: `full` is sticky, and
 * a piece that does not fit is not put in at all, nor is any piece behind it. Secrets live only here.
 *
 * Nothing that is put may lie in the buffer itself, since its room may move.
 */
#pragma once
#include "base/arena.h"
#include "base/str.h"

struct buf {
	char *at;
	size_t len, room, most;
	struct arena *home; /* where room comes from; NULL for the heap */
	bool full;
};

/* An empty buffer on the heap that never holds more than `most` bytes; takes no memory before the first
 * put. */
void buf_init(struct buf *b, size_t most);

/* The same with its room in an arena: nothing to release, and wiped with the arena. */
void buf_init_in(struct buf *b, struct arena *home, size_t most);

/* Wipe, and release what is on the heap. The buffer may be used again. A zeroed buffer is allowed. */
void buf_done(struct buf *b);

void buf_put(struct buf *b, struct str s);
void buf_put_byte(struct buf *b, char c);

/* printf at the end: one piece. */
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes in it; valid until the next put. */
struct str buf_text(const struct buf *b);

/* Empty it and put `s`. `s` must not lie in the buffer itself. */
void buf_set(struct buf *b, struct str s);

/* Overwrite all its room, then empty it; `full` is forgotten. */
void buf_wipe(struct buf *b);

/* Empty it without overwriting; `full` is forgotten. */
void buf_clear(struct buf *b);

/* Drop the first `n` bytes and move the rest to the front. */
void buf_drop(struct buf *b, size_t n);

/* Room for `n` more bytes at the end, to be written by the caller and then counted with buf_grew. NULL, and
 * full, when `most` does not allow it or the buffer was full before. */
char *buf_space(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
