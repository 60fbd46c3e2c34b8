/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an answer depends on, as keyed hashes. A fact that a source is told and that is left out here would
 * give one user another's answer, so everything is in but what tells one connection from the next: the
 * client's port, the session's id and number, the count of attempts.
 */
#pragma once
#include "auth/auth.h"
#include "auth/cache_ring.h"
#include "base/digest.h"
#include "base/seal.h"

/* What auth_cache_ignore leaves out, or'ed. */
enum {
	CACHE_IGNORE_CLIENT = 1,   /* addresses and host name of the client */
	CACHE_IGNORE_SERVER = 2,   /* address and port that it reached */
	CACHE_IGNORE_TLS = 4,	   /* whether and how it is encrypted, and the name it asked for */
	CACHE_IGNORE_ENVELOPE = 8, /* SMTP: HELO, sender, recipient; never where these are all there is */
};

/* May answers to this method be kept at all? Not of a digest, whose challenge never comes again. */
bool cache_may_keep(enum sasl_method method);

/*
 * Make the id of a request, and the key that seals what is kept for it: without the client's password nobody
 * finds it. `server` tells the server block and its configuration.
 */
void cache_key(const uint8_t key[static SHA256_SIZE], struct str server, const struct auth_request *r,
	       unsigned ignore, struct cache_id *id, uint8_t seal[static SEAL_KEY]);

/* The hash of a user's name, in any case of letters. */
uint64_t cache_user(const uint8_t key[static SHA256_SIZE], struct str user);
