/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process titles. The kernel shows the memory in which it put the arguments, so that memory is written over; the strings of the
 * environment lie right behind it and give more room once they are copied.
 */
#include "proc/title.h"

#include "base/mem.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The one place of the process that the kernel looks at; there is no other way to name it. */
static struct {
	char *at;
	size_t room;
} title;

/* A copy of a string; *end moves behind it if that is where it lies. */
static char *moved(char *text, char **end)
{
	size_t size = strlen(text) + 1;

	if (text == *end)
		*end += size;
	return memcpy(mem_new(size), text, size);
}

char **title_init(int argc, char **argv)
{
	char **copy = mem_array((size_t)argc + 1, sizeof(*copy));
	char *end = argv[0];

	title.at = argv[0];
	for (int i = 0; i < argc; i++)
		copy[i] = moved(argv[i], &end);
	for (size_t i = 0; environ[i] != NULL; i++)
		environ[i] = moved(environ[i], &end);
	title.room = (size_t)(end - argv[0]);
	return copy;
}

void title_set(const char *what)
{
	int n = snprintf(title.at, title.room, "postern: %s", what);

	if (n >= 0 && (size_t)n < title.room)
		memset(title.at + n, '\0', title.room - (size_t)n);
}
