/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer wheel: levels of 256 slots, the first of one millisecond a slot, so arming, moving and disarming
 * cost a few pointers each however many timers there are. A timer lies on the level of the highest digit
 * (base 256) in which its time differs from now, and moves down when the wheel comes to its slot.
 */
#pragma once
#include "loop/loop.h"

enum { WHEEL_BITS = 8, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 6 };

struct timers {
	uint64_t now; /* the next millisecond to be run */
	struct timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
	uint64_t filled[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* a bit for each slot that may hold a timer */
};

void timers_init(struct timers *w, uint64_t now);

/* Arm or move; a time that has passed is as soon as possible. */
void timers_arm(struct timers *w, struct timer *t, uint64_t due);

/* Disarm; nothing happens to a timer that is not armed. */
void timer_unlink(struct timer *t);

/* Run all that is due at `now`, in order of time (in no order within one millisecond). Callbacks may arm and
 * disarm any timer, their own too; what they arm for a time that has come runs in the next millisecond. */
void timers_run(struct timers *w, uint64_t now);

/* How long may one sleep at `now` before timers_run has something to do? In ms; -1: for ever. Never longer
 * than to the first timer, but maybe shorter, when timers must move down a level before. */
int timers_wait(struct timers *w, uint64_t now);
