/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper of helpers, with "master_process off"; see keeper.h. It hears of their deaths and replaces them,
 * and passes over whatever signal is meant for the worker. That the worker is gone it sees by its helpers:
 * they reach the end of their questions. A team whose helpers have all died over something else is still
 * wanted.
 */
#include "main/keeper.h"

#include "base/mem.h"
#include "loop/signals.h"
#include "main/sockets.h"
#include "proc/title.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct keeper {
	struct staff *staff;
	struct loop *loop;
};

static void reap(void *owner, const struct signalfd_siginfo *info)
{
	struct keeper *k = owner;
	int status;
	pid_t pid;

	(void)info;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0)
		staff_reaped(k->staff, pid, status);
	if (staff_is_gone(k->staff))
		loop_stop(k->loop, 0);
}

_Noreturn static void keep(struct staff *staff, struct generation *g)
{
	static const int heard[] = {
		SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, 0
	};
	struct keeper k = { .staff = staff, .loop = loop_new() };
	const struct signals *signals;

	title_set("keeper of helpers");
	sockets_close(g, NULL, false);
	signals = signals_open(k.loop, heard, reap, &k);
	staff_start(staff, k.loop, &g->log);
	staff_let_go(staff);
	helper_orders_close(&g->helpers);
	_exit(signals != NULL ? loop_run(k.loop) : 1);
}

bool keeper_start(struct staff *staff, struct generation *g)
{
	pid_t pid = g->helpers.len != 0 ? fork() : getpid();

	if (pid == 0)
		keep(staff, g);
	if (pid < 0)
		log_put(&g->log, LOG_EMERG, 0, "fork() failed (%d: %s)", errno, strerror(errno));
	return pid > 0;
}
