/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into postern by test_costs.py: counts the calls that cost, in a file that the test reads
 * meanwhile.
 *
 * $COUNT_CALLS names the file. All processes of the program share the numbers. The order is that of NAMES in
 * test_costs.py. The heap is reckoned in what malloc really set aside.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ACCEPT,
	CLOSE,
	CONNECT,
	EPOLL_CTL,
	EPOLL_WAIT,
	RECV,
	SEND,
	SHUTDOWN,
	SOCKET,
	SOCKET_OPTIONS,
	SOCKET_NAMES,
	READ_WRITE,
	ALLOCATIONS,
	HEAP,
	WAITING,
	NUMBERS
};

static int64_t before[NUMBERS], *numbers = before;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("COUNT_CALLS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at =
		fd >= 0 ? mmap(NULL, sizeof(before), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (at == MAP_FAILED)
		abort();
	numbers = at;
}

static void add(int which, int64_t n)
{
	__atomic_add_fetch(&numbers[which], n, __ATOMIC_SEQ_CST);
}

#define COUNTED(which, type, name, parameters, arguments)          \
	type name parameters                                       \
	{                                                          \
		static type(*next) parameters;                     \
		if (next == NULL)                                  \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		add(which, 1);                                     \
		return next arguments;                             \
	}

COUNTED(ACCEPT, int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags))
COUNTED(CLOSE, int, close, (int fd), (fd))
COUNTED(CONNECT, int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
COUNTED(EPOLL_CTL, int, epoll_ctl, (int set, int how, int fd, struct epoll_event *e), (set, how, fd, e))
COUNTED(RECV, ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
COUNTED(RECV, ssize_t, __recv_chk, (int fd, void *to, size_t n, size_t room, int flags),
	(fd, to, n, room, flags))
COUNTED(RECV, ssize_t, recvfrom, (int fd, void *to, size_t n, int flags, struct sockaddr *a, socklen_t *len),
	(fd, to, n, flags, a, len))
COUNTED(RECV, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
COUNTED(SEND, ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
COUNTED(SEND, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
COUNTED(SHUTDOWN, int, shutdown, (int fd, int how), (fd, how))
COUNTED(SOCKET, int, socket, (int family, int type, int protocol), (family, type, protocol))
COUNTED(SOCKET_OPTIONS, int, setsockopt, (int fd, int level, int name, const void *at, socklen_t n),
	(fd, level, name, at, n))
COUNTED(SOCKET_OPTIONS, int, getsockopt, (int fd, int level, int name, void *at, socklen_t *n),
	(fd, level, name, at, n))
COUNTED(SOCKET_NAMES, int, getsockname, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n))
COUNTED(SOCKET_NAMES, int, getpeername, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n))
COUNTED(READ_WRITE, ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
COUNTED(READ_WRITE, ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))

/* Also how many processes wait at this moment: all of them do when what was begun is done. */
int epoll_wait(int set, struct epoll_event *e, int n, int ms)
{
	static int (*next)(int, struct epoll_event *, int, int);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");
	add(EPOLL_WAIT, 1);
	add(WAITING, 1);
	n = next(set, e, n, ms);
	add(WAITING, -1);
	return n;
}

/* dlsym itself allocates, so the allocator's functions are reached by their other names. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static void *taken(void *p)
{
	add(ALLOCATIONS, 1);
	add(HEAP, (int64_t)malloc_usable_size(p));
	return p;
}

void *malloc(size_t n)
{
	return taken(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return taken(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	add(HEAP, -(int64_t)malloc_usable_size(p));
	return taken(__libc_realloc(p, n));
}

void free(void *p)
{
	add(HEAP, -(int64_t)malloc_usable_size(p));
	__libc_free(p);
}
