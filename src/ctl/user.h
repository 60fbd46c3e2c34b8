/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of "posternctl user" share. */
#pragma once
#include "store/store.h"

/* The command line; NULL: not given. */
struct user_request {
	const char *name; /* or the file of import */
	const char *store, *scheme, *hash, *route, *login, *networks, *protocols, *comment;
	const char *from_stdin, *replace; /* "yes" */
	const char *enabled;		  /* "yes", "no" */
};

struct user_work {
	struct user_request request;
	struct store *store;
	struct arena *home;
	struct buf fault;
};

/* user_lines.c: many users at once, as lines of a users file (store/user.h). Exit statuses. */
int user_import(struct user_work *w);
int user_export(struct user_work *w);
