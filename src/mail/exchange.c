/* SPDX-License-Identifier: BSD-2-Clause */
/* A dialog with its stream; see exchange.h. */
#include "mail/exchange.h"

#include "base/mem.h"

/* Most commands and replies are short: room grows from here, and a read is never offered less than half of
 * it. */
enum { READ_ROOM = 512 };

void exchange_init(struct exchange *x, struct stream *stream, struct arena *home, size_t in_most,
		   size_t out_most)
{
	*x = (struct exchange){ .stream = stream };
	buf_init_in(&x->in, home, in_most);
	buf_init_in(&x->out, home, out_most);
}

/* The room for one read: what is free, or double what there is; 0 when the buffer is full for good. */
static size_t read_room(const struct buf *b)
{
	size_t free = b->room - b->len, most = b->most - b->len;

	if (free < READ_ROOM / 2)
		free = b->room > READ_ROOM ? b->room : READ_ROOM;
	return free < most ? free : most;
}

bool exchange_fill(struct exchange *x)
{
	while (stream_readable(x->stream)) {
		size_t room = read_room(&x->in);
		ssize_t n;

		if (room == 0)
			return true;
		n = stream_read(x->stream, buf_space(&x->in, room), room);
		if (n == STREAM_BROKEN)
			return false;
		if (n == STREAM_END)
			x->ended = true;
		if (n <= 0)
			return true;
		buf_grew(&x->in, (size_t)n);
	}
	return true;
}

/* What was heard may have been a password, so its bytes do not stay behind. */
enum want exchange_run(struct exchange *x)
{
	struct str in = buf_text(&x->in);
	enum want want = dialog_heard(x->dialog, &in);
	size_t used;

	used = x->in.len - in.len;
	buf_drop(&x->in, used);
	mem_wipe(x->in.at + x->in.len, used);
	return want;
}

struct str exchange_unheard(const struct exchange *x)
{
	return buf_text(&x->in);
}

struct str exchange_unsent(const struct exchange *x)
{
	return str_skip(buf_text(&x->out), x->sent);
}

enum flush exchange_flush(struct exchange *x)
{
	while (x->sent < x->out.len) {
		struct str rest = exchange_unsent(x);
		ssize_t n = stream_write(x->stream, rest.at, rest.len);

		if (n == STREAM_BROKEN)
			return FLUSH_BROKEN;
		if (n == STREAM_WAIT)
			return FLUSH_WAITS;
		x->sent += (size_t)n;
	}
	buf_clear(&x->out);
	x->sent = 0;
	return FLUSHED;
}
