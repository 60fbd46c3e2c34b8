/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker gives up before it talks to strangers. */
#pragma once
#include "base/str.h"
#include <sys/types.h>

struct identity {
	uid_t uid;
	gid_t gid;
	const char *user; /* for the supplementary groups */
};

/* Become that user for good. False with errno and *step. */
bool identity_take(const struct identity *id, const char **step);

/* No new privileges by exec. */
void privileges_lock(void);

/* No core file and no look into our memory by others of our user: it holds keys and passwords. */
void privileges_hide_memory(void);
