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
#include <stdlib.h>
#include <sys/mman.h>

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
