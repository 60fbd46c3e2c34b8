/* SPDX-License-Identifier: BSD-2-Clause */
/* Connected sockets for tests, and waiting without a clock. */
#pragma once
#include "net/listen.h"
#include "net/stream.h"

#include "unit.h"
#include <string.h>

/* A listening socket on a free port of 127.0.0.1, and its address. `buffer` bounds what the kernel keeps
 * for each accepted socket; 0: as usual. */
int wire_listen(struct addr *at, int buffer);

/* Wait for a connection and accept it. */
int wire_accept(int listening, struct addr *client);

/* Two ends of one connection, non-blocking: [0] connected, [1] was accepted. */
void wire_tcp(int ends[static 2], int buffer);
void wire_unix(int ends[static 2], int buffer);

/* The same as two streams, the first by stream_connect. Their callbacks do nothing until others are set. */
void wire_streams(struct loop *l, int buffer, struct stream *client, struct stream *server);

/* A handshake between the two. */
void wire_secure(struct stream *client, struct stream *server);

/* A stream that remembers what it was told. */
struct ear {
	struct stream stream;
	unsigned heard, times; /* all bits since the last ear_listen; how many callbacks */
	void (*also)(struct ear *e);
};

void ear_hear(struct stream *s, unsigned what);

/* Forget what was heard, then turn until one of `bits` is. A guard bounds a test that went wrong. */
void ear_listen(struct ear *e, unsigned bits);

/* Turn until nothing more happens by itself: everything on loopback is there when the call that caused it
 * has returned. */
void settle(struct loop *l);

/* Read and write all of it on a bare socket, turning the loop in between where it must. */
void far_write(struct loop *l, int fd, struct str s);
void far_expect(struct loop *l, int fd, struct str want);

/* The far end has nothing more to say: FIN, or its errno. */
int far_end(struct loop *l, int fd);

/* Close with a reset. */
void far_reset(int fd);
