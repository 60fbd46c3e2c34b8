/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names of servers. They are asked for when a login comes along, and again whenever an answer has served
 * its time and logins have come since; a name that nobody uses is not asked for. A login waits only while a
 * group has no address to offer, or where it is hashed, which an incomplete list would misplace.
 *
 * Without a new answer the last known addresses stay: a dead name server takes no mail server with it. Those
 * that remain keep their place in the list, so nobody is moved.
 */
#include "upstream/group.h"

#include <stdlib.h>

enum {
	QUERY_LIMIT_MS = 10000,
	AGAIN_LEAST_MS = 1000, /* however short the TTL is */
	AGAIN_FAILED_MS = 5000,
	AGAIN_MOST_MS = 3600000,
};

/* --- addresses ----------------------------------------------------------------------------------------- */

static bool is_among(const struct addr *a, const struct addr *addrs, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (addr_same_ip(a, &addrs[i]))
			return true;
	return false;
}

static void drop_others(struct origin *o, const struct addr *addrs, size_t len)
{
	struct upstream_server **at = &o->servers;

	while (*at != NULL) {
		struct upstream_server *s = *at;

		if (is_among(&s->addr, addrs, len)) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		server_drop(s);
	}
}

static void add(struct origin *o, const struct addr *a)
{
	struct upstream_server **at = &o->servers;

	while (*at != NULL && !addr_same_ip(&(*at)->addr, a))
		at = &(*at)->next;
	if (*at == NULL)
		*at = server_new(o, a);
}

static void set_addrs(struct origin *o, const struct addr *addrs, size_t len)
{
	drop_others(o, addrs, len);
	for (size_t i = 0; i < len; i++)
		add(o, &addrs[i]);
}

/* --- asking -------------------------------------------------------------------------------------------- */

static uint64_t again_ms(const struct resolve_answer *answer)
{
	if (answer->status != RESOLVE_OK)
		return AGAIN_FAILED_MS;
	if (answer->good_ms < AGAIN_LEAST_MS)
		return AGAIN_LEAST_MS;
	return answer->good_ms > AGAIN_MOST_MS ? AGAIN_MOST_MS : answer->good_ms;
}

static void complain(const struct origin *o)
{
	const struct upstreams *u = o->group->upstreams;

	log_put(u->log, LOG_ERROR, 0, "upstream \"%.*s\": host \"%.*s\" could not be resolved (%u: %s)%s",
		STR_ARG(o->group->name), STR_ARG(o->conf->target.host), resolve_status_number(o->status),
		resolve_status_text(o->status), o->servers != NULL ? ", its last known addresses stay" : "");
}

static void answered(struct resolve_query *q, const struct resolve_answer *answer)
{
	struct origin *o = CONTAINER(q, struct origin, query);
	struct upstreams *u = o->group->upstreams;
	bool news = !o->answered || answer->status != o->status;

	o->answered = true;
	o->asking = false;
	o->awaited = false;
	o->status = answer->status;
	if (answer->status == RESOLVE_OK)
		set_addrs(o, answer->addrs, answer->addrs_len);
	else if (news)
		complain(o);
	loop_arm(u->loop, &o->refresh, again_ms(answer));
	routes_resolved(o->group);
}

static void ask(struct origin *o)
{
	struct upstreams *u = o->group->upstreams;

	o->stale = false;
	o->asking = true;
	o->used = false;
	loop_disarm(&o->refresh);
	resolve_host(u->resolver, &o->query, o->conf->target.host, QUERY_LIMIT_MS, answered);
}

static void refresh(struct timer *t)
{
	struct origin *o = CONTAINER(t, struct origin, refresh);

	if (o->used)
		ask(o);
	else
		o->stale = true;
}

void origin_begin(struct origin *o)
{
	o->refresh.fn = refresh;
	o->by_name = o->conf->addrs_len == 0 && o->group->upstreams->resolver != NULL;
	o->stale = o->by_name;
	o->status = RESOLVE_NOT_FOUND;
	if (!o->by_name)
		set_addrs(o, o->conf->addrs, o->conf->addrs_len);
}

void origin_end(struct origin *o)
{
	resolve_cancel(&o->query);
	loop_disarm(&o->refresh);
	set_addrs(o, NULL, 0);
}

/* --- for logins ---------------------------------------------------------------------------------------- */

void names_use(struct upstream_group *g)
{
	bool empty = group_next(g, NULL) == NULL;

	for (size_t i = 0; i < g->origins_len; i++) {
		struct origin *o = &g->origins[i];

		o->awaited |= o->stale || (o->asking && empty);
		if (o->stale)
			ask(o);
		o->used = true;
	}
}

/* An address whose time was over when a login came is old: a fresh one is waited for. */
bool names_pending(const struct upstream_group *g)
{
	bool awaited = false, ready = false;

	for (size_t i = 0; i < g->origins_len; i++) {
		const struct origin *o = &g->origins[i];

		awaited |= o->awaited;
		ready |= o->servers != NULL && !o->awaited && !o->conf->backup;
	}
	return awaited && (g->conf->method == METHOD_HASH || !ready);
}

bool names_awaited(const struct upstream_group *g)
{
	for (size_t i = 0; i < g->origins_len; i++)
		if (g->origins[i].awaited || (g->origins[i].asking && g->origins[i].servers == NULL))
			return true;
	return false;
}

const struct origin *names_missing(const struct upstream_group *g)
{
	for (size_t i = 0; i < g->origins_len; i++)
		if (g->origins[i].servers == NULL)
			return &g->origins[i];
	return NULL;
}
