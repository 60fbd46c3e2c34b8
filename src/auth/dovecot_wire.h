/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The auth-client protocol of Dovecot, version 1: lines of fields separated by TAB, each field with its own
 * separators escaped. Bytes in, bytes out; the connection is dovecot.c's.
 *
 * Spans of what was read lie in the line itself, which is unescaped in place.
 */
#pragma once
#include "auth/auth.h"

enum {
	DOVECOT_MAJOR = 1,
	DOVECOT_LINE_MOST = 16384, /* the longest line that is heard */
	DOVECOT_SAID_MOST = 16000, /* and said: at 16384 Dovecot hangs up */
};

/* Append a field's text with its separators escaped. */
void dovecot_put_escaped(struct buf *to, struct str text);

/* Say hello as the client of this number. */
void dovecot_put_hello(struct buf *to, uint32_t client);

/* Append question `id`. False when the login's method cannot be asked in one message, or the line would be
 * too long for Dovecot; nothing is appended. */
bool dovecot_put_question(struct buf *to, uint32_t id, const struct auth_request *r);

/* Append the answer to the error challenge of an OAuth mechanism: nothing, so that the refusal follows. */
void dovecot_put_go_on(struct buf *to, uint32_t id);

enum dovecot_word {
	DOVECOT_VERSION,  /* number: the major one */
	DOVECOT_READY,	  /* DONE: questions may be asked */
	DOVECOT_OK,	  /* number: the id; `answer` is filled, its spans in the line */
	DOVECOT_FAIL,	  /* likewise; AUTH_DENIED or AUTH_BROKEN */
	DOVECOT_CONTINUE, /* number: the id */
	DOVECOT_OTHER,	  /* a word that matters to others only */
	DOVECOT_BAD,	  /* no such line */
};

struct dovecot_line {
	enum dovecot_word word;
	uint64_t number;
	struct auth_answer answer;
	char target[320]; /* room for what answer.target points at */
};

/* Read one line of `len` bytes, without its end; it is changed. */
void dovecot_read_line(char *line, size_t len, struct dovecot_line *to);
