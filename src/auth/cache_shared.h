/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of all auth_cache zones, made once by the master before it forks; zones are found by name and
 * size, so they outlive reloads.
 *
 * Its key is random, made with it, and only in the memory of our processes, not in the shared one: whoever
 * gets to see the latter learns neither users nor passwords nor what the sources answered.
 */
#pragma once
#include "auth/auth.h"
#include "base/digest.h"

struct cache_zone {
	struct cache_ring *granted,
		*denied;    /* apart, so that refusals do not move out answers that are needed */
	const uint8_t *key; /* SHA256_SIZE bytes */
};

enum { CACHE_NAME_MOST = 31, CACHE_ZONE_LEAST = 512 * 1024, CACHE_SHARED_SIZE = 256 << 20 };

/* The zone of this name and size, made if there is none. False when there is no room left for it: what was
 * once given to a zone is given back only by a restart. */
bool auth_shared_zone(struct auth_shared *s, struct str name, size_t bytes, struct cache_zone *zone);
