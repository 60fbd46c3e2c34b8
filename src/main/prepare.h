/* SPDX-License-Identifier: BSD-2-Clause */
/* What a new worker process makes of itself before it serves: limits, place, user. */
#pragma once
#include "base/log.h"

struct core_settings;

/* `number` counts workers from 0. False after `log` has heard what could not be done; then the worker must
 * not serve. */
bool prepare_worker(const struct core_settings *core, unsigned number, const struct log *log);

/* The same for a helper process; a privileged one keeps the master's user. */
bool prepare_helper(const struct core_settings *core, bool privileged, const struct log *log);

/* Do the two differ in something that a running worker cannot change about itself? */
bool prepare_differs(const struct core_settings *a, const struct core_settings *b);
