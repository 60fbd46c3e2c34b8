/* SPDX-License-Identifier: BSD-2-Clause */
/* What a helper hears of a question: the request's facts, and the variables that the source's settings use.
 */
#pragma once
#include "auth/auth.h"
#include "auth/helper_order.h"

/* Fill *q from a request, whose texts it points at; values of variables lie in r->vars->home. */
void pipe_fill(const struct auth_request *r, const struct helper_order *o, struct pipe_question *q);
