/* SPDX-License-Identifier: BSD-2-Clause */
/* Counted system calls; see shim.h. */
#include "net/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct shim shim = { .cut_fd = -1 };

void shim_reset(void)
{
	shim = (struct shim){ .cut_fd = -1 };
}

unsigned shim_calls(void)
{
	return shim.recv + shim.send + shim.splice + shim.epoll_ctl + shim.shutdown + shim.close +
	       shim.sockopt + shim.accept + shim.connect + shim.socket;
}

ssize_t __real_recv(int fd, void *to, size_t room, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t room, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t room, int flags)
{
	ssize_t n = __real_recv(fd, to, room, flags);

	shim.recv++;
	shim.vain += n < 0 && errno == EAGAIN;
	return n;
}

ssize_t __real_send(int fd, const void *from, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *from, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *from, size_t len, int flags)
{
	ssize_t n;

	shim.send++;
	if (fd == shim.cut_fd && len > shim.cut_room)
		len = shim.cut_room;
	if (fd == shim.cut_fd && len == 0) {
		errno = EAGAIN;
		n = -1;
	} else {
		n = __real_send(fd, from, len, flags);
	}
	if (fd == shim.cut_fd && n > 0)
		shim.cut_room -= (size_t)n;
	shim.vain += n < 0 && errno == EAGAIN;
	return n;
}

ssize_t __real_splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags);
ssize_t __wrap_splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags);
ssize_t __wrap_splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags)
{
	ssize_t n = -1;

	shim.splice++;
	if (out == shim.cut_fd && len > shim.cut_room)
		len = shim.cut_room;
	errno = shim.no_splice ? EINVAL : EAGAIN;
	if (len != 0 && !shim.no_splice)
		n = __real_splice(in, in_at, out, out_at, len, flags);
	if (out == shim.cut_fd && n > 0)
		shim.cut_room -= (size_t)n;
	return n;
}

int __real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	shim.epoll_ctl++;
	return __real_epoll_ctl(epoll, op, fd, event);
}

int __real_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how)
{
	shim.shutdown++;
	return __real_shutdown(fd, how);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	shim.close++;
	return __real_close(fd);
}

int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	shim.sockopt++;
	return __real_setsockopt(fd, level, option, value, len);
}

int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	shim.sockopt++;
	return __real_getsockopt(fd, level, option, value, len);
}

int __real_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags)
{
	shim.accept++;
	return __real_accept4(fd, at, len, flags);
}

int __real_connect(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len)
{
	shim.connect++;
	return __real_connect(fd, at, len);
}

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
	shim.socket++;
	return __real_socket(family, type, protocol);
}
