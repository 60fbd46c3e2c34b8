/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation that does not fail, and the assertion that says why a process ended; see mem.h and must.h. */
#include "base/mem.h"

#include "base/must.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void must_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "postern: bug at %s:%d: not so: %s\n", file, line, what);
	abort();
}

void must_memory(void)
{
	fputs("postern: out of memory\n", stderr);
	abort();
}

void *mem_new(size_t size)
{
	return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
	void *p;

	must(size == 0 || count <= SIZE_MAX / size);
	p = calloc(count, size);
	if (p == NULL && count != 0 && size != 0)
		must_memory();
	return p;
}

void *mem_resize(void *old, size_t size)
{
	void *p;

	must(size != 0);
	p = realloc(old, size);
	if (p == NULL)
		must_memory();
	return p;
}

void mem_wipe(void *at, size_t size)
{
	if (size != 0)
		explicit_bzero(at, size);
}
