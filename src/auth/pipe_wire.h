/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a worker and a helper process say to one another: one question, one answer, each a message of bounded
 * length whose parts stand in a fixed order, numbers in 8 bytes, texts with their length before them.
 *
 * Both ends run on one machine and are of one build, which the first part of each message proves: a helper
 * of another version is refused rather than misread.
 */
#pragma once
#include "base/buf.h"

/* A message never exceeds the first two; a text in it never the third. */
enum { PIPE_QUESTION_MAX = 64 * 1024, PIPE_ANSWER_MAX = 16 * 1024, PIPE_TEXT_MAX = 16 * 1024 };

/* How many variables a source's settings may use. */
enum { PIPE_VALUES_MAX = 32 };

struct pipe_question {
	struct str user, secret; /* as the client said them; the secret is a digest with CRAM-MD5 and APOP */
	struct str salt;	 /* what these were challenged with */
	struct str protocol;	 /* "imap", "pop3", "smtp" */
	struct str client_ip, server_ip, session; /* the last: the id of the session, for logs */
	uint64_t client_port, server_port;
	uint64_t method; /* enum sasl_method */
	uint64_t tls;	 /* 1: the client speaks TLS */
	uint64_t values_len;
	struct str values[PIPE_VALUES_MAX]; /* of the variables in the order's settings, in their order */
};

/* Values are those of the wire. */
enum pipe_verdict { PIPE_OK = 1, PIPE_DENIED, PIPE_UNKNOWN, PIPE_BROKEN, PIPE_VERDICT_MAX = PIPE_BROKEN };

/* Why PIPE_DENIED. */
enum pipe_failure {
	PIPE_CREDENTIALS, /* wrong password */
	PIPE_DISABLED,	  /* right, but the account is switched off */
	PIPE_EXPIRED,	  /* right, but the account's time is over, or the password has to be changed */
	PIPE_FORBIDDEN,	  /* right, but not from this network or for this protocol */
	PIPE_FAILURE_MAX = PIPE_FORBIDDEN
};

/* Texts at NULL are not given: nothing is replaced. */
struct pipe_answer {
	uint64_t verdict, failure; /* enum pipe_verdict, enum pipe_failure */
	struct str
		cause; /* for the log: PIPE_BROKEN: what is wrong and how to mend it; else a notice, if any */
	uint64_t repeated;	 /* PIPE_BROKEN: 1 when this helper has said that very cause before */
	struct str message;	 /* PIPE_DENIED: for the client; at NULL: the usual words */
	struct str user, secret; /* what to log in with at the server */
	struct str target;	 /* upstream name, host[:port], unix:PATH */
	uint64_t port;		 /* 0: the protocol's */
	uint64_t tls;		 /* towards the server: 0 as configured, 1 off, 2 on, 3 starttls */
	struct str tls_name, master;
	uint64_t cache_ms; /* PIPE_CACHE_AS_CONFIGURED, or how long the answer may be kept */
};

#define PIPE_CACHE_AS_CONFIGURED UINT64_MAX

/* Append a message to an empty buffer; it holds secrets afterwards. False when something in it is too long:
 * nobody can be asked that. */
bool pipe_question_put(struct buf *to, const struct pipe_question *q);
bool pipe_answer_put(struct buf *to, const struct pipe_answer *a);

/* Read a whole message; its texts stay where they are, in `message`. False on anything but what the two above
 * write. */
bool pipe_question_get(struct str message, struct pipe_question *q);
bool pipe_answer_get(struct str message, struct pipe_answer *a);
