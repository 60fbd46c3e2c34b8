/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer wheel; see timers.h. A disarmed timer leaves its slot's bit behind; whoever finds the slot empty
 * clears it. */
#include "loop/timers.h"

#include <limits.h>
#include <string.h>

/* No clock that starts at boot gets here; a later due time is cut to it. */
static const uint64_t DUE_MAX = ((uint64_t)1 << (WHEEL_BITS * WHEEL_LEVELS)) - 1;

void timers_init(struct timers *w, uint64_t now)
{
	memset(w, 0, sizeof(*w));
	w->now = now;
}

static unsigned digit(uint64_t time, unsigned level)
{
	return (unsigned)(time >> (level * WHEEL_BITS)) & (WHEEL_SLOTS - 1);
}

static unsigned level_of(const struct timers *w, uint64_t due)
{
	uint64_t differs = (due ^ w->now) | 1;

	return (63 - (unsigned)__builtin_clzll(differs)) / WHEEL_BITS;
}

static void link_in(struct timer **head, struct timer *t)
{
	t->next = *head;
	t->link = head;
	if (t->next != NULL)
		t->next->link = &t->next;
	*head = t;
}

void timer_unlink(struct timer *t)
{
	if (t->link == NULL)
		return;
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	t->next = NULL;
	t->link = NULL;
}

static void place(struct timers *w, struct timer *t)
{
	unsigned level = level_of(w, t->due);
	unsigned slot = digit(t->due, level);

	link_in(&w->slots[level][slot], t);
	w->filled[level][slot / 64] |= (uint64_t)1 << (slot % 64);
}

void timers_arm(struct timers *w, struct timer *t, uint64_t due)
{
	timer_unlink(t);
	t->due = due < w->now ? w->now : due > DUE_MAX ? DUE_MAX : due;
	place(w, t);
}

/* The first slot from `from` on that holds a timer, or WHEEL_SLOTS. */
static unsigned next_filled(struct timers *w, unsigned level, unsigned from)
{
	for (unsigned i = from; i < WHEEL_SLOTS; i++) {
		uint64_t word = w->filled[level][i / 64] >> (i % 64);

		if (word == 0) {
			i |= 63;
			continue;
		}
		i += (unsigned)__builtin_ctzll(word);
		if (w->slots[level][i] != NULL)
			return i;
		w->filled[level][i / 64] &= ~((uint64_t)1 << (i % 64));
	}
	return WHEEL_SLOTS;
}

/* Take a slot's timers as a list of its own, whose links stay good while callbacks unlink any of them. */
static void detach(struct timers *w, unsigned level, unsigned slot, struct timer **list)
{
	*list = w->slots[level][slot];
	w->slots[level][slot] = NULL;
	w->filled[level][slot / 64] &= ~((uint64_t)1 << (slot % 64));
	if (*list != NULL)
		(*list)->link = list;
}

/* The wheel has come to `time`: what lies in slots that begin now moves to lower levels. */
static void arrive(struct timers *w, uint64_t time)
{
	struct timer *list;

	w->now = time;
	for (unsigned level = 1; level < WHEEL_LEVELS && digit(time, level - 1) == 0; level++) {
		detach(w, level, digit(time, level), &list);
		while (list != NULL) {
			struct timer *t = list;

			timer_unlink(t);
			place(w, t);
		}
	}
}

/* When the first slot that holds a timer begins: on level 0 its timers are due then, on a higher one they
 * move down. The levels lie one behind the other in time, so the first that has one tells. UINT64_MAX: no
 * timer at all. */
static uint64_t next_stop(struct timers *w)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned slot = next_filled(w, level, digit(w->now, level));
		uint64_t turn = (uint64_t)WHEEL_SLOTS << (level * WHEEL_BITS);

		if (slot < WHEEL_SLOTS)
			return (w->now & ~(turn - 1)) + ((uint64_t)slot << (level * WHEEL_BITS));
	}
	return UINT64_MAX;
}

/* Run what is due at exactly `time`. The slot is emptied before the wheel goes on, since going on may fill it
 * with timers of the next block; and the wheel goes on before the callbacks, so that what they arm for "now"
 * comes a millisecond later. */
static void run_slot(struct timers *w, uint64_t time)
{
	struct timer *list;

	detach(w, 0, digit(time, 0), &list);
	arrive(w, time + 1);
	while (list != NULL) {
		struct timer *t = list;

		timer_unlink(t);
		t->fn(t);
	}
}

/* From stop to stop, so that a clock that jumps far (a stopped process, a paused machine) costs what it
 * passes, not the way. */
void timers_run(struct timers *w, uint64_t now)
{
	for (uint64_t stop = next_stop(w); stop <= now; stop = next_stop(w)) {
		if (stop != w->now)
			arrive(w, stop);
		run_slot(w, stop);
	}
	if (w->now <= now)
		arrive(w, now + 1);
}

int timers_wait(struct timers *w, uint64_t now)
{
	uint64_t stop = next_stop(w);

	if (stop == UINT64_MAX)
		return -1;
	if (stop <= now)
		return 0;
	return stop - now > INT_MAX ? INT_MAX : (int)(stop - now);
}
