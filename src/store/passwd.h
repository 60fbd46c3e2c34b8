/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A passwd-like file of users in memory, for look-ups by name. It is read again when it has changed: looked
 * at before each look-up, and replaced as a whole, so a file that is renamed into place is never seen
 * half-written. Names compare as in the store, ASCII letters in any case; of two lines with one name the
 * first counts.
 */
#pragma once
#include "store/user.h"

enum { PASSWD_SIZE_MAX = 64 << 20 };

struct passwd;

/* What is told of a malformed line; the others serve. */
typedef void passwd_fault_fn(void *to, const char *path, size_t line, const char *complaint);

/* Nothing is read yet. The password of each line is looked at by `complaint_of`, as scheme_complaint does. */
struct passwd *passwd_new(const char *path, const char *(*complaint_of)(struct str stored),
			  passwd_fault_fn *fn, void *to);

/* NULL is allowed. Wipes what was read. */
void passwd_free(struct passwd *p);

/* Read it if it has changed. False, with words in `fault` that name the file and the cure, when it cannot be
 * read: what was read before does not serve any longer, since it may have been taken away on purpose. */
bool passwd_refresh(struct passwd *p, struct buf *fault);

/*
 * Look up; the texts live until the next refresh, or in `home`. PASSWD_MALFORMED: his line is there, but says
 * nothing that could be trusted; `fault` (cleared first) then says where and why, so that he is neither
 * taken for a stranger nor for another source's user.
 */
enum passwd_found { PASSWD_NONE, PASSWD_FOUND, PASSWD_MALFORMED };
enum passwd_found passwd_find(const struct passwd *p, struct str name, struct user *u, struct arena *home,
			      struct buf *fault);

/* Users there are, and lines that were left out. */
size_t passwd_users(const struct passwd *p);
size_t passwd_faults(const struct passwd *p);
