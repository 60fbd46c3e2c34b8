/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relay: bytes both ways between two streams until both have ended, byte for byte, with half-close carried through.
 *
 * Idle it owns no buffer: a readable side is read into the turn's scratch and written at once to the other; only what could not be written is kept, bounded, and
 * then that direction stops reading (back-pressure). One busy session gives way to the others after a bounded amount a turn.
 */
#pragma once
#include "base/buf.h"
#include "net/stream.h"

enum relay_end {
	RELAY_DONE,			/* both sides ended in order and all was delivered */
	RELAY_CLIENT_BROKEN,		/* a read or write on the client's stream failed */
	RELAY_SERVER_BROKEN,
	RELAY_IDLE,			/* nothing moved in either direction for idle_ms */
};

struct relay;
typedef void relay_fn(struct relay *r, enum relay_end why);

struct relay_flow {
	char *kept;			/* what the other side has not taken yet; NULL almost always */
	uint32_t kept_len, kept_at;
	bool shut;			/* the end has been passed on */
	uint64_t bytes;
};

struct relay {
	struct stream *client, *server;
	relay_fn *done;
	struct timer idle;
	struct task again;
	uint64_t idle_ms, last_ms;	/* last_ms: when bytes moved; the timer looks at it when it fires */
	struct relay_flow up, down;	/* up: client to server */
};

/*
 * Begin. Both streams are handed over until the end: their callbacks must pass events on to relay_event. `early` are bytes of the client that were read before
 * and go to the server first; `late` bytes of the server that go to the client first. r->done comes once, never from inside relay_start.
 */
void relay_start(struct relay *r, struct stream *client, struct stream *server, struct str early, struct str late, uint64_t idle_ms,
		 relay_fn *done);

/* An event of one of the two streams. */
void relay_event(struct relay *r, struct stream *s, unsigned what);

/* Forget what is kept and unhook timer and task; the streams stay as they are. */
void relay_stop(struct relay *r);
