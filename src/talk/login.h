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

/* What a server's refusal means. */
enum failure {
	FAILURE_NONE,
	FAILURE_CREDENTIALS, /* name or secret are wrong */
	FAILURE_UNCLEAR, /* no reason given. Where somebody else has vouched for the client, trouble of ours;
			    where only the server could judge, as FAILURE_CREDENTIALS */
	FAILURE_ACCOUNT, /* the account may not, and a new attempt would not help: the server's own words do
			  */
	FAILURE_LIMIT,	 /* in use, too many, too soon: the server's own words */
	FAILURE_TEMPORARY, /* trouble that may pass, a reply that makes no sense; another server may do */
	FAILURE_CONFIG, /* server and configuration do not fit: loud in the log, and no other server helps */
};
enum { FAILURE_KINDS = FAILURE_CONFIG + 1 };

struct login {
	struct buf user, secret; /* secret: password, token, or digest */
	struct buf master; /* log in as this one, who may act for `user`; the secret is then the master's */
	struct buf salt;   /* what CRAM-MD5 or APOP challenged with */
	struct buf tag;	   /* IMAP: the tag of the login command, used with the server too */
	struct buf id;	   /* IMAP: what the client's ID told: pairs of quoted strings, a blank before each */
	struct buf helo, mail, rcpt; /* SMTP: the greeting's argument; the commands as typed */
	struct buf answer; /* what the server said at the end of its login: whole lines, with CRLF */
	struct refusal refusal;
	enum sasl_method method;
	enum sasl_method back_method; /* what the auth server wants towards the backend; 0: the usual for the
					 protocol */
	bool esmtp;		      /* SMTP: said EHLO, not HELO */
	bool presentable; /* answer is the server's refusal, one reply in good form: the client may see it */
	enum failure failure;  /* back, with WANT_GIVE_UP: why. `refusal` then holds the server's words where
				  the  client is to read them */
	bool exposed;	       /* the secret has been said to the server, or what proves it */
	bool asked_capability; /* IMAP: the client has seen a capability list since TLS */
	unsigned attempt;      /* counted from 1 by the session */
};

/* Set limits; no memory is taken yet. `command_max` bounds each field, `reply_max` the answer. */
void login_init(struct login *l, struct arena *home, size_t command_max, size_t reply_max);

/* Overwrite and forget who it was and how that ended: user, secret, master, salt, answer, refusal, methods.
 * Tag, ID and SMTP envelope stay. */
void login_forget(struct login *l);

/* Forget how a server has ended it: answer, refusal, failure, and that it has heard the secret. For the next
 * server. */
void login_forget_answer(struct login *l);
