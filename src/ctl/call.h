/* SPDX-License-Identifier: BSD-2-Clause */
/* A word with the postern that runs, over its control socket. */
#pragma once

/* Say these words, and print what it answers. Returns 0, or 1 when it refused or is not there. */
int call(const char *socket, const char *const *words, int len);
