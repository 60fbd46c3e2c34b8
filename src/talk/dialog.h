/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dialog: one side of a protocol, without sockets, timers or memory of its own.
 *
 * It hears lines (or exactly the announced number of bytes), appends what it says to `out`, moves to its next state and returns what it wants.
 * The session does that, and tells it the outcome. The front faces the client, the back faces the mail server.
 */
#pragma once
#include "talk/login.h"

struct dialog;

enum want {
	WANT_INPUT,			/* more bytes */
	WANT_TLS,			/* flush `out`, then a handshake; told NEWS_SECURED */
	WANT_AUTH,			/* front: the login is filled; ask about it */
	WANT_RELAY,			/* back: logged in, login->answer is for the client. front: relay from now on */
	WANT_GIVE_UP,			/* back: the server refused or made no sense: see `complaint` and login->answer */
	WANT_CLOSE,			/* flush `out`, then close */
};

/* What a dialog is told. `text` is used by those marked with it. */
enum news {
	NEWS_SECURED,			/* the handshake that it wanted is done (or TLS stood before it was opened) */
	NEWS_LOGGED_IN,			/* front: login->answer came from the server; pass on what the client must see */
	NEWS_DENIED,			/* front, text: the auth source said no, and this is its message */
	NEWS_BROKEN,			/* front: our side is at fault (auth server, backend): temporary error, then close */
	NEWS_REFUSED,			/* front: the backend refused and proxy_pass_error_message is on: pass login->answer on, then close */
	NEWS_FORBIDDEN,			/* front, before open: allow/deny says no */
	NEWS_BAD_CERTIFICATE,		/* front, before open, text: the client's certificate does not verify */
	NEWS_NO_CERTIFICATE,		/* front, before open: it has none and must */
	NEWS_TOO_LONG,			/* the other side sent a line longer than allowed */
	NEWS_EARLY_INPUT,		/* front, before open: the client spoke before the greeting (SMTP) */
	NEWS_SHUTDOWN,			/* front: the proxy is going away */
};

struct state {
	const char *name;		/* for traces and test failures: "command" */
	const char *doing;		/* for log lines, behind " while ": "in auth state" */
	enum want (*heard)(struct dialog *d, struct str piece);
};

struct dialog_ops {
	size_t size;			/* of the struct that begins with a struct dialog */
	enum want (*open)(struct dialog *d);
	enum want (*told)(struct dialog *d, enum news what, struct str text);
};

enum starttls { STARTTLS_OFF, STARTTLS_ON, STARTTLS_ONLY };

/* What the session knows and a dialog may need. Owned by the session; outlives the dialog. */
struct stage {
	const void *settings;		/* the protocol module's own struct */
	struct str server_name;
	enum starttls starttls;
	unsigned max_errors, max_commands;
	size_t line_max;		/* longest command, literals included; for a back: longest reply */
	struct str client_ip;		/* text; "unix:" for unix peers; for XCLIENT ADDR */
	struct str client_host;		/* verified name, [UNAVAILABLE] or [TEMPUNAVAIL] */
	uint16_t client_port, server_port;
	struct str server_ip;
	bool client_is_ip6;
	struct arena *arena;		/* of the session before its relay: for bounded buffers only */
	/* A line for the log (info): static text and, if quoted.at is not NULL, something to show in quotes. */
	void (*note)(void *owner, const char *text, struct str quoted);
	void *owner;
};

struct dialog {
	const struct dialog_ops *ops;
	const struct state *at;
	const struct stage *stage;
	struct login *login;
	struct buf *out;
	const char *complaint;		/* back, with WANT_GIVE_UP: static text: "upstream sent invalid response" */
	bool counting;			/* the next piece is bytes_due bytes, not a line */
	size_t bytes_due;
	bool secure;			/* TLS is active */
	unsigned mistakes, commands;
};

/* Allocate in stage->arena and set up; then call dialog_open. */
struct dialog *dialog_new(const struct dialog_ops *ops, const struct stage *stage, struct login *login, struct buf *out, bool secure);

static inline enum want dialog_open(struct dialog *d)
{
	return d->ops->open(d);
}

static inline enum want dialog_told(struct dialog *d, enum news what, struct str text)
{
	return d->ops->told(d, what, text);
}

/*
 * Split `in` into lines, or the bytes announced by dialog_expect, and let the state hear each; stops as soon as it wants more than input. `in` is
 * moved behind what was used. A line longer than stage->line_max is told as NEWS_TOO_LONG; a full `out` is WANT_CLOSE.
 */
enum want dialog_heard(struct dialog *d, struct str *in);

/* The next piece is exactly `size` bytes; 0 is allowed. */
void dialog_expect(struct dialog *d, size_t size);

/* Say to the log, through the stage. */
void dialog_note(struct dialog *d, const char *text, struct str quoted);

/* Count one mistake (the reply has been said): WANT_INPUT, or WANT_CLOSE with a note when it was the last one allowed. */
enum want dialog_mistake(struct dialog *d);

/* Verbs are tables; NULL name ends them. */
struct verb {
	struct str name;
	enum want (*run)(struct dialog *d, struct str args);
};
const struct verb *verb_find(const struct verb *table, struct str name);
