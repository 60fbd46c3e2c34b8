/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that tells operators and `-s` the master's process id. */
#pragma once
#include "base/log.h"
#include <sys/types.h>

/* Write our own id. False after `log` has heard why not. */
bool pidfile_write(const char *path, const struct log *log);

/* Read an id; 0 after telling on stderr what is wrong. */
pid_t pidfile_read(const char *path);
