/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posternctl user import and export: the store as a users file, which Dovecot and auth_file read, too. An
 * import is all or nothing: every line is looked at and every fault told, and one is enough for nothing to be
 * kept.
 */
#include "ctl/ctl.h"
#include "ctl/user.h"
#include "scheme/scheme.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct import {
	struct user_work *work;
	const char *path;
	size_t line, users, faults;
};

static void complain(struct import *i, const char *what)
{
	ctl_fail("%s:%zu: %s", i->path, i->line, what);
	i->faults++;
}

static const char *look_at(struct str line, struct user *u, struct arena *home)
{
	const char *complaint = user_read(line, u, home);

	return complaint != NULL ? complaint : scheme_complaint(u->password);
}

static void import_line(struct import *i, struct str line)
{
	struct arena *home = arena_new(1024);
	enum store_put how = i->work->request.replace != NULL ? STORE_REPLACE : STORE_ADD;
	struct user u;
	const char *complaint = look_at(line, &u, home);
	enum store_result result = STORE_GOOD;

	if (complaint != NULL) {
		complain(i, complaint);
	} else {
		if (u.secret.len != 0 || u.tls != USER_TLS_AS_CONFIGURED)
			ctl_fail("%s:%zu: the store does not keep pass=, ssl= and starttls=; they are left "
				 "out",
				 i->path, i->line);
		result = store_put(i->work->store, &u, how, &i->work->fault);
		i->users++;
	}
	if (result == STORE_NONE)
		complain(i, "this user is there already; --replace replaces it");
	if (result == STORE_FAILED) {
		buf_put_byte(&i->work->fault, '\0');
		complain(i, i->work->fault.at);
	}
	arena_free(home);
}

static void import_lines(struct import *i, FILE *from)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, from)) >= 0) {
		struct str text = { line, (size_t)len };

		while (text.len != 0 && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r'))
			text.len--;
		i->line++;
		if (!user_is_comment(text))
			import_line(i, text);
	}
	if (line != NULL)
		explicit_bzero(line, room);
	free(line);
}

int user_import(struct user_work *w)
{
	struct import i = { .work = w, .path = w->request.name != NULL ? w->request.name : "-" };
	bool from_stdin = strcmp(i.path, "-") == 0;
	FILE *from = from_stdin ? stdin : fopen(i.path, "re");

	if (from == NULL)
		return ctl_fail("%s: %s", i.path, strerror(errno));
	if (!store_begin(w->store, &w->fault))
		ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	else
		import_lines(&i, from);
	if (!from_stdin)
		fclose(from);
	if (w->fault.len != 0 && i.faults == 0)
		return 1;
	if (i.faults != 0)
		return ctl_fail("nothing was imported; %zu line%s to be mended first", i.faults,
				i.faults == 1 ? " has" : "s have");
	if (!store_keep(w->store, &w->fault))
		return ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	printf("%zu users imported\n", i.users);
	return 0;
}

static void export_user(void *to, const struct user *u)
{
	struct buf *line = to;

	buf_clear(line);
	user_write(u, line);
	fwrite(line->at, 1, line->len, stdout);
}

int user_export(struct user_work *w)
{
	struct buf line;
	enum store_result result;

	buf_init(&line, 2 * USER_LINE_MAX);
	result = store_each(w->store, export_user, &line, &w->fault);
	buf_done(&line);
	return result == STORE_GOOD ? 0 : ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
}
