/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error_log directive: where a scope's log lines go, and which of them.
 *
 * A destination that several lines name is one output, with a number that is the same in every process that
 * reads the configuration: so the master can open the outputs, and hand descriptors to workers that cannot
 * open files.
 */
#pragma once
#include "conf/conf.h"

enum log_kind { LOG_TO_FILE, LOG_TO_STDERR, LOG_TO_SYSLOG };

/* A destination; two of them differ in something below. */
struct log_output {
	enum log_kind kind;
	struct str path;    /* of a file, absolute */
	struct addr server; /* of syslog */
	unsigned facility;  /* 0 to 23, RFC 3164 */
	struct str tag;
	bool nohostname;
};

/*
 * Parts of the program that write debug lines; `debug` alone means all of them, and whatever has no name
 * here.
 */
enum {
	DEBUG_CORE = 1,
	DEBUG_ALLOC = 2,
	DEBUG_MUTEX = 4,
	DEBUG_EVENT = 8,
	DEBUG_HTTP = 16,
	DEBUG_MAIL = 32,
	DEBUG_STREAM = 64,
	DEBUG_REST = 128,
	DEBUG_ALL = 255,
};

/* One error_log of a scope. */
struct log_use {
	size_t output; /* its number among the outputs of the configuration */
	enum log_level level;
	unsigned debug; /* with LOG_DEBUG: which parts; else 0 */
};

struct log_uses {
	const struct log_use *at;
	size_t len;
};

/*
 * Places main, mail and server. Without any error_log outside of all blocks, lines of level error go to the
 * file of the fact "error_log" (the -e option, "stderr" being what it says), or to logs/error.log under the
 * prefix.
 */
extern const struct module error_log_module;

/* What a main, mail or server scope logs to; never empty. */
struct log_uses error_log_uses(const struct scope *s);

/* All outputs of a loaded configuration, in order of their numbers. */
const struct log_output *error_log_outputs(struct conf *c, size_t *len);
