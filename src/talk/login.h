/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client has said about itself before its session is relayed, and what its server said at the end of
 * the login: the one struct that the front, the question to the authentication source, and the back share.
 * Every field is a bounded buffer in the session's arena, cleared for the next attempt and wiped at the end.
 */
#pragma once
#include "base/buf.h"
#include "sasl/sasl.h"

/* Why the authentication source said no; filled before a front is told NEWS_DENIED. */
struct refusal {
	struct buf text; /* for the client */
	struct buf code; /* SMTP: in place of "535 5.7.0"; empty: that */
	struct buf sasl; /* base64 for the client of an OAuth mechanism, before the text; empty: none */
	bool final;	 /* the connection ends behind it */
};

struct login {
	struct buf user, secret;     /* secret: password, token, or digest */
	struct buf salt;	     /* what CRAM-MD5 or APOP challenged with */
	struct buf tag;		     /* IMAP: the tag of the login command, used with the server too */
	struct buf helo, mail, rcpt; /* SMTP: the greeting's argument; the commands as typed */
	struct buf answer; /* what the server said at the end of its login: whole lines, with CRLF */
	struct refusal refusal;
	enum sasl_method method;
	enum sasl_method back_method; /* what the auth server wants towards the backend; 0: the usual for the
					 protocol */
	bool esmtp;		      /* SMTP: said EHLO, not HELO */
	bool presentable; /* answer is the server's refusal, one reply in good form: the client may see it */
	unsigned attempt; /* counted from 1 by the session */
};

/* Set limits; no memory is taken yet. `command_max` bounds each field, `reply_max` the answer. */
void login_init(struct login *l, struct arena *home, size_t command_max, size_t reply_max);

/* Overwrite and forget who it was and how that ended: user, secret, salt, answer, refusal, methods. Tag and
 * SMTP envelope stay. */
void login_forget(struct login *l);
