/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client of the load generator says, line by line.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum protocol { IMAP, POP3, SMTP, SMTP_OPEN }; /* SMTP_OPEN: no AUTH, routed by recipient */
enum security { PLAIN, STARTTLS, IMPLICIT };
enum body { LOGIN, IDLE, PING, DOWN, UP };

/* What is done once the line came: say the step's words and … */
enum deed {
	SAY,	/* … no more */
	SECURE, /* … but before that the TLS handshake */
	TAKE,	/* … then check `bytes` of bulk data */
	GIVE,	/* … then send `bytes` of bulk data */
	REPEAT, /* … and stay here as long as it is asked for */
	HOLD,	/* … but only when all are let go */
	LEAVE,	/* … and see the proxy close */
};

/* Wait for a line that begins with `want`. */
struct step {
	const char *want, *say;
	enum deed deed;
};

enum { MOST_STEPS = 16 };

struct script {
	struct step steps[MOST_STEPS];
	unsigned len;
	char bulk_command[64];
};

void script_write(struct script *s, enum protocol protocol, enum security security, enum body body,
		  uint64_t bytes);

/* May this line come although another is waited for? Untagged responses, and all but the last of a reply. */
bool script_ignores(const char *line);
