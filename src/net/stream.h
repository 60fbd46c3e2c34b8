/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream: one connected socket, plain or under TLS, without any buffer of its own.
 *
 * An idle session is two of these and little else, so a stream holds only what it must: the descriptor, one
 * epoll registration for its whole life, the TLS state if there is one, and what is known about readiness.
 * Its owner reads into memory that it has at hand (the turn's scratch, or a login's buffer) and writes from
 * there; what could not be written is the owner's to keep, and the stream tells when there is room again.
 * No read is tried that will surely say EAGAIN.
 */
#pragma once
#include "base/addr.h"
#include "loop/loop.h"
#include <sys/types.h>

struct stream;
struct tls_context;
struct tls_link;

/* Bits of what happened; several may come at once. */
enum {
	STREAM_CONNECTED = 1, /* stream_connect is through */
	STREAM_SECURED = 2,   /* the handshake that stream_secure began is done */
	STREAM_READABLE = 4,  /* stream_read may give bytes, or the end */
	STREAM_WRITABLE = 8,  /* stream_write may take bytes again, after it took less than all */
	STREAM_FAILED = 16,   /* connect, handshake, reset: see stream_failure. The last event, but
			       * what came before it can still be read */
};

typedef void stream_fn(struct stream *s, unsigned what);

struct stream {
	struct watch watch;
	stream_fn *fn;
	struct loop *loop;
	struct tls_link *tls; /* NULL: plain */
	int error;	      /* errno of the failure; 0 with tls: ask tls_failure */
	uint16_t flags;	      /* stream.c's own */
};

/* Results of stream_read and stream_write besides a positive count. */
enum { STREAM_WAIT = 0, STREAM_END = -1, STREAM_BROKEN = -2 };

/* Take over an accepted, non-blocking socket. False with errno when it cannot be watched (it stays open).
 * `fn` hears all events. A TCP socket sends without delay if its listening socket was set so, as
 * listen_open does. */
bool stream_accept(struct stream *s, struct loop *l, int fd, stream_fn *fn);

/* Begin to connect. False with s->error when that failed at once. STREAM_CONNECTED or STREAM_FAILED comes
 * later, never from inside. `from`: a local address to bind, or NULL. */
bool stream_connect(struct stream *s, struct loop *l, const struct addr *to, const struct addr *from,
		    stream_fn *fn);

/* Begin a TLS handshake, as server, or as client for `name` (NULL: none is sent or checked). All plaintext
 * must have been read: the caller checks that it holds none itself; bytes still in the kernel are the
 * handshake's; and all that was written must have been taken. STREAM_SECURED or STREAM_FAILED comes later,
 * never from inside. */
void stream_secure(struct stream *s, struct tls_context *context, const char *name);

/* Up to `room` bytes: their count, STREAM_WAIT, STREAM_END (orderly, all was read: FIN or close_notify), or
 * STREAM_BROKEN (all that came before the failure was read). The last two come again however often it is
 * asked. */
ssize_t stream_read(struct stream *s, char *to, size_t room);

/* Look at up to `room` bytes without taking them; results as of stream_read. For a plain stream only. */
ssize_t stream_peek(struct stream *s, char *to, size_t room);

/* As much of `from` as the socket takes: a count (maybe less than len), STREAM_WAIT, or STREAM_BROKEN.
 * After less than all, STREAM_WRITABLE will come. The same bytes must be offered again, though they may
 * have moved. */
ssize_t stream_write(struct stream *s, const char *from, size_t len);

/* The same for the last bytes before stream_shut or stream_close, which must follow once all is taken:
 * bytes and FIN leave together. */
ssize_t stream_write_last(struct stream *s, const char *from, size_t len);

/* Neither is under TLS, so stream_splice may be tried. */
bool stream_may_splice(const struct stream *from, const struct stream *to);

/* Move up to `most` bytes from one to the other without copying them, through an empty pipe. Returns how
 * many `to` took; *left more are still in the pipe and are the caller's to take out and write. When it
 * returns 0 and leaves 0, nothing is known of why: stream_read will tell. */
size_t stream_splice(struct stream *from, struct stream *to, const int pipe[2], size_t most, size_t *left);

/* May stream_read give bytes now, or tell the end or a failure, as far as is known without a system call? */
bool stream_readable(const struct stream *s);

/* Has the other side said that it will send no more (though bytes may still be unread)? Known for plain and
 * TLS alike once the FIN is here. */
bool stream_ended(const struct stream *s);

/* Has all been read, so that stream_read will say STREAM_END? */
bool stream_over(const struct stream *s);

/* The last write was cut short and STREAM_WRITABLE is to come. */
bool stream_stuck(const struct stream *s);

/* No more will be written: close_notify under TLS, then FIN. Reading goes on. */
void stream_shut(struct stream *s);

/* Close: close_notify if TLS stands and can be sent at once, then close(). Events stop, also those of this
 * turn; allowed on a closed or zeroed stream. */
void stream_close(struct stream *s);

/* Close with a reset: saves the closing dance. Only when nothing is unread or unsent on either side. */
void stream_reset(struct stream *s);

static inline bool stream_is_open(const struct stream *s)
{
	return s->fn != NULL;
}

/* Local and remote address of the socket. */
bool stream_local(const struct stream *s, struct addr *a);
bool stream_peer(const struct stream *s, struct addr *a);

/* Text for the log of why it failed: "(111: Connection refused)", or the TLS library's reason. Before
 * stream_close, or after a stream_connect that said no. */
void stream_failure(const struct stream *s, struct buf *to);
