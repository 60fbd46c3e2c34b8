/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines and the sinks they go to; see log.h.
 *
 * A line is put together once, whatever the number of sinks: date, level, process, connection, text. Files
 * get it as it is; before it there is room for what syslog wants in front. Date and process are kept as text,
 * since asking for them and printing them would cost more than all the rest: the date for its second, the
 * process on a page that the kernel empties in a child, so that no one who forks needs to think of logs.
 *
 * The last door before the file: a control character in a text, wherever it slipped through, becomes '_', so
 * that a line is one line.
 */
#include "base/log.h"

#include "base/addr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const char *const log_level_names[] = {
	"", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", NULL,
};

enum { FACILITY_MAX = 23, TAG_MAX = 32, HOST_MAX = 64 };

/* Room before a line: "<191>Jan 31 12:00:00 HOST TAG: ", or the LF that ends a torn line. */
enum { FRONT_MAX = 5 + 16 + HOST_MAX + 1 + TAG_MAX + 2 };

struct line {
	size_t len; /* of what stands from FRONT_MAX on */
	char room[FRONT_MAX + LOG_LINE_MAX];
};

/* "10#10: ", process and thread. The length is 0 in a fresh process. */
struct self {
	size_t len;
	char text[32];
};

struct log_sink {
	int fd;
	enum log_level level;
	bool syslog;
	bool torn; /* the last write ended within a line */
	unsigned facility;
	char from[HOST_MAX + 1 + TAG_MAX + 3]; /* "HOST TAG: " */
	struct sockaddr_storage server;
	socklen_t server_len; /* 0: none that could be connected to */
	uint64_t lost;	      /* lines that could not be written since the last that could */
	time_t stamped;	      /* the second that the next two show */
	char date[sizeof("2026/01/31 12:00:00 ") + 16];
	char when[sizeof("Jan 31 12:00:00 ") + 16];
	bool self_kept; /* the kernel knows when to empty it */
	struct self *self;
};

static void finish(struct line *l, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
static bool say(struct log_sink *s, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A date is formatted once a second: localtime_r and strftime cost as much as all the rest of a line. */
static void stamp(struct log_sink *s)
{
	time_t now = (time_t)clock_wall();
	struct tm tm;

	if (now == s->stamped)
		return;
	localtime_r(&now, &tm);
	strftime(s->date, sizeof(s->date), "%Y/%m/%d %H:%M:%S ", &tm);
	strftime(s->when, sizeof(s->when), "%b %e %H:%M:%S ", &tm);
	s->stamped = now;
}

/* The first stamp has the time zone read from its file while we may still open files. */
struct log_sink *log_sink_file(int fd, enum log_level level)
{
	struct log_sink *s = mem_new(sizeof(*s));

	s->fd = fd;
	s->level = level;
	s->self = mmap(NULL, sizeof(*s->self), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->self == MAP_FAILED)
		must_memory();
	s->self_kept = madvise(s->self, sizeof(*s->self), MADV_WIPEONFORK) == 0;
	stamp(s);
	return s;
}

struct log_sink *log_sink_syslog(int fd, enum log_level level, const struct log_syslog *how)
{
	struct log_sink *s = log_sink_file(fd, level);

	must(how->facility <= FACILITY_MAX);
	s->syslog = true;
	s->facility = how->facility;
	s->server_len = addr_to_sockaddr(how->server, &s->server);
	if (how->host != NULL && how->host[0] != '\0')
		snprintf(s->from, sizeof(s->from), "%.*s %.*s: ", HOST_MAX, how->host, TAG_MAX, how->tag);
	else
		snprintf(s->from, sizeof(s->from), "%.*s: ", TAG_MAX, how->tag);
	return s;
}

void log_sink_free(struct log_sink *s)
{
	if (s == NULL)
		return;
	munmap(s->self, sizeof(*s->self));
	free(s);
}

static char *line_end(struct line *l)
{
	return l->room + FRONT_MAX + l->len;
}

static void put(struct line *l, const char *text, size_t len)
{
	memcpy(line_end(l), text, len);
	l->len += len;
}

static void put_number(struct line *l, uint64_t number)
{
	char digits[20];
	size_t from = sizeof(digits);

	do
		digits[--from] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	put(l, digits + from, sizeof(digits) - from);
}

static void put_self(struct line *l, struct log_sink *s)
{
	if (s->self->len == 0 || !s->self_kept)
		s->self->len =
			(size_t)snprintf(s->self->text, sizeof(s->self->text), "%d#%d: ", getpid(), gettid());
	put(l, s->self->text, s->self->len);
}

/* What stands before the text: all of our own making, and far shorter than a line. */
static void begin(struct line *l, struct log_sink *s, enum log_level level, uint64_t connection)
{
	l->len = 0;
	stamp(s);
	put(l, s->date, strlen(s->date));
	put(l, "[", 1);
	put(l, log_level_names[level], strlen(log_level_names[level]));
	put(l, "] ", 2);
	put_self(l, s);
	if (connection != 0) {
		put(l, "*", 1);
		put_number(l, connection);
		put(l, " ", 1);
	}
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

/* Take the text, cut to what fits before the LF, make it harmless, and end the line. */
static void finish(struct line *l, const char *format, va_list ap)
{
	size_t room = LOG_LINE_MAX - l->len;
	char *text = line_end(l);
	int n = vsnprintf(text, room, format, ap);

	if (n > 0)
		l->len += (size_t)n < room ? (size_t)n : room - 1;
	for (char *end = line_end(l); text < end; text++)
		if (is_control(*text))
			*text = '_';
	put(l, "\n", 1);
}

static bool write_file(struct log_sink *s, struct line *l)
{
	char *from = l->room + FRONT_MAX;
	size_t len = l->len;
	ssize_t n;

	if (s->torn) {
		*--from = '\n';
		len++;
	}
	do
		n = write(s->fd, from, len);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		s->torn = (size_t)n < len;
	return n == (ssize_t)len;
}

/* Was a datagram refused because there is no connection (any more)? A unix socket loses it when its server is
 * started anew. One of UDP does not, but passes on the refusal of an earlier datagram instead of sending. */
static bool unconnected(int error)
{
	return error == ENOTCONN || error == EDESTADDRREQ || error == ECONNREFUSED || error == ECONNRESET;
}

static bool send_again(struct log_sink *s, const char *from, size_t len)
{
	if (!unconnected(errno) || s->server_len == 0)
		return false;
	if (connect(s->fd, (const struct sockaddr *)&s->server, s->server_len) != 0)
		return false;
	return send(s->fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* Syslog knows severities 0 to 7 for emerg to debug: ours less one. A datagram needs no LF. */
static bool send_datagram(struct log_sink *s, enum log_level level, struct line *l)
{
	char front[FRONT_MAX + 1];
	int n = snprintf(front, sizeof(front), "<%u>%.16s%s", s->facility * 8 + (unsigned)level - 1, s->when,
			 s->from);
	size_t len = l->len - 1;
	char *from;

	must(n > 0 && n <= FRONT_MAX);
	len += (size_t)n;
	from = memcpy(l->room + FRONT_MAX - n, front, (size_t)n);
	return send(s->fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ||
	       send_again(s, from, len);
}

static bool send_line(struct log_sink *s, enum log_level level, struct line *l)
{
	if (!s->syslog)
		return write_file(s, l);
	stamp(s);
	return send_datagram(s, level, l);
}

static bool say(struct log_sink *s, enum log_level level, const char *format, ...)
{
	struct line l;
	va_list ap;

	begin(&l, s, level, 0);
	va_start(ap, format);
	finish(&l, format, ap);
	va_end(ap);
	return send_line(s, level, &l);
}

/* One sink's share: first what was lost before, then the line. */
static void deliver(struct log_sink *s, enum log_level level, struct line *l)
{
	if (s->lost != 0 &&
	    say(s, LOG_ALERT, "log lines lost before this one: %llu", (unsigned long long)s->lost))
		s->lost = 0;
	if (!send_line(s, level, l))
		s->lost++;
}

void log_put(const struct log *l, enum log_level level, uint64_t connection, const char *format, ...)
{
	int error = errno;
	struct line line;
	va_list ap;

	if (!log_wants(l, level))
		return;
	line.len = 0;
	for (unsigned i = 0; i < l->sinks_len; i++) {
		struct log_sink *s = l->sinks[i];

		if (s->level < level)
			continue;
		if (line.len == 0) {
			begin(&line, s, level, connection);
			errno = error;
			va_start(ap, format);
			finish(&line, format, ap);
			va_end(ap);
		}
		deliver(s, level, &line);
	}
	errno = error;
}
