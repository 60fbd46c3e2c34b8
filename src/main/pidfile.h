/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that tells operators and `-s` the master's process id. */
#pragma once
#include "base/str.h"
#include <sys/types.h>

/* Write our own id. False with errno. */
bool pidfile_write(const char *path);

/* Read an id; 0 after telling on stderr what is wrong. */
pid_t pidfile_read(const char *path);
