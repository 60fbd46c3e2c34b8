/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern-auth-file: users of a passwd-like file, read again when it has changed.
 *
 * What is wrong with single lines goes to the log with the first answer after the file was read: one line
 * that names the first of them and counts the others.
 */
#include "helpers/stored.h"

#include "scheme/scheme.h"
#include "store/passwd.h"

static struct {
	struct passwd *passwd;
	struct stored stored;
	struct buf fault, notice;
} own;

static void note_fault(void *to, const char *path, size_t line, const char *complaint)
{
	(void)to;
	if (own.notice.len == 0)
		buf_format(&own.notice, "%s:%zu: %s", path, line, complaint);
}

static const char *open_settings(const struct helper_settings *s)
{
	const char *path = helper_text(s, "file", 0).at;

	if (path == NULL)
		return "no file is given";
	own.passwd = passwd_new(path, scheme_complaint, note_fault, NULL);
	own.stored.where = path;
	own.stored.cure = "\"doveadm pw\" and \"posternctl user hash\" make one";
	buf_init(&own.stored.like, SCHEME_STORED_MAX);
	buf_init(&own.fault, 1024);
	buf_init(&own.notice, 1024);
	return NULL;
}

/* Said once for each reading of the file. */
static void put_notice(struct pipe_answer *a, struct arena *home)
{
	size_t faults = passwd_faults(own.passwd);

	if (own.notice.len == 0)
		return;
	a->cause = arena_format(home, "%.*s; %zu line%s left out, %zu users serve",
				STR_ARG(buf_text(&own.notice)), faults, faults == 1 ? " is" : "s are",
				passwd_users(own.passwd));
	buf_clear(&own.notice);
}

static void answer(const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	enum passwd_found found;
	struct user u;

	if (!passwd_refresh(own.passwd, &own.fault)) {
		helper_broken(a, home, "%.*s", STR_ARG(buf_text(&own.fault)));
		return;
	}
	found = passwd_find(own.passwd, q->user, &u, home, &own.fault);
	if (found == PASSWD_MALFORMED) {
		helper_broken(a, home, "%.*s", STR_ARG(buf_text(&own.fault)));
		return;
	}
	own.stored.u = found == PASSWD_FOUND ? &u : NULL;
	stored_answer(&own.stored, q, a, home);
	if (a->verdict != PIPE_BROKEN)
		put_notice(a, home);
}

static void close_all(void)
{
	passwd_free(own.passwd);
	buf_done(&own.stored.like);
	buf_done(&own.fault);
	buf_done(&own.notice);
}

static const struct helper_program program = { "file", open_settings, answer, close_all };

int main(void)
{
	return helper_main(&program);
}
