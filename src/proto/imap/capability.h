/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capability lists of servers (RFC 9051 section 6.1.1): what of them decides how we log in, and what of them
 * a client may hear behind the login.
 */
#pragma once
#include "base/buf.h"

enum imap_word {
	IMAP_STARTTLS = 1,
	IMAP_LOGINDISABLED = 2,
	IMAP_SASL_IR = 4,
	IMAP_LITERAL_PLUS = 8,
	IMAP_LITERAL_MINUS = 16,
	IMAP_ID = 32,
};

struct imap_caps {
	bool known;	  /* a list was seen */
	unsigned words;	  /* enum imap_word, or'ed */
	unsigned methods; /* enum sasl_method, or'ed: AUTH=… */
};

/* Read a list, "IMAP4rev1 ID AUTH=PLAIN"; what was known before is forgotten. */
void imap_caps_learn(struct imap_caps *c, struct str list);

/* Does a response's text begin with "[CAPABILITY …]"? Then it is moved behind that, and *list is what stands
 * in it. */
bool imap_caps_code(struct str *text, struct str *list);

/* Append each word with a blank before it, but for those that speak of what has happened already: STARTTLS,
 * LOGINDISABLED, SASL-IR, AUTH=…, and LOGIN-REFERRALS, which is between servers. */
void imap_put_caps(struct buf *to, struct str list);
