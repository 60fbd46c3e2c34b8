/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets; see listen.h. Every option is set before bind() or listen(), for what comes later is
 * not inherited by connections that are already in the queue.
 */
#include "net/listen.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFAULT_BACKLOG = 511 };

/* One integer option: `name` is for *step. */
struct option {
	int level, option, value;
	const char *name;
};

static bool set(int fd, const struct option *o, const char **step)
{
	if (setsockopt(fd, o->level, o->option, &o->value, sizeof(o->value)) == 0)
		return true;
	*step = o->name;
	return false;
}

static bool set_positive(int fd, const struct option *o, const char **step)
{
	return o->value <= 0 || set(fd, o, step);
}

static bool set_keepalive(int fd, const struct listen_options *o, const char **step)
{
	struct option on = { SOL_SOCKET, SO_KEEPALIVE, o->keepalive > 0, "setsockopt(SO_KEEPALIVE)" };
	struct option idle = { IPPROTO_TCP, TCP_KEEPIDLE, o->keep_idle_sec, "setsockopt(TCP_KEEPIDLE)" };
	struct option every = { IPPROTO_TCP, TCP_KEEPINTVL, o->keep_interval_sec,
				"setsockopt(TCP_KEEPINTVL)" };
	struct option count = { IPPROTO_TCP, TCP_KEEPCNT, o->keep_count, "setsockopt(TCP_KEEPCNT)" };

	return set(fd, &on, step) && set_positive(fd, &idle, step) && set_positive(fd, &every, step) &&
	       set_positive(fd, &count, step);
}

static bool set_changeable(int fd, const struct addr *a, const struct listen_options *o, const char **step)
{
	struct option rcvbuf = { SOL_SOCKET, SO_RCVBUF, o->rcvbuf, "setsockopt(SO_RCVBUF)" };
	struct option sndbuf = { SOL_SOCKET, SO_SNDBUF, o->sndbuf, "setsockopt(SO_SNDBUF)" };

	return set_positive(fd, &rcvbuf, step) && set_positive(fd, &sndbuf, step) &&
	       (a->family == AF_UNIX || set_keepalive(fd, o, step));
}

static bool set_fixed(int fd, const struct addr *a, const struct listen_options *o, const char **step)
{
	struct option reuse = { SOL_SOCKET, SO_REUSEADDR, 1, "setsockopt(SO_REUSEADDR)" };
	struct option nodelay = { IPPROTO_TCP, TCP_NODELAY, 1, "setsockopt(TCP_NODELAY)" };
	struct option v6only = { IPPROTO_IPV6, IPV6_V6ONLY, o->ipv6only, "setsockopt(IPV6_V6ONLY)" };

	if (a->family == AF_UNIX)
		return true;
	if (a->family == AF_INET6 && !set(fd, &v6only, step))
		return false;
	return set(fd, &reuse, step) && set(fd, &nodelay, step);
}

/* Kernels have three ways of saying that they do not do MPTCP. */
static int open_socket(int family, bool multipath)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, multipath ? IPPROTO_MPTCP : 0);

	if (fd < 0 && multipath && (errno == ENOPROTOOPT || errno == EINVAL))
		errno = EPROTONOSUPPORT;
	return fd;
}

/* A socket that a dead process left behind refuses connections. So does a file that is none, which must
 * stay. */
static void remove_stale(const struct sockaddr_storage *at, socklen_t len, const char *path)
{
	struct stat is;
	int probe;

	if (lstat(path, &is) != 0 || !S_ISSOCK(is.st_mode))
		return;
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return;
	if (connect(probe, (const struct sockaddr *)at, len) != 0 && errno == ECONNREFUSED)
		unlink(path);
	close(probe);
}

/* Everybody may connect to a unix socket, as to a port; who shall not is kept out by the folder's mode. */
static bool take_address(int fd, const struct addr *a, const char **step)
{
	struct sockaddr_storage at;
	socklen_t len = addr_to_sockaddr(a, &at);

	if (a->family == AF_UNIX)
		remove_stale(&at, len, a->path);
	*step = "bind()";
	if (bind(fd, (const struct sockaddr *)&at, len) != 0)
		return false;
	*step = "chmod()";
	return a->family != AF_UNIX || chmod(a->path, 0666) == 0;
}

static bool begin_listening(int fd, const struct listen_options *o, const char **step)
{
	*step = "listen()";
	return listen(fd, o->backlog != 0 ? o->backlog : DEFAULT_BACKLOG) == 0;
}

int listen_open(const struct addr *a, const struct listen_options *o, const char **step)
{
	int fd = open_socket(a->family, o->multipath && a->family != AF_UNIX);
	int why;

	if (fd < 0) {
		*step = "socket()";
		return -1;
	}
	if (set_fixed(fd, a, o, step) && set_changeable(fd, a, o, step) && take_address(fd, a, step) &&
	    begin_listening(fd, o, step))
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* On Linux a second listen() changes the backlog and loses nothing. */
bool listen_adjust(int fd, const struct addr *a, const struct listen_options *o, const char **step)
{
	return set_changeable(fd, a, o, step) && begin_listening(fd, o, step);
}

/* Linux hands out errors that are already pending on the new connection: they concern nobody any more. */
static bool passes_over(int error)
{
	static const int of_the_connection[] = { EINTR,	      ECONNABORTED, EPROTO,
						 ENOPROTOOPT, EHOSTDOWN,    EHOSTUNREACH,
						 ENETDOWN,    ENETUNREACH,  ENONET };

	for (size_t i = 0; i < sizeof(of_the_connection) / sizeof(of_the_connection[0]); i++)
		if (error == of_the_connection[i])
			return true;
	return false;
}

int listen_accept(int fd, struct addr *client)
{
	struct sockaddr_storage at;
	socklen_t len;
	int s;

	do {
		len = sizeof(at);
		s = accept4(fd, (struct sockaddr *)&at, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (s < 0 && passes_over(errno));
	if (s >= 0)
		addr_from_sockaddr(client, &at, len);
	return s;
}
