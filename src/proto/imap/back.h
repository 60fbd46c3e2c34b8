/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the IMAP side that faces servers share: back.c (the steps up to the login), reply.c
 * (what servers say, and what it means), retell.c (the server's capabilities, for the client). */
#pragma once
#include "proto/imap/capability.h"
#include "proto/imap/imap.h"
#include "talk/back.h"

struct imap_back {
	struct dialog dialog;
	struct imap_caps caps; /* before the login; forgotten with TLS */
	const struct state
		*behind; /* where the login's reply is heard once ID is answered; NULL: not said yet */
	enum sasl_method method;  /* of the AUTHENTICATE under way */
	struct buf list, closing; /* retell.c: capabilities after the login; what the tagged OK said */
};

static inline struct imap_back *imap_back_of(struct dialog *d)
{
	return (struct imap_back *)(void *)d;
}

/* reply.c: of what sort a line is, when the tagged one is awaited whose tag is the client's and `suffix`. */
enum imap_sort { IMAP_UNTAGGED, IMAP_BYE, IMAP_GO_ON, IMAP_AGREED, IMAP_REFUSED, IMAP_OTHER };
enum imap_sort imap_sort_of(const struct dialog *d, struct str line, const char *suffix);

/* reply.c: take the word `word` off the front of the line, any case; a blank or the line's end must follow.
 */
bool imap_take_word(struct str *line, struct str word);

/* reply.c: what is no answer to what was said last: a refusal, or nothing that can be understood. */
enum want imap_unwelcome(struct dialog *d, struct str line, enum imap_sort sort);

/* reply.c: is this tagged refusal about the server itself? */
bool imap_is_server_bug(struct str line);

/* back.c: say a command of our own, with the client's tag and `suffix`, and hear the reply in `next`. */
enum want imap_say_own(struct dialog *d, const char *suffix, const char *command, const struct state *next);

/* retell.c: is the client to hear the server's capabilities in our way, and not just what the server says? */
bool imap_retells(const struct dialog *d);

/* retell.c: an untagged line between the login and its OK: true when it was a capability list, and kept. */
bool imap_retell_keeps(struct imap_back *b, struct str line);

/* retell.c: the login's tagged OK; maybe the server has to be asked first. */
enum want imap_retell(struct imap_back *b, struct str line);
