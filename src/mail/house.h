/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sessions of one worker have in common; there is one per worker, made by main/worker.c. */
#pragma once
#include "mail/generation.h"

struct session;

struct house {
	struct loop *loop;
	struct auth_pool *auth_pool;
	struct generation *current; /* new sessions begin with it */
	struct generation *retired; /* older ones that still have sessions */
	struct session *sessions;
	size_t sessions_len;
	uint64_t connections;	     /* numbers given so far; what stands behind '*' in the log */
	size_t sockets, sockets_max; /* worker_connections */
	bool stopping;		     /* graceful stop: no new sessions */
	bool (*debugged)(const struct house *house,
			 const struct addr *client); /* does debug_connection name it? NULL: nobody */
	void (*emptied)(struct house *house);	     /* while stopping: the last session is gone */
};
