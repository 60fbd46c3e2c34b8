/* SPDX-License-Identifier: BSD-2-Clause */
/* POP3 before login (RFC 1939, 2449, 5034): what the folder offers, and the settings that its two dialogs
 * read. */
#pragma once
#include "talk/front.h"
#include "talk/protocol.h"

/* How the server learns who the client is. */
enum pop3_identity {
	POP3_IDENTITY_OFF,
	POP3_IDENTITY_XCLIENT, /* where the greeting says [XCLIENT], or TLS came later */
	POP3_IDENTITY_XOIP,
};

struct pop3_settings {
	struct front_settings front;
	unsigned identity; /* enum pop3_identity */
};

extern const struct protocol pop3_protocol;

extern const struct dialog_ops pop3_front, pop3_back;
