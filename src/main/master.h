/* SPDX-License-Identifier: BSD-2-Clause */
/* The master process: configuration, sockets, workers, signals; it never parses a byte from the network. */
#pragma once
#include "main/options.h"

/* Start up, serve until told to stop, clean up. Returns the exit status. */
int master_run(const struct options *options);
