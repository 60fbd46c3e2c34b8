/* SPDX-License-Identifier: BSD-2-Clause */
/* A session that is relayed under the eyes of an escort: see escorted.c. Seen by the session's own files
 * only. */
#pragma once
#include "auth/auth.h"
#include "loop/loop.h"
#include "talk/escort.h"

struct session;

struct escorting {
	struct escort *escort; /* NULL before the first time */
	struct arena *home;    /* of the question that is under way; NULL: none */
	auth_done_fn *done;    /* to whom the question comes otherwise */
	struct task again;
	size_t command_len; /* what the question is about, at the front of the client's bytes */
	unsigned moves;	    /* to other servers */
	bool shut;	    /* our side of the server's stream is closed */
};

/* Has this login an escort to go along? Then relay with it. */
bool session_wants_escort(const struct session *s);
void session_escort(struct session *s);

/* Nothing of it comes any more. Allowed for a session without. */
void session_forget_escort(struct session *s);
