/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP's directives and its descriptor. */
#include "proto/smtp/smtp.h"

/* clang-format off */
#define FIELD(member) .offset = offsetof(struct smtp_settings, member)
#define BOTH .where = IN_MAIL | IN_SERVER
#define BACK .where = IN_MAIL | IN_SERVER | IN_UPSTREAM

static const struct choice METHODS[] = {
	{ "plain", SASL_PLAIN }, { "login", SASL_LOGIN }, { "cram-md5", SASL_CRAM_MD5 },
	{ "external", SASL_EXTERNAL }, { "xoauth2", SASL_XOAUTH2 }, { "oauthbearer", SASL_OAUTHBEARER },
	{ "none", SASL_NONE }, { NULL, 0 }
};

static const struct directive ROWS[] = {
	{ .name = "smtp_auth", BOTH, .min = 1, .flags = CONF_UNLIMITED | CONF_REPEATS, .slot = SLOT_BITS,
	  FIELD(front.methods), .choices = METHODS, .preset = "plain login",
	  .args = "plain | login | cram-md5 | external | xoauth2 | oauthbearer | none …",
	  .help = "The mechanisms announced to SMTP clients. PLAIN and LOGIN are always accepted, the "
		  "others only when they are listed. With none, mail is taken without a login, and the "
		  "first recipient chooses the server." },
	{ .name = "smtp_capabilities", BOTH, .min = 1, .flags = CONF_UNLIMITED | CONF_REPEATS,
	  .slot = SLOT_LIST, FIELD(front.capabilities), .args = "extension …",
	  .help = "The lines of the reply to EHLO, in this order, before AUTH and STARTTLS; quote those "
		  "with blanks. List only what the mail servers have." },
	{ .name = "smtp_client_buffer", BOTH, .min = 1, .max = 1, .slot = SLOT_SIZE,
	  FIELD(front.client_buffer), .least = 32, .most = 1 << 20, .preset = "4k", .args = "size",
	  .help = "The longest command before login. An OAuth token of 4 KB needs 8k." },
	{ .name = "smtp_greeting_delay", BOTH, .min = 1, .max = 1, .slot = SLOT_MSEC,
	  FIELD(greeting_delay_ms), .preset = "0", .args = "time",
	  .help = "Wait so long before the greeting, and refuse clients that speak before it." },
	{ .name = "smtp_route_recipients", BOTH, .min = 1, .max = 1, .slot = SLOT_FLAG,
	  FIELD(route_recipients), .preset = "off", .args = "on | off",
	  .help = "With smtp_auth none: look at each recipient, not at the first alone. One that goes to "
		  "another server is refused for now with 451, so that the sender brings it again by itself; "
		  "before any recipient was taken, the connection goes on at that server." },
	{ .name = "xclient", BACK, .min = 1, .max = 1, .slot = SLOT_FLAG, FIELD(xclient), .preset = "on",
	  .args = "on | off",
	  .help = "Tell the SMTP server with XCLIENT who the client is: address, name and login, and "
		  "whatever else of port, protocol, HELO name and destination the server announces." },
	{ .name = "proxy_smtp_auth", BACK, .min = 1, .max = 1, .slot = SLOT_FLAG, FIELD(proxy_auth),
	  .preset = "off", .args = "on | off",
	  .help = "Log in at the SMTP server with the client's name and password: AUTH PLAIN, or the "
		  "OAuth mechanism that the authentication server asks for." },
	{ .name = NULL }
};
/* clang-format on */

static uint64_t greeting_delay(const void *settings)
{
	const struct smtp_settings *s = settings;

	return s->greeting_delay_ms;
}

static bool needs_secret(const void *settings, const struct login *login)
{
	const struct smtp_settings *s = settings;

	return s->proxy_auth && login->method != SASL_NONE;
}

const struct protocol smtp_protocol = {
	.module = { .name = "smtp",
		    .places = IN_MAIL | IN_SERVER | IN_UPSTREAM,
		    .size = sizeof(struct smtp_settings),
		    .directives = ROWS },
	.name = "smtp",
	.ports = { 25, 465, 587 },
	.alpn = { "smtp" },
	.front = &smtp_front,
	.back = &smtp_back,
	.escort = &smtp_escort,
	.line_max = protocol_line_max,
	.wants_client_host = true,
	.greeting_delay = greeting_delay,
	.needs_secret = needs_secret,
};
