/* SPDX-License-Identifier: BSD-2-Clause */
/* Which modules this program consists of. */
#pragma once
#include "mail/generation.h"

/* Ended by NULL. */
extern const struct module *const modules[];
