/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What load generator and stubs share: non-blocking sockets, plain or under TLS, and the bulk data whose
 * every byte is checked.
 *
 * Nothing of postern is in here, so that a mistake of its streams is not measured with the same mistake.
 */
#pragma once
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Results of wire_read and wire_write besides a positive count. */
enum { WIRE_END = 0, WIRE_WAIT = -1, WIRE_BROKEN = -2 };

enum { PATTERN_RUN = 128 * 1024, SCRATCH = 256 * 1024 };

struct wire {
	int fd;
	SSL *tls; /* NULL: plain */
};

ssize_t wire_read(struct wire *w, char *to, size_t room);
ssize_t wire_write(struct wire *w, const char *from, size_t len);

/* Close, without a close_notify: the peer has said its own. */
void wire_close(struct wire *w);

/* A listening socket; -1 with errno. */
int wire_listen(struct in_addr at, unsigned port);

/* Begin to connect, from `source` unless that is 0.0.0.0; -1 with errno. */
int wire_connect(struct in_addr to, unsigned port, struct in_addr source);

/* Register edge-triggered, both directions. */
bool wire_watch(int epoll, int fd, void *owner);

/* PATTERN_RUN bytes of the bulk data from this offset on. */
const char *pattern_at(uint64_t offset);
void pattern_make(void);

/* End the program with a line for a human. */
_Noreturn void die(const char *what);

uint64_t clock_ns(void);
