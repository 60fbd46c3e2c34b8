/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of the master: start, then one function for each signal.
 *
 * A reload reads the new configuration into a new bundle and hands it to the workers that run; they keep
 * their sessions. Only what a process cannot change about itself (its user, its limits) needs new workers. A
 * configuration with faults changes nothing.
 */
#include "main/master.h"

#include "base/mem.h"
#include "loop/signals.h"
#include "main/control.h"
#include "main/core.h"
#include "main/crew.h"
#include "main/keeper.h"
#include "main/logfiles.h"
#include "main/pidfile.h"
#include "main/prepare.h"
#include "main/sockets.h"
#include "main/staff.h"
#include "main/worker.h"
#include "proc/channel.h"
#include "proc/daemon.h"
#include "proc/title.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* After TERM workers get so long before they are killed. */
enum { KILL_AFTER_MS = 1000 };

/* A worker that dies is replaced at once; after so many deaths within one breath the next waits for the
 * breath to end. */
enum { DEATHS_MAX = 10, BREATH_MS = 1000 };

struct master {
	const struct options *options;
	struct loader loader;
	struct loop *loop;
	struct signals *signals;
	struct generation *current;
	int bundle; /* sealed, of the current generation */
	struct crew *crew;
	struct staff *staff;	 /* helper processes */
	struct control *control; /* where posternctl is heard; NULL: nowhere */
	struct timer kill, breath;
	unsigned deaths;
	pid_t heir;		/* a new binary that runs beside us; 0: none */
	pid_t forebear;		/* the old binary, when we are the new one; 0: none */
	bool serving;		/* the start is over, nobody looks at the terminal any more */
	bool stopping, resting; /* resting: WINCH has sent the workers home */
	const char *pid_file;	/* as it is now: with .oldbin while an heir runs */
};

static const struct log *log_of(const struct master *m)
{
	return &m->current->log;
}

/* Until all is started, what is wrong goes to the terminal; and to the log as soon as there is one. */
static void say(void *to, enum log_level level, const char *text)
{
	const struct master *m = to;

	if (m->current != NULL)
		log_put(log_of(m), level, 0, "%s", text);
	if (!m->serving && (level <= LOG_WARN || !m->options->quiet))
		fprintf(stderr, "postern: [%s] %s\n", log_level_names[level], text);
}

/* An upgrade is under way while two masters live: they share the sockets, and one of them will stay. */
static bool alone(const struct master *m)
{
	return m->heir == 0 && (m->forebear == 0 || getppid() != m->forebear);
}

/* ---- a generation with everything that it needs from the world ---- */

static bool open_everything(const struct master *m, struct generation *g)
{
	return logfiles_open(g, &m->loader) && sockets_open(g, m->current, &m->loader, alone(m));
}

/* With `fresh` no helper process is kept. The sealed bundle, or -1 after the log of `g` has heard why not. */
static int make_ready(struct master *m, struct generation *g, bool fresh)
{
	const char *what = "make ready for helper processes";
	int bundle = -1;

	if (staff_fit(m->staff, g, fresh)) {
		what = "seal the configuration";
		bundle = bundle_seal(g->bundle);
	}
	if (bundle < 0)
		log_put(&g->log, LOG_EMERG, 0, "cannot %s (%d: %s)", what, errno, strerror(errno));
	return bundle;
}

/* Take it as the current one. On failure the one that was there is as it was. */
static bool install(struct master *m, struct generation *g, bool fresh)
{
	struct generation *old = m->current;
	int bundle = make_ready(m, g, fresh);

	if (bundle < 0) {
		sockets_close(g, old, alone(m));
		return false;
	}
	g->number = old != NULL ? old->number + 1 : 1;
	m->current = g;
	if (m->bundle >= 0)
		close(m->bundle);
	m->bundle = bundle;
	if (old != NULL) {
		sockets_close(old, g, alone(m));
		generation_free(old);
	}
	return true;
}

static bool prepare_staff(void *owner, bool privileged)
{
	const struct master *m = owner;

	return prepare_helper(core_settings(m->current->conf), privileged, log_of(m));
}

static unsigned workers_wanted(const struct master *m)
{
	return m->resting ? 0 : (unsigned)core_settings(m->current->conf)->workers;
}

/* ---- workers ---- */

/* What a worker finds when it reads the configuration again has been said by the master; a difference would
 * be our own bug. */
static void say_in_worker(void *to, enum log_level level, const char *text)
{
	(void)to;
	if (level < LOG_WARN)
		fprintf(stderr, "postern: [%s] %s\n", log_level_names[level], text);
}

/* The child's first steps: forget everything that is the master's, become a worker. */
static void work(void *owner, unsigned number, int channel)
{
	struct master *m = owner;
	struct loader loader = m->loader;
	int status;

	loader.say = say_in_worker;
	title_set("worker process");
	signals_drop(m->signals);
	loop_free(m->loop);
	control_forget(m->control);
	signals_reset();
	crew_forget(m->crew);
	staff_forget(m->staff);
	if (!prepare_worker(core_settings(m->current->conf), number, log_of(m)))
		exit(2);
	close(m->bundle);
	for (struct listener *l = m->current->listeners; l != NULL; l = l->next)
		close(l->fd);
	generation_free(m->current);
	m->current = NULL;
	status = worker_run(channel, &loader);
	crew_free(m->crew);
	exit(status);
}

static void fit(struct master *m)
{
	crew_fit(m->crew, workers_wanted(m), m->current, m->bundle);
}

static void breath_over(struct timer *t)
{
	struct master *m = CONTAINER(t, struct master, breath);

	m->deaths = 0;
	if (!m->stopping)
		fit(m);
}

static void replace_worker(struct master *m)
{
	if (!timer_armed(&m->breath))
		loop_arm(m->loop, &m->breath, BREATH_MS);
	if (++m->deaths <= DEATHS_MAX)
		fit(m);
	else if (m->deaths == DEATHS_MAX + 1)
		log_put(log_of(m), LOG_ALERT, 0, "workers die as fast as they are started, waiting %d ms",
			BREATH_MS);
}

/* ---- one function for each signal ---- */

static void settle_control(struct master *m, struct str path)
{
	control_settle(&m->control, m->loop, path, m->loader.auth_shared, log_of(m));
}

static void settle_pid_file(struct master *m)
{
	const char *path = core_settings(m->current->conf)->pid.at;

	if (strcmp(path, m->pid_file) == 0)
		return;
	if (pidfile_write(path))
		unlink(m->pid_file);
	else
		log_put(log_of(m), LOG_EMERG, 0, "open() \"%s\" failed (%d: %s)", path, errno,
			strerror(errno));
	free((void *)m->pid_file);
	m->pid_file = strdup(path);
}

/* While a new binary runs it is the one that reads configurations: the old one only goes back to work. */
static void reload(struct master *m)
{
	struct generation *g;
	bool fresh; /* workers and helpers */

	if (m->heir != 0) {
		m->resting = false;
		fit(m);
		return;
	}
	log_put(log_of(m), LOG_NOTICE, 0, "reconfiguring");
	g = load_recorded(&m->loader);
	fresh = g != NULL && prepare_differs(core_settings(m->current->conf), core_settings(g->conf));
	if (g == NULL || !open_everything(m, g) || !install(m, g, fresh)) {
		log_put(log_of(m), LOG_ERROR, 0,
			"the new configuration was not taken, the running one stays");
		generation_free(g);
		return;
	}
	m->resting = false;
	settle_pid_file(m);
	settle_control(m, core_settings(g->conf)->control);
	staff_start(m->staff, m->loop, log_of(m));
	if (fresh)
		crew_retire(m->crew);
	else
		crew_tell(m->crew, m->current, m->bundle);
	fit(m);
}

static void reopen_logs(struct master *m)
{
	log_put(log_of(m), LOG_NOTICE, 0, "reopening logs");
	if (logfiles_reopen(m->current, &m->loader))
		crew_reopen(m->crew, m->current);
}

/* Helpers go last: when the workers are gone their questions come to an end. */
static void stop_if_alone(struct master *m)
{
	if (!m->stopping || crew_size(m->crew) != 0)
		return;
	staff_let_go(m->staff);
	helper_orders_close(&m->current->helpers);
	if (staff_size(m->staff) == 0)
		loop_stop(m->loop, 0);
	else if (!timer_armed(&m->kill))
		loop_arm(m->loop, &m->kill, KILL_AFTER_MS);
}

static void kill_rest(struct timer *t)
{
	struct master *m = CONTAINER(t, struct master, kill);

	crew_signal(m->crew, SIGKILL);
	staff_kill(m->staff);
}

/* From here nobody waits in the queue of a socket that no worker looks at. */
static void stop_listening(struct master *m)
{
	m->stopping = true;
	sockets_close(m->current, NULL, alone(m));
}

static void stop_fast(struct master *m)
{
	stop_listening(m);
	crew_signal(m->crew, SIGTERM);
	loop_arm(m->loop, &m->kill, KILL_AFTER_MS);
	stop_if_alone(m);
}

static void stop_gracefully(struct master *m)
{
	stop_listening(m);
	crew_retire(m->crew);
	stop_if_alone(m);
}

static void rest(struct master *m)
{
	if (!core_settings(m->current->conf)->daemon) {
		log_put(log_of(m), LOG_NOTICE, 0, "WINCH is for daemons, ignored");
		return;
	}
	m->resting = true;
	crew_retire(m->crew);
}

/* The new binary is no more, or never was: the old name of the pid file comes back. */
static void forget_heir(struct master *m)
{
	char old[4096];

	m->heir = 0;
	snprintf(old, sizeof(old), "%s.oldbin", m->pid_file);
	if (rename(old, m->pid_file) != 0)
		log_put(log_of(m), LOG_ALERT, 0, "rename() \"%s\" failed (%d: %s)", old, errno,
			strerror(errno));
	if (!m->stopping)
		settle_control(m, core_settings(m->current->conf)->control);
}

/* The new binary finds the sockets by their numbers; our pid file makes way for its own. */
static void upgrade(struct master *m)
{
	struct arena *home;
	char *old;

	if (!alone(m)) {
		log_put(log_of(m), LOG_NOTICE, 0, "an upgrade is under way already, ignored");
		return;
	}
	log_put(log_of(m), LOG_NOTICE, 0, "changing binary");
	home = arena_new(256);
	old = (char *)arena_format(home, "%s.oldbin", m->pid_file).at;
	if (rename(m->pid_file, old) != 0)
		log_put(log_of(m), LOG_ALERT, 0, "rename() \"%s\" failed (%d: %s)", m->pid_file, errno,
			strerror(errno));
	m->heir = fork();
	if (m->heir == 0) {
		signals_reset();
		setenv(SOCKETS_VARIABLE, sockets_bequeath(m->current, home).at, 1);
		execv(m->options->argv[0], m->options->argv);
		log_put(log_of(m), LOG_ALERT, 0, "execve() \"%s\" failed (%d: %s)", m->options->argv[0],
			errno, strerror(errno));
		_exit(2);
	}
	arena_free(home);
	if (m->heir < 0) {
		log_put(log_of(m), LOG_ALERT, 0, "fork() failed (%d: %s)", errno, strerror(errno));
		forget_heir(m);
	}
}

/* The new binary is gone, before we are. */
static void heir_gone(struct master *m, int status)
{
	log_put(log_of(m), LOG_NOTICE, 0, "new binary process %d exited with code %d", m->heir,
		WEXITSTATUS(status));
	forget_heir(m);
	if (!m->stopping && crew_in_service(m->crew) == 0) {
		m->resting = false;
		fit(m);
	}
}

static void reap(struct master *m)
{
	bool lost = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (staff_reaped(m->staff, pid, status) || WIFSTOPPED(status))
			continue;
		upstream_shared_left(m->loader.upstream_shared, pid);
		if (pid == m->heir)
			heir_gone(m, status);
		else if (crew_reaped(m->crew, pid, status, log_of(m), &lost) && lost && !m->stopping)
			replace_worker(m);
	}
	stop_if_alone(m);
}

static const struct order_by_signal {
	int signal;
	const char *name, *doing;
	void (*obey)(struct master *m);
	bool late; /* counts even when we are stopping */
} SIGNALS[] = { { SIGTERM, "SIGTERM", ", exiting", stop_fast, true },
		{ SIGINT, "SIGINT", ", exiting", stop_fast, true },
		{ SIGQUIT, "SIGQUIT", ", shutting down", stop_gracefully, true },
		{ SIGHUP, "SIGHUP", ", reconfiguring", reload, false },
		{ SIGUSR1, "SIGUSR1", ", reopening logs", reopen_logs, true },
		{ SIGUSR2, "SIGUSR2", ", changing binary", upgrade, false },
		{ SIGWINCH, "SIGWINCH", ", gracefully shutting down workers", rest, false },
		{ SIGCHLD, "SIGCHLD", "", reap, true },
		{ 0, NULL, NULL, NULL, false } };

static void signalled(void *owner, const struct signalfd_siginfo *info)
{
	struct master *m = owner;

	for (const struct order_by_signal *o = SIGNALS; o->signal != 0; o++) {
		if ((int)info->ssi_signo != o->signal)
			continue;
		bool ignored = m->stopping && !o->late;

		log_put(log_of(m), LOG_NOTICE, 0, "signal %d (%s) received from %u%s", o->signal, o->name,
			info->ssi_pid, ignored ? ", ignored while stopping" : o->doing);
		if (!ignored)
			o->obey(m);
	}
}

/* ---- start and end ---- */

static bool start_loop(struct master *m)
{
	int heard[sizeof(SIGNALS) / sizeof(SIGNALS[0])] = { 0 };

	for (size_t i = 0; SIGNALS[i].signal != 0; i++)
		heard[i] = SIGNALS[i].signal;
	m->loop = loop_new();
	m->signals = signals_open(m->loop, heard, signalled, m);
	return m->signals != NULL;
}

static void announce(struct master *m)
{
	log_put(log_of(m), LOG_NOTICE, 0, "using the \"epoll\" event method");
	log_put(log_of(m), LOG_NOTICE, 0, "postern/" POSTERN_VERSION " (configuration of nginx/1.31.5)");
	log_put(log_of(m), LOG_NOTICE, 0, "start worker processes");
}

static int serve(struct master *m)
{
	int status;

	if (!start_loop(m)) {
		log_put(log_of(m), LOG_EMERG, 0, "cannot hear signals (%d: %s)", errno, strerror(errno));
		return 1;
	}
	announce(m);
	m->crew = crew_new(work, m);
	staff_start(m->staff, m->loop, log_of(m));
	fit(m);
	settle_control(m, core_settings(m->current->conf)->control);
	status = loop_run(m->loop);
	log_put(log_of(m), LOG_NOTICE, 0, "exit");
	settle_control(m, STR(""));
	crew_free(m->crew);
	signals_close(m->signals);
	loop_free(m->loop);
	m->loop = NULL;
	return status;
}

/* master_process off: the one worker is this process itself, with its own user and without reload. */
static int serve_alone(struct master *m)
{
	struct loader loader = m->loader;
	int ends[2], status;

	loader.say = say_in_worker;
	announce(m);
	if (!keeper_start(m->staff, m->current))
		return 1;
	staff_forget(m->staff);
	m->staff = NULL;
	if (!channel_open(ends) || !crew_say(ends[0], m->current, m->bundle)) {
		log_put(log_of(m), LOG_EMERG, 0, "socketpair() failed (%d: %s)", errno, strerror(errno));
		return 1;
	}
	status = worker_run(ends[1], &loader);
	close(ends[0]);
	return status;
}

/* With an heir in place the usual name is that of its pid file. */
static void remove_pid_file(const struct master *m)
{
	char old[4096];

	snprintf(old, sizeof(old), "%s.oldbin", m->pid_file);
	unlink(m->heir != 0 ? old : m->pid_file);
}

static void clean_up(struct master *m)
{
	if (m->current != NULL)
		sockets_close(m->current, NULL, alone(m));
	free((void *)m->pid_file);
	if (m->bundle >= 0)
		close(m->bundle);
	staff_forget(m->staff);
	generation_free(m->current);
	load_unshare(&m->loader);
}

/* The configuration with its logs and sockets is in place. False after the loader has heard why not. */
static bool prepare(struct master *m)
{
	struct generation *g = load_recorded(&m->loader);

	if (g == NULL)
		return false;
	if (!open_everything(m, g) || !install(m, g, false)) {
		generation_free(g);
		return false;
	}
	sockets_disown(g);
	return true;
}

/* In the background, with a name and a pid file. */
static bool settle(struct master *m)
{
	const struct core_settings *core = core_settings(m->current->conf);
	const char *step;

	if (core->daemon && m->forebear == 0 && !daemonize(&step)) {
		load_say(&m->loader, LOG_EMERG, "%s failed (%d: %s)", step, errno, strerror(errno));
		return false;
	}
	m->pid_file = strdup(core->pid.at);
	title_set("master process");
	if (pidfile_write(m->pid_file))
		return true;
	load_say(&m->loader, LOG_EMERG, "open() \"%s\" failed (%d: %s)", m->pid_file, errno, strerror(errno));
	return false;
}

int master_run(const struct options *options)
{
	struct master m = {
		.options = options, .bundle = -1, .kill.fn = kill_rest, .breath.fn = breath_over
	};
	int status = 1;

	m.loader = (struct loader){ .options = options, .say = say, .to = &m };
	load_share(&m.loader);
	m.staff = staff_new(prepare_staff, &m);
	m.forebear = sockets_were_inherited() ? getppid() : 0;
	if (prepare(&m) && settle(&m)) {
		m.serving = true;
		status = core_settings(m.current->conf)->master_process ? serve(&m) : serve_alone(&m);
		remove_pid_file(&m);
	}
	clean_up(&m);
	return status;
}
