/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: what posternctl asks of a program that runs.
 *
 * One connection, one line, one answer. The line is words with TABs between them, ended by LF; the answer is
 * "ok TEXT" or "error TEXT" and LF, and then the end. The master serves it and never waits for anybody: all
 * is bounded, in bytes, time and connections. Only root and the user that the master runs as are heard.
 */
#pragma once
#include "auth/auth.h"
#include "loop/loop.h"

enum { CONTROL_LINE_MOST = 1024 };

struct control;

/* Obey one line, without its LF, and append the answer. */
void control_obey(struct auth_shared *shared, struct str line, struct buf *answer);

/*
 * Have *c (NULL at first) listen at `path`, an absolute one, or nowhere when it is empty. Nothing happens
 * when it does so already; a socket that another process has put there since is replaced. A failure is a
 * warning in the log, and leaves NULL.
 */
void control_settle(struct control **c, struct loop *loop, struct str path, struct auth_shared *shared,
		    const struct log *log);

/* In a child, whose loop is gone: close what was inherited. NULL is allowed. */
void control_forget(struct control *c);
