/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets: opened by the master, handed to the workers. */
#pragma once
#include "base/addr.h"

/* The parameters of `listen` that concern the socket. Zero bytes are the defaults but for backlog and ipv6only. */
struct listen_options {
	int backlog;			/* 0: 511 */
	int rcvbuf, sndbuf;		/* bytes; 0: the system's */
	int keepalive;			/* 0: unset, 1: on, -1: off */
	int keep_idle_sec, keep_interval_sec, keep_count;	/* 0: the system's */
	bool ipv6only;			/* default on is set by who parses */
	bool multipath;			/* MPTCP */
};

/* Open, bind, listen: a non-blocking, close-on-exec descriptor, or -1 with errno and *step naming what failed: "socket()", "bind()", "listen()".
 * A stale unix socket file is removed first, one that somebody listens on is EADDRINUSE. */
int listen_open(const struct addr *a, const struct listen_options *o, const char **step);

/* Apply what may change on a socket that is already open (backlog, buffers, keepalive). False with errno and *step. */
bool listen_adjust(int fd, const struct addr *a, const struct listen_options *o, const char **step);

/* Accept one connection: non-blocking, close-on-exec. The descriptor and the client's address, or -1 with errno. */
int listen_accept(int fd, struct addr *client);
