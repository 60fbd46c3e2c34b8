/* SPDX-License-Identifier: BSD-2-Clause */
/* What stream.c asks of the TLS library about one connection; private to net. Non-blocking throughout. */
#pragma once
#include "net/tls.h"

enum tls_progress { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_ENDED, TLS_FAILED };

/* A link on a connected socket: as server, or as client with SNI `name` (NULL: none). NULL when out of
 * memory. */
struct tls_link *tls_link_new(struct tls_context *context, int fd, bool client, const char *name);
void tls_link_free(struct tls_link *t);

/* Session tickets, the last words of a handshake, are not sent when it is done: they go with the first write
 * or tls_link_flush. */
enum tls_progress tls_link_handshake(struct tls_link *t);

/* Send what is held back, if it goes at once: for who has nothing to write when the handshake is done. */
void tls_link_flush(struct tls_link *t);

/* On TLS_DONE *done bytes were moved. TLS_ENDED: close_notify, or FIN without it. After less than all a
 * write must be repeated with the same bytes. When a write fails because the socket broke, what had come
 * before can still be read. */
enum tls_progress tls_link_read(struct tls_link *t, char *to, size_t room, size_t *done);
enum tls_progress tls_link_write(struct tls_link *t, const char *from, size_t len, size_t *done);

/*
 * The link receives from the socket itself, and knows from a receive that came back short that the socket
 * is empty: from then on it says TLS_WANTS_READ without a system call, until the stream tells it of an
 * event. `arrived`: there is something to receive. `ended`: the FIN (or an error) is here, so a short
 * receive proves nothing any more and the end is still to be read.
 */
void tls_link_arrived(struct tls_link *t);
void tls_link_ended(struct tls_link *t);

/* May tls_link_read give bytes or the end without another arrival? True with bytes inside the library,
 * decrypted or not, and while the socket is not known to be empty. */
bool tls_link_readable(const struct tls_link *t);

/* Did the socket refuse some of what was written? Then nothing more is taken until there is room. */
bool tls_link_stuck(const struct tls_link *t);

/* Send close_notify; with MSG_MORE, for the stream sends the FIN next and both may share a packet.
 * TLS_WANTS_WRITE: there was no room for all of it, call again when there is. */
enum tls_progress tls_link_shut(struct tls_link *t);
