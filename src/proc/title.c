/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process titles. The kernel shows the memory in which it put the arguments, so that memory is written over;
 * the strings of the environment lie right behind it and give more room once they are copied.
 */
#include "proc/title.h"

#include "base/mem.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * The one place of the process that the kernel looks at; there is no other way to name it. The copies are one
 * block, held here, since whoever changes the environment later drops single strings.
 */
static struct {
	char *at;
	size_t room;
	char *copies, **words;
} title;

static size_t sizes(char *const *strings)
{
	size_t sum = 0;

	for (; *strings != NULL; strings++)
		sum += strlen(*strings) + 1;
	return sum;
}

/* Copy strings to `to`, and let them point there. *end moves behind those that lie one after the other from
 * there on. */
static char *move(char **strings, char *to, char **end)
{
	for (; *strings != NULL; strings++) {
		size_t size = strlen(*strings) + 1;

		if (*strings == *end)
			*end += size;
		*strings = memcpy(to, *strings, size);
		to += size;
	}
	return to;
}

char **title_init(int argc, char **argv)
{
	char *end = argv[0], *to;

	title.words = mem_array((size_t)argc + 1, sizeof(*title.words));
	memcpy(title.words, argv, (size_t)argc * sizeof(*title.words));
	title.at = argv[0];
	title.copies = mem_array(sizes(title.words) + sizes(environ) + 1, 1);
	to = move(title.words, title.copies, &end);
	move(environ, to, &end);
	title.room = (size_t)(end - title.at);
	return title.words;
}

void title_set(const char *what)
{
	int n = snprintf(title.at, title.room, "postern: %s", what);

	if (n >= 0 && (size_t)n < title.room)
		memset(title.at + n, '\0', title.room - (size_t)n);
}
