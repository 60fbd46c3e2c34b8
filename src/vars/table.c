/* SPDX-License-Identifier: BSD-2-Clause */
/* Open addressing with room for twice as many; outgrown slots stay in the arena, all of them together not
 * more than those in use. */
#include "vars/table.h"

enum { FIRST_ROOM = 8 };

void table_init(struct table *t, struct arena *home, bool fold)
{
	*t = (struct table){ .home = home, .fold = fold };
}

/* FNV-1a. */
static uint32_t hash_of(struct str key, bool fold)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < key.len; i++) {
		unsigned char x = (unsigned char)key.at[i];

		if (fold && x >= 'A' && x <= 'Z')
			x = (unsigned char)(x - 'A' + 'a');
		h = (h ^ x) * 16777619;
	}
	return h ^ h >> 15;
}

/* The slot that holds the key, or where it would go. */
static struct table_entry **slot_of(const struct table *t, struct str key, uint32_t hash)
{
	size_t i = hash & (t->room - 1);

	for (; t->slots[i] != NULL; i = (i + 1) & (t->room - 1)) {
		const struct table_entry *e = t->slots[i];

		if (e->hash == hash && (t->fold ? str_same(e->key, key) : str_eq(e->key, key)))
			break;
	}
	return &t->slots[i];
}

static void grow(struct table *t)
{
	struct table old = *t;

	t->room = old.room != 0 ? 2 * old.room : FIRST_ROOM;
	t->slots = arena_take(t->home, t->room * sizeof(struct table_entry *));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i] != NULL)
			*slot_of(t, old.slots[i]->key, old.slots[i]->hash) = old.slots[i];
}

struct table_entry *table_find(const struct table *t, struct str key)
{
	return t->len != 0 ? *slot_of(t, key, hash_of(key, t->fold)) : NULL;
}

struct table_entry *table_add(struct table *t, struct str key)
{
	struct table_entry *e = arena_take(t->home, sizeof(*e));

	if (2 * (t->len + 1) > t->room)
		grow(t);
	e->key = key;
	e->hash = hash_of(key, t->fold);
	*slot_of(t, key, e->hash) = e;
	t->len++;
	return e;
}
