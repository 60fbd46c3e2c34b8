/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server block says about all its sources together, and the manners that they have in common. */
#pragma once
#include "auth/auth.h"

/* What a refused client is told: the same for a wrong password and for a user that nobody knows. */
#define AUTH_FAILED_TEXT "Authentication failed"

struct auth_conf {
	uint64_t failure_delay_ms;
	bool next_when_unable; /* auth_next_source: a source that is unable does not end the question */
};

/* The settings of a mail or server scope. */
const struct auth_conf *auth_conf(const struct scope *s);

/* How long from `now_ms` a refusal of a question asked at `began_ms` is still held back; at least 1. */
uint64_t auth_pace(uint64_t delay_ms, uint64_t began_ms, uint64_t now_ms);
