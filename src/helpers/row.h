/* SPDX-License-Identifier: BSD-2-Clause */
/* A user as a database or directory tells about one: named values, and what they mean together. */
#pragma once
#include "helpers/helper.h"
#include "store/user.h"

struct row {
	struct user user;
	struct str host, port, ssl, ssl_name, master, message, enabled;
};

/* Set one by name; a value at NULL is not given. False when there is no such name. */
bool row_set(struct row *r, struct str name, struct str value);

/* The names, for who has to choose among them: "password, host, …". */
const char *row_names(void);

/* What is wrong with the values: a static text that names one; NULL: nothing. Completes r->user. */
const char *row_complete(struct row *r, struct arena *home);

/* To an answer of PIPE_OK or PIPE_DENIED add what the row says beyond struct user. */
void row_add(const struct row *r, struct pipe_answer *a);
