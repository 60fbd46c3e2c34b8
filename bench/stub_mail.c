/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stub's mail servers. Each knows what the proxies say to log in, however they do it, and what the load
 * generator says then: NOOP, QUIT, and the two that move bulk data: FETCH N (IMAP) and BDAT N LAST (SMTP).
 */
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* g->state: what the next line is. */
enum { COMMAND, NAME, SECRET, RESPONSE };

static bool is(const char *line, const char *command)
{
	return strncasecmp(line, command, strlen(command)) == 0;
}

static void bye(struct guest *g, const char *text)
{
	stub_say(g, text);
	g->leaving = true;
}

static void say_tagged(struct guest *g, const char *text)
{
	stub_say(g, g->tag);
	stub_say(g, text);
}

void imap_greet(struct guest *g, char *line)
{
	(void)line;
	stub_say(g, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] stub ready\r\n");
}

static void imap_fetch(struct guest *g, const char *count)
{
	char text[64];

	g->give = strtoull(count, NULL, 10);
	snprintf(text, sizeof(text), "* 1 FETCH (BODY[] {%llu}\r\n", (unsigned long long)g->give);
	stub_say(g, text);
	g->after = ")\r\na2 OK stub fetched\r\n";
}

/* Does the command go on behind a literal? The server says so, unless nobody waits for it. */
static bool goes_on(struct guest *g, const char *line)
{
	size_t len = strcspn(line, "\r");

	if (len < 2 || line[len - 1] != '}')
		return false;
	if (line[len - 2] != '+')
		stub_say(g, "+ go on\r\n");
	return true;
}

static void imap_login(struct guest *g, const char *line)
{
	if (goes_on(g, line))
		g->state = g->state == NAME ? SECRET : NAME;
	else if (is(line, "AUTHENTICATE PLAIN\r"))
		stub_say(g, "+ \r\n"), g->state = RESPONSE;
	else
		say_tagged(g, " OK stub let you in\r\n"), g->state = COMMAND;
}

static void imap_command(struct guest *g, const char *line)
{
	if (is(line, "LOGIN ") || is(line, "AUTHENTICATE "))
		imap_login(g, line);
	else if (is(line, "NOOP"))
		say_tagged(g, " OK stub did nothing\r\n");
	else if (is(line, "FETCH "))
		imap_fetch(g, line + 6);
	else if (is(line, "CAPABILITY"))
		stub_say(g, "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n"),
			say_tagged(g, " OK stub said it\r\n");
	else if (is(line, "ID"))
		stub_say(g, "* ID NIL\r\n"), say_tagged(g, " OK stub\r\n");
	else if (is(line, "LOGOUT"))
		stub_say(g, "* BYE stub\r\n"), say_tagged(g, " OK stub is done\r\n"), g->leaving = true;
	else
		say_tagged(g, " BAD stub does not know that\r\n");
}

void imap_hear(struct guest *g, char *line)
{
	size_t len = strcspn(line, " \r");

	if (g->state != COMMAND) {
		imap_login(g, line);
	} else if (len < sizeof(g->tag)) {
		memcpy(g->tag, line, len);
		g->tag[len] = '\0';
		imap_command(g, line + len + (line[len] == ' '));
	}
}

void pop3_greet(struct guest *g, char *line)
{
	(void)line;
	stub_say(g, "+OK stub ready\r\n");
}

void pop3_hear(struct guest *g, char *line)
{
	if (is(line, "QUIT"))
		bye(g, "+OK stub is done\r\n");
	else if (is(line, "CAPA"))
		stub_say(g, "+OK stub can\r\nUSER\r\nSASL PLAIN\r\n.\r\n");
	else if (is(line, "AUTH PLAIN\r"))
		stub_say(g, "+ \r\n");
	else
		stub_say(g, "+OK stub did it\r\n");
}

void smtp_greet(struct guest *g, char *line)
{
	(void)line;
	stub_say(g, "220 stub ESMTP\r\n");
}

/* Half of a dialogue of its own: AUTH LOGIN asks twice, AUTH PLAIN without a response once. */
static void smtp_auth(struct guest *g, const char *line)
{
	if (is(line, "AUTH LOGIN"))
		stub_say(g, "334 VXNlcm5hbWU6\r\n"), g->state = NAME;
	else if (g->state == NAME)
		stub_say(g, "334 UGFzc3dvcmQ6\r\n"), g->state = SECRET;
	else if (is(line, "AUTH PLAIN\r"))
		stub_say(g, "334 \r\n"), g->state = RESPONSE;
	else
		stub_say(g, "235 2.7.0 stub let you in\r\n"), g->state = COMMAND;
}

void smtp_hear(struct guest *g, char *line)
{
	if (g->state != COMMAND || is(line, "AUTH "))
		smtp_auth(g, line);
	else if (is(line, "EHLO "))
		stub_say(g, "250-stub\r\n250-AUTH PLAIN LOGIN\r\n250-CHUNKING\r\n250 SIZE\r\n");
	else if (is(line, "BDAT ")) {
		g->take = strtoull(line + 5, NULL, 10);
		g->after = "250 stub took it all\r\n";
	} else if (is(line, "XCLIENT "))
		stub_say(g, "220 stub ESMTP\r\n");
	else if (is(line, "QUIT"))
		bye(g, "221 2.0.0 stub is done\r\n");
	else
		stub_say(g, "250 stub did it\r\n");
}
