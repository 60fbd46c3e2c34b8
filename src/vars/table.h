/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table whose keys and values lie in an arena, made for tables with a hundred thousand lines that are
 * read once and asked for ever. Only the operator puts in keys, so nobody can choose those that collide.
 */
#pragma once
#include "base/arena.h"

struct table_entry {
	struct str key;
	const void *value;
	uint32_t hash;
};

struct table {
	struct arena *home;
	struct table_entry **slots;
	size_t room, len;
	bool fold; /* keys differ in more than the case of letters */
};

void table_init(struct table *t, struct arena *home, bool fold);

/* The entry of this key, or NULL. */
struct table_entry *table_find(const struct table *t, struct str key);

/* A new entry, without a value. The key must not be there yet, and is not copied. */
struct table_entry *table_add(struct table *t, struct str key);
