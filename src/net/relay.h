/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relay: bytes both ways between two streams until both have ended, byte for byte, with half-close
 * carried through.
 *
 * Idle it owns no buffer: a readable side is read into the turn's scratch and written at once to the other;
 * only what could not be written is kept, bounded, and then that direction stops reading (back-pressure).
 * One busy session gives way to the others after a bounded amount a turn.
 */
#pragma once
#include "net/stream.h"

enum relay_end {
	RELAY_DONE,	     /* both sides ended in order and all was delivered; or the server did,
			      * and its client was silent for RELAY_LINGER_MS without closing */
	RELAY_CLIENT_BROKEN, /* a read or write on the client's stream failed */
	RELAY_SERVER_BROKEN,
	RELAY_IDLE, /* nothing moved in either direction for idle_ms */
};

enum { RELAY_LINGER_MS = 30000 };

struct relay;
typedef void relay_fn(struct relay *r, enum relay_end why);

struct relay_flow {
	uint64_t bytes; /* that the receiver's socket took */
	char *kept;	/* what it has not taken yet; NULL almost always */
	uint32_t kept_len, kept_at;
	bool bulk;  /* the last read filled the scratch and all was taken: more of the kind is to be expected
		     */
	bool ended; /* no more is to be read from the sender */
	bool over;  /* … and all was passed on, or there is nobody to pass it to */
};

struct relay {
	struct stream *client, *server; /* these four are set by who starts it */
	relay_fn *done;
	uint64_t idle_ms;
	uint64_t last_ms; /* when bytes moved; the timer looks at it when it fires */
	struct timer idle;
	struct task again;
	struct relay_flow up, down; /* up: client to server */
	enum relay_end why;
};

/*
 * Begin, with r->client, r->server, r->done and r->idle_ms set and all else zero. Both streams, secured if
 * they are to be, are handed over until the end: their callbacks must pass events on to relay_event.
 * `early` are bytes of the client that were read before and go to the server first, `late` bytes of the
 * server that go to the client first; both are written or copied before this returns. r->done comes once,
 * never from inside relay_start; after it the relay does nothing more with the streams, which are the
 * caller's to close.
 *
 * A broken side is not the end at once: what it had sent before is delivered first.
 */
void relay_start(struct relay *r, struct str early, struct str late);

/* An event of one of the two streams. */
void relay_event(struct relay *r, struct stream *s, unsigned what);

/* Forget what is kept and unhook timer and task; the streams stay as they are, and r->done does not come.
 * Allowed at any time, on a zeroed relay too. */
void relay_stop(struct relay *r);
