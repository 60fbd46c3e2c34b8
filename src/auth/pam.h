/* SPDX-License-Identifier: BSD-2-Clause */
/* auth_pam: users whom the system's PAM knows. PAM's modules may do anything and take any time, so they run
 * in helper processes. */
#pragma once
#include "auth/kind.h"

extern const struct module auth_pam_module;
extern const struct auth_kind auth_pam_kind;
