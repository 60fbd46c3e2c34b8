/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of databases; see sql.h.
 *
 * A connection is kept between questions. When a kept one fails, the question is asked once more on a new
 * one, since the server may have been restarted meanwhile; a failure on a new one counts. Nothing of a
 * failure is remembered: the next question tries anew, so that whatever was mended counts at once.
 */
#include "helpers/sql.h"

#include "helpers/stored.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool connected;
	size_t server; /* the one that worked last */
	struct buf like;
} now;

/* ---- settings ---- */

/* "host", "host:port", "[v6]:port", "v6", "unix:path". */
static const char *read_server(struct sql_server *s, struct str text, struct arena *home)
{
	size_t colon = str_index(text, ':');
	struct str port = { NULL, 0 };
	uint64_t number = 0;

	*s = (struct sql_server){ .text = text.at };
	if (str_starts(text, STR("unix:"))) {
		s->unix_path = text.at + 5;
		return NULL;
	}
	if (str_starts(text, STR("["))) {
		struct str host = str_skip(text, 1);

		port = host;
		host = str_cut(&port, ']');
		text = host;
		port = str_skip(port, str_starts(port, STR(":")) ? 1 : 0);
	} else if (colon < text.len && !str_has(str_skip(text, colon + 1), ':')) {
		port = str_skip(text, colon + 1);
		text.len = colon;
	}
	s->host = arena_str(home, text).at;
	if (port.len != 0 && (!str_number(port, UINT16_MAX, &number) || number == 0))
		return "invalid port of a server";
	s->port = (unsigned)number;
	return NULL;
}

static const char *make_statement(struct sql *s, const struct sql_driver *driver,
				  const struct helper_pattern *query, struct arena *home)
{
	char room[16];
	struct buf b;

	buf_init_in(&b, home, SQL_STATEMENT_MAX);
	for (size_t i = 0; i < query->pattern.len; i++) {
		const struct pattern_piece *p = &query->pattern.at[i];

		if (p->value < 0) {
			buf_put(&b, p->text);
			continue;
		}
		if (s->values_len == sizeof(s->values) / sizeof(s->values[0]))
			return "too many variables in the query";
		s->values[s->values_len++] = p->value;
		buf_put(&b, str_of(driver->placeholder(s->values_len, room)));
	}
	s->statement = arena_str(home, buf_text(&b)).at;
	return b.full ? "too long a query" : NULL;
}

const char *sql_open(struct sql *s, const struct sql_driver *driver, const struct helper_settings *settings)
{
	struct helper_pattern query;
	const char *fault = helper_pattern(settings, "query", &query);
	struct str text;

	buf_init(&now.like, 1024);
	s->user = helper_text(settings, "user", 0).at;
	s->password = helper_text(settings, "password", 0).at;
	s->database = helper_text(settings, "database", 0).at;
	s->ca = helper_text(settings, "ca", 0).at;
	s->ssl = helper_number(settings, "ssl", 0) != 0;
	s->ssl_verify = helper_number(settings, "ssl_verify", 1) != 0;
	s->timeout_ms = settings->timeout_ms;
	s->connect_timeout_s = (unsigned)((helper_number(settings, "connect_timeout_ms", 2000) + 999) / 1000);
	while (fault == NULL && s->servers_len < SQL_SERVERS_MAX) {
		text = helper_text(settings, "server", s->servers_len);
		if (text.at == NULL)
			break;
		fault = read_server(&s->servers[s->servers_len++], text, settings->home);
	}
	return fault != NULL ? fault : make_statement(s, driver, &query, settings->home);
}

/* ---- columns ---- */

bool sql_column(struct sql *s, struct row *row, const char *name, struct str value)
{
	if (row_set(row, str_of(name), value))
		return true;
	snprintf(s->fault, sizeof(s->fault),
		 "the query returns a column '%s', which means nothing here; columns are %s", name,
		 row_names());
	return false;
}

bool sql_has_password(struct sql *s, bool found)
{
	if (!found)
		snprintf(s->fault, sizeof(s->fault),
			 "the query returns no column 'password', so nobody could be verified; mend the "
			 "query");
	return found;
}

/* ---- answers ---- */

static void disconnect(const struct sql_driver *driver)
{
	driver->disconnect();
	now.connected = false;
}

/* The one that worked last, and then the others. */
static bool connect_any(struct sql *s, const struct sql_driver *driver)
{
	for (size_t i = 0; i < s->servers_len; i++) {
		size_t n = (now.server + i) % s->servers_len;

		if (driver->connect(s, &s->servers[n])) {
			now.server = n;
			now.connected = true;
			return true;
		}
		driver->disconnect();
	}
	return false;
}

static enum sql_result ask(struct sql *s, const struct sql_driver *driver, const struct str *parameters,
			   struct row *row, struct arena *home)
{
	enum sql_result result = SQL_FAILED;
	bool kept;

	do {
		kept = now.connected;
		*row = (struct row){ 0 };
		if (!kept && !connect_any(s, driver))
			return SQL_FAILED;
		result = driver->ask(s, parameters, row, home);
		if (result == SQL_FAILED)
			disconnect(driver);
	} while (result == SQL_FAILED && kept);
	return result;
}

/* No user has a name that is no text, and a database would call it a fault of the query. */
static bool are_texts(const struct pipe_question *q)
{
	for (uint64_t i = 0; i < q->values_len; i++)
		if (!helper_is_utf8(q->values[i]) || !helper_is_c_string(q->values[i]))
			return false;
	return true;
}

static void judge(struct row *row, const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	struct stored judged = { .u = row != NULL ? &row->user : NULL,
				 .where = "the query's row",
				 .cure = "set a new password for this user",
				 .like = now.like };

	stored_answer(&judged, q, a, home);
	now.like = judged.like;
	if (row != NULL)
		row_add(row, a);
}

void sql_answer(struct sql *s, const struct sql_driver *driver, const struct pipe_question *q,
		struct pipe_answer *a, struct arena *home)
{
	struct str parameters[sizeof(s->values) / sizeof(s->values[0])];
	enum sql_result result = SQL_NONE;
	const char *fault = NULL;
	struct row row;

	for (size_t i = 0; i < s->values_len; i++)
		parameters[i] = arena_str(home, q->values[s->values[i]]);
	if (are_texts(q))
		result = ask(s, driver, parameters, &row, home);
	if (result == SQL_ROW)
		fault = row_complete(&row, home);
	if (result == SQL_FAILED)
		helper_broken(a, home, "server %s: %s", s->servers[now.server].text, s->fault);
	else if (fault != NULL)
		helper_broken(a, home, "the query's row has %s; mend it in the database", fault);
	else
		judge(result == SQL_ROW ? &row : NULL, q, a, home);
}
