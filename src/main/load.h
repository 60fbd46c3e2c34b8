/* SPDX-License-Identifier: BSD-2-Clause */
/* How a configuration becomes a generation, in the master from the world, in a worker from the bundle. */
#pragma once
#include "main/options.h"
#include "mail/generation.h"

struct loader {
	const struct options *options;
	struct tls_shared *shared;		 /* NULL while only testing */
	struct upstream_shared *upstream_shared; /* the same */
	struct auth_shared *auth_shared;	 /* the same */
	/* Hears that all was read and is right in itself; NULL: nobody wants to know. */
	void (*read)(void *to);
	/* Hears what is wrong or worth saying. */
	void (*say)(void *to, enum log_level level, const char *text);
	void *to;
};

/* Map what all processes know in common, before the first fork; and give it back. What the system has no room
 * for is said, and done without. */
void load_share(struct loader *l);
void load_unshare(struct loader *l);

/* Say something through the loader, printf-like. */
void load_say(const struct loader *l, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Read everything from the world, recording it. NULL after all faults have been said. */
struct generation *load_recorded(const struct loader *l);

/* The same from a sealed bundle. */
struct generation *load_replayed(const struct loader *l, int bundle);
