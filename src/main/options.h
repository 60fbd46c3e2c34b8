/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, with the letters and meanings of nginx. */
#pragma once
#include "base/arena.h"

/* Where things are when nobody says otherwise; meson sets them. */
struct options {
	const char *conf_file; /* -c */
	const char *prefix;    /* -p, ends in '/' */
	const char *error_log; /* -e; NULL: logs/error.log under the prefix */
	const char *globals;   /* -g; NULL: none */
	const char *signal;    /* -s: stop, quit, reopen, reload; NULL: none */
	const char *help;      /* -h DIRECTIVE or "directives"; "" for -h alone; NULL: none */
	bool test, dump, quiet, version, build; /* -t, -T (which implies -t), -q, -v, -V */
	char **argv;				/* for the upgrade of the binary */
	struct arena *home;			/* of what is not in argv */
};

/* False after telling on stderr what is wrong. Paths become absolute. */
bool options_read(struct options *o, int argc, char **argv);
void options_done(struct options *o);

/* What -h, -v and -V print. */
void options_help(void);
void options_version(void);
void options_build(void);
