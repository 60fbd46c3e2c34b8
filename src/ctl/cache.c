/* SPDX-License-Identifier: BSD-2-Clause */
/* posternctl cache: what a postern that runs has kept of the answers of its authentication sources. */
#include "ctl/call.h"
#include "ctl/ctl.h"

#include <string.h>

static const char *option(const char *word)
{
	return strncmp(word, "--socket=", 9) == 0 ? word + 9 : NULL;
}

static int run(int argc, char **argv)
{
	const char *socket = CONTROL_SOCKET, *words[4] = { "cache", "flush" };
	int len = 2;

	if (argc < 1 || strcmp(argv[0], "flush") != 0) {
		ctl_fail("it is \"posternctl cache flush\"");
		return CTL_USAGE;
	}
	for (int i = 1; i < argc; i++) {
		if (option(argv[i]) != NULL) {
			socket = option(argv[i]);
		} else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc) {
			socket = argv[++i];
		} else if (argv[i][0] == '-' || len == 3) {
			ctl_fail("\"%s\" is not understood", argv[i]);
			return CTL_USAGE;
		} else {
			words[len++] = argv[i];
		}
	}
	return call(socket, words, len);
}

const struct ctl_command ctl_cache = {
	.name = "cache",
	.help = "  posternctl cache flush [--socket PATH] [USER]\n"
		"      have the running postern forget what auth_cache holds, of one user or of all\n",
	.run = run,
};
