/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helper processes; see staff.h.
 *
 * A team is the helpers of one order. They read from one end of a socket pair, the workers write into the
 * other. The master keeps the reading end as long as a worker may ask, so that a question outlives the helper
 * that it would have gone to, and a new helper can take its place. It does not look into it: the helpers tell
 * that the last writer is gone by ending with status 0.
 *
 * The settings hold passwords. They reach a helper as a sealed memory file, not by arguments or environment,
 * which others could read.
 */
#include "main/staff.h"

#include "auth/helper_order.h"
#include "base/mem.h"
#include "loop/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* As with workers: after so many deaths within one breath the next helper waits for the breath to end. */
enum { DEATHS_MAX = 10, BREATH_MS = 1000 };

/* What a helper finds where; see helpers/helper.h. */
enum { QUESTIONS_FD = 0, SETTINGS_FD = 3, FIRST_OTHER_FD };

struct team {
	struct helper_order order; /* a copy; fd: the writing end, -1 when let go */
	int reading, settings;
	pid_t *pids;  /* order.helpers of them; 0: none */
	bool chosen;  /* by the last staff_fit */
	bool started; /* has had helpers */
	bool ended;   /* one has seen the end of the questions, or nobody can ask any more */
	unsigned deaths;
	struct timer breath;
	struct staff *staff;
	struct team *next;
};

struct staff {
	staff_prepare_fn *prepare;
	void *owner;
	struct loop *loop; /* NULL before staff_start */
	const struct log *log;
	struct team *teams;
};

static void breath_over(struct timer *t);

struct staff *staff_new(staff_prepare_fn *prepare, void *owner)
{
	struct staff *s = mem_new(sizeof(*s));

	*s = (struct staff){ .prepare = prepare, .owner = owner };
	return s;
}

/* ---- programs ---- */

/* Beside our own program, as in a build tree, else where they are installed. */
static void program_path(const char *name, char to[static 4096])
{
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL) {
		*slash = '\0';
		snprintf(to, 4096, "%s/postern-auth-%s", self, name);
		if (access(to, X_OK) == 0)
			return;
	}
	snprintf(to, 4096, "%s/postern-auth-%s", POSTERN_HELPERS, name);
}

bool staff_can_serve(const struct generation *g, const struct loader *loader)
{
	char path[4096];

	for (const struct helper_order *o = g->helpers.first; o != NULL; o = o->next) {
		program_path(o->program, path);
		if (access(path, X_OK) == 0)
			continue;
		load_say(loader, LOG_EMERG, "auth_%s needs the program \"%s\", which cannot be run (%d: %s)",
			 o->program, path, errno, strerror(errno));
		return false;
	}
	return true;
}

/* ---- teams ---- */

static void team_free(struct team *t)
{
	loop_disarm(&t->breath);
	helper_order_done(&t->order);
	if (t->reading >= 0)
		close(t->reading);
	if (t->settings >= 0)
		close(t->settings);
	free(t->pids);
	free(t);
}

void staff_forget(struct staff *s)
{
	if (s == NULL)
		return;
	while (s->teams != NULL) {
		struct team *next = s->teams->next;

		team_free(s->teams);
		s->teams = next;
	}
	free(s);
}

/* What was made for a generation that did not come to be. */
static void drop_unstarted(struct staff *s)
{
	struct team **at = &s->teams;

	while (*at != NULL) {
		struct team *t = *at;

		if (t->started) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		team_free(t);
	}
}

/* A sealed memory file with the settings, which every helper reads from its beginning by mapping it. */
static int seal_settings(const struct helper_order *o)
{
	struct str text = buf_text(&o->settings);
	int fd = memfd_create("postern-settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (write(fd, text.at, text.len) == (ssize_t)text.len &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;
	close(fd);
	return -1;
}

static void copy_order(struct helper_order *to, const struct helper_order *from)
{
	helper_order_init(to, from->program);
	to->helpers = from->helpers;
	to->timeout_ms = from->timeout_ms;
	to->queue = from->queue;
	to->privileged = from->privileged;
	buf_put(&to->settings, buf_text(&from->settings));
}

static struct team *team_new(struct staff *s, const struct helper_order *o)
{
	struct team *t = mem_new(sizeof(*t)), **end = &s->teams;
	int ends[2];

	*t = (struct team){ .reading = -1, .settings = -1, .breath.fn = breath_over, .staff = s };
	copy_order(&t->order, o);
	t->pids = mem_array(o->helpers, sizeof(pid_t));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
		t->reading = ends[0];
		t->order.fd = ends[1];
		t->settings = seal_settings(o);
	}
	if (t->settings < 0) {
		int error = errno;

		team_free(t);
		errno = error;
		return NULL;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = t;
	return t;
}

/* A team that runs is of no use to who wants fresh ones. */
static struct team *team_for(struct staff *s, const struct helper_order *o, bool fresh)
{
	for (struct team *t = s->teams; t != NULL; t = t->next)
		if (t->order.fd >= 0 && !(fresh && t->started) && helper_order_eq(&t->order, o))
			return t;
	return team_new(s, o);
}

static void let_go(struct team *t)
{
	if (t->order.fd >= 0)
		close(t->order.fd);
	t->order.fd = -1;
}

bool staff_fit(struct staff *s, struct generation *g, bool fresh)
{
	drop_unstarted(s);
	for (struct team *t = s->teams; t != NULL; t = t->next)
		t->chosen = false;
	for (struct helper_order *o = g->helpers.first; o != NULL; o = o->next) {
		struct team *t = team_for(s, o, fresh);

		o->fd = t != NULL ? fcntl(t->order.fd, F_DUPFD_CLOEXEC, 0) : -1;
		if (o->fd < 0) {
			int error = errno;

			drop_unstarted(s);
			errno = error;
			return false;
		}
		t->chosen = true;
	}
	return true;
}

void staff_let_go(struct staff *s)
{
	for (struct team *t = s->teams; t != NULL; t = t->next)
		let_go(t);
}

/* ---- processes ---- */

static int onto(int fd, int wanted)
{
	if (fd == wanted)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, wanted);
}

/* The child: nothing of the master's is left but what the helper works with. */
_Noreturn static void become_helper(const struct team *t)
{
	char path[4096], *argv[2] = { path, NULL };
	const struct staff *s = t->staff;
	int questions, settings;

	program_path(t->order.program, path);
	signals_reset();
	if (!s->prepare(s->owner, t->order.privileged))
		_exit(2);
	/* out of the way of one another first */
	questions = fcntl(t->reading, F_DUPFD_CLOEXEC, FIRST_OTHER_FD);
	settings = fcntl(t->settings, F_DUPFD_CLOEXEC, FIRST_OTHER_FD);
	if (onto(questions, QUESTIONS_FD) < 0 || onto(settings, SETTINGS_FD) < 0)
		_exit(2);
	close_range(FIRST_OTHER_FD, ~0U, CLOSE_RANGE_CLOEXEC);
	execv(path, argv);
	log_put(s->log, LOG_ALERT, 0, "execve() \"%s\" failed (%d: %s)", path, errno, strerror(errno));
	_exit(2);
}

static void start_missing(struct team *t)
{
	const struct log *log = t->staff->log;

	t->started = true;
	for (uint64_t i = 0; i < t->order.helpers && !t->ended; i++) {
		pid_t pid;

		if (t->pids[i] != 0)
			continue;
		pid = fork();
		if (pid == 0)
			become_helper(t);
		if (pid < 0) {
			log_put(log, LOG_ALERT, 0, "fork() failed (%d: %s)", errno, strerror(errno));
			loop_arm(t->staff->loop, &t->breath, BREATH_MS);
			return;
		}
		t->pids[i] = pid;
		log_put(log, LOG_NOTICE, 0, "start auth %s helper process %d", t->order.program, pid);
	}
}

static void breath_over(struct timer *timer)
{
	struct team *t = CONTAINER(timer, struct team, breath);

	t->deaths = 0;
	start_missing(t);
}

void staff_start(struct staff *s, struct loop *loop, const struct log *log)
{
	s->loop = loop;
	s->log = log;
	for (struct team *t = s->teams; t != NULL; t = t->next) {
		if (!t->chosen)
			let_go(t);
		if (!timer_armed(&t->breath))
			start_missing(t);
	}
}

static void replace(struct team *t)
{
	if (!timer_armed(&t->breath))
		loop_arm(t->staff->loop, &t->breath, BREATH_MS);
	if (++t->deaths <= DEATHS_MAX)
		start_missing(t);
	else if (t->deaths == DEATHS_MAX + 1)
		log_put(t->staff->log, LOG_ALERT, 0,
			"auth %s helpers die as fast as they are started, waiting %d ms", t->order.program,
			BREATH_MS);
}

static void log_death(const struct team *t, pid_t pid, int status)
{
	const struct log *log = t->staff->log;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		log_put(log, LOG_ERROR, 0,
			"auth %s helper process %d ended: a question took longer than auth_helper_timeout",
			t->order.program, pid);
	else if (WIFSIGNALED(status))
		log_put(log, LOG_ALERT, 0, "auth %s helper process %d exited on signal %d", t->order.program,
			pid, WTERMSIG(status));
	else
		log_put(log, WEXITSTATUS(status) != 0 ? LOG_ALERT : LOG_NOTICE, 0,
			"auth %s helper process %d exited with code %d", t->order.program, pid,
			WEXITSTATUS(status));
}

/* The last who could ask is gone, and has left no question. */
static bool is_deserted(const struct team *t)
{
	struct pollfd ready = { .fd = t->reading, .events = POLLIN };

	return t->order.fd < 0 && poll(&ready, 1, 0) == 1 && (ready.revents & POLLHUP) != 0 &&
	       recv(t->reading, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* Does anybody of it live? */
static unsigned team_size(const struct team *t)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < t->order.helpers; i++)
		n += t->pids[i] != 0;
	return n;
}

static void remove_team(struct staff *s, struct team *gone)
{
	struct team **at = &s->teams;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	team_free(gone);
}

static void lost(struct team *t, pid_t *pid, int status)
{
	log_death(t, *pid, status);
	*pid = 0;
	t->ended |= (WIFEXITED(status) && WEXITSTATUS(status) == 0 && t->order.fd < 0) || is_deserted(t);
	if (!t->ended)
		replace(t);
	else if (team_size(t) == 0)
		remove_team(t->staff, t);
}

bool staff_reaped(struct staff *s, pid_t pid, int status)
{
	for (struct team *t = s->teams; t != NULL; t = t->next) {
		for (uint64_t i = 0; i < t->order.helpers; i++) {
			if (t->pids[i] != pid)
				continue;
			if (WIFSTOPPED(status))
				kill(pid, SIGKILL);
			else
				lost(t, &t->pids[i], status);
			return true;
		}
	}
	return false;
}

/* Nobody is replaced any more. */
void staff_kill(struct staff *s)
{
	for (struct team *t = s->teams; t != NULL; t = t->next) {
		t->ended = true;
		for (uint64_t i = 0; i < t->order.helpers; i++)
			if (t->pids[i] != 0)
				kill(t->pids[i], SIGKILL);
	}
}

bool staff_is_gone(const struct staff *s)
{
	return s->teams == NULL;
}

unsigned staff_size(const struct staff *s)
{
	unsigned n = 0;

	for (const struct team *t = s->teams; t != NULL; t = t->next)
		n += team_size(t);
	return n;
}
