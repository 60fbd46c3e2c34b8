/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a source that lives in helper processes wants of the master: which program, with what settings, how
 * many. Master and worker make the same list of orders from the same configuration, in the same order, which
 * is how a descriptor finds its source. Sources with equal orders share their helpers.
 *
 * The settings are text, "name=value" a line, in which '\', LF and NUL are written \\, \n and \0. A name may
 * stand several times. They hold passwords: the buffer is wiped, and what reaches the helper is a sealed
 * memory file.
 */
#pragma once
#include "auth/pattern.h"

struct template;

enum { HELPER_SETTINGS_MAX = 256 * 1024 };

struct helper_order {
	const char *program;		/* "mysql": of postern-auth-mysql */
	struct buf settings;		/* the order's own, on the heap */
	uint64_t helpers;		/* how many */
	uint64_t timeout_ms;		/* what one question may take */
	uint64_t queue;			/* how many questions a worker lets wait for a helper */
	bool privileged;		/* stays what the master is, instead of the workers' user */
	int fd;				/* a worker's end for questions; -1: none yet */
	struct pattern_names variables; /* whose values each question brings; lie in the configuration */
	const struct template *values[PIPE_VALUES_MAX]; /* of these */
	struct helper_order *next;
};

/* The orders of one generation. */
struct auth_helpers {
	struct helper_order *first;
	size_t len;
};

/* Add one setting; a value of NULL bytes is left out. */
void helper_setting(struct helper_order *o, const char *name, struct str value);
void helper_setting_number(struct helper_order *o, const char *name, uint64_t value);

/* Say in the settings which variables there are: once, when all patterns have been read. */
void helper_setting_variables(struct helper_order *o);

/* Begin an order, with nothing set but its program. */
void helper_order_init(struct helper_order *o, const char *program);

/* Wipe and give back what it holds. */
void helper_order_done(struct helper_order *o);

/* Same program, settings, numbers? */
bool helper_order_eq(const struct helper_order *a, const struct helper_order *b);

/* The order of the list that equals `o`, added when there is none; takes the content of `o` over, which is
 * empty afterwards. Lives as long as the list. */
struct helper_order *helper_orders_add(struct auth_helpers *list, struct helper_order *o);

/* Close their descriptors: no more questions from here. */
void helper_orders_close(struct auth_helpers *list);

/* Wipe them all, close their descriptors. */
void helper_orders_free(struct auth_helpers *list);

/* Take the next setting off the front of `rest`: the name is a span of it, the value is unescaped into
 * `value`, which is cleared first. False at the end, and at a line that is none (then `rest` is not empty).
 */
bool helper_setting_next(struct str *rest, struct str *name, struct buf *value);
