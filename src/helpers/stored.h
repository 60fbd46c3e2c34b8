/* SPDX-License-Identifier: BSD-2-Clause */
/* What a user as the store or the users file knows one means for a question: one judgement for both. */
#pragma once
#include "helpers/helper.h"
#include "store/user.h"

/*
 * Answer. `u` at NULL: there is no such user, which takes as long as a wrong password. `where` names the
 * store or file, `cure` what sets a new password, for who reads that a stored one cannot be tried.
 */
struct stored {
	const struct user *u;
	const char *where, *cure;
	struct buf like; /* the stored password that was tried last, of the caller's */
};

void stored_answer(struct stored *s, const struct pipe_question *q, struct pipe_answer *a,
		   struct arena *home);
