/* SPDX-License-Identifier: BSD-2-Clause */
/* What a helper hears of a question: the request's facts, and the variables that the source's settings use.
 */
#pragma once
#include "auth/auth.h"
#include "auth/pattern.h"

/* Is there a variable of that name for sources in helpers? */
bool pipe_knows(struct str variable);

/* Fill *q from a request, whose texts it points at. */
void pipe_fill(const struct auth_request *r, const struct pattern_names *variables, struct pipe_question *q);
