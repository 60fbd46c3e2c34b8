/* SPDX-License-Identifier: BSD-2-Clause */
/* auth_ldap: users in a directory, which verifies their passwords itself. */
#pragma once
#include "auth/kind.h"

extern const struct module auth_ldap_module;
extern const struct auth_kind auth_ldap_kind;
