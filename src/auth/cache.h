/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_cache: answers that are kept, in front of a server block's sources.
 *
 * A yes and a no are kept, each for its own time; temporary errors, WAIT and one-time things (digests) are
 * not, nor are refusals that say that they are temporary. A yes that is too old serves on for a while when
 * the sources are unable to answer. Who asks what somebody else is asking already waits for that answer.
 */
#pragma once
#include "auth/auth.h"
#include "auth/cache_shared.h"

struct cache_conf {
	struct cache_zone_conf {
		struct str name;
		uint64_t bytes; /* 0: off */
	} zone;
	struct cache_valid {
		uint64_t ok_ms, denied_ms; /* 0: not kept */
	} valid;
	uint64_t stale_ms;
	unsigned ignore;
};

const struct cache_conf *cache_conf(const struct scope *s);

/* Put a cache before `inner`, which it owns from then on; or `inner` itself when the server block has none.
 */
struct auth_source *auth_cache_new(const struct auth_tools *tools, const struct scope *server,
				   struct auth_source *inner);
