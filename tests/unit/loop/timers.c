/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer wheel against a list that is searched from end to end.
 *
 * The property test lets both live through the same random history: timers are armed, moved and disarmed,
 * from outside and from inside callbacks, and the clock goes on by nothing, by little, across block borders,
 * or by years. At each callback the timer must be the one that the list would choose, and when the wheel
 * comes to rest nothing due may be left in the list.
 */
#include "loop/timers.h"

#include "unit.h"
#include <limits.h>

enum { TIMERS = 48, STEPS = 600, HISTORIES = 300 };

struct entry {
	struct timer timer;
	struct history *in;
	bool armed;
	uint64_t due;
};

struct history {
	struct dice dice;
	struct timers wheel;
	uint64_t floor; /* what is armed for earlier comes now */
	uint64_t now, fired;
	struct entry entries[TIMERS];
};

static uint64_t earliest(const struct history *h)
{
	uint64_t first = UINT64_MAX;

	for (int i = 0; i < TIMERS; i++)
		if (h->entries[i].armed && h->entries[i].due < first)
			first = h->entries[i].due;
	return first;
}

/* Distances that hit each level of the wheel, and its block borders, about as often as each other. */
static uint64_t distance(struct history *h)
{
	static const uint64_t scales[] = {
		1, 4, 256, 600, 65536, 200000, 1 << 24, (uint64_t)1 << 33, (uint64_t)1 << 41
	};
	uint64_t scale = scales[dice_roll(&h->dice, sizeof(scales) / sizeof(scales[0]))];

	switch (dice_roll(&h->dice, 4)) {
	case 0:
		return scale;
	case 1:
		return (scale - h->wheel.now % scale) + dice_roll(&h->dice, 3) - 1;
	default:
		return dice_roll(&h->dice, scale);
	}
}

static void change(struct history *h)
{
	struct entry *e = &h->entries[dice_roll(&h->dice, TIMERS)];
	uint64_t choice = dice_roll(&h->dice, 8);
	uint64_t due = choice == 2 ? dice_roll(&h->dice, h->wheel.now + 1) : h->wheel.now + distance(h);

	e->armed = choice >= 2;
	if (!e->armed) {
		timer_unlink(&e->timer);
		return;
	}
	timers_arm(&h->wheel, &e->timer, due);
	e->due = due > h->floor ? due : h->floor;
}

static void fire(struct timer *t)
{
	struct entry *e = CONTAINER(t, struct entry, timer);
	struct history *h = e->in;

	assert_true(e->armed);
	assert_false(timer_armed(t));
	assert_true(e->due <= h->now);
	assert_true(e->due == earliest(h));
	e->armed = false;
	h->fired++;
	h->floor = e->due + 1;
	for (uint64_t changes = dice_roll(&h->dice, 3); changes != 0; changes--)
		change(h);
}

static uint64_t step(struct history *h)
{
	uint64_t first = earliest(h);

	switch (dice_roll(&h->dice, 6)) {
	case 0:
		return h->now + distance(h);
	case 1:
		return first != UINT64_MAX && first > h->now ? first : h->now;
	case 2:
		return first != UINT64_MAX && first > h->now ? first - 1 : h->now;
	default:
		return h->now + dice_roll(&h->dice, 700);
	}
}

static void check_rest(struct history *h)
{
	uint64_t first = earliest(h);
	int wait = timers_wait(&h->wheel, h->now);

	assert_true(first > h->now);
	for (int i = 0; i < TIMERS; i++)
		assert_true(h->entries[i].armed == timer_armed(&h->entries[i].timer));
	if (first == UINT64_MAX) {
		assert_int_equal(wait, -1);
		return;
	}
	assert_true(wait >= 1);
	assert_true((uint64_t)wait <= first - h->now);
}

static void live(struct history *h)
{
	for (int i = 0; i < STEPS; i++) {
		for (uint64_t changes = dice_roll(&h->dice, 6); changes != 0; changes--)
			change(h);
		h->now = step(h);
		timers_run(&h->wheel, h->now);
		h->floor = h->now + 1;
		check_rest(h);
	}
}

static void wheel_does_what_a_list_does(void **state)
{
	static struct history h;
	uint64_t fired = 0;

	(void)state;
	for (uint64_t seed = 0; seed < HISTORIES; seed++) {
		h = (struct history){ .dice = { seed } };
		h.now = h.floor = dice_roll(&h.dice, (uint64_t)1 << (1 + dice_roll(&h.dice, 40)));
		timers_init(&h.wheel, h.now);
		for (int i = 0; i < TIMERS; i++)
			h.entries[i] = (struct entry){ .timer = { .fn = fire }, .in = &h };
		live(&h);
		fired += h.fired;
	}
	assert_true(fired > (uint64_t)HISTORIES * STEPS);
}

/* A timer that counts, and may do something to another. */
struct bell {
	struct timer timer;
	struct timers *wheel;
	int rung;
	struct timer *disarm;
	uint64_t again_after;
};

static void ring(struct timer *t)
{
	struct bell *b = CONTAINER(t, struct bell, timer);

	b->rung++;
	if (b->disarm != NULL)
		timer_unlink(b->disarm);
	if (b->again_after != 0)
		timers_arm(b->wheel, t, t->due + b->again_after);
}

static struct bell bell(struct timers *w)
{
	return (struct bell){ .timer = { .fn = ring }, .wheel = w };
}

/* The last slot of a block is emptied when timers of the next block come down into the first level. */
static void last_slot_of_a_block_runs_no_one_else(void **state)
{
	struct timers w;
	struct bell at_end = bell(&w), later = bell(&w);

	(void)state;
	timers_init(&w, 0);
	timers_arm(&w, &at_end.timer, 255);
	timers_arm(&w, &later.timer, 511);
	timers_run(&w, 300);
	assert_int_equal(at_end.rung, 1);
	assert_int_equal(later.rung, 0);
	timers_run(&w, 510);
	assert_int_equal(later.rung, 0);
	timers_run(&w, 511);
	assert_int_equal(later.rung, 1);
}

static void callback_may_disarm_its_neighbours(void **state)
{
	struct timers w;
	struct bell a = bell(&w), b = bell(&w), c = bell(&w);

	(void)state;
	timers_init(&w, 1000);
	/* whichever of the two runs first disarms the other */
	a.disarm = &b.timer;
	b.disarm = &a.timer;
	timers_arm(&w, &a.timer, 1010);
	timers_arm(&w, &b.timer, 1010);
	timers_arm(&w, &c.timer, 1010);
	timers_run(&w, 1010);
	assert_int_equal(a.rung + b.rung, 1);
	assert_int_equal(c.rung, 1);
	assert_int_equal(timers_wait(&w, 1010), -1);
}

static void rearming_for_the_past_does_not_hang(void **state)
{
	struct timers w;
	struct bell b = bell(&w);

	(void)state;
	timers_init(&w, 0);
	b.again_after = 1;
	timers_arm(&w, &b.timer, 10);
	timers_run(&w, 14);
	assert_int_equal(b.rung, 5);
	assert_true(timer_armed(&b.timer));
	assert_int_equal(timers_wait(&w, 14), 1);
	b.again_after = 0;
	timers_run(&w, 15);
	assert_int_equal(b.rung, 6);
	assert_false(timer_armed(&b.timer));
}

/* A century of nothing is passed without looking at each of its milliseconds, or this test would not end. */
static void far_away_is_not_dear(void **state)
{
	const uint64_t century = (uint64_t)100 * 365 * 86400 * 1000;
	struct timers w;
	struct bell b = bell(&w), never = bell(&w);

	(void)state;
	timers_init(&w, 12345);
	timers_arm(&w, &never.timer, UINT64_MAX);
	for (uint64_t i = 1; i <= 50; i++) {
		timers_arm(&w, &b.timer, i * century);
		assert_int_equal(timers_wait(&w, w.now), INT_MAX);
		timers_run(&w, i * century - 1);
		assert_int_equal(b.rung, i - 1);
		timers_run(&w, i * century);
		assert_int_equal(b.rung, i);
	}
	assert_int_equal(never.rung, 0);
	assert_true(timer_armed(&never.timer));
}

/* Who sleeps as long as timers_wait allows wakes at most once a level before the timer is due, and then
 * exactly. */
static void waits_lead_to_the_timer(void **state)
{
	struct dice dice = { 7 };

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint64_t now = dice_roll(&dice, (uint64_t)1 << 40), due = now + 1 + dice_roll(&dice, INT_MAX);
		struct timers w;
		struct bell b = bell(&w);
		int naps = 0;

		timers_init(&w, now);
		timers_run(&w, now);
		timers_arm(&w, &b.timer, due);
		for (; b.rung == 0; naps++) {
			now += (uint64_t)timers_wait(&w, now);
			timers_run(&w, now);
		}
		assert_true(now == due);
		assert_true(naps <= WHEEL_LEVELS);
	}
}

static void disarmed_timers_wake_nobody(void **state)
{
	static const uint64_t dues[] = { 5, 255, 256, 70000, 1 << 25 };
	struct timers w;
	struct bell b = bell(&w);

	(void)state;
	timers_init(&w, 0);
	timer_unlink(&b.timer);
	for (size_t i = 0; i < sizeof(dues) / sizeof(dues[0]); i++) {
		timers_arm(&w, &b.timer, dues[i]);
		assert_true(timers_wait(&w, 0) >= 0);
		timer_unlink(&b.timer);
		timer_unlink(&b.timer);
		assert_int_equal(timers_wait(&w, 0), -1);
	}
	timers_run(&w, 1 << 26);
	assert_int_equal(b.rung, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_slot_of_a_block_runs_no_one_else),
		cmocka_unit_test(callback_may_disarm_its_neighbours),
		cmocka_unit_test(rearming_for_the_past_does_not_hang),
		cmocka_unit_test(far_away_is_not_dear),
		cmocka_unit_test(waits_lead_to_the_timer),
		cmocka_unit_test(disarmed_timers_wake_nobody),
		cmocka_unit_test(wheel_does_what_a_list_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
