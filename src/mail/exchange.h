/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exchange: a dialog with its stream and the two bounded buffers between them. Lives before the relay
 * only, in the session's arena.
 */
#pragma once
#include "net/stream.h"
#include "talk/dialog.h"

struct exchange {
	struct stream *stream;
	struct dialog *dialog;
	struct buf in, out;
	size_t sent; /* of `out` */
	bool ended;  /* the other side has ended and everything was read */
};

/* Limits: `in_most` bytes unread by the dialog, `out_most` unsent. */
void exchange_init(struct exchange *x, struct stream *stream, struct arena *home, size_t in_most,
		   size_t out_most);

/* Read what is there, as far as there is room. False when the stream is broken. */
bool exchange_fill(struct exchange *x);

/* Let the dialog hear what is in `in`. */
enum want exchange_run(struct exchange *x);

enum flush { FLUSHED, FLUSH_WAITS, FLUSH_BROKEN };

/* Write what is in `out`. */
enum flush exchange_flush(struct exchange *x);

/* What the dialog has not heard yet, and what was not sent yet. */
struct str exchange_unheard(const struct exchange *x);
struct str exchange_unsent(const struct exchange *x);
