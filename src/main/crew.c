/* SPDX-License-Identifier: BSD-2-Clause */
/* The workers; see crew.h. */
#include "main/crew.h"

#include "base/mem.h"
#include "main/worker.h"
#include "proc/channel.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct hand {
	pid_t pid;
	int channel;
	bool retiring;
	unsigned number; /* among those in service; one that is lost leaves it to its successor */
	struct hand *next;
};

struct crew {
	crew_work_fn *work;
	void *owner;
	struct hand *hands;
};

struct crew *crew_new(crew_work_fn *work, void *owner)
{
	struct crew *c = mem_new(sizeof(*c));

	*c = (struct crew){ .work = work, .owner = owner };
	return c;
}

void crew_forget(struct crew *c)
{
	struct hand *h = c->hands;

	while (h != NULL) {
		struct hand *next = h->next;

		close(h->channel);
		free(h);
		h = next;
	}
	c->hands = NULL;
}

void crew_free(struct crew *c)
{
	crew_forget(c);
	free(c);
}

/* ---- telling ---- */

static bool send_fds(int channel, enum order order, uint64_t number, const int *fds, size_t len)
{
	do {
		struct message m = { .kind = order, .number = number };

		m.fds_len = len < CHANNEL_FDS_MAX ? len : CHANNEL_FDS_MAX;
		if (m.fds_len != 0)
			memcpy(m.fds, fds, m.fds_len * sizeof(int));
		if (!channel_send(channel, &m))
			return false;
		fds += m.fds_len;
		len -= m.fds_len;
	} while (len != 0);
	return true;
}

/* As many to a message as it holds: hundreds of messages would not fit the channel before the worker reads.
 */
static bool send_sockets(int channel, const struct generation *g)
{
	int fds[CHANNEL_FDS_MAX];
	size_t len = 0;

	for (const struct listener *l = g->listeners; l != NULL; l = l->next) {
		fds[len++] = l->fd;
		if (len < CHANNEL_FDS_MAX && l->next != NULL)
			continue;
		if (!send_fds(channel, ORDER_SOCKETS, g->number, fds, len))
			return false;
		len = 0;
	}
	return true;
}

static bool send_logs(int channel, const struct generation *g)
{
	size_t len = generation_log_files(g);

	return len == 0 || send_fds(channel, ORDER_LOGS, g->number, g->log_fds, len);
}

/* One by one: there are few of them. */
static bool send_helpers(int channel, const struct generation *g)
{
	for (const struct helper_order *o = g->helpers.first; o != NULL; o = o->next)
		if (!send_fds(channel, ORDER_HELPERS, g->number, &o->fd, 1))
			return false;
	return true;
}

bool crew_say(int channel, const struct generation *g, int bundle)
{
	return send_fds(channel, ORDER_BUNDLE, g->number, &bundle, 1) && send_sockets(channel, g) &&
	       send_logs(channel, g) && send_helpers(channel, g) &&
	       send_fds(channel, ORDER_COMMIT, g->number, NULL, 0);
}

static void tell(const struct hand *h, const struct generation *g, int bundle)
{
	if (!crew_say(h->channel, g, bundle)) {
		log_put(&g->log, LOG_ALERT, 0, "worker process %d does not listen (%d: %s), killing it",
			h->pid, errno, strerror(errno));
		kill(h->pid, SIGKILL);
	}
}

void crew_tell(struct crew *c, const struct generation *g, int bundle)
{
	for (const struct hand *h = c->hands; h != NULL; h = h->next)
		if (!h->retiring)
			tell(h, g, bundle);
}

void crew_reopen(struct crew *c, const struct generation *g)
{
	for (const struct hand *h = c->hands; h != NULL; h = h->next)
		if (!send_logs(h->channel, g) || !send_fds(h->channel, ORDER_REOPEN, g->number, NULL, 0))
			kill(h->pid, SIGKILL);
}

/* ---- starting and stopping ---- */

/* The smallest number that nobody in service has. */
static unsigned free_number(const struct crew *c)
{
	const struct hand *h = c->hands;
	unsigned number = 0;

	while (h != NULL) {
		bool taken = !h->retiring && h->number == number;

		number += taken;
		h = taken ? c->hands : h->next;
	}
	return number;
}

static bool start(struct crew *c, const struct generation *g, int bundle)
{
	unsigned number = free_number(c);
	struct hand *h;
	int ends[2];
	pid_t pid;

	if (!channel_open(ends)) {
		log_put(&g->log, LOG_ALERT, 0, "socketpair() failed (%d: %s)", errno, strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		c->work(c->owner, number, ends[1]);
		_exit(2);
	}
	close(ends[1]);
	if (pid < 0) {
		log_put(&g->log, LOG_ALERT, 0, "fork() failed (%d: %s)", errno, strerror(errno));
		close(ends[0]);
		return false;
	}
	log_put(&g->log, LOG_NOTICE, 0, "start worker process %d", pid);
	h = mem_new(sizeof(*h));
	*h = (struct hand){ .pid = pid, .channel = ends[0], .number = number, .next = c->hands };
	c->hands = h;
	tell(h, g, bundle);
	return true;
}

unsigned crew_in_service(const struct crew *c)
{
	unsigned n = 0;

	for (const struct hand *h = c->hands; h != NULL; h = h->next)
		n += !h->retiring;
	return n;
}

unsigned crew_size(const struct crew *c)
{
	unsigned n = 0;

	for (const struct hand *h = c->hands; h != NULL; h = h->next)
		n++;
	return n;
}

static void retire(struct hand *h)
{
	h->retiring = true;
	kill(h->pid, SIGQUIT);
}

void crew_fit(struct crew *c, unsigned wanted, const struct generation *g, int bundle)
{
	unsigned have = crew_in_service(c);

	for (struct hand *h = c->hands; h != NULL && have > wanted; h = h->next) {
		if (h->retiring)
			continue;
		retire(h);
		have--;
	}
	while (have < wanted && start(c, g, bundle))
		have++;
}

void crew_retire(struct crew *c)
{
	for (struct hand *h = c->hands; h != NULL; h = h->next)
		if (!h->retiring)
			retire(h);
}

void crew_signal(struct crew *c, int signal)
{
	for (const struct hand *h = c->hands; h != NULL; h = h->next)
		kill(h->pid, signal);
}

static void log_death(pid_t pid, int status, const struct log *log)
{
	if (WIFSIGNALED(status))
		log_put(log, LOG_ALERT, 0, "worker process %d exited on signal %d%s", pid, WTERMSIG(status),
			WCOREDUMP(status) ? " (core dumped)" : "");
	else
		log_put(log, WEXITSTATUS(status) != 0 ? LOG_ALERT : LOG_NOTICE, 0,
			"worker process %d exited with code %d", pid, WEXITSTATUS(status));
}

bool crew_reaped(struct crew *c, pid_t pid, int status, const struct log *log, bool *lost)
{
	for (struct hand **at = &c->hands; *at != NULL; at = &(*at)->next) {
		struct hand *h = *at;

		if (h->pid != pid)
			continue;
		log_death(pid, status, log);
		*lost = !h->retiring;
		*at = h->next;
		close(h->channel);
		free(h);
		return true;
	}
	return false;
}
