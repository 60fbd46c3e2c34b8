/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The embedded user store: one SQLite file with one table. posternctl writes it, the helpers of auth_sqlite
 * read it, at the same time and without knowing of each other.
 *
 *     CREATE TABLE users (
 *       name TEXT PRIMARY KEY COLLATE NOCASE,   as typed; ASCII letters compare in any case
 *       password TEXT NOT NULL,                 "{SCHEME}hash"
 *       enabled INTEGER NOT NULL DEFAULT 1,
 *       route TEXT, login TEXT, networks TEXT, protocols TEXT, comment TEXT,    NULL: not given
 *       created INTEGER NOT NULL, changed INTEGER NOT NULL)                     seconds since 1970
 *     PRAGMA user_version = 1                   of this table; PRAGMA application_id = 0x506f7374
 *
 * The journal is SQLite's rollback journal: a reader then needs no right to write. What fails is told in
 * words that name the file and the cure, in `fault`, a buffer of the caller's that is cleared first.
 */
#pragma once
#include "store/user.h"

enum store_mode {
	STORE_READ,   /* an older version is read, too */
	STORE_WRITE,  /* an older version is brought up to date */
	STORE_CREATE, /* the same, and what is not there is made: mode 0640, with the group of its folder */
};

enum store_result {
	STORE_GOOD,
	STORE_NONE,   /* no such user; when adding: there is one already */
	STORE_FAILED, /* `fault` says why */
};

enum store_put { STORE_ADD, STORE_CHANGE, STORE_REPLACE };

enum { STORE_FAULT_MAX = 1024 };

struct store;

/* NULL when it cannot be opened. Everything else wants a store that is open. */
struct store *store_open(const char *path, enum store_mode mode, struct buf *fault);

/* NULL is allowed. What a transaction has not kept is undone. */
void store_close(struct store *s);

/* Look a user up by name; the texts lie in `home`. */
enum store_result store_find(struct store *s, struct str name, struct user *u, struct arena *home,
			     struct buf *fault);

/* Write a user whose user_complaint is NULL. `created` and `changed` are set here. */
enum store_result store_put(struct store *s, const struct user *u, enum store_put how, struct buf *fault);

enum store_result store_delete(struct store *s, struct str name, struct buf *fault);

/* Call fn for every user in the order of names. The texts live during the call only. */
typedef void store_user_fn(void *to, const struct user *u);
enum store_result store_each(struct store *s, store_user_fn *fn, void *to, struct buf *fault);

/* Several changes that come to be together, or not at all. */
bool store_begin(struct store *s, struct buf *fault);
bool store_keep(struct store *s, struct buf *fault);
