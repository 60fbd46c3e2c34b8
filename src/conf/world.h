/* SPDX-License-Identifier: BSD-2-Clause */
/* The questions of a recording bundle, asked of the system. */
#pragma once
#include "conf/bundle.h"
#include "base/buf.h"

/*
 * The largest answer: a configuration, certificate or map file beyond it is a mistake. ANSWER_ROOM leaves
 * space to find that out.
 */
enum { ANSWER_MAX = 16 << 20, ANSWER_ROOM = ANSWER_MAX + (8 << 10) };

/*
 * Ask. The answer is appended to an empty buffer of ANSWER_ROOM; false and *error as bundle_ask says. `key`
 * ends in a NUL that it does not count.
 */
bool world_ask(enum bundle_kind kind, const char *key, struct buf *answer, int *error);
