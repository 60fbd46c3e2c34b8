/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of a helper process; see helper.h. */
#include "helpers/helper.h"

#include "auth/helper_order.h"
#include "base/mem.h"
#include "proc/privileges.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAUSE_MAX = 1024, ALARM_SPARE_S = 1 };

struct helper {
	const struct helper_program *program;
	struct helper_settings settings;
	const char *fault;    /* what is wrong with the settings; NULL: nothing */
	char said[CAUSE_MAX]; /* the last cause: so that trouble is told once, not for each login */
	char message[PIPE_QUESTION_MAX];
};

/* ---- settings ---- */

struct str helper_text(const struct helper_settings *s, const char *name, size_t nth)
{
	for (size_t i = 0; i < s->len; i++)
		if (str_eq(s->at[i].name, str_of(name)) && nth-- == 0)
			return s->at[i].value;
	return (struct str){ NULL, 0 };
}

uint64_t helper_number(const struct helper_settings *s, const char *name, uint64_t otherwise)
{
	uint64_t number = otherwise;

	str_number(helper_text(s, name, 0), UINT64_MAX, &number);
	return number;
}

static bool take_settings(struct helper_settings *s, struct str text)
{
	size_t lines = 0;
	struct buf value;
	struct str name;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	s->at = arena_take(s->home, lines * sizeof(*s->at));
	buf_init(&value, HELPER_SETTINGS_MAX);
	while (helper_setting_next(&text, &name, &value))
		s->at[s->len++] = (struct helper_setting){ arena_str(s->home, name),
							   arena_str(s->home, buf_text(&value)) };
	buf_done(&value);
	return text.len == 0;
}

static bool read_settings(struct helper_settings *s)
{
	struct stat st;
	bool good = false;
	void *map;

	s->home = arena_new(4096);
	if (fstat(HELPER_SETTINGS, &st) != 0 || st.st_size > HELPER_SETTINGS_MAX)
		return false;
	map = st.st_size != 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, HELPER_SETTINGS, 0)
			      : NULL;
	if (map != MAP_FAILED)
		good = take_settings(s, (struct str){ map, (size_t)st.st_size });
	if (map != MAP_FAILED && map != NULL)
		munmap(map, (size_t)st.st_size);
	close(HELPER_SETTINGS);
	s->timeout_ms = helper_number(s, "timeout_ms", 5000);
	return good;
}

/* ---- answers ---- */

void helper_broken(struct pipe_answer *a, struct arena *home, const char *format, ...)
{
	char text[CAUSE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	*a = (struct pipe_answer){ .verdict = PIPE_BROKEN, .cause = arena_str(home, str_of(text)) };
}

void helper_denied(struct pipe_answer *a, enum pipe_failure failure)
{
	*a = (struct pipe_answer){ .verdict = PIPE_DENIED,
				   .failure = failure,
				   .cache_ms = PIPE_CACHE_AS_CONFIGURED };
}

/* The same trouble as before needs no second line of its own in the log. */
static void note_trouble(struct helper *h, struct pipe_answer *a)
{
	if (a->verdict != PIPE_BROKEN) {
		h->said[0] = '\0';
		return;
	}
	a->repeated = str_eq(a->cause, str_of(h->said));
	snprintf(h->said, sizeof(h->said), "%.*s", STR_ARG(a->cause));
}

/* Too long an answer is a fault of the source's data. */
static void say(int reply, struct pipe_answer *a)
{
	struct buf message;
	struct str rest;

	buf_init(&message, PIPE_ANSWER_MAX);
	if (!pipe_answer_put(&message, a)) {
		struct pipe_answer broken = { .verdict = PIPE_BROKEN, .cause = STR("an answer is too long") };

		buf_wipe(&message);
		pipe_answer_put(&message, &broken);
	}
	for (rest = buf_text(&message); rest.len != 0;) {
		ssize_t n = write(reply, rest.at, rest.len);

		if (n < 0 && errno != EINTR)
			break; /* nobody wants to know any more */
		rest = str_skip(rest, n > 0 ? (size_t)n : 0);
	}
	buf_done(&message);
}

/* An answer within the time that a question may take: when the alarm goes off it ends this process. */
static void answer(struct helper *h, const struct pipe_question *q, int reply)
{
	struct pipe_answer a = { .cache_ms = PIPE_CACHE_AS_CONFIGURED };
	struct arena *home = arena_new(4096);

	alarm((unsigned)(h->settings.timeout_ms / 1000) + ALARM_SPARE_S);
	if (h->fault != NULL)
		helper_broken(&a, home, "%s", h->fault);
	else
		h->program->answer(q, &a, home);
	alarm(0);
	note_trouble(h, &a);
	say(reply, &a);
	arena_free(home);
}

/* ---- questions ---- */

/* Does the worker still wait? It closes its end when its session is gone or its patience is over; what it
 * asked then need not be found out. */
static bool is_awaited(int reply)
{
	struct pollfd p = { .fd = reply };

	return poll(&p, 1, 0) == 0;
}

/* The next message. Its length, 0 at the end; *reply is -1 when none came with it. */
static size_t receive(struct helper *h, int *reply)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { h->message, sizeof(h->message) };
	struct msghdr msg = { .msg_iov = &data, .msg_iovlen = 1 };
	const struct cmsghdr *c;
	ssize_t n;

	do {
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		n = recvmsg(HELPER_QUESTIONS, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*reply = -1;
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(reply, CMSG_DATA(c), sizeof(int));
	return n > 0 ? (size_t)n : 0;
}

static void serve(struct helper *h)
{
	struct pipe_question q;
	size_t len;
	int reply;

	while ((len = receive(h, &reply)) != 0) {
		struct pipe_answer wrong = { .verdict = PIPE_BROKEN,
					     .cause = STR(
						     "a helper of another version runs; restart postern") };

		if (reply < 0)
			continue;
		if (!pipe_question_get((struct str){ h->message, len }, &q))
			say(reply, &wrong);
		else if (is_awaited(reply))
			answer(h, &q, reply);
		close(reply);
		mem_wipe(h->message, len);
		mem_wipe(&q, sizeof(q));
	}
}

/* Only the end of the questions ends us: what a terminal or a service manager says to all is for others. */
static void ignore_signals(void)
{
	static const int IGNORED[] = { SIGINT,	SIGQUIT,  SIGHUP,  SIGTERM, SIGUSR1, SIGUSR2,
				       SIGPIPE, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof(IGNORED) / sizeof(IGNORED[0]); i++)
		signal(IGNORED[i], SIG_IGN);
}

int helper_main(const struct helper_program *program)
{
	static struct helper h;

	h.program = program;
	ignore_signals();
	privileges_hide_memory();
	if (!read_settings(&h.settings)) {
		fprintf(stderr, "postern-auth-%s is started by postern, not by hand\n", program->name);
		return 2;
	}
	if (program->open != NULL)
		h.fault = program->open(&h.settings);
	serve(&h);
	if (program->close != NULL)
		program->close();
	arena_free(h.settings.home);
	return 0;
}
