/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which server a login gets.
 *
 * First it is settled who is eligible: servers in service, else backups in service, else, rather than turn
 * the login away, whoever is there; never one that is marked down, is full, or had this login before. Among
 * these the group's method chooses. Those that would be hit too hard by one more login now (login_rate) stand
 * back; when that is all of them, the login waits for its turn.
 *
 * Hashing is weighted rendezvous: each server draws a number for the key, and the lowest wins. A server that
 * leaves takes no other key along, one that comes takes its share from all alike, and the second best is
 * there when the best is not. All workers draw the same.
 */
#include "upstream/group.h"

#include <math.h>
#include <string.h>

typedef struct upstream_server *method_fn(struct upstream_group *g, uint64_t hash);

static struct upstream_server *next_eligible(const struct upstream_group *g, const struct upstream_server *s)
{
	struct upstream_server *next = group_next(g, s);

	while (next != NULL && !next->eligible)
		next = group_next(g, next);
	return next;
}

/* --- methods: one of the eligible servers, of which there is at least one ------------------------------ */

/* Smooth weighted round robin: each gains its weight, the richest pays for all. */
static struct upstream_server *round_robin(struct upstream_group *g, uint64_t hash)
{
	struct upstream_server *best = NULL;
	int64_t total = 0;

	(void)hash;
	for (struct upstream_server *s = next_eligible(g, NULL); s != NULL; s = next_eligible(g, s)) {
		s->entry->current += (int64_t)s->weight;
		total += (int64_t)s->weight;
		if (best == NULL || s->entry->current > best->entry->current)
			best = s;
	}
	best->entry->current -= total;
	return best;
}

/* Has `a` fewer sessions for its weight than `b`? */
static bool is_idler(const struct upstream_server *a, const struct upstream_server *b)
{
	return a->active * b->weight < b->active * a->weight;
}

/* Those that are equally idle take turns. */
static struct upstream_server *least_conn(struct upstream_group *g, uint64_t hash)
{
	struct upstream_server *best = NULL, *s;

	for (s = next_eligible(g, NULL); s != NULL; s = next_eligible(g, s))
		if (best == NULL || is_idler(s, best))
			best = s;
	for (s = next_eligible(g, NULL); s != NULL; s = next_eligible(g, s))
		s->eligible = !is_idler(best, s);
	return round_robin(g, hash);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t z = a ^ b * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* What a server draws: exponentially distributed with its full weight as rate, so that it is the lowest of
 * all in proportion to that. A slow start would move keys for a while only, so it does not count. */
static double draw(const struct upstream_server *s, uint64_t hash)
{
	double uniform = ((double)(mix(s->identity, hash) >> 11) + 0.5) / 9007199254740992.0;

	return -log(uniform) / (double)s->origin->conf->weight;
}

static struct upstream_server *hashed(struct upstream_group *g, uint64_t hash)
{
	struct upstream_server *best = NULL;
	double lowest = 0;

	for (struct upstream_server *s = next_eligible(g, NULL); s != NULL; s = next_eligible(g, s)) {
		double drawn = draw(s, hash);

		if (best == NULL || drawn < lowest) {
			best = s;
			lowest = drawn;
		}
	}
	return best;
}

static uint64_t throw_below(struct upstreams *u, uint64_t below)
{
	u->chance += 0x9e3779b97f4a7c15;
	return mix(u->chance, 1) % below;
}

static struct upstream_server *at_random(struct upstream_group *g, uint64_t hash)
{
	struct upstream_server *s;
	uint64_t total = 0, left;

	(void)hash;
	for (s = next_eligible(g, NULL); s != NULL; s = next_eligible(g, s))
		total += s->weight;
	left = throw_below(g->upstreams, total);
	for (s = next_eligible(g, NULL); left >= s->weight; s = next_eligible(g, s))
		left -= s->weight;
	return s;
}

static struct upstream_server *idler_of_two(struct upstream_group *g, uint64_t hash)
{
	struct upstream_server *first = at_random(g, hash), *second;

	first->eligible = false;
	if (next_eligible(g, NULL) == NULL)
		return first;
	second = at_random(g, hash);
	return is_idler(second, first) ? second : first;
}

static method_fn *const METHODS[] = {
	[METHOD_ROUND_ROBIN] = round_robin, [METHOD_LEAST_CONN] = least_conn,	[METHOD_HASH] = hashed,
	[METHOD_RANDOM] = at_random,	    [METHOD_RANDOM_TWO] = idler_of_two,
};

/* --- who is eligible ----------------------------------------------------------------------------------- */

enum level { PRIMARY, BACKUP, ANYONE, LEVELS };

static bool was_tried(const struct route *r, const struct upstream_server *s)
{
	for (unsigned i = 0; i < r->tried_len; i++)
		if (r->tried[i] == s->id)
			return true;
	return false;
}

static void look_at(struct upstream_group *g, struct upstream_server *s, uint64_t now_ms)
{
	struct upstream_shared *shared = g->upstreams->shared;

	s->entry = shared_find(shared, s->key, now_ms, s->entry);
	s->active = s->entry != NULL ? shared_active(shared, s->entry) : 0;
}

static bool may_serve(const struct upstream_server *s, enum level level, bool checked, uint64_t now_ms)
{
	bool ready = health_ready(s->entry, checked, now_ms);

	return level == ANYONE || (ready && s->origin->conf->backup == (level == BACKUP));
}

/* How many are eligible at this level; and the shortest wait when all of these have to. */
static size_t make_eligible(struct upstream_group *g, const struct route *r, enum level level,
			    uint64_t now_ms, uint64_t *wait_ms)
{
	size_t eligible = 0;

	*wait_ms = 0;
	for (struct upstream_server *s = group_next(g, NULL); s != NULL; s = group_next(g, s)) {
		const struct server_conf *c = s->origin->conf;

		s->eligible = false;
		if (s->entry == NULL || c->down || was_tried(r, s) ||
		    (c->max_conns != 0 && s->active >= c->max_conns) ||
		    !may_serve(s, level, g->conf->check.type != CHECK_NONE, now_ms))
			continue;
		s->wait_ms = health_wait(s->entry, c, now_ms);
		s->weight = health_weight(s->entry, c, now_ms);
		s->eligible = s->wait_ms == 0;
		eligible += s->eligible;
		if (!s->eligible && (*wait_ms == 0 || s->wait_ms < *wait_ms))
			*wait_ms = s->wait_ms;
	}
	return eligible;
}

static const char *why_none(const struct upstream_group *g, const struct route *r)
{
	bool all_tried = true, all_down = true;

	for (const struct upstream_server *s = group_next(g, NULL); s != NULL; s = group_next(g, s)) {
		all_tried &= was_tried(r, s) || s->origin->conf->down;
		all_down &= s->origin->conf->down;
	}
	if (all_down)
		return "all servers are marked \"down\"";
	return all_tried ? "no live upstreams" : "all servers that are left have \"max_conns\" sessions";
}

static enum choice_result settle(struct upstream_group *g, const struct route *r, uint64_t now_ms,
				 struct choice_made *made)
{
	for (enum level level = PRIMARY; level < LEVELS; level++) {
		struct upstream_server *s;

		if (make_eligible(g, r, level, now_ms, &made->wait_ms) == 0) {
			if (made->wait_ms != 0)
				return CHOICE_WAIT;
			continue;
		}
		s = METHODS[g->conf->method](g, r->hash);
		made->trial = health_try(s->entry, s->origin->conf, now_ms);
		health_take(s->entry, s->origin->conf, now_ms);
		made->server = s;
		made->place = shared_enter(g->upstreams->shared, s->entry);
		return CHOICE_MADE;
	}
	made->why = why_none(g, r);
	return CHOICE_NONE;
}

enum choice_result choose(struct upstream_group *g, const struct route *r, uint64_t now_ms,
			  struct choice_made *made)
{
	struct upstream_shared *shared = g->upstreams->shared;
	enum choice_result result;

	*made = (struct choice_made){ .why = "too many servers were tried" };
	if (r->tried_len == ROUTE_TRIES_MAX)
		return CHOICE_NONE;
	shared_lock(shared);
	for (struct upstream_server *s = group_next(g, NULL); s != NULL; s = group_next(g, s))
		look_at(g, s, now_ms);
	result = settle(g, r, now_ms, made);
	shared_unlock(shared);
	return result;
}
