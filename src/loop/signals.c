/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals through a signalfd; see signals.h.
 *
 * One signal a turn is taken from the descriptor, which is level-triggered and so is told again while more
 * wait. Nothing is kept for afterwards, so the owner may close us from inside its callback.
 */
#include "loop/signals.h"

#include "base/mem.h"
#include "base/must.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct signals {
	struct watch watch;
	struct loop *loop;
	signals_fn *fn;
	void *owner;
};

static void heard(struct watch *w, unsigned ready)
{
	struct signals *s = CONTAINER(w, struct signals, watch);
	struct signalfd_siginfo info;

	(void)ready;
	if (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		s->fn(s->owner, &info);
}

/* A signalfd that the loop watches, or -1 with errno. */
static int open_watched(struct signals *s, const sigset_t *set)
{
	int error;

	s->watch.fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->watch.fd < 0 || loop_watch_listening(s->loop, &s->watch))
		return s->watch.fd;
	error = errno;
	close(s->watch.fd);
	errno = error;
	return -1;
}

struct signals *signals_open(struct loop *l, const int *which, signals_fn *fn, void *owner)
{
	struct signals *s = mem_new(sizeof(*s));
	sigset_t set, before;
	int error;

	sigemptyset(&set);
	for (; *which != 0; which++)
		must(sigaddset(&set, *which) == 0);
	*s = (struct signals){ .watch = { .fn = heard }, .loop = l, .fn = fn, .owner = owner };
	/* blocked first: a signal that comes in between waits for us */
	must(sigprocmask(SIG_BLOCK, &set, &before) == 0);
	if (open_watched(s, &set) >= 0)
		return s;
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(s);
	errno = error;
	return NULL;
}

void signals_close(struct signals *s)
{
	if (s == NULL)
		return;
	loop_unwatch(s->loop, &s->watch);
	close(s->watch.fd);
	free(s);
}

void signals_drop(struct signals *s)
{
	if (s == NULL)
		return;
	close(s->watch.fd);
	free(s);
}

void signals_reset(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
