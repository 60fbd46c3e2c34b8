/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines byte for byte, and what becomes of them when the disk is full, the pipe is stuck, or syslog is
 * started anew.
 *
 * The file under test is compiled in here, with a clock and a kernel that can be made to say what the test
 * wants.
 */
#include "base/addr.h"
#include "base/clock.h"
#include "unit.h"
#include <sys/mman.h>

uint64_t pretended_clock(void);
int pretended_madvise(void *at, size_t size, int advice);

#define clock_wall pretended_clock
#define madvise	   pretended_madvise
#include "../../../src/base/log.c"
#undef clock_wall
#undef madvise

#include <errno.h>
#include <regex.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define DATE "[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
#define WHEN "[A-Z][a-z]{2} [ 123][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"

static uint64_t pretended_now;
static bool old_kernel;

uint64_t pretended_clock(void)
{
	return pretended_now != 0 ? pretended_now : clock_wall();
}

int pretended_madvise(void *at, size_t size, int advice)
{
	return old_kernel ? -1 : madvise(at, size, advice);
}

/* A log with one sink, whose other end the test reads. */
struct book {
	struct log log;
	struct log_sink *sink;
	int out, in;
	char text[64 * 1024];
};

static void open_book(struct book *b, struct log_sink *sink, enum log_level level)
{
	b->sink = sink;
	b->log = (struct log){ .level = level, .sinks_len = 1, .sinks = &b->sink };
}

static struct book *file_book(enum log_level level)
{
	static struct book b;

	b.out = b.in = memfd_create("log", MFD_CLOEXEC);
	assert_true(b.out >= 0);
	open_book(&b, log_sink_file(b.out, level), level);
	return &b;
}

/* An unnamed socket, whose connection nobody can make again. */
static struct book *pair_book(enum log_level level, unsigned facility, const char *tag, const char *host)
{
	static const struct addr nobody = { .family = AF_UNIX };
	static struct book b;
	struct log_syslog how;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	b.out = ends[0];
	b.in = ends[1];
	how = (struct log_syslog){ .server = &nobody, .facility = facility, .tag = tag, .host = host };
	open_book(&b, log_sink_syslog(b.out, level, &how), level);
	return &b;
}

static void close_book(struct book *b)
{
	log_sink_free(b->sink);
	close(b->out);
	if (b->in != b->out)
		close(b->in);
}

/* All that the file holds. */
static const char *file_text(struct book *b)
{
	ssize_t n = pread(b->in, b->text, sizeof(b->text) - 1, 0);

	assert_true(n >= 0);
	b->text[n] = '\0';
	return b->text;
}

/* The next datagram, or piece of a pipe; NULL when there is none. */
static const char *next_text(struct book *b)
{
	ssize_t n = read(b->in, b->text, sizeof(b->text) - 1);

	if (n < 0)
		return NULL;
	b->text[n] = '\0';
	return b->text;
}

static void assert_like(const char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void assert_like(const char *text, const char *format, ...)
{
	char pattern[512];
	regex_t compiled;
	va_list ap;
	int result;

	assert_non_null(text);
	va_start(ap, format);
	vsnprintf(pattern, sizeof(pattern), format, ap);
	va_end(ap);
	assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
	result = regexec(&compiled, text, 0, NULL, 0);
	regfree(&compiled);
	if (result != 0)
		fail_msg("\"%s\" is not like \"%s\"", text, pattern);
}

static void line_format(void **state)
{
	struct book *b = file_book(LOG_INFO);
	int pid = getpid();

	(void)state;
	log_put(&b->log, LOG_INFO, 17, "client %s, %d times", "x", 5);
	log_put(&b->log, LOG_EMERG, 0, "no connection");
	log_put(&b->log, LOG_WARN, UINT64_MAX, "%s", "");
	assert_like(file_text(b),
		    "^" DATE " \\[info\\] %d#%d: \\*17 client x, 5 times\n" DATE
		    " \\[emerg\\] %d#%d: no connection\n" DATE
		    " \\[warn\\] %d#%d: \\*18446744073709551615 \n$",
		    pid, pid, pid, pid, pid, pid);
	close_book(b);
}

static void date_is_now_and_here(void **state)
{
	struct book *b = file_book(LOG_INFO);
	time_t before = (time_t)clock_wall(), after, said;
	struct tm tm = { .tm_isdst = -1 };

	(void)state;
	log_put(&b->log, LOG_INFO, 0, "x");
	after = (time_t)clock_wall();
	assert_non_null(strptime(file_text(b), "%Y/%m/%d %H:%M:%S [info]", &tm));
	said = mktime(&tm);
	assert_true(before <= said && said <= after);
	/* the zone of main() below */
	assert_int_equal(tm.tm_gmtoff, -(3 * 60 + 30) * 60);
	close_book(b);
}

/* Each line has the date of its own second, forth and back. */
static void date_goes_with_the_clock(void **state)
{
	static const struct {
		uint64_t now;
		const char *file, *syslog;
	} cases[] = {
		{ 1769866200, "2026/01/31 10:00:00 ", "Jan 31 10:00:00 " },
		{ 1769866201, "2026/01/31 10:00:01 ", "Jan 31 10:00:01 " },
		{ 1769916599, "2026/01/31 23:59:59 ", "Jan 31 23:59:59 " },
		{ 1769916600, "2026/02/01 00:00:00 ", "Feb  1 00:00:00 " },
		{ 1769866200, "2026/01/31 10:00:00 ", "Jan 31 10:00:00 " },
		{ 253402299000, "9999/12/31 20:00:00 ", "Dec 31 20:00:00 " },
	};
	struct book *file = file_book(LOG_INFO), *pair = pair_book(LOG_INFO, 0, "t", NULL);
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pretended_now = cases[i].now;
		log_put(&file->log, LOG_INFO, 0, "x");
		log_put(&pair->log, LOG_INFO, 0, "x");
		pretended_now = 0;
		assert_int_equal(strncmp(file_text(file) + seen, cases[i].file, strlen(cases[i].file)), 0);
		seen = strlen(file_text(file));
		assert_like(next_text(pair), "^<6>%st: %s", cases[i].syslog, cases[i].file);
	}
	close_book(file);
	close_book(pair);
}

static void levels(void **state)
{
	(void)state;
	for (enum log_level sink = LOG_EMERG; sink <= LOG_DEBUG; sink++) {
		for (enum log_level level = LOG_EMERG; level <= LOG_DEBUG; level++) {
			struct book *b = file_book(sink);

			assert_int_equal(log_wants(&b->log, level), level <= sink);
			log_put(&b->log, level, 1, "x");
			if (level <= sink)
				assert_like(file_text(b), "^" DATE " \\[%s\\] ", log_level_names[level]);
			else
				assert_string_equal(file_text(b), "");
			close_book(b);
		}
	}
}

static void level_names(void **state)
{
	static const char *const want[] = { "emerg", "alert",  "crit", "error",
					    "warn",  "notice", "info", "debug" };

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_string_equal(log_level_names[LOG_EMERG + i], want[i]);
	assert_null(log_level_names[LOG_DEBUG + 1]);
}

/* The same line to all that want it, whatever the first of them thinks. */
static void several_sinks(void **state)
{
	int files[3];
	struct log_sink *sinks[3];
	const enum log_level levels_of[] = { LOG_ERROR, LOG_INFO, LOG_WARN };
	struct log log = { .level = LOG_INFO, .sinks_len = 3, .sinks = sinks };
	char text[3][4096];

	(void)state;
	for (int i = 0; i < 3; i++) {
		files[i] = memfd_create("log", MFD_CLOEXEC);
		sinks[i] = log_sink_file(files[i], levels_of[i]);
	}
	log_put(&log, LOG_INFO, 1, "talk");
	log_put(&log, LOG_WARN, 2, "warning");
	log_put(&log, LOG_ERROR, 3, "error");
	log_put(&log, LOG_DEBUG, 4, "debug");
	for (int i = 0; i < 3; i++) {
		ssize_t n = pread(files[i], text[i], sizeof(text[i]) - 1, 0);

		assert_true(n > 0);
		text[i][n] = '\0';
		log_sink_free(sinks[i]);
		close(files[i]);
	}
	assert_like(text[0], "^[^\n]+\\*3 error\n$");
	assert_like(text[1], "^[^\n]+\\*1 talk\n[^\n]+\\*2 warning\n[^\n]+\\*3 error\n$");
	assert_like(text[2], "^[^\n]+\\*2 warning\n[^\n]+\\*3 error\n$");
	assert_string_equal(text[0], strchr(strchr(text[1], '\n') + 1, '\n') + 1);
}

static void long_lines_are_cut(void **state)
{
	static char filling[3 * LOG_LINE_MAX];
	size_t front;

	(void)state;
	memset(filling, 'x', sizeof(filling));
	filling[sizeof(filling) - 1] = '\0';
	front = strlen("2026/01/31 12:00:00 [info] ") +
		(size_t)snprintf(NULL, 0, "%d#%d: *7 ", getpid(), getpid());
	for (int around = -2; around <= 2; around++) {
		struct book *b = file_book(LOG_INFO);
		size_t len = LOG_LINE_MAX - 1 - front + (size_t)around;
		const char *text;

		log_put(&b->log, LOG_INFO, 7, "%.*s", (int)len, filling);
		text = file_text(b);
		assert_int_equal(strlen(text), around <= 0 ? LOG_LINE_MAX + around : LOG_LINE_MAX);
		assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
		assert_int_equal(strspn(text + front, "x"), strlen(text) - front - 1);
		log_put(&b->log, LOG_INFO, 7, "%s", filling);
		assert_int_equal(strlen(file_text(b)),
				 (around <= 0 ? LOG_LINE_MAX + around : LOG_LINE_MAX) + LOG_LINE_MAX);
		close_book(b);
	}
}

static void nobody_forges_a_line(void **state)
{
	struct book *b = file_book(LOG_INFO);
	char all[256];

	(void)state;
	for (int c = 1; c < 256; c++)
		all[c - 1] = (char)c;
	all[255] = '\0';
	log_put(&b->log, LOG_INFO, 0, "%s%c%s", "login \"x\r\n2026/01/31 12:00:00 [info] 1#1: forged", '\0',
		"\033[2J");
	log_put(&b->log, LOG_INFO, 0, "%s", all);
	assert_like(file_text(b), "^[^\n]+: login \"x__2026/01/31 12:00:00 \\[info\\] 1#1: "
				  "forged__\\[2J\n[^\n]+: ________\t__________*_ !\"");
	assert_non_null(strstr(file_text(b), "}~_\x80\x81"));
	assert_non_null(strstr(file_text(b), "\xfe\xff\n"));
	assert_int_equal(strcspn(strchr(file_text(b), '\n') + 1, "\n"),
			 strlen(strchr(file_text(b), '\n')) - 2);
	close_book(b);
}

static void errno_is_left_alone(void **state)
{
	struct book *b = file_book(LOG_INFO);
	int nowhere;

	(void)state;
	errno = ECONNREFUSED;
	log_put(&b->log, LOG_INFO, 0, "(%d: %m)", errno);
	assert_int_equal(errno, ECONNREFUSED);
	log_put(&b->log, LOG_DEBUG, 0, "nobody");
	assert_int_equal(errno, ECONNREFUSED);
	assert_like(file_text(b), ": \\(111: Connection refused\\)\n$");
	/* also when the line cannot be written */
	nowhere = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup3(nowhere, b->out, O_CLOEXEC);
	errno = ECONNREFUSED;
	log_put(&b->log, LOG_INFO, 0, "nowhere");
	assert_int_equal(errno, ECONNREFUSED);
	close(nowhere);
	close_book(b);
}

/* With the kernel's help or without. */
static void child_says_its_own_number(void **state)
{
	(void)state;
	for (int old = 0; old < 2; old++) {
		struct book *b;
		pid_t child;
		int status;

		old_kernel = old;
		b = file_book(LOG_INFO);
		old_kernel = false;
		log_put(&b->log, LOG_INFO, 0, "parent");
		child = fork();
		if (child == 0) {
			log_put(&b->log, LOG_INFO, 0, "child");
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		log_put(&b->log, LOG_INFO, 0, "parent");
		assert_like(file_text(b),
			    "^[^\n]* %d#%d: parent\n[^\n]* %d#%d: child\n[^\n]* %d#%d: parent\n$", getpid(),
			    getpid(), child, child, getpid(), getpid());
		close_book(b);
	}
}

/* A pipe that is full takes nothing; the count is of lines that somebody wrote, whatever was tried in
 * between. */
static void lost_lines_are_confessed(void **state)
{
	static struct book b;
	char filling[4096] = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	b.in = ends[0];
	b.out = ends[1];
	open_book(&b, log_sink_file(b.out, LOG_INFO), LOG_INFO);
	for (int round = 0; round < 2; round++) {
		while (write(b.out, filling, sizeof(filling)) > 0)
			;
		for (int i = 0; i < 5; i++)
			log_put(&b.log, LOG_INFO, 0, "lost");
		while (next_text(&b) != NULL)
			;
		log_put(&b.log, LOG_INFO, 0, "after");
		assert_like(next_text(&b),
			    "^" DATE
			    " \\[alert\\] %d#%d: log lines lost before this one: 5\n[^\n]*: after\n$",
			    getpid(), getpid());
		log_put(&b.log, LOG_INFO, 0, "all is well");
		assert_like(next_text(&b), "^[^\n]*: all is well\n$");
	}
	close_book(&b);
}

/* A disk that gets full within a line: the stump stays alone on its line when there is room again. */
static void torn_lines_stay_apart(void **state)
{
	struct book *b = file_book(LOG_INFO);
	struct rlimit before, small;
	size_t whole;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	log_put(&b->log, LOG_INFO, 0, "whole");
	whole = strlen(file_text(b));
	small = (struct rlimit){ .rlim_cur = whole + 10, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	log_put(&b->log, LOG_INFO, 0, "torn");
	log_put(&b->log, LOG_INFO, 0, "lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(strlen(file_text(b)), whole + 10);
	log_put(&b->log, LOG_INFO, 0, "after");
	log_put(&b->log, LOG_INFO, 0, "last");
	assert_like(file_text(b), "^[^\n]*: whole\n[0-9/]{10}\n" DATE
				  " \\[alert\\] [^\n]*: log lines lost before this one: 2\n" DATE
				  "[^\n]*: after\n" DATE "[^\n]*: last\n$");
	close_book(b);
}

/* As USR1 does it: another file behind the same number, and no sink is told. */
static void opened_anew(void **state)
{
	struct book *b = file_book(LOG_INFO);
	int old = dup(b->out), new = memfd_create("log", MFD_CLOEXEC);

	(void)state;
	log_put(&b->log, LOG_INFO, 0, "one");
	assert_int_equal(dup3(new, b->out, O_CLOEXEC), b->out);
	log_put(&b->log, LOG_INFO, 0, "two");
	assert_like(file_text(b), "^[^\n]*: two\n$");
	assert_int_equal(dup3(old, b->out, O_CLOEXEC), b->out);
	assert_like(file_text(b), "^[^\n]*: one\n$");
	close(old);
	close(new);
	close_book(b);
}

static void syslog_form(void **state)
{
	struct book *b = pair_book(LOG_DEBUG, 23, "postern_1", "gate");

	(void)state;
	log_put(&b->log, LOG_INFO, 9, "one\ntwo");
	assert_like(next_text(b), "^<190>" WHEN " gate postern_1: " DATE " \\[info\\] %d#%d: \\*9 one_two$",
		    getpid(), getpid());
	close_book(b);
	b = pair_book(LOG_DEBUG, 23, "postern", NULL);
	log_put(&b->log, LOG_INFO, 9, "no host");
	assert_like(next_text(b), "^<190>" WHEN " postern: " DATE " \\[info\\] %d#%d: \\*9 no host$",
		    getpid(), getpid());
	close_book(b);
	for (unsigned facility = 0; facility <= 23; facility++) {
		b = pair_book(LOG_DEBUG, facility, "t", "");
		for (enum log_level level = LOG_EMERG; level <= LOG_DEBUG; level++) {
			log_put(&b->log, level, 0, "x");
			assert_like(next_text(b), "^<%u>" WHEN " t: ", facility * 8 + (unsigned)level - 1);
		}
		close_book(b);
	}
}

static void syslog_limits(void **state)
{
	static char filling[3 * LOG_LINE_MAX];
	struct book *b;
	char wide[100];

	(void)state;
	memset(wide, 'w', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	memset(filling, 'x', sizeof(filling));
	filling[sizeof(filling) - 1] = '\0';
	b = pair_book(LOG_DEBUG, 23, wide, wide);
	log_put(&b->log, LOG_DEBUG, UINT64_MAX, "%s", filling);
	assert_like(next_text(b),
		    "^<191>" WHEN " w{64} w{32}: " DATE " \\[debug\\] [0-9#]+: \\*18446744073709551615 x+$");
	assert_int_equal(strlen(b->text),
			 strlen("<191>Jan 31 12:00:00 ") + 64 + 1 + 32 + 2 + LOG_LINE_MAX - 1);
	close_book(b);
}

/* What a file and syslog get does not depend on who else listens. */
static void file_and_syslog_together(void **state)
{
	struct book *pair = pair_book(LOG_INFO, 1, "t", "h"), *file = file_book(LOG_INFO);
	struct log_sink *sinks[] = { pair->sink, file->sink, pair->sink };
	struct log log = { .level = LOG_INFO, .sinks_len = 3, .sinks = sinks };

	(void)state;
	log_put(&log, LOG_INFO, 3, "both");
	assert_like(file_text(file), "^" DATE " \\[info\\] %d#%d: \\*3 both\n$", getpid(), getpid());
	assert_like(next_text(pair), "^<14>" WHEN " h t: " DATE " \\[info\\] %d#%d: \\*3 both$", getpid(),
		    getpid());
	assert_like(next_text(pair), "^<14>" WHEN " h t: " DATE " \\[info\\] %d#%d: \\*3 both$", getpid(),
		    getpid());
	close_book(file);
	close_book(pair);
}

static void syslog_queue_full(void **state)
{
	struct book *b = pair_book(LOG_INFO, 1, "t", NULL);
	int taken = 0, sent = 2000;

	(void)state;
	for (int i = 0; i < sent; i++)
		log_put(&b->log, LOG_INFO, 0, "number %d", i);
	for (; next_text(b) != NULL; taken++)
		assert_like(b->text, ": number %d$", taken);
	assert_in_range(taken, 1, sent - 1);
	log_put(&b->log, LOG_INFO, 0, "after");
	assert_like(next_text(b), "^<9>.*\\[alert\\] [0-9#]+: log lines lost before this one: %d$",
		    sent - taken);
	assert_like(next_text(b), ": after$");
	assert_null(next_text(b));
	close_book(b);
}

static int listen_at(const struct addr *at)
{
	int fd = socket(at->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(at, &ss);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&ss, len), 0);
	return fd;
}

static void open_syslog_book(struct book *b, const struct addr *server)
{
	struct log_syslog how = { .server = server, .facility = 1, .tag = "t" };

	b->out = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	open_book(b, log_sink_syslog(b->out, LOG_INFO, &how), LOG_INFO);
}

/* A syslog daemon that comes late, goes, and comes back at the same path is found each time. */
static void syslog_started_anew(void **state)
{
	static struct book b;
	char folder[] = "/tmp/postern-log-XXXXXX", path[64];
	struct addr at = { .family = AF_UNIX, .path = path };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	open_syslog_book(&b, &at);
	log_put(&b.log, LOG_INFO, 0, "lost");
	b.in = listen_at(&at);
	log_put(&b.log, LOG_INFO, 0, "one");
	assert_like(next_text(&b), ": log lines lost before this one: 1$");
	assert_like(next_text(&b), ": one$");
	close(b.in);
	log_put(&b.log, LOG_INFO, 0, "lost");
	unlink(path);
	log_put(&b.log, LOG_INFO, 0, "lost");
	b.in = listen_at(&at);
	log_put(&b.log, LOG_INFO, 0, "two");
	assert_like(next_text(&b), ": log lines lost before this one: 2$");
	assert_like(next_text(&b), ": two$");
	close(b.in);
	unlink(path);
	b.in = listen_at(&at);
	log_put(&b.log, LOG_INFO, 0, "three");
	assert_like(next_text(&b), ": three$");
	assert_null(next_text(&b));
	close_book(&b);
	unlink(path);
	rmdir(folder);
}

/* Over UDP nobody can say that a datagram was lost, but a refusal of one must not cost the next. The address
 * is one where nobody else takes the port meanwhile. */
static void syslog_over_udp(void **state)
{
	static struct book b;
	struct addr at = { .family = AF_INET, .ip4 = { 127, 117, 66, 55 } };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	(void)state;
	b.in = listen_at(&at);
	assert_int_equal(getsockname(b.in, (struct sockaddr *)&ss, &len), 0);
	addr_from_sockaddr(&at, &ss, len);
	open_syslog_book(&b, &at);
	log_put(&b.log, LOG_INFO, 0, "one");
	assert_like(next_text(&b), "^<14>" WHEN " t: " DATE ".*: one$");
	close(b.in);
	log_put(&b.log, LOG_INFO, 0, "into the void");
	b.in = listen_at(&at);
	log_put(&b.log, LOG_INFO, 0, "two");
	assert_like(next_text(&b), ": two$");
	assert_null(next_text(&b));
	close_book(&b);
}

static void impossible_facility(void *none)
{
	(void)none;
	close_book(pair_book(LOG_INFO, 24, "t", NULL));
}

static void misuse(void **state)
{
	(void)state;
	assert_aborts(impossible_facility, NULL);
	log_sink_free(NULL);
}

static void clocks(void **state)
{
	uint64_t ms = clock_ms(), us = clock_us();

	(void)state;
	assert_true(us / 1000 >= ms);
	assert_true(clock_us() >= us);
	assert_true(clock_ms() >= us / 1000);
	/* later than this was written, earlier than a millennium of mistakes in units */
	assert_true(clock_wall() > 1700000000 && clock_wall() < 33000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_format),
		cmocka_unit_test(date_is_now_and_here),
		cmocka_unit_test(date_goes_with_the_clock),
		cmocka_unit_test(levels),
		cmocka_unit_test(level_names),
		cmocka_unit_test(several_sinks),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(nobody_forges_a_line),
		cmocka_unit_test(errno_is_left_alone),
		cmocka_unit_test(child_says_its_own_number),
		cmocka_unit_test(lost_lines_are_confessed),
		cmocka_unit_test(torn_lines_stay_apart),
		cmocka_unit_test(opened_anew),
		cmocka_unit_test(syslog_form),
		cmocka_unit_test(syslog_limits),
		cmocka_unit_test(file_and_syslog_together),
		cmocka_unit_test(syslog_queue_full),
		cmocka_unit_test(syslog_started_anew),
		cmocka_unit_test(syslog_over_udp),
		cmocka_unit_test(misuse),
		cmocka_unit_test(clocks),
	};

	setenv("TZ", "XYZ+3:30", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
