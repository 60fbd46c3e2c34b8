/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nearest known name for a misspelt one. Distance counts bytes that are wrong, missing, too many, or
 * swapped with their neighbour; the case of letters does not count. A name that is farther than a quarter of
 * its length (and one) is no help, and not told.
 */
#include "conf/inside.h"

#include <string.h>

enum { NAME_MAX_LEN = 48 };

static unsigned char folded(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* One row of the table behind distance(): how far the first i bytes of `a` are from each beginning of `b`. */
struct rows {
	unsigned at[3][NAME_MAX_LEN + 1]; /* two ago, one ago, this one */
};

static void next_row(struct rows *r, struct str a, size_t i, struct str b)
{
	unsigned *two = r->at[0], *one = r->at[1], *now = r->at[2];

	now[0] = (unsigned)i;
	for (size_t j = 1; j <= b.len; j++) {
		unsigned char x = folded(a.at[i - 1]), y = folded(b.at[j - 1]);

		now[j] = least(one[j - 1] + (x != y), least(one[j], now[j - 1]) + 1);
		if (i > 1 && j > 1 && x == folded(b.at[j - 2]) && folded(a.at[i - 2]) == y)
			now[j] = least(now[j], two[j - 2] + 1);
	}
	memcpy(two, one, sizeof(r->at[0]));
	memcpy(one, now, sizeof(r->at[0]));
}

/* Both at most NAME_MAX_LEN long. */
static unsigned distance(struct str a, struct str b)
{
	struct rows r = { 0 };

	for (size_t j = 0; j <= b.len; j++)
		r.at[1][j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++)
		next_row(&r, a, i, b);
	return r.at[1][b.len];
}

unsigned suggest_distance(struct str name, struct str known)
{
	unsigned far;

	if (known.len > NAME_MAX_LEN || name.len > NAME_MAX_LEN)
		return UINT32_MAX;
	far = distance(name, known);
	return far > 1 + known.len / 4 ? UINT32_MAX : far;
}

/* Of names equally near, one that may stand here is better; so distances count double. */
static unsigned badness(const struct directive *d, struct str name, unsigned places)
{
	unsigned far = suggest_distance(name, str_of(d->name));

	return far == UINT32_MAX ? far : 2 * far + !(d->where & places);
}

const char *suggest(const struct module *const *modules, struct str name, unsigned places)
{
	const char *best = NULL;
	unsigned least_bad = UINT32_MAX;

	for (struct row r = { 0 }; row_next(modules, &r);) {
		unsigned bad = badness(r.d, name, places);

		if (bad < least_bad) {
			least_bad = bad;
			best = r.d->name;
		}
	}
	return best;
}
