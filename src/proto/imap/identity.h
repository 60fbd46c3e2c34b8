/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ID command (RFC 2971), both ways: what a client says about itself is kept, and goes on to its server
 * together with what we know of the client. Servers believe the fields that begin with "x-" when they trust
 * our address, so a client's own of that kind are dropped.
 */
#pragma once
#include "proto/imap/imap.h"

/*
 * Keep an ID command's argument, "(" pairs ")" or NIL, literals included: each pair as two quoted strings, a
 * blank before each. Nothing is kept of a list that cannot be read, has more than 30 pairs, or does not fit;
 * a pair whose key has more than 30 bytes, whose value more than 1024, or that no quoted string can hold, is
 * left out.
 */
void imap_keep_id(struct str list, struct buf *to);

/* Append "ID (…)" and the line's end for the server, in the words of Dovecot or of Zimbra. */
void imap_put_id(struct dialog *d, bool zimbra);
