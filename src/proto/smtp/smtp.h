/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP before its session is relayed (RFC 5321, 4954, 3207): what the folder offers, and the settings that
 * its two dialogs read. */
#pragma once
#include "talk/escort.h"
#include "talk/front.h"
#include "talk/protocol.h"

struct smtp_settings {
	struct front_settings front; /* SASL_NONE among its methods: mail is taken without a login */
	uint64_t greeting_delay_ms;
	bool xclient;	       /* tell the server who the client is */
	bool proxy_auth;       /* log in at the server */
	bool route_recipients; /* without a login: look at each recipient, not at the first alone */
};

extern const struct protocol smtp_protocol;

extern const struct dialog_ops smtp_front, smtp_back;
extern const struct escort_ops smtp_escort;

/* xclient.c: the attributes of XCLIENT that a server announced, found in one line of its EHLO reply ("XCLIENT
 * NAME ADDR"), or'ed to *announced. */
void smtp_xclient_announced(struct str line, unsigned *announced);

/* Append the whole XCLIENT command without its end: ADDR, LOGIN and NAME always, the others when they are
 * announced. */
void smtp_put_xclient(struct dialog *d, unsigned announced);
