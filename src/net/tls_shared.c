/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all processes know in common, in memory that the master maps before it forks: ticket keys and
 * sessions. It is secret through and through, so it stays out of core dumps.
 *
 * A worker may die anywhere, so the locks tell their next holder of it, and he throws away what he cannot
 * trust. That costs some clients a full handshake, nothing else.
 */
#include "net/tls_inside.h"

#include "base/mem.h"
#include "base/must.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

void tls_lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t how;

	must(pthread_mutexattr_init(&how) == 0);
	must(pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0);
	must(pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0);
	must(pthread_mutex_init(lock, &how) == 0);
	pthread_mutexattr_destroy(&how);
}

bool tls_lock(pthread_mutex_t *lock)
{
	int error = pthread_mutex_lock(lock);

	if (error == EOWNERDEAD)
		must(pthread_mutex_consistent(lock) == 0);
	else
		must(error == 0);
	return error == EOWNERDEAD;
}

static size_t tickets_size(void)
{
	return (sizeof(struct tls_tickets) + 63) / 64 * 64;
}

static bool map(struct tls_shared *s, size_t bytes)
{
	char *at;

	s->mapped = tickets_size() + tls_cache_size(bytes);
	at = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return false;
	madvise(at, s->mapped, MADV_DONTDUMP);
	s->tickets = (void *)at;
	s->cache = (void *)(at + tickets_size());
	tls_tickets_init(s->tickets);
	tls_cache_init(s->cache, bytes);
	return true;
}

struct tls_shared *tls_shared_new(size_t bytes)
{
	struct tls_shared *s = mem_new(sizeof(*s));

	if (map(s, bytes) && tls_wire_init(s))
		return s;
	tls_shared_free(s);
	return NULL;
}

void tls_shared_free(struct tls_shared *s)
{
	if (s == NULL)
		return;
	tls_wire_done(s);
	if (s->tickets != NULL)
		munmap(s->tickets, s->mapped);
	free(s);
}
