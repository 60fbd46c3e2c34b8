/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chain of chunks. Pieces come from the first; one that does not fit there opens a chunk of double the
 * size, so the number of allocations grows with the logarithm of what is asked for. A piece larger than that
 * gets a chunk of its own behind the first, so that neither the first's free end nor the measure of the next
 * chunk suffers from it.
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
	struct chunk *next;
	size_t room, used;
	alignas(max_align_t) char mem[];
};

struct arena {
	struct chunk *first;
	size_t size;
};

static struct chunk *chunk_new(struct arena *a, size_t room)
{
	struct chunk *c = malloc(sizeof(*c) + room);

	if (c == NULL)
		must_memory();
	*c = (struct chunk){ .room = room };
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
	struct arena *a;

	must(first < SIZE_MAX / 4);
	start.first = chunk_new(&start, rounded(sizeof(start)) + rounded(first));
	start.first->used = rounded(sizeof(start));
	a = (struct arena *)(void *)start.first->mem;
	*a = start;
	return a;
}

void arena_free(struct arena *a)
{
	struct chunk *c = a != NULL ? a->first : NULL;

	while (c != NULL) {
		struct chunk *next = c->next;

		mem_wipe(c->mem, c->used);
		free(c);
		c = next;
	}
}

/* A chunk that has `size` bytes free. */
static struct chunk *chunk_for(struct arena *a, size_t size)
{
	struct chunk *first = a->first, *c;

	if (size <= first->room - first->used)
		return first;
	if (size > 2 * first->room) {
		c = chunk_new(a, size);
		c->next = first->next;
		first->next = c;
		return c;
	}
	c = chunk_new(a, 2 * first->room);
	c->next = first;
	a->first = c;
	return c;
}

void *arena_take(struct arena *a, size_t size)
{
	struct chunk *c;
	void *piece;

	must(size < SIZE_MAX / 4);
	size = rounded(size);
	c = chunk_for(a, size);
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
