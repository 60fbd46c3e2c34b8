/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring; see cache_ring.h, and net/tls_cache.c, which is laid out in the same way.
 *
 * Records lie one behind the other; a new one overwrites the oldest. A position counts bytes since the
 * beginning: an entry is there as long as the head is less than a ring ahead of it. Each bucket of the table
 * holds the position of its newest entry, each entry that of the one before in its bucket; a chain ends where
 * it leaves the ring. A record that takes the place of another lies where that was, if it fits there.
 */
#include "auth/cache_ring.h"

#include "base/lock.h"
#include "base/mem.h"
#include "base/must.h"
#include <string.h>

struct cache_ring {
	pthread_mutex_t lock;
	uint64_t flushes;
	uint64_t buckets; /* a power of two */
	uint64_t size;	  /* of the ring behind the buckets, a multiple of 8 */
	uint64_t head;
	uint64_t memory[];
};

struct entry {
	uint64_t before; /* position of the next older one in the bucket */
	struct cache_life life;
	struct cache_id id;
	uint32_t len;  /* 0: dropped */
	uint32_t room; /* for another record in the same place */
	char record[];
};

enum { BYTES_A_RECORD = 256, NONE = 0 };

/* --- layout --- */

/* Positions begin one ring further on, so that 0 is in no ring. */
static void clear(struct cache_ring *r)
{
	memset(r->memory, 0, r->buckets * sizeof(uint64_t) + r->size);
	r->head = r->size;
}

struct cache_ring *cache_ring_make(void *at, size_t bytes)
{
	struct cache_ring *r = at;

	must(bytes >= CACHE_RING_LEAST);
	lock_init(&r->lock);
	r->buckets = 1;
	while (r->buckets * 2 <= bytes / BYTES_A_RECORD)
		r->buckets *= 2;
	r->size = (bytes - sizeof(*r) - r->buckets * sizeof(uint64_t)) / 8 * 8;
	r->head = r->size;
	return r;
}

static void take(struct cache_ring *r)
{
	if (lock_take(&r->lock))
		clear(r);
}

static struct entry *entry_at(struct cache_ring *r, uint64_t position)
{
	return (void *)((char *)(r->memory + r->buckets) + position % r->size);
}

static bool is_there(const struct cache_ring *r, uint64_t position)
{
	return position != NONE && position + r->size >= r->head;
}

static uint64_t *bucket_of(struct cache_ring *r, const struct cache_id *id)
{
	uint64_t hash;

	memcpy(&hash, id->question, sizeof(hash));
	return &r->memory[hash & (r->buckets - 1)];
}

/* The entry for this question, whatever the password was. */
static struct entry *find(struct cache_ring *r, const struct cache_id *id)
{
	for (uint64_t at = *bucket_of(r, id); is_there(r, at); at = entry_at(r, at)->before) {
		struct entry *e = entry_at(r, at);

		if (e->len != 0 && memcmp(e->id.question, id->question, CACHE_ID) == 0)
			return e;
	}
	return NULL;
}

static bool is_exactly(const struct entry *e, const struct cache_id *id)
{
	return e != NULL && memcmp(e->id.asked, id->asked, CACHE_ID) == 0;
}

static void drop(struct entry *e)
{
	mem_wipe(e->record, e->len);
	e->len = 0;
}

/* Make room at the head; its position. */
static uint64_t reserve(struct cache_ring *r, size_t size)
{
	uint64_t at = r->head, rest = r->size - at % r->size;

	if (rest < size)
		at += rest;
	r->head = at + size;
	return at;
}

static struct entry *append(struct cache_ring *r, const struct cache_id *id, size_t len)
{
	size_t room = (len + 7) / 8 * 8;
	uint64_t at = reserve(r, sizeof(struct entry) + room), *bucket = bucket_of(r, id);
	struct entry *e = entry_at(r, at);

	*e = (struct entry){ .before = *bucket, .room = (uint32_t)room };
	*bucket = at;
	return e;
}

/* --- what can be done --- */

uint64_t cache_ring_flushes(const struct cache_ring *r)
{
	return __atomic_load_n(&r->flushes, __ATOMIC_RELAXED);
}

void cache_ring_put(struct cache_ring *r, uint64_t flushes, const struct cache_id *id, struct cache_life life,
		    struct str record)
{
	struct entry *e;

	if (record.len == 0 || record.len > CACHE_RECORD_MOST)
		return;
	take(r);
	if (r->flushes == flushes) {
		e = find(r, id);
		if (e != NULL && e->room < record.len) {
			drop(e);
			e = NULL;
		}
		if (e == NULL)
			e = append(r, id, record.len);
		else
			drop(e);
		e->id = *id;
		e->life = life;
		e->len = (uint32_t)record.len;
		memcpy(e->record, record.at, record.len);
	}
	lock_give(&r->lock);
}

size_t cache_ring_get(struct cache_ring *r, const struct cache_id *id, struct cache_life *life,
		      char to[static CACHE_RECORD_MOST])
{
	const struct entry *e;
	size_t len = 0;

	take(r);
	e = find(r, id);
	if (is_exactly(e, id)) {
		len = e->len;
		*life = e->life;
		memcpy(to, e->record, len);
	}
	lock_give(&r->lock);
	return len;
}

void cache_ring_drop(struct cache_ring *r, const struct cache_id *id)
{
	struct entry *e;

	take(r);
	e = find(r, id);
	if (is_exactly(e, id))
		drop(e);
	lock_give(&r->lock);
}

static size_t flush_bucket(struct cache_ring *r, uint64_t at, const uint64_t *user)
{
	size_t n = 0;

	for (; is_there(r, at); at = entry_at(r, at)->before) {
		struct entry *e = entry_at(r, at);

		if (e->len == 0 || (user != NULL && e->id.user != *user))
			continue;
		drop(e);
		n++;
	}
	return n;
}

size_t cache_ring_flush(struct cache_ring *r, const uint64_t *user)
{
	size_t n = 0;

	take(r);
	__atomic_add_fetch(&r->flushes, 1, __ATOMIC_RELAXED);
	for (uint64_t i = 0; i < r->buckets; i++)
		n += flush_bucket(r, r->memory[i], user);
	lock_give(&r->lock);
	return n;
}
