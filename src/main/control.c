/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket; see control.h. Connections lie in a small table: who comes when it is full is turned
 * away, and who does not say his line in time is forgotten.
 */
#include "main/control.h"

#include "base/mem.h"
#include "base/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { GUESTS = 8, LIMIT_MS = 5000, WORDS = 4, ANSWER_MOST = 1024 };

struct guest {
	struct watch watch; /* fd -1: free */
	struct timer limit;
	struct control *control;
	size_t len;
	char line[CONTROL_LINE_MOST];
};

struct control {
	struct watch watch;
	struct loop *loop;
	struct auth_shared *shared;
	char *path;
	ino_t inode; /* of our socket: another process may have replaced it */
	struct guest guests[GUESTS];
};

/* --- orders --- */

static void flush(struct auth_shared *shared, const struct str *words, size_t len, struct buf *answer)
{
	struct str user = len != 0 ? words[0] : (struct str){ NULL, 0 };
	size_t n = shared != NULL ? auth_shared_flush(shared, user) : 0;

	buf_format(answer, "ok %zu answer%s forgotten", n, n == 1 ? "" : "s");
}

static const struct order {
	const char *verb, *what;
	size_t most; /* words behind them */
	void (*obey)(struct auth_shared *shared, const struct str *words, size_t len, struct buf *answer);
} ORDERS[] = { { "cache", "flush", 1, flush }, { NULL, NULL, 0, NULL } };

void control_obey(struct auth_shared *shared, struct str line, struct buf *answer)
{
	struct str words[WORDS] = { { NULL, 0 } }, rest = line;
	size_t len = 0;

	if (!is_line_safe(line)) {
		buf_put(answer, STR("error a control character in the order\n"));
		return;
	}
	while (len < WORDS && (rest.len != 0 || len == 0))
		words[len++] = str_cut(&rest, '\t');
	for (const struct order *o = ORDERS; o->verb != NULL; o++) {
		if (!str_eq(words[0], str_of(o->verb)) || !str_eq(words[1], str_of(o->what)))
			continue;
		if (len - 2 > o->most || rest.len != 0)
			buf_format(answer, "error too many words behind \"%s %s\"", o->verb, o->what);
		else
			o->obey(shared, words + 2, len - 2, answer);
		buf_put_byte(answer, '\n');
		return;
	}
	buf_put(answer, STR("error unknown order \""));
	visible_put(answer, line, 64);
	buf_put(answer, STR("\"\n"));
}

/* --- guests --- */

static void leave(struct guest *g)
{
	loop_disarm(&g->limit);
	loop_unwatch(g->control->loop, &g->watch);
	close(g->watch.fd);
	g->watch.fd = -1;
	mem_wipe(g->line, sizeof(g->line));
	g->len = 0;
}

static void limit_over(struct timer *t)
{
	leave(CONTAINER(t, struct guest, limit));
}

/* An answer always fits into an empty socket; if not, nobody waits for it. */
static void reply(struct guest *g, struct str line)
{
	struct buf answer;
	ssize_t sent;

	buf_init(&answer, ANSWER_MOST);
	control_obey(g->control->shared, line, &answer);
	sent = send(g->watch.fd, answer.at, answer.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent;
	buf_done(&answer);
}

static void hear(struct watch *w, unsigned ready)
{
	struct guest *g = CONTAINER(w, struct guest, watch);
	ssize_t n;

	(void)ready;
	while (g->len < sizeof(g->line)) {
		const char *end;

		n = recv(w->fd, g->line + g->len, sizeof(g->line) - g->len, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		g->len += (size_t)n;
		end = memchr(g->line, '\n', g->len);
		if (end != NULL) {
			reply(g, (struct str){ g->line, (size_t)(end - g->line) });
			break;
		}
	}
	leave(g);
}

static bool may_speak(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

static struct guest *free_place(struct control *c)
{
	for (size_t i = 0; i < GUESTS; i++)
		if (c->guests[i].watch.fd < 0)
			return &c->guests[i];
	return NULL;
}

static void come_in(struct watch *w, unsigned ready)
{
	struct control *c = CONTAINER(w, struct control, watch);
	int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct guest *g = free_place(c);

	(void)ready;
	if (fd < 0)
		return;
	if (g == NULL || !may_speak(fd)) {
		close(fd);
		return;
	}
	g->watch.fd = fd;
	if (!loop_watch(c->loop, &g->watch)) {
		close(fd);
		g->watch.fd = -1;
		return;
	}
	loop_arm(c->loop, &g->limit, LIMIT_MS);
	hear(&g->watch, READABLE);
}

/* --- the socket --- */

static bool is_ours(const struct control *c)
{
	struct stat st;

	return lstat(c->path, &st) == 0 && st.st_ino == c->inode;
}

/* The mode is right from the first moment: setting it afterwards, by name, might meet a file that somebody
 * else has put there. */
static bool bind_private(int fd, const struct sockaddr_un *at)
{
	mode_t before = umask(0177);
	int result = bind(fd, (const struct sockaddr *)at, sizeof(*at)), error = errno;

	umask(before);
	errno = error;
	return result == 0;
}

static int listen_at(const char *path, const char **step)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	strncpy(at.sun_path, path, sizeof(at.sun_path) - 1);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	*step = fd < 0 ? "socket()" : "bind()";
	if (fd >= 0 && bind_private(fd, &at)) {
		*step = "listen()";
		if (listen(fd, GUESTS) == 0)
			return fd;
	}
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static struct control *control_open(struct loop *loop, const char *path, struct auth_shared *shared,
				    const struct log *log)
{
	const char *step;
	int fd = listen_at(path, &step);
	struct control *c;
	struct stat st;

	if (fd < 0) {
		/* where the default has no folder, nobody has asked for it */
		log_put(log, errno == ENOENT ? LOG_NOTICE : LOG_WARN, 0,
			"no control socket for posternctl: %s \"%s\" failed (%d: %s)", step, path, errno,
			strerror(errno));
		return NULL;
	}
	c = mem_new(sizeof(*c));
	*c = (struct control){ .watch = { .fn = come_in, .fd = fd }, .loop = loop, .shared = shared };
	c->path = strdup(path);
	c->inode = lstat(path, &st) == 0 ? st.st_ino : 0;
	for (size_t i = 0; i < GUESTS; i++)
		c->guests[i] = (struct guest){ .watch = { .fn = hear, .fd = -1 },
					       .limit.fn = limit_over,
					       .control = c };
	loop_watch_listening(loop, &c->watch);
	return c;
}

void control_forget(struct control *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < GUESTS; i++)
		if (c->guests[i].watch.fd >= 0)
			close(c->guests[i].watch.fd);
	close(c->watch.fd);
	free(c->path);
	free(c);
}

static void control_close(struct control *c)
{
	for (size_t i = 0; i < GUESTS; i++)
		if (c->guests[i].watch.fd >= 0)
			leave(&c->guests[i]);
	loop_unwatch(c->loop, &c->watch);
	if (is_ours(c))
		unlink(c->path);
	control_forget(c);
}

void control_settle(struct control **c, struct loop *loop, struct str path, struct auth_shared *shared,
		    const struct log *log)
{
	if (*c != NULL && str_eq(str_of((*c)->path), path) && is_ours(*c))
		return;
	if (*c != NULL)
		control_close(*c);
	*c = path.len != 0 ? control_open(loop, path.at, shared, log) : NULL;
}
