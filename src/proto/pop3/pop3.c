/* SPDX-License-Identifier: BSD-2-Clause */
/* POP3's directives and its descriptor. */
#include "proto/pop3/pop3.h"

/* clang-format off */
#define FIELD(member) .offset = offsetof(struct pop3_settings, member)
#define BOTH .where = IN_MAIL | IN_SERVER
#define BACK .where = IN_MAIL | IN_SERVER | IN_UPSTREAM

static const struct choice METHODS[] = {
	{ "plain", SASL_PLAIN | SASL_LOGIN }, { "apop", SASL_APOP }, { "cram-md5", SASL_CRAM_MD5 },
	{ "external", SASL_EXTERNAL }, { "xoauth2", SASL_XOAUTH2 },
	{ "oauthbearer", SASL_OAUTHBEARER }, { NULL, 0 }
};

static const struct choice IDENTITIES[] = {
	{ "off", POP3_IDENTITY_OFF }, { "on", POP3_IDENTITY_XCLIENT }, { "xoip", POP3_IDENTITY_XOIP },
	{ NULL, 0 }
};

static const struct directive ROWS[] = {
	{ .name = "pop3_auth", BOTH, .min = 1, .flags = CONF_UNLIMITED | CONF_REPEATS, .slot = SLOT_BITS,
	  FIELD(front.methods), .choices = METHODS, .preset = "plain",
	  .args = "plain | apop | cram-md5 | external | xoauth2 | oauthbearer …",
	  .help = "The mechanisms announced to POP3 clients; plain stands for USER and PASS, PLAIN and "
		  "LOGIN, which are always accepted. With apop or cram-md5 the greeting carries a "
		  "challenge." },
	{ .name = "pop3_capabilities", BOTH, .min = 1, .flags = CONF_UNLIMITED | CONF_REPEATS,
	  .slot = SLOT_LIST, FIELD(front.capabilities), .preset = "TOP USER UIDL", .args = "extension …",
	  .help = "The capabilities that CAPA lists before login, in this order; SASL and STLS are "
		  "added. List what the mail servers have." },
	{ .name = "pop3_client_buffer", BOTH, .min = 1, .max = 1, .slot = SLOT_SIZE,
	  FIELD(front.client_buffer),
	  .least = 32, .most = 1 << 20, .preset = "8k", .args = "size",
	  .help = "The longest command before login. The default holds an OAuth token of 4 KB." },
	{ .name = "pop3_proxy_xclient", BACK, .min = 1, .max = 1, .slot = SLOT_ENUM, FIELD(identity),
	  .choices = IDENTITIES, .preset = "off", .args = "on | off | xoip",
	  .help = "Tell the POP3 server who the client is, behind STLS and before the login: with XCLIENT "
		  "where its greeting says [XCLIENT], as Dovecot's does to login_trusted_networks, or with "
		  "XOIP and the address alone. An upstream's own line wins." },
	{ .name = NULL }
};
/* clang-format on */

const struct protocol pop3_protocol = {
	.module = { .name = "pop3",
		    .places = IN_MAIL | IN_SERVER | IN_UPSTREAM,
		    .size = sizeof(struct pop3_settings),
		    .directives = ROWS },
	.name = "pop3",
	.ports = { 110, 995 },
	.alpn = { "pop3" },
	.front = &pop3_front,
	.back = &pop3_back,
	.line_max = protocol_line_max,
	.greeting_delay = protocol_no_delay,
	.needs_secret = protocol_needs_secret,
};
