/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An escort goes along with a session behind its login, where the relay would not look at what it moves: it
 * follows the client's commands one by one, and stops at those about which somebody has to be asked.
 *
 * As a dialog it has no sockets, timers or memory of its own, and keeps none of the bytes: it says how many
 * of them may go on. One command is under way at a time, so what it says itself comes in its place between
 * the server's replies.
 */
#pragma once
#include "talk/dialog.h"

struct escort;

enum escort_step {
	ESCORT_PASS,  /* these bytes go to the server as they are */
	ESCORT_MORE,  /* nothing can be told of so few bytes of the client */
	ESCORT_WAIT,  /* the server's reply comes first */
	ESCORT_ROUTE, /* these bytes are a command that is about login->rcpt: call `routed` or `elsewhere` */
	ESCORT_SAID,  /* these bytes are answered, in `out` */
	ESCORT_CLOSE, /* the last words are in `out` */
	ESCORT_BLIND, /* from here on nobody but the two can read it: relay */
};

struct escort_ops {
	size_t size; /* of the struct that begins with a struct escort */
	/* Is one needed behind this login? `settings` are the protocol's. */
	bool (*wanted)(const void *settings, const struct login *login);
	/* The server has let the client in: see login->answer. */
	void (*open)(struct escort *e);
	/* What is next of what the client has sent; *len: how many bytes it is about. */
	enum escort_step (*client)(struct escort *e, struct str in, size_t *len);
	/* Hear what the server sends; all of it goes to the client. */
	void (*server)(struct escort *e, struct str in);
	/* Behind ESCORT_ROUTE: the command goes to this server, whose reply is due. */
	void (*routed)(struct escort *e);
	/* Behind ESCORT_ROUTE: it is for another server, to which this session cannot go now; says so. */
	void (*elsewhere)(struct escort *e);
};

struct escort {
	const struct escort_ops *ops;
	const struct stage *stage;
	struct login *login; /* its SMTP envelope is kept up to date */
	struct buf *out;     /* for the client */
	bool movable; /* nothing is lost when the session goes to another server, which hears login->mail and
			 login->rcpt anew */
};
