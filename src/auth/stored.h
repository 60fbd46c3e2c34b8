/* SPDX-License-Identifier: BSD-2-Clause */
/* auth_sqlite and auth_file: users in a file, verified by helpers. */
#pragma once
#include "auth/kind.h"

extern const struct auth_kind auth_sqlite_kind, auth_file_kind;
extern const struct module auth_sqlite_module, auth_file_module;
