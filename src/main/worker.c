/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a worker, from top to bottom: hear orders, take a generation in, accept, stop.
 *
 * A worker keeps running over reloads. A new generation arrives as descriptors; once it is committed new
 * sessions begin with it, and the old one lives as long as its sessions do.
 */
#include "main/worker.h"

#include "base/clock.h"
#include "base/mem.h"
#include "conf/errorlog.h"
#include "loop/signals.h"
#include "mail/session.h"
#include "main/core.h"
#include "proc/channel.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without descriptors accepting rests this long, as the peer does it. */
enum { ACCEPT_PAUSE_MS = 500 };

struct fds {
	int *at;
	size_t len;
};

/* A listening socket as this worker watches it. */
struct gate {
	struct watch watch;
	struct listener *listener;
	struct worker *worker;
};

struct worker {
	struct house house;
	struct watch channel;
	struct signals *signals;
	const struct loader *loader;
	struct gate *gates;
	size_t gates_len;
	struct timer pause; /* accepting rests */
	/* a generation on its way */
	uint64_t number;
	int bundle;
	struct fds sockets, logs, helpers;
};

static void fds_add(struct fds *f, const struct message *m)
{
	f->at = mem_resize(f->at, (f->len + m->fds_len + 1) * sizeof(int));
	memcpy(f->at + f->len, m->fds, m->fds_len * sizeof(int));
	f->len += m->fds_len;
}

static void fds_drop(struct fds *f)
{
	for (size_t i = 0; i < f->len; i++)
		close(f->at[i]);
	free(f->at);
	*f = (struct fds){ NULL, 0 };
}

static const struct log *log_of(const struct worker *w)
{
	static const struct log silent;

	return w->house.current != NULL ? &w->house.current->log : &silent;
}

/* ---- accepting ---- */

static void gates_watch(struct worker *w)
{
	for (size_t i = 0; i < w->gates_len; i++)
		if (!loop_watch_listening(w->house.loop, &w->gates[i].watch))
			log_put(log_of(w), LOG_ALERT, 0, "cannot watch a listening socket (%d: %s)", errno,
				strerror(errno));
}

static void gates_unwatch(struct worker *w)
{
	for (size_t i = 0; i < w->gates_len; i++)
		loop_unwatch(w->house.loop, &w->gates[i].watch);
}

static void pause_accepting(struct worker *w)
{
	gates_unwatch(w);
	loop_arm(w->house.loop, &w->pause, ACCEPT_PAUSE_MS);
}

static void pause_over(struct timer *t)
{
	struct worker *w = CONTAINER(t, struct worker, pause);

	if (!w->house.stopping)
		gates_watch(w);
}

/* One connection a turn: those under way are not kept waiting by a storm of new ones, and no call is spent on
 * finding that there is no more. */
static void accept_one(struct worker *w, const struct gate *gate)
{
	struct addr client;
	int fd = listen_accept(gate->watch.fd, &client);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE) {
			log_put(log_of(w), LOG_CRIT, 0, "accept4() failed (%d: %s)", errno, strerror(errno));
			pause_accepting(w);
		}
		return;
	}
	if (w->house.sockets >= w->house.sockets_max) {
		log_put(log_of(w), LOG_ALERT, 0, "%zu worker_connections are not enough",
			w->house.sockets_max);
		close(fd);
		return;
	}
	session_accept(&w->house, listener_door(gate->listener, fd), fd, &client);
}

static void gate_ready(struct watch *watch, unsigned ready)
{
	const struct gate *gate = CONTAINER(watch, struct gate, watch);

	(void)ready;
	accept_one(gate->worker, gate);
}

/* ---- generations ---- */

static bool debugged(const struct house *house, const struct addr *client)
{
	const struct network_list *list = &events_settings(house->current->conf)->debug_connection;

	for (size_t i = 0; i < list->len; i++)
		if (network_has(&list->at[i], client))
			return true;
	return false;
}

static void attach(struct worker *w, struct generation *g)
{
	size_t at = 0;

	for (struct listener *l = g->listeners; l != NULL; l = l->next)
		w->gates_len++;
	w->gates = mem_array(w->gates_len, sizeof(*w->gates));
	for (struct listener *l = g->listeners; l != NULL; l = l->next, at++) {
		l->fd = w->sockets.at[at];
		w->gates[at] = (struct gate){ .watch = { .fn = gate_ready, .fd = l->fd },
					      .listener = l,
					      .worker = w };
	}
	generation_attach_logs(g, w->logs.at, w->logs.len);
	at = 0;
	for (struct helper_order *o = g->helpers.first; o != NULL; o = o->next)
		o->fd = w->helpers.at[at++];
	gates_watch(w);
}

/* Take the old generation's sockets out of the loop; the new one brings its own descriptors of the same
 * sockets. */
static void detach(struct worker *w)
{
	if (w->gates != NULL && !timer_armed(&w->pause))
		gates_unwatch(w);
	loop_disarm(&w->pause);
	for (size_t i = 0; i < w->gates_len; i++)
		close(w->gates[i].watch.fd);
	free(w->gates);
	w->gates = NULL;
	w->gates_len = 0;
}

/* Its sessions have had their time. */
static void late(struct timer *t)
{
	struct generation *g = CONTAINER(t, struct generation, late);

	session_end_of(g->house, g);
}

/* No new session begins with it: from here its worker_shutdown_timeout runs, if it has one. */
static void retire(struct worker *w, struct generation *g)
{
	uint64_t limit_ms = core_settings(g->conf)->shutdown_timeout_ms;

	g->house = &w->house;
	g->late.fn = late;
	if (limit_ms != 0)
		loop_arm(w->house.loop, &g->late, limit_ms);
}

/* Another one has taken its place. */
static void replace(struct worker *w, struct generation *old)
{
	if (old == NULL)
		return;
	retire(w, old);
	old->next = w->house.retired;
	w->house.retired = old;
	house_sweep(&w->house);
}

static void commit(struct worker *w)
{
	struct generation *g = w->house.stopping ? NULL : load_replayed(w->loader, w->bundle);
	bool reload = w->house.current != NULL;
	size_t listeners = 0;

	close(w->bundle);
	for (struct listener *l = g != NULL ? g->listeners : NULL; l != NULL; l = l->next)
		listeners++;
	if (g == NULL || listeners != w->sockets.len || w->logs.len != generation_log_files(g) ||
	    w->helpers.len != g->helpers.len) {
		if (!w->house.stopping)
			log_put(log_of(w), LOG_ALERT, 0, "cannot take over configuration %llu",
				(unsigned long long)w->number);
		/* without any there is nothing to do here; the master hears of it by our end */
		if (!reload)
			loop_stop(w->house.loop, 2);
		generation_free(g);
		fds_drop(&w->sockets);
		fds_drop(&w->logs);
		fds_drop(&w->helpers);
		return;
	}
	g->number = w->number;
	detach(w);
	generation_furnish(g, w->house.loop,
			   &(struct auth_tools){ .pool = w->house.auth_pool,
						 .shared = w->loader->auth_shared },
			   w->loader->upstream_shared);
	attach(w, g);
	replace(w, w->house.current);
	w->house.current = g;
	w->house.sockets_max = events_settings(g->conf)->worker_connections;
	w->house.debugged = events_settings(g->conf)->debug_connection.len != 0 ? debugged : NULL;
	if (reload)
		log_put(log_of(w), LOG_NOTICE, 0, "took over configuration %llu",
			(unsigned long long)w->number);
	free(w->sockets.at);
	w->sockets = (struct fds){ NULL, 0 };
	free(w->logs.at);
	w->logs = (struct fds){ NULL, 0 };
	free(w->helpers.at);
	w->helpers = (struct fds){ NULL, 0 };
}

/* Log files were opened anew: every generation that writes to one of them goes on with the new descriptor. */
static void reopen(struct worker *w, uint64_t number)
{
	struct generation *newest = w->house.current;

	if (newest != NULL && newest->number == number && w->logs.len == generation_log_files(newest)) {
		for (struct generation *g = w->house.retired; g != NULL; g = g->next)
			generation_reopen_logs(g, newest, w->logs.at);
		generation_reopen_logs(newest, newest, w->logs.at);
	}
	fds_drop(&w->logs);
}

/* ---- stopping ---- */

/* The last callbacks have run when the loop comes to its end: then everything is given back. */
static void fast_stop(struct worker *w)
{
	w->house.stopping = true;
	detach(w);
	session_end_all(&w->house);
	loop_stop(w->house.loop, 0);
}

static void emptied(struct house *house)
{
	loop_stop(house->loop, 0);
}

static void graceful_stop(struct worker *w)
{
	if (w->house.stopping)
		return;
	log_put(log_of(w), LOG_NOTICE, 0, "gracefully shutting down");
	w->house.stopping = true;
	detach(w);
	auth_pool_flush(w->house.auth_pool);
	if (w->house.current != NULL)
		retire(w, w->house.current);
	if (w->house.sessions_len == 0)
		emptied(&w->house);
}

static void signalled(void *owner, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGQUIT)
		graceful_stop(owner);
	else if (info->ssi_signo == SIGTERM || info->ssi_signo == SIGINT)
		fast_stop(owner);
}

/* ---- orders ---- */

static void obey(struct worker *w, const struct message *m)
{
	switch ((enum order)m->kind) {
	case ORDER_BUNDLE:
		w->bundle = m->fds[0];
		w->number = m->number;
		return;
	case ORDER_SOCKETS:
		fds_add(&w->sockets, m);
		return;
	case ORDER_LOGS:
		fds_add(&w->logs, m);
		return;
	case ORDER_HELPERS:
		fds_add(&w->helpers, m);
		return;
	case ORDER_COMMIT:
		commit(w);
		return;
	case ORDER_REOPEN:
		reopen(w, m->number);
		return;
	}
}

static void ordered(struct watch *watch, unsigned ready)
{
	struct worker *w = CONTAINER(watch, struct worker, channel);
	enum channel_result got;
	struct message m;

	(void)ready;
	while ((got = channel_receive(watch->fd, &m)) == CHANNEL_GOT)
		obey(w, &m);
	if (got == CHANNEL_GONE) {
		log_put(log_of(w), LOG_ALERT, 0, "the master is gone, shutting down gracefully");
		loop_unwatch(w->house.loop, watch);
		graceful_stop(w);
	}
}

static void clean_up(struct worker *w)
{
	loop_turn(w->house.loop, 0);
	signals_close(w->signals);
	replace(w, w->house.current);
	house_sweep(&w->house);
	auth_pool_free(w->house.auth_pool);
	fds_drop(&w->sockets);
	fds_drop(&w->logs);
	fds_drop(&w->helpers);
	loop_free(w->house.loop);
	close(w->channel.fd);
}

int worker_run(int channel, const struct loader *loader)
{
	/* the last ones are the master's; they come here when a whole process group is meant, and are passed
	 * over */
	static const int heard[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, 0 };
	struct worker w = { .house.emptied = emptied,
			    .loader = loader,
			    .channel = { .fn = ordered, .fd = channel },
			    .pause.fn = pause_over };
	int status;

	w.house.loop = loop_new();
	w.house.auth_pool = auth_pool_new(w.house.loop);
	w.signals = signals_open(w.house.loop, heard, signalled, &w);
	if (w.signals == NULL || !loop_watch_listening(w.house.loop, &w.channel))
		return 2;
	status = loop_run(w.house.loop);
	log_put(log_of(&w), LOG_NOTICE, 0, "exiting");
	clean_up(&w);
	return status;
}
