/* SPDX-License-Identifier: BSD-2-Clause */
/* auth_mysql and auth_pgsql: users in a database that is asked with one query. */
#pragma once
#include "auth/kind.h"

extern const struct module auth_sql_module;
extern const struct auth_kind auth_mysql_kind, auth_pgsql_kind;
