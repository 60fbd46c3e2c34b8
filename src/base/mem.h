/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation that does not fail: sizes are bounded by their callers, and without memory the process ends
 * (the master starts another one). Frees take NULL.
 */
#pragma once
#include <stddef.h>

/* Zeroed memory; released with free(). */
void *mem_new(size_t size);

/* Zeroed memory for `count` members of `size` bytes. */
void *mem_array(size_t count, size_t size);

/* realloc: what is behind the old size is not zeroed, and what moves away is not wiped. `size` must not be
 * 0. */
void *mem_resize(void *old, size_t size);

/* Overwrite in a way that the compiler keeps. NULL with size 0 is allowed. */
void mem_wipe(void *at, size_t size);
