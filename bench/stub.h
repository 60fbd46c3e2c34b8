/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stub's connection, and the protocols that it may speak.
 */
#pragma once
#include "wire.h"

struct guest;
typedef void stub_speaker(struct guest *g, char *line);

struct stub_order {
	unsigned imap, pop3, smtp, auth, addresses;
	bool forgetful;
};

struct guest {
	struct wire wire;
	stub_speaker *hear; /* is told each line, without its LF */
	struct stub_order *order;
	const char *after;	      /* to be said once give or take is 0 */
	uint64_t give, take, bulk_at; /* bulk data that is due */
	unsigned kept_len, out_len, out_at, state;
	bool leaving;
	char tag[16], kept[512], out[512];
};

void stub_say(struct guest *g, const char *text);

/* stub_mail.c, stub_auth.c. A greeting is said when the guest comes; its line is NULL. */
stub_speaker imap_greet, imap_hear, pop3_greet, pop3_hear, smtp_greet, smtp_hear, auth_greet, auth_hear;
