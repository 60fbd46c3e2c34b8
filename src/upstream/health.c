/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Health. A server is down while logins failed there too often (max_fails within fail_timeout) or active
 * checks say so. The first kind ends by a try: when fail_timeout is over one login after the other may be the
 * one that finds out. Only what changes whether it is down is a change, and only the process that makes the
 * change hears of it, so it is logged once.
 *
 * A bucket of login_rate is kept as the time when the next login would be on time (the generic cell rate
 * algorithm): one number, so nothing has to be filled.
 */
#include "upstream/health.h"

/* The bucket holds what comes in in this time, but at least one. */
enum { BURST_US = 100000 };

bool health_ready(const struct shared_entry *e, bool checked, uint64_t now_ms)
{
	if (checked && e->check_bad)
		return false;
	return !e->out || (now_ms >= e->out_until_ms && now_ms >= e->trial_until_ms);
}

/* The time of its end is what tells a trial from others: none begins before that of another is over. */
uint64_t health_try(struct shared_entry *e, const struct server_conf *c, uint64_t now_ms)
{
	if (!e->out || now_ms < e->out_until_ms || now_ms < e->trial_until_ms)
		return 0;
	return e->trial_until_ms = now_ms + c->fail_timeout_ms;
}

static enum health_change go_down(struct shared_entry *e, uint64_t now_ms)
{
	if (e->down_since_ms != 0)
		return HEALTH_AS_BEFORE;
	e->down_since_ms = now_ms != 0 ? now_ms : 1;
	return HEALTH_WENT_DOWN;
}

static enum health_change come_up(struct shared_entry *e, bool checked, uint64_t now_ms, uint64_t *down_ms)
{
	if (e->down_since_ms == 0 || e->out || (checked && e->check_bad))
		return HEALTH_AS_BEFORE;
	*down_ms = now_ms - e->down_since_ms;
	e->down_since_ms = 0;
	e->slow_since_ms = now_ms;
	return HEALTH_CAME_UP;
}

static void forget_fails(struct shared_entry *e)
{
	e->out = false;
	e->fails = 0;
	e->trial_until_ms = 0;
}

/* A result of checks that nobody makes any more is no reason to stay down. */
enum health_change health_good(struct shared_entry *e, bool checked, uint64_t now_ms, uint64_t *down_ms)
{
	if (!e->out && checked)
		return HEALTH_AS_BEFORE;
	if (e->out)
		forget_fails(e);
	return come_up(e, checked, now_ms, down_ms);
}

enum health_change health_failed(struct shared_entry *e, const struct server_conf *c, uint64_t now_ms)
{
	if (c->max_fails == 0)
		return HEALTH_AS_BEFORE;
	if (e->fails == 0 || now_ms - e->fails_since_ms > c->fail_timeout_ms) {
		e->fails = 0;
		e->fails_since_ms = now_ms;
	}
	e->fails++;
	if (!e->out && e->fails < c->max_fails)
		return HEALTH_AS_BEFORE;
	e->out = true;
	e->out_until_ms = now_ms + c->fail_timeout_ms;
	e->trial_until_ms = 0;
	return go_down(e, now_ms);
}

void health_neutral(struct shared_entry *e, uint64_t trial)
{
	if (e->trial_until_ms == trial)
		e->trial_until_ms = 0;
}

/* A check that does not log in knows less than the logins that failed. */
static bool outweighs_logins(const struct shared_entry *e, const struct check_conf *k, uint64_t now_ms)
{
	return k->type == CHECK_LOGIN || (e->out && now_ms >= e->out_until_ms);
}

enum health_change health_checked(struct shared_entry *e, bool good, const struct check_conf *k,
				  uint64_t now_ms, uint64_t *down_ms)
{
	e->check_streak = good == e->check_bad ? e->check_streak + 1 : 0;
	if (e->check_streak >= (good ? k->rises : k->fails)) {
		e->check_bad = !good;
		e->check_streak = 0;
	}
	if (e->check_bad)
		return go_down(e, now_ms);
	if (good && outweighs_logins(e, k, now_ms))
		forget_fails(e);
	return come_up(e, true, now_ms, down_ms);
}

uint64_t health_weight(const struct shared_entry *e, const struct server_conf *c, uint64_t now_ms)
{
	uint64_t full = c->weight * WEIGHT_UNIT, age = now_ms - e->slow_since_ms;

	if (e->slow_since_ms == 0 || age >= c->slow_start_ms)
		return full;
	return 1 + (full - 1) * age / c->slow_start_ms;
}

static uint64_t burst_us(const struct server_conf *c)
{
	return c->login_every_us > BURST_US ? 0 : BURST_US - c->login_every_us;
}

uint64_t health_wait(const struct shared_entry *e, const struct server_conf *c, uint64_t now_ms)
{
	uint64_t latest = now_ms * 1000 + burst_us(c);

	if (c->login_every_us == 0 || e->due_us <= latest)
		return 0;
	return (e->due_us - latest + 999) / 1000;
}

void health_take(struct shared_entry *e, const struct server_conf *c, uint64_t now_ms)
{
	uint64_t now_us = now_ms * 1000;

	if (c->login_every_us != 0)
		e->due_us = (e->due_us > now_us ? e->due_us : now_us) + c->login_every_us;
}
