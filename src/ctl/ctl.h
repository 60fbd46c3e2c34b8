/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of posternctl: one file each, and a row in ctl.c. */
#pragma once

struct ctl_command {
	const char *name;
	const char *help; /* lines "  posternctl NAME …", each ended by LF */
	/* argv[0] is the word behind the command's name. Returns the exit status: 0, 1 when it failed and has
	 * said why, CTL_USAGE when it was not understood (and has said what of it). */
	int (*run)(int argc, char **argv);
};

enum { CTL_USAGE = 2 };

/* "posternctl: text" on standard error. Returns 1. */
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

extern const struct ctl_command ctl_user, ctl_cache;
