/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals through a signalfd; see signals.h. */
#include "loop/signals.h"

#include "base/mem.h"
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

/* Level-triggered: what one read does not hold comes with the next turn. The owner may close us from inside its callback. */
static void heard(struct watch *w, unsigned ready)
{
	struct signals *s = CONTAINER(w, struct signals, watch);
	struct signalfd_siginfo info[8];
	ssize_t n = read(w->fd, info, sizeof(info));
	signals_fn *fn = s->fn;
	void *owner = s->owner;

	(void)ready;
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]); i++)
		fn(owner, &info[i]);
}

struct signals *signals_open(struct loop *l, const int *which, signals_fn *fn, void *owner)
{
	struct signals *s = mem_new(sizeof(*s));
	sigset_t set;

	sigemptyset(&set);
	for (; *which != 0; which++)
		sigaddset(&set, *which);
	*s = (struct signals){ .watch = { .fn = heard }, .loop = l, .fn = fn, .owner = owner };
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		goto no_signals;
	s->watch.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->watch.fd < 0)
		goto no_signals;
	if (!loop_watch_listening(l, &s->watch))
		goto no_watch;
	return s;

no_watch:
	close(s->watch.fd);
no_signals:
	free(s);
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

void signals_reset(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
