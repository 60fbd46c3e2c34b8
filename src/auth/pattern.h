/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text with variables as a source's settings have it, "(mail=$login)" or "... WHERE name = ${login_local}",
 * taken apart into literal pieces and places for values. What goes into such a place depends on the language
 * of the text (a bound parameter of SQL, an escaped value of LDAP), so the pieces stay apart until a helper
 * puts them together.
 *
 * The names are kept in one list for each source: a worker sends the values in its order, and the helper
 * finds them by index.
 */
#pragma once
#include "auth/pipe_wire.h"

struct pattern_names {
	struct str at[PIPE_VALUES_MAX];
	size_t len;
};

struct pattern_piece {
	struct str text; /* a literal, when `value` is negative */
	int value;	 /* index of a name */
};

struct pattern {
	struct pattern_piece *at;
	size_t len;
};

/* Take `text` apart; it must outlive the pattern, whose pieces lie in `home`. Names that are not in the list
 * are added. False with *fault (static text) on a '$' without a name, or too many names. */
bool pattern_read(struct pattern *p, struct str text, struct pattern_names *names, struct arena *home,
		  const char **fault);
