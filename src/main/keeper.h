/* SPDX-License-Identifier: BSD-2-Clause */
/* Who looks after the helpers of a worker without a master. */
#pragma once
#include "main/staff.h"

/*
 * Start the helpers that the last staff_fit gave to `g`, in a process of their own: the worker itself has no
 * ears for children. It ends with the last of them, some time after the worker has gone. Nothing happens when
 * `g` wants none. False after the log of `g` has heard that there is no process to be had.
 */
bool keeper_start(struct staff *staff, struct generation *g);
