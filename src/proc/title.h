/* SPDX-License-Identifier: BSD-2-Clause */
/* What `ps` shows of a process: "postern: worker process". */
#pragma once

/* Once, first thing in main: the memory of the arguments and the environment becomes room for titles. Returns
 * the arguments where they are now; the environment has moved too. */
char **title_init(int argc, char **argv);

/* "postern: " and this. */
void title_set(const char *what);
