/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones in one mapping that costs nothing until it is used; see cache_shared.h. A list of them stands at its
 * beginning. A zone whose size changes gets a new place: workers may still use the old one.
 */
#include "auth/cache_shared.h"

#include "auth/cache_key.h"
#include "base/lock.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ZONES_MOST = 64, PAGE = 4096, DENIED_SHARE = 8 };

struct plot {
	char name[CACHE_NAME_MOST + 1];
	uint64_t bytes, at;
};

/* At the beginning of the mapping. */
struct places {
	pthread_mutex_t lock;
	uint64_t used; /* bytes of the mapping */
	uint64_t len;
	struct plot list[ZONES_MOST];
};

struct auth_shared {
	uint8_t key[SHA256_SIZE];
	struct places *places;
};

static uint64_t pages(uint64_t bytes)
{
	return (bytes + PAGE - 1) / PAGE * PAGE;
}

struct auth_shared *auth_shared_new(void)
{
	struct auth_shared *s;
	void *at = mmap(NULL, CACHE_SHARED_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	madvise(at, CACHE_SHARED_SIZE, MADV_DONTDUMP);
	s = mem_new(sizeof(*s));
	s->places = at;
	random_bytes(s->key, sizeof(s->key));
	lock_init(&s->places->lock);
	s->places->used = pages(sizeof(*s->places));
	return s;
}

void auth_shared_free(struct auth_shared *s)
{
	if (s == NULL)
		return;
	munmap(s->places, CACHE_SHARED_SIZE);
	mem_wipe(s->key, sizeof(s->key));
	free(s);
}

static struct cache_ring *granted_at(const struct auth_shared *s, const struct plot *p)
{
	return (void *)((char *)s->places + p->at);
}

static struct cache_ring *denied_at(const struct auth_shared *s, const struct plot *p)
{
	return (void *)((char *)s->places + p->at + p->bytes - p->bytes / DENIED_SHARE);
}

static struct plot *find(struct places *all, struct str name, size_t bytes)
{
	for (uint64_t i = 0; i < all->len; i++)
		if (str_eq(str_of(all->list[i].name), name) && all->list[i].bytes == bytes)
			return &all->list[i];
	return NULL;
}

/* It counts as there only when it is complete: its maker may die anywhere before. */
static struct plot *make(const struct auth_shared *s, struct str name, size_t bytes)
{
	struct places *all = s->places;
	struct plot *p = &all->list[all->len];

	if (all->len == ZONES_MOST || bytes > CACHE_SHARED_SIZE - all->used)
		return NULL;
	*p = (struct plot){ .bytes = bytes, .at = all->used };
	memcpy(p->name, name.at, name.len);
	all->used += bytes;
	cache_ring_make(granted_at(s, p), bytes - bytes / DENIED_SHARE);
	cache_ring_make(denied_at(s, p), bytes / DENIED_SHARE);
	all->len++;
	return p;
}

bool auth_shared_zone(struct auth_shared *s, struct str name, size_t bytes, struct cache_zone *zone)
{
	struct plot *p;

	if (name.len > CACHE_NAME_MOST || bytes < CACHE_ZONE_LEAST || bytes > CACHE_SHARED_SIZE)
		return false;
	bytes = pages(bytes);
	/* parts are pages too */
	bytes = (bytes + PAGE * DENIED_SHARE - 1) / (PAGE * DENIED_SHARE) * (PAGE * DENIED_SHARE);
	lock_take(&s->places->lock);
	p = find(s->places, name, bytes);
	if (p == NULL)
		p = make(s, name, bytes);
	lock_give(&s->places->lock);
	if (p == NULL)
		return false;
	*zone = (struct cache_zone){ granted_at(s, p), denied_at(s, p), s->key };
	return true;
}

size_t auth_shared_flush(struct auth_shared *s, struct str user)
{
	uint64_t hash = user.at != NULL ? cache_user(s->key, user) : 0,
		 *only = user.at != NULL ? &hash : NULL;
	size_t n = 0;

	lock_take(&s->places->lock);
	for (uint64_t i = 0; i < s->places->len; i++) {
		n += cache_ring_flush(granted_at(s, &s->places->list[i]), only);
		n += cache_ring_flush(denied_at(s, &s->places->list[i]), only);
	}
	lock_give(&s->places->lock);
	return n;
}
