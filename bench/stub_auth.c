/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stub's auth_http server: everybody is welcome, and is sent to the next of the mail servers.
 */
#include "stub.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { KEEPS = 1, IMAP = 2, POP3 = 4, SMTP = 8 };

void auth_greet(struct guest *g, char *line)
{
	(void)g;
	(void)line;
}

static unsigned port_of(const struct guest *g)
{
	if (g->state & IMAP)
		return g->order->imap;
	return g->state & POP3 ? g->order->pop3 : g->order->smtp;
}

static void answer(struct guest *g)
{
	static unsigned turn;
	bool keep = g->state & KEEPS && !g->order->forgetful;
	char text[256];

	snprintf(text, sizeof(text),
		 "HTTP/1.1 200 OK\r\nConnection: %s\r\nContent-Length: 0\r\nAuth-Status: OK\r\n"
		 "Auth-Server: 127.0.0.%u\r\nAuth-Port: %u\r\n\r\n",
		 keep ? "keep-alive" : "close", 2 + turn++ % g->order->addresses, port_of(g));
	stub_say(g, text);
	g->state = 0;
	g->leaving = !keep;
}

static bool is_blank(const char *line)
{
	return line[0] == '\0' || line[0] == '\r';
}

void auth_hear(struct guest *g, char *line)
{
	static const char protocol[] = "Auth-Protocol: ";

	if (is_blank(line)) {
		answer(g);
	} else if (strncmp(line, "GET ", 4) == 0) {
		g->state = strstr(line, "HTTP/1.1") != NULL ? KEEPS : 0;
	} else if (strncasecmp(line, protocol, sizeof(protocol) - 1) == 0) {
		line += sizeof(protocol) - 1;
		g->state |= *line == 'i' ? IMAP : *line == 'p' ? POP3 : SMTP;
	} else if (strncasecmp(line, "Connection: close", 17) == 0) {
		g->state &= ~(unsigned)KEEPS;
	}
}
