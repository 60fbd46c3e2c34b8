/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client has said about itself before its session is relayed, and what its server said at the end of the login: the one struct that the
 * front, the question to the authentication source, and the back share. Every field is a bounded buffer in the session's
 * arena, cleared for the next attempt and wiped at the end.
 */
#pragma once
#include "base/buf.h"
#include "sasl/sasl.h"

struct login {
	struct buf user, secret;	/* secret: password, token, or digest */
	struct buf salt;		/* what CRAM-MD5 or APOP challenged with */
	struct buf tag;			/* IMAP: the tag of the login command, used with the server too */
	struct buf helo, mail, rcpt;	/* SMTP: the greeting's argument; the commands as typed */
	struct buf answer;		/* from the server, for the client: its last lines, with CRLF, whole */
	enum sasl_method method;
	enum sasl_method back_method;	/* what the auth server wants towards the backend; 0: the usual for the protocol */
	bool esmtp;			/* SMTP: said EHLO, not HELO */
	unsigned attempt;		/* counted from 1 */
};

/* Set limits; no memory is taken yet. `most` bounds each field. */
void login_init(struct login *l, struct arena *home, size_t most);

/* Forget and overwrite who it was and what was said: user, secret, tag, answer, method. Salt and the SMTP envelope stay. */
void login_forget(struct login *l);
