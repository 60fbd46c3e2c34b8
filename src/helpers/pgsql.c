/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern-auth-pgsql: the driver for PostgreSQL.
 *
 * The library's calls that wait do so for ever, so connecting and asking are done by those that do not, with
 * a look at the clock between them.
 */
#include "helpers/sql.h"

#include "base/clock.h"
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WANTS_MAX = 16 };

static struct sql own;
static PGconn *connection;

static const char *placeholder(size_t nth, char room[static 16])
{
	snprintf(room, 16, "$%zu", nth);
	return room;
}

/* ---- what is wrong, and what to do about it ---- */

static const struct cure {
	const char *state, *text;
} CURES[] = {
	{ "28P01", "; check user and password_file" },
	{ "28000", "; check user, and pg_hba.conf" },
	{ "3D000", "; check database" },
	{ "42P01", "; create the table, or mend the query" },
	{ "42703", "; mend the query, or add the column" },
	{ "42601", "; mend the query" },
	{ "42501", "; grant the user the right to read this table" },
};

/* Messages end in a line feed, and may have several lines. */
static void set_fault(const char *text, const char *state)
{
	const char *cure = "";
	size_t len = strcspn(text, "\n");

	for (size_t i = 0; state != NULL && i < sizeof(CURES) / sizeof(CURES[0]); i++)
		if (strcmp(CURES[i].state, state) == 0)
			cure = CURES[i].text;
	if (state == NULL && strstr(text, "password authentication failed") != NULL)
		cure = CURES[0].text;
	snprintf(own.fault, sizeof(own.fault), "%.*s%s", (int)len, text, cure);
}

/* ---- waiting ---- */

/* Wait for the socket; false when the time is over. */
static bool wait_for(short events, uint64_t until_ms)
{
	struct pollfd p = { .fd = PQsocket(connection), .events = events };
	uint64_t now = clock_ms();

	if (now < until_ms && poll(&p, 1, (int)(until_ms - now)) > 0)
		return true;
	set_fault("no answer in time; is the server healthy?", NULL);
	return false;
}

/* ---- connecting ---- */

static void disconnect(void)
{
	if (connection != NULL)
		PQfinish(connection);
	connection = NULL;
}

static void be_silent(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

struct wants {
	const char *names[WANTS_MAX], *values[WANTS_MAX];
	size_t len;
};

static void want(struct wants *w, const char *name, const char *value)
{
	if (value == NULL || w->len + 1 == WANTS_MAX)
		return;
	w->names[w->len] = name;
	w->values[w->len++] = value;
}

/* "unix:/run/postgresql" or "unix:/run/postgresql/.s.PGSQL.5432". */
static void want_place(struct wants *w, const struct sql_server *server, char host[static 256],
		       char port[static 16])
{
	const char *mark;

	snprintf(host, 256, "%s", server->unix_path != NULL ? server->unix_path : server->host);
	snprintf(port, 16, "%u", server->port != 0 ? server->port : 5432);
	mark = server->unix_path != NULL ? strstr(host, "/.s.PGSQL.") : NULL;
	if (mark != NULL) {
		snprintf(port, 16, "%.15s", mark + strlen("/.s.PGSQL."));
		host[mark - host] = '\0';
	}
	want(w, "host", host);
	want(w, "port", port);
}

static bool connect_to(struct sql *s, const struct sql_server *server)
{
	uint64_t until = clock_ms() + 1000 * (uint64_t)s->connect_timeout_s;
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;
	struct wants w = { .len = 0 };
	char host[256], port[16];

	want_place(&w, server, host, port);
	want(&w, "user", s->user);
	want(&w, "password", s->password);
	want(&w, "dbname", s->database);
	want(&w, "client_encoding", "UTF8");
	want(&w, "application_name", "postern");
	want(&w, "gssencmode", "disable");
	want(&w, "passfile", "/dev/null");
	want(&w, "sslmode",
	     !s->ssl || server->unix_path != NULL ? "disable"
	     : s->ssl_verify			  ? "verify-full"
						  : "require");
	if (s->ssl && s->ssl_verify)
		want(&w, "sslrootcert", s->ca != NULL ? s->ca : "/etc/ssl/certs/ca-certificates.crt");
	connection = PQconnectStartParams(w.names, w.values, 0);
	if (connection == NULL)
		return false;
	PQsetNoticeProcessor(connection, be_silent, NULL);
	while (PQstatus(connection) != CONNECTION_BAD && step != PGRES_POLLING_OK &&
	       step != PGRES_POLLING_FAILED) {
		if (!wait_for(step == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
			return false;
		step = PQconnectPoll(connection);
	}
	if (step == PGRES_POLLING_OK)
		return true;
	set_fault(PQerrorMessage(connection), NULL);
	return false;
}

/* ---- asking ---- */

static enum sql_result take_row(struct sql *s, const PGresult *r, struct row *row, struct arena *home)
{
	bool password = false;

	for (int i = 0; i < PQnfields(r); i++) {
		struct str value = { NULL, 0 };

		if (!PQgetisnull(r, 0, i))
			value = arena_str(home,
					  (struct str){ PQgetvalue(r, 0, i), (size_t)PQgetlength(r, 0, i) });
		if (!sql_column(s, row, PQfname(r, i), value))
			return SQL_FAILED;
		password |= strcasecmp(PQfname(r, i), "password") == 0;
	}
	return sql_has_password(s, password) ? SQL_ROW : SQL_FAILED;
}

static enum sql_result judge(struct sql *s, const PGresult *r, struct row *row, struct arena *home)
{
	if (PQresultStatus(r) == PGRES_COMMAND_OK)
		set_fault("the query returns no rows at all; it must be a SELECT", NULL);
	else if (PQresultStatus(r) != PGRES_TUPLES_OK)
		set_fault(PQresultErrorMessage(r), PQresultErrorField(r, PG_DIAG_SQLSTATE));
	else if (PQntuples(r) > 1)
		set_fault("the query returns more than one row for a user; mend the query", NULL);
	else
		return PQntuples(r) == 0 ? SQL_NONE : take_row(s, r, row, home);
	return SQL_FAILED;
}

/* Wait until the library has the whole answer. */
static bool receive(uint64_t until)
{
	while (PQflush(connection) > 0)
		if (!wait_for(POLLOUT, until))
			return false;
	while (PQisBusy(connection)) {
		if (!wait_for(POLLIN, until))
			return false;
		if (!PQconsumeInput(connection)) {
			set_fault(PQerrorMessage(connection), NULL);
			return false;
		}
	}
	return true;
}

static enum sql_result ask(struct sql *s, const struct str *parameters, struct row *row, struct arena *home)
{
	uint64_t until = clock_ms() + s->timeout_ms * 4 / 5;
	const char *values[PIPE_VALUES_MAX * 4];
	enum sql_result result = SQL_FAILED;
	PGresult *r = NULL;

	for (size_t i = 0; i < s->values_len; i++)
		values[i] = parameters[i].at;
	PQsetnonblocking(connection, 1);
	if (!PQsendQueryParams(connection, s->statement, (int)s->values_len, NULL, values, NULL, NULL, 0)) {
		set_fault(PQerrorMessage(connection), NULL);
		return SQL_FAILED;
	}
	while (receive(until)) {
		PGresult *next = PQgetResult(connection);

		if (next == NULL)
			break;
		PQclear(r);
		r = next;
	}
	if (r != NULL && !PQisBusy(connection))
		result = judge(s, r, row, home);
	PQclear(r);
	return result;
}

static const struct sql_driver DRIVER = { placeholder, connect_to, ask, disconnect };

static const char *open_settings(const struct helper_settings *s)
{
	return sql_open(&own, &DRIVER, s);
}

static void answer(const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	sql_answer(&own, &DRIVER, q, a, home);
}

static const struct helper_program PROGRAM = { "pgsql", open_settings, answer, disconnect };

int main(void)
{
	return helper_main(&PROGRAM);
}
