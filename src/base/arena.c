/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chain of chunks, newest first. A piece that does not fit opens a chunk of at least double the size of the last, so
 * the number of allocations grows with the logarithm of what is asked for.
 */
#include "base/arena.h"

#include "base/mem.h"
#include "base/must.h"
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
	struct chunk *older;
	size_t room, used;
	alignas(max_align_t) char mem[];
};

struct arena {
	struct chunk *newest;
	size_t size;
};

static struct chunk *chunk_new(struct arena *a, size_t room)
{
	struct chunk *c = malloc(sizeof(*c) + room);

	if (c == NULL)
		must_memory();
	c->older = a->newest;
	c->room = room;
	c->used = 0;
	a->newest = c;
	a->size += sizeof(*c) + room;
	return c;
}

static size_t rounded(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* The arena itself is the first piece of its first chunk: one allocation for a small life. */
struct arena *arena_new(size_t first)
{
	struct arena start = { 0 };
	struct chunk *c = chunk_new(&start, rounded(sizeof(start)) + rounded(first));
	struct arena *a = (struct arena *)(void *)c->mem;

	c->used = rounded(sizeof(*a));
	*a = start;
	return a;
}

void arena_free(struct arena *a)
{
	struct chunk *c = a != NULL ? a->newest : NULL;

	while (c != NULL) {
		struct chunk *older = c->older;

		mem_wipe(c->mem, c->used);
		free(c);
		c = older;
	}
}

void *arena_take(struct arena *a, size_t size)
{
	struct chunk *c = a->newest;
	void *piece;

	must(size < SIZE_MAX / 4);
	size = rounded(size);
	if (size > c->room - c->used)
		c = chunk_new(a, size > 2 * c->room ? size : 2 * c->room);
	piece = c->mem + c->used;
	c->used += size;
	return memset(piece, 0, size);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *copy = arena_take(a, s.len + 1);

	if (s.len != 0)
		memcpy(copy, s.at, s.len);
	return (struct str){ copy, s.len };
}

struct str arena_format(struct arena *a, const char *format, ...)
{
	va_list ap;
	int n;
	char *text;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	must(n >= 0);
	text = arena_take(a, (size_t)n + 1);
	va_start(ap, format);
	vsnprintf(text, (size_t)n + 1, format, ap);
	va_end(ap);
	return (struct str){ text, (size_t)n };
}

size_t arena_size(const struct arena *a)
{
	return a->size;
}
