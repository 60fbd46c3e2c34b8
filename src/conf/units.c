/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sizes and times as they are written in a configuration.
 *
 * A time is a row of numbers with units that must become smaller; a number without a unit is seconds and may
 * stand last, or before a blank. Times kept in milliseconds know "ms" but neither months nor years, times
 * kept in seconds the other way round.
 */
#include "conf/conf.h"

/* What the peer can count to: no file of its has more. */
#define MOST ((uint64_t)INT64_MAX)

static bool scale(struct str text, uint64_t by, uint64_t *to)
{
	uint64_t n;

	if (!str_number(text, MOST / by, &n))
		return false;
	*to = n * by;
	return true;
}

static uint64_t factor_of(char unit)
{
	switch (unit) {
	case 'k':
	case 'K':
		return 1 << 10;
	case 'm':
	case 'M':
		return 1 << 20;
	case 'g':
	case 'G':
		return 1 << 30;
	default:
		return 1;
	}
}

static bool read_bytes(struct str text, uint64_t most_factor, uint64_t *bytes)
{
	uint64_t by = text.len != 0 ? factor_of(text.at[text.len - 1]) : 1;

	if (by > most_factor)
		return false;
	if (by > 1)
		text.len--;
	return scale(text, by, bytes);
}

bool conf_read_size(struct str text, uint64_t *bytes)
{
	return read_bytes(text, 1 << 20, bytes);
}

bool conf_read_offset(struct str text, uint64_t *bytes)
{
	return read_bytes(text, 1 << 30, bytes);
}

/* Units from the largest to the smallest; each has a rank, and ranks must rise. */
static const struct unit {
	char name;
	uint64_t seconds;
} UNITS[] = {
	{ 'y', 365 * 24 * 3600 },
	{ 'M', 30 * 24 * 3600 },
	{ 'w', 7 * 24 * 3600 },
	{ 'd', 24 * 3600 },
	{ 'h', 3600 },
	{ 'm', 60 },
	{ 's', 1 },
};

enum { UNITS_LEN = sizeof(UNITS) / sizeof(UNITS[0]), MONTHS = 2, SECONDS = UNITS_LEN, MILLISECONDS, LAST };

/* A time being read: what is left of the text, and what may come next. */
struct time {
	struct str rest;
	uint64_t per_second; /* 1 or 1000: what is counted */
	unsigned rank;	     /* of the last unit; behind LAST may come a bare number only */
	uint64_t total;
};

static bool add(struct time *t, uint64_t n, uint64_t by)
{
	if (n > MOST / by || n * by > MOST - t->total)
		return false;
	t->total += n * by;
	return true;
}

/* The unit at the front: its rank, and what one of it counts. False on a foreign letter. */
static bool take_unit(struct time *t, unsigned *rank, uint64_t *each)
{
	char c = t->rest.at[0];

	t->rest = str_skip(t->rest, 1);
	if (c == 'm' && t->rest.len != 0 && t->rest.at[0] == 's') {
		t->rest = str_skip(t->rest, 1);
		*rank = MILLISECONDS;
		*each = 1;
		return t->per_second == 1000;
	}
	if (c == ' ') {
		*rank = LAST;
		*each = t->per_second;
		return t->rank < SECONDS;
	}
	for (unsigned i = 0; i < UNITS_LEN; i++) {
		if (UNITS[i].name == c) {
			*rank = i + 1;
			*each = UNITS[i].seconds * t->per_second;
			return true;
		}
	}
	return false;
}

static struct str take_digits(struct str *rest)
{
	struct str digits = { rest->at, 0 };

	while (digits.len < rest->len && rest->at[digits.len] >= '0' && rest->at[digits.len] <= '9')
		digits.len++;
	*rest = str_skip(*rest, digits.len);
	return digits;
}

static bool read_time(struct str text, uint64_t per_second, uint64_t *to)
{
	struct time t = { .rest = text, .per_second = per_second, .rank = per_second == 1 ? 0 : MONTHS };
	bool any = false;
	uint64_t n = 0;

	while (t.rest.len != 0) {
		struct str digits = take_digits(&t.rest);
		unsigned rank;
		uint64_t each;

		n = 0;
		any = any || digits.len != 0;
		if (digits.len != 0 && !str_number(digits, MOST, &n))
			return false;
		if (t.rest.len == 0)
			break;
		if (!take_unit(&t, &rank, &each) || rank <= t.rank || !add(&t, n, each))
			return false;
		t.rank = rank;
		n = 0;
		while (t.rest.len != 0 && t.rest.at[0] == ' ')
			t.rest = str_skip(t.rest, 1);
	}
	if (!any || !add(&t, n, per_second))
		return false;
	*to = t.total;
	return true;
}

bool conf_read_msec(struct str text, uint64_t *ms)
{
	return read_time(text, 1000, ms);
}

bool conf_read_sec(struct str text, uint64_t *sec)
{
	return read_time(text, 1, sec);
}
