/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines in the format that log watchers know: "2026/01/31 12:00:00 [info] 10#10: *17 text".
 *
 * A log is a list of sinks, each with its own level; a line is written with one system call per sink before
 * the caller goes on. A sink that takes nothing (disk full) loses the line, and before the next line that
 * goes through stands one that says how many were lost.
 *
 * Only auth, upstream, mail, monitor and main log; everybody else returns what went wrong.
 */
#pragma once
#include "base/buf.h"

enum log_level { LOG_EMERG = 1, LOG_ALERT, LOG_CRIT, LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

enum { LOG_LINE_MAX = 2048 };

struct addr;
struct log_sink;

struct log {
	unsigned level; /* the most talkative of its sinks: a cheap first look */
	unsigned sinks_len;
	struct log_sink *const *sinks;
};

/* The word for a level as it stands in a line and in error_log; NULL-terminated table indexed by enum
 * log_level. */
extern const char *const log_level_names[];

/* A sink that writes lines to a file, pipe or terminal. The descriptor stays the caller's, who puts another
 * file behind its number when logs are opened anew (USR1). SIGPIPE must be ignored. */
struct log_sink *log_sink_file(int fd, enum log_level level);

/* What a syslog server is told, and where it is. */
struct log_syslog {
	const struct addr *server;
	unsigned facility;	/* 0 to 23 */
	const char *tag, *host; /* at most 32 and 64 bytes are shown; host NULL or empty: none */
};

/*
 * A sink that sends datagrams: "<PRI>Jan 31 12:00:00 HOST TAG: " and the line as a file would have it, as the
 * proxy that we replace does. `fd` is a datagram socket of the server's family, the caller's; it is connected
 * whenever it turns out not to be, so the server may start later or anew. Nothing of `how` is kept.
 */
struct log_sink *log_sink_syslog(int fd, enum log_level level, const struct log_syslog *how);

/* NULL is allowed. Lines that were lost and not yet told of are forgotten. */
void log_sink_free(struct log_sink *s);

static inline bool log_wants(const struct log *l, enum log_level level)
{
	return l->level >= (unsigned)level;
}

/*
 * Write one line to each sink that wants the level; cut to LOG_LINE_MAX bytes, its LF included. `connection`
 * is the number behind '*', 0 for none. errno is left as it was. The text must hold only what was checked or
 * went through visible_put; control characters that come all the same become '_', so nobody forges a line.
 */
void log_put(const struct log *l, enum log_level level, uint64_t connection, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
