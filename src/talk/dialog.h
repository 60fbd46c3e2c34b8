/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dialog: one side of a protocol, without sockets, timers or memory of its own.
 *
 * It hears lines (or exactly the announced number of bytes), appends what it says to `out`, moves to its next
 * state and returns what it wants. The session does that, and tells it the outcome. The front faces the
 * client, the back faces the mail server.
 */
#pragma once
#include "talk/login.h"

struct dialog;
struct manner;

enum want {
	WANT_INPUT,   /* more bytes */
	WANT_TLS,     /* flush `out`, then a handshake; told NEWS_SECURED */
	WANT_AUTH,    /* front: the login is filled; ask about it */
	WANT_RELAY,   /* flush `out`, then relay. back: login->answer is for the front, told NEWS_LOGGED_IN */
	WANT_GIVE_UP, /* back: the server refused or made no sense: see `complaint` and login->answer */
	WANT_CLOSE,   /* flush `out`, then close */
};

/* What a dialog is told. `text` is used by those marked with it. */
enum news {
	NEWS_SECURED,	/* the handshake that it wanted is done */
	NEWS_LOGGED_IN, /* front: login->answer came from the server; pass on what the client must see */
	NEWS_DENIED,	/* front: the auth source said no: see login->refusal */
	NEWS_BROKEN,	/* front: our side is at fault (auth server, backend): temporary error, then close */
	NEWS_REFUSED,	/* front: pass on login->answer, which must be presentable, then close */
	NEWS_FORBIDDEN, /* front, before open: allow/deny says no */
	NEWS_BAD_CERTIFICATE, /* front, before open: the client's certificate does not verify */
	NEWS_NO_CERTIFICATE,  /* front, before open: it has none and must */
	NEWS_TOO_LONG,	      /* text: the first line_max bytes of a longer line; told by dialog_heard */
	NEWS_EARLY_INPUT, /* text: what came. front, before open: the client spoke before the greeting (SMTP).
			     back: the server answered before it was asked; told by dialog_heard */
	NEWS_SHUTDOWN,	  /* front: the proxy is going away */
	NEWS_UNAVAILABLE, /* front: trouble that may pass: temporary error; the client may try again at once
			   */
	NEWS_BACKEND_DENIED, /* front: the server has refused: see login->failure and login->refusal */
};
enum { NEWS_KINDS = NEWS_BACKEND_DENIED + 1 };

struct state {
	const char *name;  /* for traces and test failures: "command" */
	const char *doing; /* for log lines, behind " while ": "in auth state" */
	enum want (*heard)(struct dialog *d, struct str piece);
};

struct dialog_ops {
	size_t size;		     /* of the struct that begins with a struct dialog */
	bool takes_turns;	     /* the other side speaks only when asked (servers) */
	const struct state *first;   /* before it is opened: hears nothing yet */
	const struct manner *manner; /* of a front: see talk/front.h */
	enum want (*open)(struct dialog *d);
	enum want (*told)(struct dialog *d, enum news what, struct str text);
};

enum starttls { STARTTLS_OFF, STARTTLS_ON, STARTTLS_ONLY };

/* What the session knows and a dialog may need. Owned by the session; outlives the dialog. */
struct stage {
	const void *settings; /* the protocol module's own struct */
	struct str server_name;
	enum starttls starttls;
	unsigned max_errors, max_commands;
	size_t line_max;	/* longest command, literals included; for a back: longest reply */
	struct str client_ip;	/* text; "unix:" for unix peers; for XCLIENT ADDR */
	struct str client_host; /* verified name, [UNAVAILABLE] or [TEMPUNAVAIL] */
	uint16_t client_port, server_port;
	struct str server_ip; /* the address that the client connected to; as client_ip */
	/* For a back; what is off or empty is left out. */
	bool secures;	    /* TLS comes first, by STARTTLS, or there is no login */
	bool judges;	    /* the server is the judge of this login: nobody has looked at it before */
	bool vouched;	    /* the client is known and we show a certificate: EXTERNAL, where it is offered */
	bool retells;	    /* the client hears the server's capabilities behind the login (IMAP) */
	bool client_secure; /* the client came by TLS */
	struct str session_id; /* ours, for the server's log; at most 64 bytes */
	struct str asked_name; /* the host that the client wanted (SNI) */
	unsigned ttl;	       /* how many more proxies there may be; 0: not told */
	struct arena *arena;   /* of the session before its relay: for bounded buffers only */
	/* A line for the log (info): static text, and what to show in quotes unless quoted.at is NULL. */
	void (*note)(void *owner, const char *text, struct str quoted);
	void *owner;
};

struct dialog {
	const struct dialog_ops *ops;
	const struct state *at;
	const struct stage *stage;
	struct login *login;
	struct buf *out;
	const char *complaint; /* back, with WANT_GIVE_UP: static text: "upstream sent invalid response" */
	size_t bytes_due;      /* while counting; while skipping: how much may still be skipped */
	bool counting;	       /* the next piece is bytes_due bytes, not a line */
	bool skipping;	       /* what comes up to the next line's end is dropped */
	char skipped_last;     /* the last byte of that but for CR */
	bool secure;	       /* TLS is active */
};

/* Allocate in stage->arena and set up; then call dialog_open. */
struct dialog *dialog_new(const struct dialog_ops *ops, const struct stage *stage, struct login *login,
			  struct buf *out, bool secure);

/* Begin. A front says its greeting; a back waits for the server's. */
enum want dialog_open(struct dialog *d);

/* Tell the outcome of what it wanted, or that something has happened. */
enum want dialog_told(struct dialog *d, enum news what, struct str text);

/*
 * Split `in` into lines, or the bytes announced by dialog_expect, and let the state hear each; stops as soon
 * as it wants more than input, or when `out` is half full: who has much to hear is called again once that is
 * sent. `in` is moved behind what was used. A line of stage->line_max bytes or more
 * without an end is told as NEWS_TOO_LONG. All three functions turn a full `out` into WANT_CLOSE.
 */
enum want dialog_heard(struct dialog *d, struct str *in);

/* For states: the next piece is exactly `size` bytes; 0 is allowed. */
void dialog_expect(struct dialog *d, size_t size);

/*
 * For states, when told that a line is too long: drop it, but no more than `most` bytes. What is heard in its
 * place is its last byte but for the line's end: that tells whether it announced a literal.
 */
void dialog_skip(struct dialog *d, size_t most);

/* Say to the log, through the stage. */
void dialog_note(struct dialog *d, const char *text, struct str quoted);
