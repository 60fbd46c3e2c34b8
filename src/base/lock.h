/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks in memory that processes share. A process may die anywhere, so a lock tells its next holder that the
 * last one died with it, and that what it guards is not to be trusted.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>

/* Make one, before anybody else can see it. */
void lock_init(pthread_mutex_t *lock);

/* Take it; true if its last holder died with it. */
bool lock_take(pthread_mutex_t *lock);
void lock_give(pthread_mutex_t *lock);
