/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets: opened by the master, handed to the workers. */
#pragma once
#include "base/addr.h"

/* The parameters of `listen` that concern the socket. Zero bytes are the defaults but for backlog and
 * ipv6only. */
struct listen_options {
	int backlog;					  /* 0: 511 */
	int rcvbuf, sndbuf;				  /* bytes; 0: the system's */
	int keepalive;					  /* 0: unset, 1: on, -1: off */
	int keep_idle_sec, keep_interval_sec, keep_count; /* 0: the system's */
	bool ipv6only;					  /* default on is set by who parses */
	bool multipath;					  /* MPTCP */
};

/*
 * Open, bind, listen: a non-blocking, close-on-exec descriptor, or -1 with errno and *step naming what
 * failed: "socket()", "setsockopt(SO_KEEPALIVE)", "bind()", "listen()" and kin. What is set here (no delay,
 * keepalive, buffers) the kernel passes on to each accepted socket, so a session pays no system call for
 * it.
 *
 * A unix socket file that nobody listens on is removed first; one that somebody listens on, or that is no
 * socket, is EADDRINUSE. A kernel without MPTCP, or where it is switched off, is EPROTONOSUPPORT: the
 * caller may try again without.
 */
int listen_open(const struct addr *a, const struct listen_options *o, const char **step);

/* Apply what may change on a socket that is already open (backlog, buffers, keepalive). False with errno
 * and *step. */
bool listen_adjust(int fd, const struct addr *a, const struct listen_options *o, const char **step);

/*
 * Accept one connection: non-blocking, close-on-exec. The descriptor and the client's address, or -1 with
 * errno: EAGAIN when none waits, EMFILE and kin when there is no room. Connections that broke while they
 * waited are passed over.
 */
int listen_accept(int fd, struct addr *client);
