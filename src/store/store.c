/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user store on SQLite; see store.h. The door of libsqlite3.
 *
 * Whatever comes from outside is bound as a value, never put into SQL text. A schema's version is the number
 * of migrations that made it: the table below holds them in order, and opening for writing runs those that
 * are missing. Readers need none of them to have run but must not meet a newer one.
 */
#include "store/store.h"

#include "base/clock.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_READ_MS = 2000, BUSY_WRITE_MS = 5000 };

struct store {
	sqlite3 *db;
	char *path;
	int version;
};

static const char *const migrations[] = {
	"CREATE TABLE users ("
	" name TEXT PRIMARY KEY COLLATE NOCASE,"
	" password TEXT NOT NULL,"
	" enabled INTEGER NOT NULL DEFAULT 1,"
	" route TEXT, login TEXT, networks TEXT, protocols TEXT, comment TEXT,"
	" created INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;"
	"PRAGMA application_id = 1349481332;"
	"PRAGMA user_version = 1;",
};

enum { VERSION = sizeof(migrations) / sizeof(migrations[0]) };

#define COLUMNS "name, password, enabled, route, login, networks, protocols, comment, created, changed"

/* ---- what went wrong, in words ---- */

static const struct {
	int code;
	const char *words;
} troubles[] = {
	{ SQLITE_BUSY, "another process keeps it locked; it works again when that one has ended" },
	{ SQLITE_LOCKED, "another process keeps it locked; it works again when that one has ended" },
	{ SQLITE_NOTADB,
	  "the file is no SQLite database; put a good copy in its place, or move it away and make a "
	  "new one with \"posternctl user add\"" },
	{ SQLITE_CORRUPT, "the database is damaged; put a good copy in its place" },
	{ SQLITE_READONLY, "it cannot be written; look at the permissions of the file and its folder" },
	{ SQLITE_FULL, "the disk is full" },
	{ SQLITE_PERM, "permission denied; the file must be readable by the user or group of the workers" },
	{ SQLITE_CANTOPEN, "it cannot be opened; look at the permissions of the file and its folder" },
};

static void complain(struct buf *fault, const char *path, int code, const char *otherwise)
{
	const char *words = otherwise;

	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if ((code & 0xff) == troubles[i].code)
			words = troubles[i].words;
	buf_clear(fault);
	buf_format(fault, "user store \"%s\": %s", path, words);
}

static enum store_result failed(struct store *s, struct buf *fault)
{
	complain(fault, s->path, sqlite3_extended_errcode(s->db), sqlite3_errmsg(s->db));
	return STORE_FAILED;
}

/* SQLite says of a file only that it cannot be opened; the system knows more. */
static bool look(const char *path, enum store_mode mode, struct buf *fault)
{
	struct stat st;

	buf_clear(fault);
	if (stat(path, &st) != 0 && errno == ENOENT)
		buf_format(fault, "user store \"%s\" is not there; \"posternctl user add NAME\" makes it",
			   path);
	else if (access(path, mode == STORE_READ ? R_OK : R_OK | W_OK) != 0)
		buf_format(fault, "user store \"%s\": %s; it must be %s", path, strerror(errno),
			   mode == STORE_READ ? "readable by the user or group of the workers"
					      : "writable by who changes users");
	else if (!S_ISREG(st.st_mode))
		buf_format(fault, "user store \"%s\" is no file", path);
	return fault->len == 0;
}

/* A new file takes the group of its folder, so that one chgrp of the folder lets the workers read it. */
static bool create(const char *path, struct buf *fault)
{
	char folder[PATH_MAX];
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	char *slash;

	if (fd < 0 && errno == EEXIST)
		return true;
	if (fd < 0) {
		int why = errno;

		buf_clear(fault);
		buf_format(fault, "user store \"%s\" cannot be made: %s%s", path, strerror(why),
			   why == ENOENT ? "; make its folder first" : "");
		return false;
	}
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	if (stat(slash != NULL ? folder : ".", &st) == 0 && fchown(fd, (uid_t)-1, st.st_gid) != 0)
		errno = 0; /* not our group to give: then it stays with ours */
	fchmod(fd, 0640);
	close(fd);
	return true;
}

/* ---- statements ---- */

static sqlite3_stmt *prepare(struct store *s, const char *sql)
{
	sqlite3_stmt *q = NULL;

	return sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK ? q : NULL;
}

/* An empty text is NULL in the table. */
static void bind_text(sqlite3_stmt *q, int at, struct str text)
{
	if (text.len != 0 && text.len < INT_MAX)
		sqlite3_bind_text(q, at, text.at, (int)text.len, SQLITE_TRANSIENT);
}

static struct str column(sqlite3_stmt *q, int at)
{
	const unsigned char *text = sqlite3_column_text(q, at);

	return (struct str){ (const char *)text, text != NULL ? (size_t)sqlite3_column_bytes(q, at) : 0 };
}

static uint64_t number(sqlite3_stmt *q, int at)
{
	sqlite3_int64 n = sqlite3_column_int64(q, at);

	return n > 0 ? (uint64_t)n : 0;
}

/* In the order of COLUMNS. */
static void read_user(sqlite3_stmt *q, struct user *u)
{
	*u = (struct user){ .name = column(q, 0), .password = column(q, 1), .route = column(q, 3) };
	u->disabled = sqlite3_column_int(q, 2) == 0;
	u->login = column(q, 4);
	u->networks = column(q, 5);
	u->protocols = column(q, 6);
	u->comment = column(q, 7);
	u->created = number(q, 8);
	u->changed = number(q, 9);
}

/* ---- opening ---- */

static bool read_version(struct store *s, struct buf *fault)
{
	sqlite3_stmt *q = prepare(s, "SELECT (SELECT user_version FROM pragma_user_version),"
				     " (SELECT count(*) FROM sqlite_master WHERE name = 'users')");
	bool good = q != NULL && sqlite3_step(q) == SQLITE_ROW;
	int tables = good ? sqlite3_column_int(q, 1) : 0;

	if (good)
		s->version = sqlite3_column_int(q, 0);
	else
		failed(s, fault);
	sqlite3_finalize(q);
	if (!good)
		return false;
	if (s->version > VERSION)
		buf_format(
			fault,
			"user store \"%s\" is of version %d, which a newer postern made; this one knows %d",
			s->path, s->version, VERSION);
	else if (s->version < 0 || (s->version == 0) != (tables == 0))
		buf_format(
			fault,
			"user store \"%s\" has %s table \"users\" but version %d: it is not postern's, or is "
			"damaged",
			s->path, tables != 0 ? "a" : "no", s->version);
	return fault->len == 0;
}

/* Under the write lock it may turn out that somebody else has done it. */
static bool migrate(struct store *s, struct buf *fault)
{
	if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return failed(s, fault) == STORE_GOOD;
	if (!read_version(s, fault))
		return false;
	for (; s->version < VERSION; s->version++)
		if (sqlite3_exec(s->db, migrations[s->version], NULL, NULL, NULL) != SQLITE_OK)
			return failed(s, fault) == STORE_GOOD;
	if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return failed(s, fault) == STORE_GOOD;
	return true;
}

static bool prepare_store(struct store *s, enum store_mode mode, struct buf *fault)
{
	sqlite3_busy_timeout(s->db, mode == STORE_READ ? BUSY_READ_MS : BUSY_WRITE_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (!read_version(s, fault))
		return false;
	if (s->version < VERSION && mode != STORE_READ)
		return migrate(s, fault);
	if (s->version == 0) {
		buf_format(
			fault,
			"user store \"%s\" has no table of users yet; \"posternctl user add NAME\" makes it",
			s->path);
		return false;
	}
	return true;
}

struct store *store_open(const char *path, enum store_mode mode, struct buf *fault)
{
	int flags = mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	struct store *s;

	buf_clear(fault);
	if ((mode == STORE_CREATE && !create(path, fault)) || !look(path, mode, fault))
		return NULL;
	s = mem_new(sizeof(*s));
	s->path = strdup(path);
	if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
		failed(s, fault);
	if (fault->len == 0 && prepare_store(s, mode, fault))
		return s;
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

/* ---- users ---- */

static void keep(struct user *u, struct arena *home)
{
	struct str *const texts[] = { &u->name,	    &u->password,  &u->route,  &u->login,
				      &u->networks, &u->protocols, &u->comment };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = arena_str(home, *texts[i]);
}

enum store_result store_find(struct store *s, struct str name, struct user *u, struct arena *home,
			     struct buf *fault)
{
	sqlite3_stmt *q = prepare(s, "SELECT " COLUMNS " FROM users WHERE name = ?1");
	enum store_result result = STORE_NONE;
	int code;

	if (q == NULL)
		return failed(s, fault);
	bind_text(q, 1, name);
	code = sqlite3_step(q);
	if (code == SQLITE_ROW) {
		read_user(q, u);
		keep(u, home);
		result = STORE_GOOD;
	} else if (code != SQLITE_DONE) {
		result = failed(s, fault);
	}
	sqlite3_finalize(q);
	return result;
}

/* Run a change; STORE_NONE when it changed nothing, or met who is there already. */
static enum store_result change(struct store *s, sqlite3_stmt *q, struct buf *fault)
{
	int code = sqlite3_step(q);
	enum store_result result = STORE_GOOD;

	if (code == SQLITE_CONSTRAINT)
		result = STORE_NONE;
	else if (code != SQLITE_DONE)
		result = failed(s, fault);
	else if (sqlite3_changes(s->db) == 0)
		result = STORE_NONE;
	sqlite3_finalize(q);
	return result;
}

enum store_result store_put(struct store *s, const struct user *u, enum store_put how, struct buf *fault)
{
	static const char *const sql[] = {
		[STORE_ADD] =
			"INSERT INTO users (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
		[STORE_CHANGE] =
			"UPDATE users SET password = ?2, enabled = ?3, route = ?4, login = ?5, networks = ?6,"
			" protocols = ?7, comment = ?8, changed = ?9 WHERE name = ?1",
		[STORE_REPLACE] =
			"INSERT INTO users (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)"
			" ON CONFLICT (name) DO UPDATE SET password = ?2, enabled = ?3, route = ?4,"
			" login = ?5, networks = ?6, protocols = ?7, comment = ?8, changed = ?9",
	};
	const struct str texts[] = { u->route, u->login, u->networks, u->protocols, u->comment };
	sqlite3_stmt *q = prepare(s, sql[how]);

	if (q == NULL)
		return failed(s, fault);
	bind_text(q, 1, u->name);
	sqlite3_bind_text(q, 2, u->password.len != 0 ? u->password.at : "", (int)u->password.len,
			  SQLITE_TRANSIENT);
	sqlite3_bind_int(q, 3, !u->disabled);
	for (int i = 0; i < 5; i++)
		bind_text(q, 4 + i, texts[i]);
	sqlite3_bind_int64(q, 9, (sqlite3_int64)clock_wall());
	return change(s, q, fault);
}

enum store_result store_delete(struct store *s, struct str name, struct buf *fault)
{
	sqlite3_stmt *q = prepare(s, "DELETE FROM users WHERE name = ?1");

	if (q == NULL)
		return failed(s, fault);
	bind_text(q, 1, name);
	return change(s, q, fault);
}

enum store_result store_each(struct store *s, store_user_fn *fn, void *to, struct buf *fault)
{
	sqlite3_stmt *q = prepare(s, "SELECT " COLUMNS " FROM users ORDER BY name");
	enum store_result result = STORE_GOOD;
	int code;

	if (q == NULL)
		return failed(s, fault);
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		struct user u;

		read_user(q, &u);
		fn(to, &u);
	}
	if (code != SQLITE_DONE)
		result = failed(s, fault);
	sqlite3_finalize(q);
	return result;
}

bool store_begin(struct store *s, struct buf *fault)
{
	return sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ||
	       failed(s, fault) == STORE_GOOD;
}

bool store_keep(struct store *s, struct buf *fault)
{
	return sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK || failed(s, fault) == STORE_GOOD;
}
