/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all workers know of a server in common: see shared.c for the memory, health.c for what it means.
 * Private to this folder.
 */
#pragma once
#include "base/str.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
	SHARED_SLOTS = 128, /* processes at one time, those that retire included */
	SHARED_SETS = 512,  /* a server has its place in one set of … */
	SHARED_WAYS = 8,    /* … so many; together 4096 servers */
	SHARED_KEY = 16,
	SHARED_NOBODY = -1,
};

/* One server. All but `active` under the lock. Times are of the monotonic clock, in ms. */
struct shared_entry {
	uint8_t key[SHARED_KEY]; /* zero: free */
	uint64_t touched_ms;	 /* somebody used it */

	/* passive health */
	uint32_t fails;		 /* within the window that began … */
	uint64_t fails_since_ms; /* … then */
	bool out;		 /* not before … */
	uint64_t out_until_ms;	 /* … this; then one try at a time … */
	uint64_t trial_until_ms; /* … the one under way is forgotten then */

	/* active health */
	bool check_bad;
	uint32_t check_streak;	 /* results in a row that speak against `check_bad` as it is */
	int32_t check_slot;	 /* whose turn it is to check, or SHARED_NOBODY … */
	uint64_t check_lease_ms; /* … until then */

	uint64_t down_since_ms; /* out or check_bad since; 0: neither */
	uint64_t slow_since_ms; /* came back then; 0: long ago */

	int64_t current; /* of smooth weighted round robin */
	uint64_t due_us; /* login_rate: when the next login would be on time */

	_Atomic uint32_t active[SHARED_SLOTS]; /* sessions of each process; only it writes there */
};

struct shared_memory {
	pthread_mutex_t lock;
	pid_t slots[SHARED_SLOTS];   /* whose they are; 0: free */
	_Atomic unsigned slots_used; /* all slots in use are below */
	struct shared_entry entries[SHARED_SETS][SHARED_WAYS];
};

struct upstream_shared {
	struct shared_memory *memory;
	/* of this process alone */
	int slot; /* SHARED_NOBODY: there is none for it */
	pid_t pid;
	_Atomic uint32_t nowhere; /* counts for who has no place in memory */
};

/* Give this process a slot, once for its life: after a fork a child asks anew. */
void shared_join(struct upstream_shared *s);

/* For `first` and `second` together. Never zero. */
void shared_key(struct str first, struct str second, uint8_t key[static SHARED_KEY]);

/* Between these two: what belongs to the lock. Short, without a call that may wait. */
void shared_lock(struct upstream_shared *s);
void shared_unlock(struct upstream_shared *s);

/* Locked: the entry of this key, a new one if there is none; `hint` may be where it was, or NULL. NULL when
 * no room is left, which is when all others of its set have sessions. */
struct shared_entry *shared_find(struct upstream_shared *s, const uint8_t key[static SHARED_KEY],
				 uint64_t now_ms, struct shared_entry *hint);

/* How many sessions all processes have there. */
unsigned shared_active(const struct upstream_shared *s, const struct shared_entry *e);

/* Count a session of this process there (`e` may be NULL): what peer_leave takes back. */
struct peer_place *shared_enter(struct upstream_shared *s, struct shared_entry *e);
