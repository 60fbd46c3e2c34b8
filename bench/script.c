/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dialogues; see script.h.
 */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* \0user@example.com\0password */
#define RESPONSE "AHVzZXJAZXhhbXBsZS5jb20AcGFzc3dvcmQ="

static const struct step imap_plain[] = { { "* OK", "a1 LOGIN user@example.com password\r\n", SAY }, { 0 } };
static const struct step imap_starttls[] = {
	{ "* OK", "a0 STARTTLS\r\n", SAY },
	{ "a0 OK", "a1 LOGIN user@example.com password\r\n", SECURE },
	{ 0 },
};
static const struct step pop3_plain[] = {
	{ "+OK", "USER user@example.com\r\n", SAY },
	{ "+OK", "PASS password\r\n", SAY },
	{ 0 },
};
static const struct step pop3_starttls[] = {
	{ "+OK", "STLS\r\n", SAY },
	{ "+OK", "USER user@example.com\r\n", SECURE },
	{ "+OK", "PASS password\r\n", SAY },
	{ 0 },
};
static const struct step smtp_plain[] = {
	{ "220 ", "EHLO bench.example\r\n", SAY },
	{ "250 ", "AUTH PLAIN " RESPONSE "\r\n", SAY },
	{ 0 },
};
static const struct step smtp_starttls[] = {
	{ "220 ", "EHLO bench.example\r\n", SAY },
	{ "250 ", "STARTTLS\r\n", SAY },
	{ "220 ", "EHLO bench.example\r\n", SECURE },
	{ "250 ", "AUTH PLAIN " RESPONSE "\r\n", SAY },
	{ 0 },
};
static const struct step open_plain[] = {
	{ "220 ", "EHLO bench.example\r\n", SAY },
	{ "250 ", "MAIL FROM:<ada@example.org>\r\n", SAY },
	{ "250 ", "RCPT TO:<user@example.com>\r\n", SAY },
	{ 0 },
};
static const struct step open_starttls[] = {
	{ "220 ", "EHLO bench.example\r\n", SAY },	   { "250 ", "STARTTLS\r\n", SAY },
	{ "220 ", "EHLO bench.example\r\n", SECURE },	   { "250 ", "MAIL FROM:<ada@example.org>\r\n", SAY },
	{ "250 ", "RCPT TO:<user@example.com>\r\n", SAY }, { 0 },
};

/* `agreed`: the answer to the login; `did`: the server's to NOOP; `done`: to the end. */
static const struct tongue {
	const struct step *plain, *starttls;
	const char *agreed, *noop, *did, *quit, *done;
} tongues[] = {
	[IMAP] = { imap_plain, imap_starttls, "a1 OK", "a2 NOOP\r\n", "a2 OK stub", "a3 LOGOUT\r\n",
		   "a3 OK" },
	[POP3] = { pop3_plain, pop3_starttls, "+OK", "NOOP\r\n", "+OK stub", "QUIT\r\n", "+OK stub" },
	[SMTP] = { smtp_plain, smtp_starttls, "235 ", "NOOP\r\n", "250 stub", "QUIT\r\n", "221 " },
	[SMTP_OPEN] = { open_plain, open_starttls, "250 ", "NOOP\r\n", "250 stub", "QUIT\r\n", "221 " },
};

static void add(struct script *s, const char *want, const char *say, enum deed deed)
{
	if (s->len == MOST_STEPS)
		abort();
	s->steps[s->len++] = (struct step){ want, say, deed };
}

static void add_fetch(struct script *s, uint64_t bytes)
{
	snprintf(s->bulk_command, sizeof(s->bulk_command), "a2 FETCH %llu\r\n", (unsigned long long)bytes);
	add(s, "a1 OK", s->bulk_command, SAY);
	add(s, "* 1 FETCH", NULL, TAKE);
}

static void add_message(struct script *s, uint64_t bytes)
{
	snprintf(s->bulk_command, sizeof(s->bulk_command), "BDAT %llu LAST\r\n", (unsigned long long)bytes);
	add(s, "235 ", "MAIL FROM:<ada@example.org>\r\n", SAY);
	add(s, "250 ", "RCPT TO:<user@example.com>\r\n", SAY);
	add(s, "250 ", s->bulk_command, GIVE);
}

void script_write(struct script *s, enum protocol protocol, enum security security, enum body body,
		  uint64_t bytes)
{
	const struct tongue *t = &tongues[protocol];
	const struct step *opening = security == STARTTLS ? t->starttls : t->plain;

	s->len = 0;
	for (; opening->want != NULL; opening++)
		add(s, opening->want, opening->say, opening->deed);
	if (body == DOWN)
		add_fetch(s, bytes);
	else if (body == UP)
		add_message(s, bytes);
	else
		add(s, t->agreed, t->noop, body == IDLE ? HOLD : SAY);
	add(s, t->did, body == PING ? t->noop : t->quit, body == PING ? REPEAT : SAY);
	if (body == PING)
		add(s, t->did, t->quit, SAY);
	add(s, t->done, NULL, LEAVE);
}

bool script_ignores(const char *line)
{
	return line[0] == '*' || line[0] == ')' ||
	       (line[0] != '\0' && line[1] != '\0' && line[2] != '\0' && line[3] == '-');
}
