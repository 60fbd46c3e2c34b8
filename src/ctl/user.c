/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posternctl user: the embedded store's users, one by one. What it changes counts at the next login, since
 * the helpers of auth_sqlite open the store for each question. import and export stand in user_lines.c.
 */
#include "ctl/user.h"

#include "base/mem.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/password.h"
#include "scheme/scheme.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the command line ---- */

static const struct option {
	const char *name;
	size_t offset;
	const char *value; /* what a flag stands for; NULL: the option takes a value */
} options[] = {
	{ "--store", offsetof(struct user_request, store), NULL },
	{ "--scheme", offsetof(struct user_request, scheme), NULL },
	{ "--hash", offsetof(struct user_request, hash), NULL },
	{ "--route", offsetof(struct user_request, route), NULL },
	{ "--login", offsetof(struct user_request, login), NULL },
	{ "--networks", offsetof(struct user_request, networks), NULL },
	{ "--protocols", offsetof(struct user_request, protocols), NULL },
	{ "--comment", offsetof(struct user_request, comment), NULL },
	{ "--stdin", offsetof(struct user_request, from_stdin), "yes" },
	{ "--replace", offsetof(struct user_request, replace), "yes" },
	{ "--enabled", offsetof(struct user_request, enabled), "yes" },
	{ "--disabled", offsetof(struct user_request, enabled), "no" },
};

/* "--name value" or "--name=value". How many words it took; 0 when it is none of these. */
static int take_option(struct user_request *r, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option *o = &options[i];
		size_t len = strlen(o->name);
		const char **to = (const char **)((char *)r + o->offset);

		if (strncmp(argv[0], o->name, len) != 0 || (argv[0][len] != '\0' && argv[0][len] != '='))
			continue;
		if (o->value != NULL) {
			*to = o->value;
			return argv[0][len] == '\0';
		}
		*to = argv[0][len] == '=' ? argv[0] + len + 1 : argv[1];
		if (argv[0][len] == '=')
			return 1;
		return argc > 1 ? 2 : 0;
	}
	return 0;
}

static bool read_words(struct user_request *r, int argc, char **argv)
{
	for (int i = 0; i < argc;) {
		int took = argv[i][0] == '-' && argv[i][1] != '\0' ? take_option(r, argc - i, argv + i) : 0;

		if (took == 0 && argv[i][0] == '-' && argv[i][1] != '\0')
			return ctl_fail("\"%s\" is no option here, or lacks its value", argv[i]) == 0;
		if (took == 0 && r->name != NULL)
			return ctl_fail("\"%s\" is one word too many", argv[i]) == 0;
		if (took == 0) {
			r->name = argv[i];
			took = 1;
		}
		i += took;
	}
	return true;
}

/* ---- passwords ---- */

/* A stored text from what the request says: a ready hash, or a password to make one of. */
static bool make_stored(const struct user_request *r, struct buf *to)
{
	const char *complaint = NULL;
	struct buf password;
	bool good;

	if (r->hash != NULL) {
		buf_put(to, str_of(r->hash));
		complaint = scheme_complaint(buf_text(to));
		buf_init(&password, SCHEME_PASSWORD_MAX);
		if (complaint == NULL && scheme_plain(buf_text(to), &password))
			complaint = "a password in plain stands where everybody on this machine can read it; "
				    "use --stdin --scheme PLAIN";
		buf_done(&password);
		return complaint == NULL || ctl_fail("--hash: %s", complaint) == 0;
	}
	buf_init(&password, SCHEME_PASSWORD_MAX);
	good = r->from_stdin != NULL ? password_read(&password) : password_ask(&password);
	if (good && !scheme_make(r->scheme, buf_text(&password), to, &complaint))
		good = false;
	buf_done(&password);
	if (complaint != NULL) {
		struct buf names;

		buf_init(&names, 1024);
		scheme_names(&names);
		ctl_fail("%s; schemes are %.*s", complaint, STR_ARG(buf_text(&names)));
		buf_done(&names);
	}
	return good;
}

/* ---- changes ---- */

/* What the request says about the user, over what there was. */
static void apply(const struct user_request *r, struct user *u)
{
	const struct {
		const char *from;
		struct str *to;
	} texts[] = {
		{ r->route, &u->route },	 { r->login, &u->login },     { r->networks, &u->networks },
		{ r->protocols, &u->protocols }, { r->comment, &u->comment },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].from != NULL)
			*texts[i].to = str_of(texts[i].from);
	if (r->enabled != NULL)
		u->disabled = strcmp(r->enabled, "no") == 0;
}

static int put(struct user_work *w, const struct user *u, enum store_put how)
{
	const char *complaint = user_complaint(u);
	enum store_result result;

	if (complaint != NULL)
		return ctl_fail("user \"%s\": %s", w->request.name, complaint);
	result = store_put(w->store, u, how, &w->fault);
	if (result == STORE_FAILED)
		return ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	if (result == STORE_NONE)
		return ctl_fail(how == STORE_ADD
					? "user \"%s\" is there already; \"posternctl user set\" and "
					  "\"passwd\" change it"
					: "there is no user \"%s\"",
				w->request.name);
	return 0;
}

/* A password is asked for only when the rest is right. */
static int add(struct user_work *w)
{
	struct user u = { .name = str_of(w->request.name) }, there;
	struct buf stored;
	int status = 1;

	apply(&w->request, &u);
	if (user_complaint(&u) != NULL)
		return ctl_fail("user \"%s\": %s", w->request.name, user_complaint(&u));
	if (store_find(w->store, u.name, &there, w->home, &w->fault) == STORE_GOOD)
		return put(w, &u, STORE_ADD);
	buf_init(&stored, SCHEME_STORED_MAX);
	if (make_stored(&w->request, &stored)) {
		u.password = buf_text(&stored);
		status = put(w, &u, STORE_ADD);
	}
	buf_done(&stored);
	return status;
}

static bool find(struct user_work *w, struct user *u)
{
	enum store_result result = store_find(w->store, str_of(w->request.name), u, w->home, &w->fault);

	if (result == STORE_FAILED)
		ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	else if (result == STORE_NONE)
		ctl_fail("there is no user \"%s\"", w->request.name);
	return result == STORE_GOOD;
}

/* Change what the request names, and a password that is given; the rest stays as it is at this moment,
 * whatever others have changed while a password was asked for. */
static int change(struct user_work *w, struct str password)
{
	struct user u;

	if (!store_begin(w->store, &w->fault))
		return ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	if (!find(w, &u))
		return 1;
	apply(&w->request, &u);
	if (password.len != 0)
		u.password = password;
	if (put(w, &u, STORE_CHANGE) != 0)
		return 1;
	return store_keep(w->store, &w->fault) ? 0 : ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
}

static int change_password(struct user_work *w)
{
	struct buf stored;
	struct user u;
	int status = 1;

	if (!find(w, &u))
		return 1;
	buf_init(&stored, SCHEME_STORED_MAX);
	if (make_stored(&w->request, &stored))
		status = change(w, buf_text(&stored));
	buf_done(&stored);
	return status;
}

static int set(struct user_work *w)
{
	return change(w, STR(""));
}

static int delete (struct user_work *w)
{
	enum store_result result = store_delete(w->store, str_of(w->request.name), &w->fault);

	if (result == STORE_FAILED)
		return ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	return result == STORE_GOOD ? 0 : ctl_fail("there is no user \"%s\"", w->request.name);
}

/* ---- looking ---- */

static void print_text(const char *label, struct str text)
{
	if (text.len != 0)
		printf("%-10s %.*s\n", label, STR_ARG(text));
}

static void print_time(const char *label, uint64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[64];
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm) != 0)
		printf("%-10s %s\n", label, text);
}

/* Of the password only how it is stored. */
static struct str scheme_of(struct str stored)
{
	struct str rest = stored, head = str_cut(&rest, '}');

	if (stored.len == 0 || stored.at[0] == '!' || stored.at[0] == '*')
		return STR("locked");
	return str_starts(head, STR("{")) && head.len < stored.len ? str_skip(head, 1) : STR("CRYPT");
}

static int show(struct user_work *w)
{
	struct user u;

	if (!find(w, &u))
		return 1;
	print_text("name", u.name);
	print_text("password", scheme_of(u.password));
	print_text("enabled", u.disabled ? STR("no") : STR("yes"));
	print_text("route", u.route);
	print_text("login", u.login);
	print_text("networks", u.networks);
	print_text("protocols", u.protocols);
	print_text("comment", u.comment);
	print_time("created", u.created);
	print_time("changed", u.changed);
	return 0;
}

static void print_row(void *to, const struct user *u)
{
	(void)to;
	printf("%.*s\t%s\t%.*s\n", STR_ARG(u->name), u->disabled ? "disabled" : "enabled", STR_ARG(u->route));
}

static int list(struct user_work *w)
{
	if (store_each(w->store, print_row, NULL, &w->fault) != STORE_GOOD)
		return ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	return 0;
}

static int hash(struct user_work *w)
{
	struct buf stored;
	int status = 1;

	buf_init(&stored, SCHEME_STORED_MAX);
	if (make_stored(&w->request, &stored)) {
		printf("%.*s\n", STR_ARG(buf_text(&stored)));
		status = 0;
	}
	buf_done(&stored);
	return status;
}

/* ---- commands ---- */

enum naming { NO_NAME, WANTS_NAME, MAY_NAME_FILE };

static const struct deed {
	const char *name;
	int (*run)(struct user_work *w);
	enum naming naming;
	int mode; /* enum store_mode; -1: no store */
} deeds[] = {
	{ "add", add, WANTS_NAME, STORE_CREATE },
	{ "passwd", change_password, WANTS_NAME, STORE_WRITE },
	{ "set", set, WANTS_NAME, STORE_WRITE },
	{ "del", delete, WANTS_NAME, STORE_WRITE },
	{ "show", show, WANTS_NAME, STORE_READ },
	{ "list", list, NO_NAME, STORE_READ },
	{ "import", user_import, MAY_NAME_FILE, STORE_CREATE },
	{ "export", user_export, NO_NAME, STORE_READ },
	{ "hash", hash, NO_NAME, -1 },
};

static int work(const struct deed *d, struct user_work *w)
{
	const char *path = w->request.store != NULL ? w->request.store : getenv("POSTERN_STORE");

	if (path == NULL || path[0] == '\0')
		path = POSTERN_STORE;
	if (d->mode >= 0) {
		w->store = store_open(path, (enum store_mode)d->mode, &w->fault);
		if (w->store == NULL)
			return ctl_fail("%.*s", STR_ARG(buf_text(&w->fault)));
	}
	return d->run(w);
}

static int start(const struct deed *d, int argc, char **argv)
{
	struct user_work w = { .store = NULL };
	int status = CTL_USAGE;

	if (!read_words(&w.request, argc, argv))
		return CTL_USAGE;
	if (d->naming == WANTS_NAME && w.request.name == NULL) {
		ctl_fail("user %s wants the name of a user", d->name);
		return CTL_USAGE;
	}
	if (d->naming == NO_NAME && w.request.name != NULL) {
		ctl_fail("user %s takes no name", d->name);
		return CTL_USAGE;
	}
	w.home = arena_new(4096);
	buf_init(&w.fault, STORE_FAULT_MAX);
	status = work(d, &w);
	store_close(w.store);
	arena_free(w.home);
	buf_done(&w.fault);
	if (fflush(stdout) != 0)
		status = ctl_fail("standard output takes no more");
	return status;
}

static int run(int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(argv[0], deeds[i].name) == 0)
			return start(&deeds[i], argc - 1, argv + 1);
	if (argc > 0)
		ctl_fail("unknown command \"user %s\"", argv[0]);
	return CTL_USAGE;
}

const struct ctl_command ctl_user = {
	.name = "user",
	.help = "  posternctl user add NAME [--stdin | --hash HASH] [--scheme SCHEME] [SETTINGS]\n"
		"  posternctl user passwd NAME [--stdin | --hash HASH] [--scheme SCHEME]\n"
		"  posternctl user set NAME SETTINGS\n"
		"  posternctl user show NAME | list | del NAME\n"
		"  posternctl user import [FILE] [--replace] | export\n"
		"  posternctl user hash [--stdin] [--scheme SCHEME]\n"
		"      SETTINGS: --route TARGET --login NAME --networks LIST --protocols LIST\n"
		"                --comment TEXT --enabled | --disabled (an empty value takes a setting "
		"away)\n"
		"      --store FILE, else $POSTERN_STORE, else " POSTERN_STORE "\n",
	.run = run,
};
