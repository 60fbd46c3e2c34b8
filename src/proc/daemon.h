/* SPDX-License-Identifier: BSD-2-Clause */
/* Going to the background. */
#pragma once
#include "base/str.h"

/* The parent exits 0; the child is the leader of a session of its own, without input and output. False with
 * errno and *step. */
bool daemonize(const char **step);
