/* SPDX-License-Identifier: BSD-2-Clause */
/* What a protocol folder hands to the rest of the house: one descriptor. */
#pragma once
#include "conf/conf.h"
#include "talk/dialog.h"
#include "talk/escort.h"

struct protocol {
	struct module module; /* its directives; `settings` of a stage is this module's struct */
	const char *name;     /* the word of the `protocol` directive and of Auth-Protocol: "imap" */
	uint16_t ports[4];    /* the standard ones that choose this protocol, 0-terminated: 143, 993 */
	const char *alpn[3];  /* accepted ALPN names, NULL-terminated: "imap" */
	const struct dialog_ops *front, *back;
	const struct escort_ops *escort; /* goes along behind logins that want it; NULL: never */
	/* The longest command that the front takes, from the module's struct (imap_client_buffer …). */
	size_t (*line_max)(const void *settings);
	bool wants_client_host; /* the client's DNS name is looked up first (SMTP) */
	/* SMTP's greeting delay in ms, 0 elsewhere. */
	uint64_t (*greeting_delay)(const void *settings);
	/* Will the back need a password for this login? IMAP and POP3: yes; SMTP: only with proxy_smtp_auth.
	 */
	bool (*needs_secret)(const void *settings, const struct login *login);
};

/* What most protocols answer to the questions above: the client_buffer of struct front_settings; no delay;
 * always. */
size_t protocol_line_max(const void *settings);
uint64_t protocol_no_delay(const void *settings);
bool protocol_needs_secret(const void *settings, const struct login *login);

/* All protocols, ended by NULL; main/modules.c writes the list, tests write their own. */
extern const struct protocol *const protocols[];
