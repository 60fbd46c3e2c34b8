/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounded byte buffers; see buf.h. Outgrown room is wiped before it is given back, since it may hold a secret. */
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

static void grow(struct buf *b, size_t need)
{
	size_t room = b->room != 0 ? b->room : FIRST_ROOM;
	char *at;

	while (room < need)
		room *= 2;
	if (room > b->most)
		room = b->most;
	at = b->home != NULL ? arena_take(b->home, room) : mem_new(room);
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
	if (b->len + n > b->room)
		grow(b, b->len + n);
	return b->at + b->len;
}

void buf_grew(struct buf *b, size_t n)
{
	must(n <= b->room - b->len);
	b->len += n;
}

void buf_put(struct buf *b, struct str s)
{
	char *to;

	if (s.len == 0)
		return;
	to = buf_space(b, s.len);
	if (to == NULL)
		return;
	memcpy(to, s.at, s.len);
	b->len += s.len;
}

void buf_put_byte(struct buf *b, char c)
{
	buf_put(b, (struct str){ &c, 1 });
}

void buf_format(struct buf *b, const char *format, ...)
{
	va_list ap;
	int n;
	char *to;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	must(n >= 0);
	/* vsnprintf ends in a NUL, which needs a byte of the room too */
	if ((size_t)n + 1 > b->most - b->len) {
		b->full = true;
		return;
	}
	to = buf_space(b, (size_t)n + 1);
	if (to == NULL)
		return;
	va_start(ap, format);
	vsnprintf(to, (size_t)n + 1, format, ap);
	va_end(ap);
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
