/* SPDX-License-Identifier: BSD-2-Clause */
/* IMAP before login (RFC 9051): what the folder offers, and the settings that its two dialogs read. */
#pragma once
#include "talk/front.h"
#include "talk/protocol.h"

/* How the server learns who the client is. */
enum imap_identity {
	IMAP_IDENTITY_OFF,
	IMAP_IDENTITY_ON,     /* ID in Dovecot's words, where the server announces ID */
	IMAP_IDENTITY_ALWAYS, /* the same, without looking */
	IMAP_IDENTITY_ZIMBRA, /* in Zimbra's words, without looking */
};

struct imap_settings {
	struct front_settings front;
	unsigned identity; /* enum imap_identity */
	bool pipelining;   /* ID and the login go out in one write */
};

extern const struct protocol imap_protocol;

extern const struct dialog_ops imap_front, imap_back;
