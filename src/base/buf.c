/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounded byte buffers; see buf.h. Outgrown room is wiped before it is given back, since it may hold a
 * secret. */
#include "base/buf.h"

#include "base/mem.h"
#include "base/must.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void buf_init(struct buf *b, size_t most)
{
	*b = (struct buf){ .most = most };
}

void buf_init_in(struct buf *b, struct arena *home, size_t most)
{
	*b = (struct buf){ .most = most, .home = home };
}

static void give_back(struct buf *b)
{
	mem_wipe(b->at, b->room);
	if (b->home == NULL)
		free(b->at);
}

void buf_done(struct buf *b)
{
	give_back(b);
	*b = (struct buf){ .most = b->most, .home = b->home };
}

/* `need` is at most `most`. There is always a byte more than the room, where vsnprintf may put its NUL. */
static void grow(struct buf *b, size_t need)
{
	size_t room = b->room != 0 ? b->room : FIRST_ROOM;
	char *at;

	while (room < need)
		room = room > b->most / 2 ? b->most : 2 * room;
	if (room > b->most)
		room = b->most;
	must(room < SIZE_MAX / 4);
	at = b->home != NULL ? arena_take(b->home, room + 1) : mem_new(room + 1);
	if (b->len != 0)
		memcpy(at, b->at, b->len);
	give_back(b);
	b->at = at;
	b->room = room;
}

char *buf_space(struct buf *b, size_t n)
{
	if (b->full || n > b->most - b->len) {
		b->full = true;
		return NULL;
	}
	if (b->at == NULL || n > b->room - b->len)
		grow(b, b->len + n);
	return b->at + b->len;
}

void buf_grew(struct buf *b, size_t n)
{
	must(n <= b->room - b->len);
	b->len += n;
}

static bool lies_in(const struct buf *b, struct str s)
{
	return (uintptr_t)s.at - (uintptr_t)b->at < b->room;
}

void buf_put(struct buf *b, struct str s)
{
	char *to;

	if (s.len == 0)
		return;
	must(!lies_in(b, s));
	to = buf_space(b, s.len);
	if (to == NULL)
		return;
	memcpy(to, s.at, s.len);
	b->len += s.len;
}

void buf_put_byte(struct buf *b, char c)
{
	char *to = buf_space(b, 1);

	if (to == NULL)
		return;
	*to = c;
	b->len++;
}

/* Most texts fit into the room that is there, so it is tried before it is known how much is needed. */
void buf_format(struct buf *b, const char *format, ...)
{
	char *to = buf_space(b, 0);
	va_list ap;
	int n;

	if (to == NULL)
		return;
	va_start(ap, format);
	n = vsnprintf(to, b->room - b->len + 1, format, ap);
	va_end(ap);
	must(n >= 0);
	if ((size_t)n > b->room - b->len) {
		to = buf_space(b, (size_t)n);
		if (to == NULL)
			return;
		va_start(ap, format);
		vsnprintf(to, (size_t)n + 1, format, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

struct str buf_text(const struct buf *b)
{
	return (struct str){ b->at, b->len };
}

void buf_set(struct buf *b, struct str s)
{
	buf_clear(b);
	buf_put(b, s);
}

void buf_wipe(struct buf *b)
{
	mem_wipe(b->at, b->room);
	buf_clear(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
}

void buf_drop(struct buf *b, size_t n)
{
	must(n <= b->len);
	b->len -= n;
	if (n != 0 && b->len != 0)
		memmove(b->at, b->at + n, b->len);
}
