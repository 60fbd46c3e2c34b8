/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that all workers share, mapped by the master before it forks.
 *
 * An entry belongs to a key, a digest of a group's name and a server's address. So it is found again after a
 * reload, and nobody has to give it back: when a set is full, the entry that was not used for the longest
 * time makes room, unless it has sessions. That is also why a session may keep a bare pointer to its counter.
 *
 * A worker may die anywhere. The lock tells its next holder, who goes on: each field stands for itself, so
 * a change that was cut short leaves nothing that is wrong for longer than fail_timeout. The sessions of the
 * dead one are in a counter of its own, which the master clears.
 */
#include "upstream/shared.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/must.h"
#include "upstream/upstream.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void shared_lock(struct upstream_shared *s)
{
	lock_take(&s->memory->lock);
}

void shared_unlock(struct upstream_shared *s)
{
	lock_give(&s->memory->lock);
}

struct upstream_shared *upstream_shared_new(void)
{
	struct upstream_shared *s = mem_new(sizeof(*s));

	s->slot = SHARED_NOBODY;
	s->memory = mmap(NULL, sizeof(*s->memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(s->memory != MAP_FAILED);
	lock_init(&s->memory->lock);
	return s;
}

void upstream_shared_free(struct upstream_shared *s)
{
	if (s == NULL)
		return;
	munmap(s->memory, sizeof(*s->memory));
	free(s);
}

/* --- processes ----------------------------------------------------------------------------------------- */

void shared_join(struct upstream_shared *s)
{
	struct shared_memory *m = s->memory;

	if (s->pid == getpid())
		return;
	s->pid = getpid();
	s->slot = SHARED_NOBODY;
	shared_lock(s);
	for (int i = 0; i < SHARED_SLOTS && s->slot == SHARED_NOBODY; i++) {
		if (m->slots[i] != 0)
			continue;
		m->slots[i] = s->pid;
		s->slot = i;
		if (atomic_load(&m->slots_used) <= (unsigned)i)
			atomic_store(&m->slots_used, (unsigned)i + 1);
	}
	shared_unlock(s);
}

static void clear_slot(struct shared_memory *m, int slot)
{
	struct shared_entry *e = &m->entries[0][0];

	for (size_t i = 0; i < (size_t)SHARED_SETS * SHARED_WAYS; i++, e++) {
		/* pages that were never written to stay unmapped: reading is enough to know */
		if (atomic_load(&e->active[slot]) != 0)
			atomic_store(&e->active[slot], 0);
		if (e->check_slot == slot && e->check_lease_ms != 0)
			e->check_lease_ms = 0;
	}
}

void upstream_shared_left(struct upstream_shared *s, pid_t pid)
{
	shared_lock(s);
	for (int i = 0; i < SHARED_SLOTS; i++) {
		if (s->memory->slots[i] != pid)
			continue;
		clear_slot(s->memory, i);
		s->memory->slots[i] = 0;
	}
	shared_unlock(s);
}

/* --- entries ------------------------------------------------------------------------------------------- */

void shared_key(struct str first, struct str second, uint8_t key[static SHARED_KEY])
{
	uint8_t digest[SHA256_SIZE];
	struct buf b;

	buf_init(&b, first.len + second.len + 1);
	buf_put(&b, first);
	buf_put_byte(&b, '\0');
	buf_put(&b, second);
	digest_sha256(buf_text(&b), digest);
	buf_done(&b);
	memcpy(key, digest, SHARED_KEY);
	key[0] |= 1;
}

static bool is_key(const struct shared_entry *e, const uint8_t *key)
{
	return memcmp(e->key, key, SHARED_KEY) == 0;
}

static bool is_free(const struct shared_entry *e)
{
	return e->key[0] == 0;
}

unsigned shared_active(const struct upstream_shared *s, const struct shared_entry *e)
{
	unsigned slots = atomic_load_explicit(&s->memory->slots_used, memory_order_relaxed), sum = 0;

	for (unsigned i = 0; i < slots; i++)
		sum += atomic_load_explicit(&e->active[i], memory_order_relaxed);
	return sum;
}

/* Of a full set: the entry that nobody misses, a free one best of all. */
static struct shared_entry *make_room(struct upstream_shared *s, struct shared_entry *set)
{
	struct shared_entry *oldest = NULL;

	for (int i = 0; i < SHARED_WAYS; i++) {
		if (is_free(&set[i]))
			return &set[i];
		if ((oldest == NULL || set[i].touched_ms < oldest->touched_ms) &&
		    shared_active(s, &set[i]) == 0)
			oldest = &set[i];
	}
	return oldest;
}

struct shared_entry *shared_find(struct upstream_shared *s, const uint8_t key[static SHARED_KEY],
				 uint64_t now_ms, struct shared_entry *hint)
{
	size_t number = ((size_t)key[1] << 8 | key[2]) % SHARED_SETS;
	struct shared_entry *set = s->memory->entries[number], *e = hint;

	for (int i = 0; (e == NULL || !is_key(e, key)) && i < SHARED_WAYS; i++)
		e = &set[i];
	if (!is_key(e, key)) {
		e = make_room(s, set);
		if (e == NULL)
			return NULL;
		memset(e, 0, sizeof(*e));
		memcpy(e->key, key, SHARED_KEY);
		e->check_slot = SHARED_NOBODY;
	}
	e->touched_ms = now_ms;
	return e;
}

/* --- places -------------------------------------------------------------------------------------------- */

struct peer_place *shared_enter(struct upstream_shared *s, struct shared_entry *e)
{
	_Atomic uint32_t *count = e != NULL && s->slot != SHARED_NOBODY ? &e->active[s->slot] : &s->nowhere;

	atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
	return (struct peer_place *)count;
}

void peer_leave(struct peer_place *place)
{
	if (place != NULL)
		atomic_fetch_sub_explicit((_Atomic uint32_t *)place, 1, memory_order_relaxed);
}
