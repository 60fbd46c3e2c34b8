/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines and the sinks they go to; see log.h. */
#include "base/log.h"

#include "base/clock.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const char *const log_level_names[] = { "", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", NULL };

struct log_sink {
	int fd;
	enum log_level level;
	bool syslog;
	unsigned facility;
	char tag[33], host[65];
	uint64_t lost;			/* lines that could not be written since the last that could */
	time_t stamped;			/* the second that `stamp` shows */
	char stamp[32];
};

struct log_sink *log_sink_file(int fd, enum log_level level)
{
	struct log_sink *s = mem_new(sizeof(*s));

	s->fd = fd;
	s->level = level;
	return s;
}

struct log_sink *log_sink_syslog(int fd, enum log_level level, unsigned facility, const char *tag, const char *host)
{
	struct log_sink *s = log_sink_file(fd, level);

	s->syslog = true;
	s->facility = facility;
	snprintf(s->tag, sizeof(s->tag), "%s", tag);
	snprintf(s->host, sizeof(s->host), "%s", host != NULL ? host : "");
	return s;
}

void log_sink_reopen(struct log_sink *s, int fd)
{
	s->fd = fd;
}

void log_sink_free(struct log_sink *s)
{
	free(s);
}

/* The date is formatted once a second: localtime and strftime cost more than the rest of a line. */
static const char *stamp(struct log_sink *s)
{
	time_t now = (time_t)clock_wall();
	struct tm tm;

	if (now != s->stamped) {
		localtime_r(&now, &tm);
		if (s->syslog)
			strftime(s->stamp, sizeof(s->stamp), "%b %e %H:%M:%S", &tm);
		else
			strftime(s->stamp, sizeof(s->stamp), "%Y/%m/%d %H:%M:%S", &tm);
		s->stamped = now;
	}
	return s->stamp;
}

/* Syslog knows severities 0 to 7 for emerg to debug: ours less one. */
static int head(struct log_sink *s, enum log_level level, char *to, size_t room)
{
	if (!s->syslog)
		return snprintf(to, room, "%s [%s] %d#%d: ", stamp(s), log_level_names[level], getpid(),
				gettid());
	return snprintf(to, room, "<%u>%s %s%s%s: [%s] %d#%d: ", s->facility * 8 + (unsigned)level - 1, stamp(s),
			s->host, s->host[0] != '\0' ? " " : "", s->tag, log_level_names[level], getpid(), gettid());
}

static bool send_line(struct log_sink *s, const char *line, size_t len)
{
	if (s->syslog)
		return send(s->fd, line, len - 1, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)(len - 1);
	return write(s->fd, line, len) == (ssize_t)len;
}

/* Put head and text together, cut to the longest line, end it, and send it. */
static void put(struct log_sink *s, enum log_level level, const char *text)
{
	char line[LOG_LINE_MAX];
	int n = head(s, level, line, sizeof(line));
	size_t len = (size_t)n;
	size_t more = strlen(text);

	if (more > sizeof(line) - len - 1)
		more = sizeof(line) - len - 1;
	memcpy(line + len, text, more);
	len += more;
	line[len++] = '\n';
	if (!send_line(s, line, len))
		s->lost++;
}

static void confess(struct log_sink *s)
{
	char text[80];
	uint64_t lost = s->lost;

	s->lost = 0;
	snprintf(text, sizeof(text), "%llu log lines before this one could not be written", (unsigned long long)lost);
	put(s, LOG_ALERT, text);
	if (s->lost != 0)
		s->lost += lost;
}

void log_put(const struct log *l, enum log_level level, uint64_t connection, const char *format, ...)
{
	char text[LOG_LINE_MAX];
	int n = 0;
	va_list ap;

	if (!log_wants(l, level))
		return;
	if (connection != 0)
		n = snprintf(text, sizeof(text), "*%llu ", (unsigned long long)connection);
	va_start(ap, format);
	vsnprintf(text + n, sizeof(text) - (size_t)n, format, ap);
	va_end(ap);
	for (unsigned i = 0; i < l->sinks_len; i++) {
		struct log_sink *s = l->sinks[i];

		if (s->level < level)
			continue;
		if (s->lost != 0)
			confess(s);
		put(s, level, text);
	}
}
