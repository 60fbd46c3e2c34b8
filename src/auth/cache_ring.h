/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in memory that processes share, found by what was asked; the oldest are overwritten. Knows nothing
 * of what is in a record.
 *
 * There is at most one record for each question, that is, for each user and whatever else an answer depends
 * on but the password: who tries many passwords moves nobody else's record out.
 */
#pragma once
#include "base/str.h"

struct cache_ring;

enum { CACHE_ID = 16, CACHE_RECORD_MOST = 16384, CACHE_RING_LEAST = 64 * 1024 };

/* All are keyed hashes: see cache_key.h. */
struct cache_id {
	uint8_t question[CACHE_ID]; /* everything but the password */
	uint8_t asked[CACHE_ID];    /* everything */
	uint64_t user;		    /* the user alone, to flush him */
};

/* On the monotonic clock, which all processes of a machine share. */
struct cache_life {
	uint64_t until_ms;	 /* fresh until then */
	uint64_t stale_until_ms; /* of use until then, when there is nothing better */
};

/* Make a ring in `bytes` of zeroed memory, at least CACHE_RING_LEAST. */
struct cache_ring *cache_ring_make(void *at, size_t bytes);

/* How often it was flushed. */
uint64_t cache_ring_flushes(const struct cache_ring *r);

/* Keep a record in place of the one for the same question. Not when the ring was flushed since `flushes` was
 * asked for, or the record is longer than CACHE_RECORD_MOST. */
void cache_ring_put(struct cache_ring *r, uint64_t flushes, const struct cache_id *id, struct cache_life life,
		    struct str record);

/* Copy the record of exactly what was asked, however old, and say how long it lives: its length, or 0. */
size_t cache_ring_get(struct cache_ring *r, const struct cache_id *id, struct cache_life *life,
		      char to[static CACHE_RECORD_MOST]);

/* Forget the record of exactly what was asked. */
void cache_ring_drop(struct cache_ring *r, const struct cache_id *id);

/* Forget all records, or those of one user: how many there were. */
size_t cache_ring_flush(struct cache_ring *r, const uint64_t *user);
