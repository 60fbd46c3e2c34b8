/* SPDX-License-Identifier: BSD-2-Clause */
/* Robust mutexes of processes; see lock.h. */
#include "base/lock.h"

#include "base/must.h"
#include <errno.h>

void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t how;

	must(pthread_mutexattr_init(&how) == 0);
	must(pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0);
	must(pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0);
	must(pthread_mutex_init(lock, &how) == 0);
	pthread_mutexattr_destroy(&how);
}

bool lock_take(pthread_mutex_t *lock)
{
	int error = pthread_mutex_lock(lock);

	if (error == EOWNERDEAD)
		must(pthread_mutex_consistent(lock) == 0);
	else
		must(error == 0);
	return error == EOWNERDEAD;
}

void lock_give(pthread_mutex_t *lock)
{
	must(pthread_mutex_unlock(lock) == 0);
}
