/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives that all sources in helper processes share, and the list of orders of a configuration. */
#include "auth/pipe.h"

struct pipe_conf {
	uint64_t helpers, timeout_ms, queue;
};

#define FIELD(member) .offset = offsetof(struct pipe_conf, member)
#define BOTH	      .where = IN_MAIL | IN_SERVER

static const struct directive ROWS[] = {
	{ .name = "auth_helpers",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_NUMBER,
	  FIELD(helpers),
	  .preset = "4",
	  .least = 1,
	  .most = 256,
	  .args = "number",
	  .help = "How many helper processes serve an authentication source that may block: so many logins "
		  "are verified at the same time, and all others wait. Sources with equal settings share "
		  "their helpers." },
	{ .name = "auth_helper_timeout",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  FIELD(timeout_ms),
	  .preset = "5s",
	  .least = 100,
	  .most = 600000,
	  .args = "time",
	  .help = "How long a question to such a source may take, waiting for a helper included. Then the "
		  "client hears of a temporary error, and a helper that hangs is ended and replaced." },
	{ .name = "auth_helper_queue",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_NUMBER,
	  FIELD(queue),
	  .preset = "1024",
	  .most = 65536,
	  .args = "number",
	  .help = "How many questions of a worker may wait for a helper. Whoever comes when so many wait "
		  "hears of a temporary error at once." },
	{ .name = NULL }
};

const struct module auth_pipe_module = {
	.name = "auth_pipe",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct pipe_conf),
	.directives = ROWS,
};

void pipe_order_numbers(struct helper_order *o, const struct scope *server)
{
	const struct pipe_conf *p = scope_settings(server, &auth_pipe_module);

	o->helpers = p->helpers;
	o->timeout_ms = p->timeout_ms;
	o->queue = p->queue;
}

void pipe_orders(struct auth_helpers *list, const struct scope *server)
{
	const struct auth_kind *kinds[AUTH_SOURCES_MOST];
	const struct scope *from;
	size_t len = auth_sources(server, &from, kinds);

	for (size_t i = 0; i < len; i++) {
		struct helper_order o;

		if (kinds[i]->helper == NULL)
			continue;
		helper_order_init(&o, kinds[i]->name);
		if (kinds[i]->helper(server, &o))
			helper_orders_add(list, &o);
		helper_order_done(&o);
	}
}
