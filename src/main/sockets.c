/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets of the master; see sockets.h. */
#include "main/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A predecessor may need a moment to let go of an address. */
enum { TRIES = 5, TRY_PAUSE_MS = 500 };

static const struct listener *find(const struct generation *g, const struct addr *a)
{
	for (const struct listener *l = g != NULL ? g->listeners : NULL; l != NULL; l = l->next)
		if (addr_eq(&l->addr, a))
			return l;
	return NULL;
}

bool sockets_were_inherited(void)
{
	return getenv(SOCKETS_VARIABLE) != NULL;
}

/* Does this inherited descriptor listen on `a`? */
static bool listens_on(int fd, const struct addr *a)
{
	struct sockaddr_storage have, want;
	socklen_t have_len = sizeof(have), want_len = addr_to_sockaddr(a, &want);
	struct addr got;

	if (getsockname(fd, (struct sockaddr *)&have, &have_len) != 0)
		return false;
	if (a->family == AF_UNIX)
		return have.ss_family == AF_UNIX && have_len == want_len &&
		       memcmp(&have, &want, want_len) == 0;
	addr_from_sockaddr(&got, &have, have_len);
	return addr_eq(&got, a);
}

static int inherited(const struct addr *a)
{
	struct str list = str_of(getenv(SOCKETS_VARIABLE));

	while (list.len != 0) {
		uint64_t fd;

		if (!str_number(str_cut(&list, ';'), INT16_MAX, &fd) || !listens_on((int)fd, a))
			continue;
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		return (int)fd;
	}
	return -1;
}

static int open_patiently(const struct listener *l, const struct loader *loader)
{
	static const struct timespec pause = { .tv_nsec = TRY_PAUSE_MS * 1000000L };
	char text[ADDR_TEXT_MAX];
	const char *step = "";

	for (int try = 0; try < TRIES; try++) {
		int fd = listen_open(&l->addr, &l->options, &step);

		if (fd >= 0)
			return fd;
		load_say(loader, LOG_EMERG, "%.*s to %s failed (%d: %s)", (int)strcspn(step, ")") + 1, step,
			 addr_text(&l->addr, text), errno, strerror(errno));
		if (errno != EADDRINUSE)
			return -1;
		nanosleep(&pause, NULL);
	}
	load_say(loader, LOG_EMERG, "still could not bind()");
	return -1;
}

static bool open_one(struct listener *l, const struct generation *old, const struct loader *loader)
{
	const struct listener *before = find(old, &l->addr);
	const char *step;

	l->fd = before != NULL ? before->fd : inherited(&l->addr);
	if (l->fd < 0) {
		l->fd = open_patiently(l, loader);
		return l->fd >= 0;
	}
	if (!listen_adjust(l->fd, &l->addr, &l->options, &step))
		load_say(loader, LOG_ALERT, "%s failed on an open socket (%d: %s), ignored", step, errno,
			 strerror(errno));
	return true;
}

static void close_one(struct listener *l, bool ours)
{
	close(l->fd);
	l->fd = -1;
	if (ours && l->addr.family == AF_UNIX && l->addr.path[0] == '/')
		unlink(l->addr.path);
}

bool sockets_open(struct generation *g, const struct generation *old, const struct loader *loader, bool ours)
{
	for (struct listener *l = g->listeners; l != NULL; l = l->next) {
		if (open_one(l, old, loader))
			continue;
		for (struct listener *done = g->listeners; done != l; done = done->next)
			if (find(old, &done->addr) == NULL)
				close_one(done, ours);
		return false;
	}
	return true;
}

void sockets_close(struct generation *old, const struct generation *g, bool ours)
{
	for (struct listener *l = old->listeners; l != NULL; l = l->next)
		if (l->fd >= 0 && find(g, &l->addr) == NULL)
			close_one(l, ours);
}

static bool in_use(const struct generation *g, int fd)
{
	for (const struct listener *l = g->listeners; l != NULL; l = l->next)
		if (l->fd == fd)
			return true;
	return false;
}

void sockets_disown(const struct generation *g)
{
	struct str list = str_of(getenv(SOCKETS_VARIABLE));

	while (list.len != 0) {
		uint64_t fd;

		if (str_number(str_cut(&list, ';'), INT16_MAX, &fd) && !in_use(g, (int)fd))
			close((int)fd);
	}
	unsetenv(SOCKETS_VARIABLE);
}

struct str sockets_bequeath(const struct generation *g, struct arena *home)
{
	struct str list = STR("");

	for (const struct listener *l = g->listeners; l != NULL; l = l->next) {
		fcntl(l->fd, F_SETFD, 0);
		list = arena_format(home, "%.*s%d;", STR_ARG(list), l->fd);
	}
	return list;
}
