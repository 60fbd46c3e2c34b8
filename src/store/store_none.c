/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of store.c where SQLite is not there: no store can be opened, so nothing else is ever called. */
#include "store/store.h"

#include "base/must.h"

static const char missing[] = "this postern was built without SQLite";

struct store *store_open(const char *path, enum store_mode mode, struct buf *fault)
{
	(void)mode;
	buf_clear(fault);
	buf_format(fault, "user store \"%s\": %s", path, missing);
	return NULL;
}

void store_close(struct store *s)
{
	must(s == NULL);
}

enum store_result store_find(struct store *s, struct str name, struct user *u, struct arena *home,
			     struct buf *fault)
{
	(void)name, (void)u, (void)home;
	must(s == NULL);
	buf_set(fault, str_of(missing));
	return STORE_FAILED;
}

enum store_result store_put(struct store *s, const struct user *u, enum store_put how, struct buf *fault)
{
	(void)u, (void)how;
	must(s == NULL);
	buf_set(fault, str_of(missing));
	return STORE_FAILED;
}

enum store_result store_delete(struct store *s, struct str name, struct buf *fault)
{
	(void)name;
	must(s == NULL);
	buf_set(fault, str_of(missing));
	return STORE_FAILED;
}

enum store_result store_each(struct store *s, store_user_fn *fn, void *to, struct buf *fault)
{
	(void)fn, (void)to;
	must(s == NULL);
	buf_set(fault, str_of(missing));
	return STORE_FAILED;
}

bool store_begin(struct store *s, struct buf *fault)
{
	must(s == NULL);
	buf_set(fault, str_of(missing));
	return false;
}

bool store_keep(struct store *s, struct buf *fault)
{
	return store_begin(s, fault);
}
