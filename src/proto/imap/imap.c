/* SPDX-License-Identifier: BSD-2-Clause */
/* IMAP's directives and its descriptor. */
#include "proto/imap/imap.h"

/* clang-format off */
#define FIELD(member) .offset = offsetof(struct imap_settings, member)
#define BOTH .where = IN_MAIL | IN_SERVER
#define BACK .where = IN_MAIL | IN_SERVER | IN_UPSTREAM

static const struct choice METHODS[] = {
	{ "plain", SASL_PLAIN }, { "login", SASL_LOGIN }, { "cram-md5", SASL_CRAM_MD5 },
	{ "external", SASL_EXTERNAL }, { "xoauth2", SASL_XOAUTH2 }, { "oauthbearer", SASL_OAUTHBEARER },
	{ NULL, 0 }
};

static const struct choice IDENTITIES[] = {
	{ "off", IMAP_IDENTITY_OFF }, { "on", IMAP_IDENTITY_ON }, { "always", IMAP_IDENTITY_ALWAYS },
	{ "zimbra", IMAP_IDENTITY_ZIMBRA }, { NULL, 0 }
};

static const struct directive ROWS[] = {
	{ .name = "imap_auth", BOTH, .min = 1, .flags = CONF_UNLIMITED | CONF_REPEATS, .slot = SLOT_BITS,
	  FIELD(front.methods), .choices = METHODS, .preset = "plain",
	  .args = "plain | login | cram-md5 | external | xoauth2 | oauthbearer …",
	  .help = "The mechanisms announced to IMAP clients. PLAIN, LOGIN and the LOGIN command are "
		  "always accepted; the others only when they are listed." },
	{ .name = "imap_capabilities", BOTH, .min = 1, .flags = CONF_UNLIMITED | CONF_REPEATS,
	  .slot = SLOT_LIST, FIELD(front.capabilities), .preset = "IMAP4 IMAP4rev1 UIDPLUS",
	  .args = "extension …",
	  .help = "The capabilities announced before login, in this order; mechanisms and STARTTLS are "
		  "added. List what the mail servers have. With ID in the list the ID command is "
		  "answered before login." },
	{ .name = "imap_client_buffer", BOTH, .min = 1, .max = 1, .slot = SLOT_SIZE,
	  FIELD(front.client_buffer),
	  .least = 32, .most = 1 << 20, .preset = "4k", .args = "size",
	  .help = "The longest command before login, its literals included. An OAuth token of 4 KB "
		  "needs 8k." },
	{ .name = "imap_proxy_id", BACK, .min = 1, .max = 1, .slot = SLOT_ENUM, FIELD(identity),
	  .choices = IDENTITIES, .preset = "off", .args = "on | off | always | zimbra",
	  .help = "Tell the IMAP server with ID who the client is, behind STARTTLS and before the login: "
		  "addresses, session and what the client said in its own ID. on sends it where the server "
		  "announces ID, always does not ask first; both use Dovecot's fields, which it believes "
		  "from login_trusted_networks. An upstream's own line wins." },
	{ .name = "imap_proxy_pipelining", BACK, .min = 1, .max = 1, .slot = SLOT_FLAG, FIELD(pipelining),
	  .preset = "on", .args = "on | off",
	  .help = "Send ID and the login in one write. off is for servers that cannot take that." },
	{ .name = NULL }
};
/* clang-format on */

const struct protocol imap_protocol = {
	.module = { .name = "imap",
		    .places = IN_MAIL | IN_SERVER | IN_UPSTREAM,
		    .size = sizeof(struct imap_settings),
		    .directives = ROWS },
	.name = "imap",
	.ports = { 143, 993 },
	.alpn = { "imap" },
	.front = &imap_front,
	.back = &imap_back,
	.line_max = protocol_line_max,
	.greeting_delay = protocol_no_delay,
	.needs_secret = protocol_needs_secret,
};
