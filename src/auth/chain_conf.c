/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives of the chain, and which sources a server block has.
 *
 * A source is there where its directive is. A block that has any of its own has those alone: what stands
 * outside is not mixed in, so that whoever reads a block with a source knows all that is asked.
 */
#include "auth/chain.h"

#include "auth/kind.h"

static directive_set_fn next_set;

#define FIELD(member) .offset = offsetof(struct auth_conf, member)
#define BOTH	      .where = IN_MAIL | IN_SERVER

static const struct directive ROWS[] = {
	{ .name = "auth_failure_delay",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  FIELD(failure_delay_ms),
	  .preset = "2s",
	  .most = 600 * 1000,
	  .args = "time",
	  .help = "A login that is refused hears of it so long after it was asked, whatever the reason: this "
		  "slows down guessing, and hides whether the user exists. Refusals of auth_http come when "
		  "its server says." },
	{ .name = "auth_next_source",
	  BOTH,
	  .min = 1,
	  .max = 2,
	  .slot = SLOT_CUSTOM,
	  FIELD(next_when_unable),
	  .size = sizeof(bool),
	  .set = next_set,
	  .preset = "unknown",
	  .args = "unknown [unavailable]",
	  .help = "When the next source of a server is asked: because a source does not know the user; with "
		  "unavailable also because it is out of order, which otherwise is a temporary error for the "
		  "client: the source might have known the user, and might have refused him." },
	{ .name = NULL }
};

const struct module auth_module = {
	.name = "auth",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct auth_conf),
	.directives = ROWS,
};

const struct auth_conf *auth_conf(const struct scope *s)
{
	return scope_settings(s, &auth_module);
}

static bool next_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct auth_conf *a = settings;

	if (!str_eq(w->at[1], STR("unknown")) || (w->len == 3 && !str_eq(w->at[2], STR("unavailable"))))
		return conf_fault(c, "invalid value in \"%s\" directive, it must be \"%s\"", d->name,
				  d->args);
	a->next_when_unable = w->len == 3;
	return true;
}

/* --- sources --- */

struct found {
	const struct auth_kind *kind;
	size_t order;
};

/* Put one where it belongs by its place in the file. */
static size_t put(struct found *list, size_t len, struct found one)
{
	size_t at = len;

	for (; at > 0 && list[at - 1].order > one.order; at--)
		list[at] = list[at - 1];
	list[at] = one;
	return len + 1;
}

static size_t find_in(const struct scope *s, struct found list[static AUTH_SOURCES_MOST])
{
	size_t len = 0;

	for (size_t i = 0; auth_kinds[i] != NULL && len < AUTH_SOURCES_MOST; i++) {
		const struct words *w = scope_directive(s, auth_kinds[i]->module, auth_kinds[i]->directive);

		if (w != NULL)
			len = put(list, len, (struct found){ auth_kinds[i], w->order });
	}
	return len;
}

size_t auth_sources(const struct scope *server, const struct scope **from,
		    const struct auth_kind *kinds[static AUTH_SOURCES_MOST])
{
	struct found list[AUTH_SOURCES_MOST];
	size_t len = 0;

	for (*from = server; *from != NULL; *from = scope_outer(*from)) {
		len = find_in(*from, list);
		if (len != 0)
			break;
	}
	for (size_t i = 0; i < len; i++)
		kinds[i] = list[i].kind;
	return len;
}
