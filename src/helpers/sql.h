/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the helpers of databases have in common: the settings, the statement, several servers of which one is
 * used as long as it works, and what a row means. A driver speaks with one server.
 */
#pragma once
#include "helpers/row.h"
#include "helpers/text.h"

enum { SQL_SERVERS_MAX = 16, SQL_FAULT_MAX = 512, SQL_STATEMENT_MAX = 64 * 1024 };

struct sql_server {
	const char *text;	      /* as configured */
	const char *host, *unix_path; /* one of them; the other is NULL */
	unsigned port;		      /* 0: the database's usual one */
};

struct sql {
	struct sql_server servers[SQL_SERVERS_MAX];
	size_t servers_len;
	const char *user, *password, *database, *ca; /* password, ca: NULL when not given */
	bool ssl, ssl_verify;
	unsigned connect_timeout_s;
	uint64_t timeout_ms;		 /* of a whole question */
	const char *statement;		 /* with the driver's placeholders */
	int values[PIPE_VALUES_MAX * 4]; /* which value each placeholder takes */
	size_t values_len;
	char fault[SQL_FAULT_MAX]; /* why a driver's function returned false or SQL_FAILED */
};

enum sql_result { SQL_ROW, SQL_NONE, SQL_FAILED };

struct sql_driver {
	const char *(*placeholder)(size_t nth, char room[static 16]); /* from 1 on */
	bool (*connect)(struct sql *s, const struct sql_server *server);
	/* Ask with s->values_len parameters; what the row's columns hold lies in `home`. */
	enum sql_result (*ask)(struct sql *s, const struct str *parameters, struct row *row,
			       struct arena *home);
	void (*disconnect)(void);
};

const char *sql_open(struct sql *s, const struct sql_driver *driver, const struct helper_settings *settings);
void sql_answer(struct sql *s, const struct sql_driver *driver, const struct pipe_question *q,
		struct pipe_answer *a, struct arena *home);

/* For drivers: a column that no name fits, or none that is called password: fills s->fault. */
bool sql_column(struct sql *s, struct row *row, const char *name, struct str value);
bool sql_has_password(struct sql *s, bool found);
