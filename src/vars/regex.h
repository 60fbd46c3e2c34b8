/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regular expressions, through the one door to PCRE2; without the library regex_new says so.
 *
 * What is matched comes from clients, so a match may only try so much: an expression that backtracks without
 * end gives up and does not match.
 */
#pragma once
#include "base/arena.h"

enum { REGEX_GROUPS = 32, REGEX_WHY = 256 };

struct regex;

/* Is the library there? */
extern const bool regex_there;

/* Compile; `fold`: without regard to the case of letters. In `home`, with nothing to release. NULL, and why.
 */
const struct regex *regex_new(struct arena *home, struct str pattern, bool fold, char why[static REGEX_WHY]);

/* How many groups it has, and the number of a named one (0: no such name). */
unsigned regex_groups(const struct regex *re);
unsigned regex_group(const struct regex *re, struct str name);

enum regex_result { REGEX_NO, REGEX_YES, REGEX_GAVE_UP };

/* Match. groups[0] is the whole match, empty the groups without part in it; they lie in `subject`. */
enum regex_result regex_match(const struct regex *re, struct str subject,
			      struct str groups[static REGEX_GROUPS]);
