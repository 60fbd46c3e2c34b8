/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stage for one dialog without a session: settings read from directive rows, a login, an output buffer, and
 * what is noted for the log. Serves the transcripts and the fuzzer.
 */
#pragma once
#include "talk/protocol.h"

struct scene {
	const struct protocol *protocol;
	struct arena *arena;
	void *settings;
	struct stage stage;
	struct login login;
	struct buf out, notes; /* notes: one line each */
	struct dialog *dialog;
	bool secure;
};

/* Defaults of the protocol's rows; a client at 192.0.2.7:40000 who came to 198.51.100.1:PORT; server_name
 * mail.example. */
void scene_init(struct scene *s, const struct protocol *p);

/* "NAME ARG …": a directive of the protocol, or starttls, tls, server_name, max_errors, max_commands, buffer,
 * client, server, client_port, host; for a back also secures, vouched, retells, client_secure, session,
 * asked_name, ttl. False when unknown. */
bool scene_set(struct scene *s, struct str line);

/* Make the dialog; it is not opened yet. */
void scene_cast(struct scene *s, const struct dialog_ops *ops);

void scene_done(struct scene *s);
