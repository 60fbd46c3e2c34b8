/* SPDX-License-Identifier: BSD-2-Clause */
/* posternctl: what operators do to a postern that runs, and to its users. The first word names a command. */
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct ctl_command *const commands[] = { &ctl_user, &ctl_cache };

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

int ctl_fail(const char *format, ...)
{
	va_list ap;

	fputs("posternctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

static int help(FILE *to, int status)
{
	fputs("Usage:\n", to);
	for (int i = 0; i < COMMANDS; i++)
		fputs(commands[i]->help, to);
	return status;
}

static bool asks_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return help(stderr, CTL_USAGE);
	if (strcmp(argv[1], "help") == 0 || asks_help(argv[1]))
		return help(stdout, 0);
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i]->name) == 0) {
			int status;

			if (asks_help(argv[argc - 1])) {
				printf("Usage:\n%s", commands[i]->help);
				return 0;
			}
			status = commands[i]->run(argc - 2, argv + 2);

			if (status == CTL_USAGE)
				fprintf(stderr, "Usage:\n%s", commands[i]->help);
			return status;
		}
	}
	ctl_fail("unknown command \"%s\"", argv[1]);
	return help(stderr, CTL_USAGE);
}
