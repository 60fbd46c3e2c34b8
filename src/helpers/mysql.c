/* SPDX-License-Identifier: BSD-2-Clause */
/* postern-auth-mysql: the driver for MySQL and MariaDB. */
#include "helpers/sql.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 32, COLUMN_SIZE = 4096 };

static struct sql own;
static MYSQL *connection;
static MYSQL_STMT *statement;

static const char *placeholder(size_t nth, char room[static 16])
{
	(void)nth;
	(void)room;
	return "?";
}

/* ---- what is wrong, and what to do about it ---- */

static const struct cure {
	unsigned error;
	const char *text;
} CURES[] = {
	{ 1044, "; grant the user the right to read this database" },
	{ 1045, "; check user and password_file" },
	{ 1049, "; check database" },
	{ 1054, "; mend the query, or add the column" },
	{ 1064, "; mend the query" },
	{ 1142, "; grant the user the right to read this table" },
	{ 1146, "; create the table, or mend the query" },
	{ 2002, "; is the server running?" },
	{ 2003, "; is the server running?" },
};

static void set_fault(unsigned error, const char *text)
{
	const char *cure = "";

	for (size_t i = 0; i < sizeof(CURES) / sizeof(CURES[0]); i++)
		if (CURES[i].error == error)
			cure = CURES[i].text;
	snprintf(own.fault, sizeof(own.fault), "%s (%u)%s", text, error, cure);
}

static bool connection_fault(void)
{
	set_fault(mysql_errno(connection), mysql_error(connection));
	return false;
}

static enum sql_result statement_fault(void)
{
	set_fault(mysql_stmt_errno(statement), mysql_stmt_error(statement));
	return SQL_FAILED;
}

/* ---- connecting ---- */

static void disconnect(void)
{
	if (statement != NULL)
		mysql_stmt_close(statement);
	if (connection != NULL)
		mysql_close(connection);
	statement = NULL;
	connection = NULL;
}

static void set_ssl(const struct sql *s)
{
	my_bool verify = s->ssl && s->ssl_verify, enforce = s->ssl;

	mysql_optionsv(connection, MYSQL_OPT_SSL_ENFORCE, &enforce);
	mysql_optionsv(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (verify)
		mysql_ssl_set(connection, NULL, NULL,
			      s->ca != NULL ? s->ca : "/etc/ssl/certs/ca-certificates.crt", NULL, NULL);
}

/* A silent server is given up a little before the question's time is over. */
static void set_limits(const struct sql *s)
{
	unsigned no_local_files = 0; /* a server could ask for any that we may read */
	unsigned limit = s->timeout_ms > 2000 ? (unsigned)(s->timeout_ms / 1000) - 1 : 1;

	mysql_optionsv(connection, MYSQL_OPT_CONNECT_TIMEOUT, &s->connect_timeout_s);
	mysql_optionsv(connection, MYSQL_OPT_READ_TIMEOUT, &limit);
	mysql_optionsv(connection, MYSQL_OPT_WRITE_TIMEOUT, &limit);
	mysql_optionsv(connection, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
	mysql_optionsv(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
}

static bool connect_to(struct sql *s, const struct sql_server *server)
{
	connection = mysql_init(NULL);
	if (connection == NULL)
		return false;
	set_limits(s);
	set_ssl(s);
	if (mysql_real_connect(connection, server->host, s->user, s->password, s->database, server->port,
			       server->unix_path, 0) == NULL)
		return connection_fault();
	statement = mysql_stmt_init(connection);
	if (statement == NULL)
		return connection_fault();
	if (mysql_stmt_prepare(statement, s->statement, strlen(s->statement)) != 0) {
		statement_fault();
		return false;
	}
	if (mysql_stmt_param_count(statement) == s->values_len)
		return true;
	snprintf(s->fault, sizeof(s->fault), "a '?' in the query, or a variable in quotes; mend the query");
	return false;
}

/* ---- asking ---- */

static bool bind_parameters(const struct sql *s, const struct str *parameters, MYSQL_BIND *bind)
{
	for (size_t i = 0; i < s->values_len; i++) {
		bind[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
					.buffer = (void *)parameters[i].at,
					.buffer_length = parameters[i].len };
	}
	return s->values_len == 0 || mysql_stmt_bind_param(statement, bind) == 0;
}

struct column {
	unsigned long len;
	my_bool null, cut;
};

static bool take_columns(struct sql *s, const MYSQL_FIELD *fields, const MYSQL_BIND *bind,
			 const struct column *columns, unsigned count, struct row *row)
{
	bool password = false;

	for (unsigned i = 0; i < count; i++) {
		struct str value = { bind[i].buffer, columns[i].len };

		if (columns[i].null)
			value = (struct str){ NULL, 0 };
		if (!columns[i].null && columns[i].len > COLUMN_SIZE) {
			snprintf(s->fault, sizeof(s->fault), "column '%s' is too long", fields[i].name);
			return false;
		}
		if (!sql_column(s, row, fields[i].name, value))
			return false;
		password |= strcasecmp(fields[i].name, "password") == 0;
	}
	return sql_has_password(s, password);
}

static enum sql_result fetch(struct sql *s, MYSQL_RES *meta, struct row *row, struct arena *home)
{
	struct column columns[COLUMNS_MAX] = { 0 };
	MYSQL_BIND bind[COLUMNS_MAX] = { 0 };
	unsigned count = mysql_num_fields(meta);
	int got;

	if (count > COLUMNS_MAX) {
		snprintf(s->fault, sizeof(s->fault), "the query returns too many columns");
		return SQL_FAILED;
	}
	for (unsigned i = 0; i < count; i++)
		bind[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
					.buffer = arena_take(home, COLUMN_SIZE),
					.buffer_length = COLUMN_SIZE,
					.length = &columns[i].len,
					.is_null = &columns[i].null,
					.error = &columns[i].cut };
	if (mysql_stmt_bind_result(statement, bind) != 0)
		return statement_fault();
	got = mysql_stmt_fetch(statement);
	if (got == MYSQL_NO_DATA)
		return SQL_NONE;
	if (got == 1)
		return statement_fault();
	if (!take_columns(s, mysql_fetch_fields(meta), bind, columns, count, row))
		return SQL_FAILED;
	return SQL_ROW;
}

static enum sql_result ask(struct sql *s, const struct str *parameters, struct row *row, struct arena *home)
{
	MYSQL_BIND bind[PIPE_VALUES_MAX * 4] = { 0 };
	enum sql_result result;
	MYSQL_RES *meta;

	if (!bind_parameters(s, parameters, bind) || mysql_stmt_execute(statement) != 0)
		return statement_fault();
	meta = mysql_stmt_result_metadata(statement);
	if (meta == NULL) {
		snprintf(s->fault, sizeof(s->fault), "the query returns no rows at all; it must be a SELECT");
		return SQL_FAILED;
	}
	if (mysql_stmt_store_result(statement) != 0)
		result = statement_fault();
	else if (mysql_stmt_num_rows(statement) > 1) {
		snprintf(s->fault, sizeof(s->fault),
			 "the query returns more than one row for a user; mend the query");
		result = SQL_FAILED;
	} else
		result = fetch(s, meta, row, home);
	mysql_free_result(meta);
	mysql_stmt_free_result(statement);
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

static const struct helper_program PROGRAM = { "mysql", open_settings, answer, disconnect };

int main(void)
{
	return helper_main(&PROGRAM);
}
