/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of one login through a group, in the order of its life: open, wait (for names, or for its turn
 * where login_rate holds it back), be handed a server, tell how it did, go on to the next or stay.
 *
 * Each step is made in a task of its own, so that no answer comes from inside a call of the asker, and
 * whatever an asker does in its callback finds the queues whole.
 */
#include "upstream/group.h"

#include "base/must.h"
#include <stdio.h>

/* More logins do not wait at one group in one worker. */
enum { QUEUE_MAX = 4096 };

/* --- queues -------------------------------------------------------------------------------------------- */

void routes_init(struct routes *q)
{
	*q = (struct routes){ .end = &q->first };
}

static void enqueue_at(struct routes *q, struct route *r, struct route **link)
{
	r->next = *link;
	r->link = link;
	*link = r;
	if (r->next != NULL)
		r->next->link = &r->next;
	else
		q->end = &r->next;
	q->len++;
}

static void dequeue(struct routes *q, struct route *r)
{
	*r->link = r->next;
	if (r->next != NULL)
		r->next->link = r->link;
	else
		q->end = r->link;
	r->link = NULL;
	q->len--;
}

void routes_resolved(struct upstream_group *g)
{
	while (g->unresolved.first != NULL && !names_pending(g)) {
		struct route *r = g->unresolved.first;

		dequeue(&g->unresolved, r);
		r->state = ROUTE_ASKED;
		loop_later(g->upstreams->loop, &r->task);
	}
}

/* The first in the queue may go: the next follows when it has its answer, or knows that it is too early. */
static void wake_next(struct upstream_group *g)
{
	struct route *r = g->queue.first;

	if (r == NULL)
		return;
	dequeue(&g->queue, r);
	r->state = ROUTE_TURN;
	loop_later(g->upstreams->loop, &r->task);
}

void routes_turn(struct timer *t)
{
	wake_next(CONTAINER(t, struct upstream_group, turn));
}

/* --- one step ------------------------------------------------------------------------------------------ */

static void give_none(struct route *r)
{
	r->fn(r, NULL);
}

static void complain(struct route *r, const char *why)
{
	const struct origin *o = names_missing(r->group);

	if (o != NULL && group_next(r->group, NULL) == NULL)
		snprintf(r->complaint, sizeof(r->complaint), "host \"%.*s\" could not be resolved (%u: %s)%s",
			 STR_ARG(o->conf->target.host), resolve_status_number(o->status),
			 resolve_status_text(o->status),
			 o->by_name ? "" : ", and there is no \"resolver\" in mail{}");
	else
		snprintf(r->complaint, sizeof(r->complaint), "%s in upstream \"%.*s\"", why,
			 STR_ARG(r->group->name));
	give_none(r);
}

static void hand_out(struct route *r, const struct choice_made *made)
{
	struct upstream_server *s = made->server;
	const struct target *t = &s->origin->conf->target;

	server_use(s);
	r->server = s;
	r->place = made->place;
	r->trial = made->trial;
	r->told = false;
	r->tried[r->tried_len++] = s->id;
	r->peer = (struct peer){ .addr = s->addr,
				 .name = s->origin->name,
				 .host = t->kind == TARGET_UNIX ? STR("") : t->host,
				 .scope = r->group->scope };
	r->fn(r, &r->peer);
}

/* Whose turn had come keeps its place at the head. */
static void wait_for_turn(struct route *r, uint64_t wait_ms)
{
	struct upstream_group *g = r->group;
	bool first = r->state == ROUTE_TURN;

	if (!first && g->queue.len >= QUEUE_MAX) {
		r->state = ROUTE_ANSWERED;
		complain(r, "too many logins wait for servers");
		return;
	}
	enqueue_at(&g->queue, r, first ? &g->queue.first : g->queue.end);
	r->state = ROUTE_QUEUED;
	if (wait_ms != 0)
		loop_arm(g->upstreams->loop, &g->turn, wait_ms);
}

/* Whoever has come so far with the names that are known looks again when there are more. */
static void wait_for_names(struct route *r)
{
	enqueue_at(&r->group->unresolved, r, r->group->unresolved.end);
	r->state = ROUTE_UNRESOLVED;
}

static void find_server(struct route *r)
{
	struct choice_made made;
	enum choice_result result = choose(r->group, r, loop_now(r->upstreams->loop), &made);
	bool turn = r->state == ROUTE_TURN;

	if (result == CHOICE_WAIT) {
		wait_for_turn(r, made.wait_ms);
		return;
	}
	r->state = ROUTE_ANSWERED;
	if (turn)
		wake_next(r->group);
	if (result == CHOICE_MADE)
		hand_out(r, &made);
	else if (names_awaited(r->group))
		wait_for_names(r);
	else
		complain(r, made.why);
}

static void step(struct task *t)
{
	struct route *r = CONTAINER(t, struct route, task);
	struct upstream_group *g = r->group;

	if (g == NULL) {
		give_none(r);
	} else if (names_pending(g)) {
		wait_for_names(r);
	} else if (r->state != ROUTE_TURN && g->queue.first != NULL) {
		wait_for_turn(r, 0);
	} else {
		find_server(r);
	}
}

/* --- what the asker does ------------------------------------------------------------------------------- */

void route_open(struct route *r, struct upstreams *u, struct str target, uint16_t default_port,
		struct str key, const struct vars *vars, route_fn *fn)
{
	must(r->upstreams == NULL);
	*r = (struct route){ .fn = fn, .upstreams = u, .task.fn = step, .state = ROUTE_ASKED };
	r->group = group_find(u, target, default_port, r->complaint);
	if (r->group != NULL) {
		r->group->pins++;
		if (vars != NULL && r->group->conf->hash_key != NULL)
			key = template_fill(r->group->conf->hash_key, vars);
		r->hash = hash_text(key, 1);
		names_use(r->group);
	}
	loop_later(u->loop, &r->task);
}

static void log_change(const struct route *r, enum health_change change, const char *why, uint64_t down_ms)
{
	const struct upstream_server *s = r->server;
	const struct log *log = r->upstreams->log;

	if (change == HEALTH_WENT_DOWN)
		log_put(log, LOG_WARN, 0, "upstream \"%.*s\" server %s is down: %s", STR_ARG(r->group->name),
			s->text.at, why != NULL ? why : "logins fail");
	else if (change == HEALTH_CAME_UP)
		log_put(log, LOG_NOTICE, 0, "upstream \"%.*s\" server %s is up again after %llus",
			STR_ARG(r->group->name), s->text.at, (unsigned long long)(down_ms + 500) / 1000);
}

void route_outcome(struct route *r, enum route_outcome outcome, const char *why)
{
	struct upstream_server *s = r->server;
	enum health_change change = HEALTH_AS_BEFORE;
	uint64_t now_ms, down_ms = 0;
	bool checked;

	if (s == NULL || r->told)
		return;
	r->told = true;
	now_ms = loop_now(r->upstreams->loop);
	checked = r->group->conf->check.type != CHECK_NONE;
	shared_lock(r->upstreams->shared);
	s->entry = shared_find(r->upstreams->shared, s->key, now_ms, s->entry);
	if (s->entry == NULL)
		change = HEALTH_AS_BEFORE;
	else if (outcome == ROUTE_GOOD)
		change = health_good(s->entry, checked, now_ms, &down_ms);
	else if (outcome == ROUTE_FAILED)
		change = health_failed(s->entry, s->origin->conf, now_ms);
	else
		health_neutral(s->entry, r->trial);
	shared_unlock(r->upstreams->shared);
	log_change(r, change, why, down_ms);
}

/* Turn away from the server handed out last, if there is one. */
static void leave_server(struct route *r)
{
	if (r->server == NULL)
		return;
	route_outcome(r, ROUTE_NEUTRAL, NULL);
	peer_leave(r->place);
	r->place = NULL;
	server_release(r->server);
	r->server = NULL;
}

void route_next(struct route *r)
{
	must(r->group != NULL && r->state == ROUTE_ANSWERED);
	leave_server(r);
	names_use(r->group);
	r->state = ROUTE_ASKED;
	loop_later(r->upstreams->loop, &r->task);
}

struct peer_place *route_keep(struct route *r)
{
	struct peer_place *place = r->place;

	must(place != NULL);
	r->place = NULL;
	return place;
}

static void leave_queue(struct route *r)
{
	struct upstream_group *g = r->group;

	loop_cancel(r->upstreams->loop, &r->task);
	if (r->state == ROUTE_UNRESOLVED)
		dequeue(&g->unresolved, r);
	else if (r->state == ROUTE_QUEUED)
		dequeue(&g->queue, r);
	else if (r->state == ROUTE_TURN)
		wake_next(g);
	if (g != NULL && g->queue.first == NULL)
		loop_disarm(&g->turn);
}

void route_close(struct route *r)
{
	if (r->upstreams == NULL)
		return;
	leave_queue(r);
	leave_server(r);
	if (r->group != NULL)
		r->group->pins--;
	r->group = NULL;
	r->upstreams = NULL;
	r->state = ROUTE_CLOSED;
}
