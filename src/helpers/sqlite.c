/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern-auth-sqlite: users of the embedded store.
 *
 * The store is opened for each question. That costs far less than any password hash, and nothing that happens
 * to the file in between (changed, replaced, taken away and restored, of another mode) needs a thought or a
 * reload.
 */
#include "helpers/stored.h"

#include "scheme/scheme.h"
#include "store/store.h"

static struct {
	const char *path;
	struct stored stored;
	struct buf fault;
} own;

static const char *open_settings(const struct helper_settings *s)
{
	own.path = helper_text(s, "file", 0).at;
	own.stored.where = own.path;
	own.stored.cure = "\"posternctl user passwd\" sets a new one";
	buf_init(&own.stored.like, SCHEME_STORED_MAX);
	buf_init(&own.fault, STORE_FAULT_MAX);
	return own.path == NULL ? "no file is given" : NULL;
}

static void answer(const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	struct store *store = store_open(own.path, STORE_READ, &own.fault);
	enum store_result result = STORE_FAILED;
	struct user u;

	if (store != NULL)
		result = store_find(store, q->user, &u, home, &own.fault);
	store_close(store); /* before the hash: no lock is held while that takes its time */
	if (result == STORE_FAILED) {
		helper_broken(a, home, "%.*s", STR_ARG(buf_text(&own.fault)));
		return;
	}
	own.stored.u = result == STORE_GOOD ? &u : NULL;
	stored_answer(&own.stored, q, a, home);
}

static void close_all(void)
{
	buf_done(&own.stored.like);
	buf_done(&own.fault);
}

static const struct helper_program program = { "sqlite", open_settings, answer, close_all };

int main(void)
{
	return helper_main(&program);
}
