/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text with variables as directives of sources in helpers take it: checked when the configuration is read,
 * sent to the helper as it stands, put together there from the values that each question brings.
 */
#pragma once
#include "auth/helper_order.h"
#include "vars/vars.h"

struct source_text {
	struct str text; /* at NULL: not given */
	struct pattern_names names;
	const struct template *values[PIPE_VALUES_MAX]; /* of the names */
};

/* Read one; false after a fault, as when a variable is not known. */
bool source_text_read(struct conf *c, struct source_text *t, struct str text);

/* The `set` of a SLOT_CUSTOM row whose one argument is such a text. */
bool source_text_set(struct conf *c, const struct directive *d, const struct words *w, void *settings);

/* Put it into an order, with its variables. */
void source_text_order(struct helper_order *o, const char *name, const struct source_text *t);
