/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker process: one event loop, sessions, and orders from the master.
 */
#pragma once
#include "main/load.h"

/* What the master tells a worker; the kinds of proc/channel's messages. A generation comes as BUNDLE, SOCKETS
 * and LOGS as often as needed, COMMIT. */
enum order {
	ORDER_BUNDLE = 1, /* one descriptor: the sealed bundle; number: of the generation */
	ORDER_SOCKETS,	  /* listening sockets, in the order of the generation's listeners */
	ORDER_LOGS,	  /* log targets, in their order */
	ORDER_HELPERS,	  /* where questions to helper processes go, in the order of the orders */
	ORDER_COMMIT,	  /* all is here: go on with it */
	ORDER_REOPEN, /* the log targets of the current generation were opened anew: they are what came since
		       */
};

/* Serve until told to stop; returns the exit status. `channel` is the worker's end and is closed; `loader`
 * makes generations. */
int worker_run(int channel, const struct loader *loader);
