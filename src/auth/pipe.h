/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's side of sources that live in helper processes: a bounded queue, one pipe for each question,
 * one deadline, one answer.
 *
 * A kind of that sort brings its directives and a function that writes the order for its helpers; its make is
 * one call of pipe_make, and ask, cancel and free are those below.
 */
#pragma once
#include "auth/helper_order.h"
#include "auth/kind.h"

/* The source of `kind` for a server block; its order is found in tools->helpers. */
struct auth_source *pipe_make(const struct auth_kind *kind, const struct auth_tools *tools,
			      const struct scope *server);

void pipe_ask(struct auth_source *s, struct auth_request *r);
void pipe_cancel(struct auth_request *r);
void pipe_free(struct auth_source *s);

/* What a server block's orders are made of: ask every kind that it has, and add their orders to the list. */
void pipe_orders(struct auth_helpers *list, const struct scope *server);

/* auth_helpers, auth_helper_timeout, auth_helper_queue: the numbers of an order. */
extern const struct module auth_pipe_module;
void pipe_order_numbers(struct helper_order *o, const struct scope *server);
