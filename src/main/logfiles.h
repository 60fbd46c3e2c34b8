/* SPDX-License-Identifier: BSD-2-Clause */
/* The master's part of logging: open what error_log names. */
#pragma once
#include "main/load.h"

/* Open all log targets of a generation and attach them. False after `loader` has heard which could not be
 * opened. */
bool logfiles_open(struct generation *g, const struct loader *loader);

/* Open them anew (USR1). False when one could not be opened: then all stay as they are. */
bool logfiles_reopen(struct generation *g, const struct loader *loader);
