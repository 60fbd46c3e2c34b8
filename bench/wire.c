/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets and bulk data; see wire.h.
 *
 * The bulk data repeats itself after a prime number of bytes, so that a chunk lost, doubled or moved by any
 * round amount does not go unnoticed, and checking it costs one memcmp.
 */
#include "wire.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD = 65521 };

static char pattern[PERIOD + PATTERN_RUN];

void pattern_make(void)
{
	static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t x = 2463534242;

	for (size_t i = 0; i < PERIOD; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		pattern[i] = letters[x >> 26];
	}
	for (size_t i = PERIOD; i < sizeof(pattern); i++)
		pattern[i] = pattern[i - PERIOD];
}

const char *pattern_at(uint64_t offset)
{
	return pattern + offset % PERIOD;
}

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static ssize_t tls_outcome(struct wire *w, int result)
{
	if (result > 0)
		return result;
	switch (SSL_get_error(w->tls, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return WIRE_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return WIRE_END;
	default:
		return WIRE_BROKEN;
	}
}

/* Several records in one go, as a plain read would give them. */
static ssize_t read_tls(struct wire *w, char *to, size_t room)
{
	size_t sum = 0;
	ssize_t n = 0;

	ERR_clear_error();
	while (sum < room && (n = tls_outcome(w, SSL_read(w->tls, to + sum, (int)(room - sum)))) > 0)
		sum += (size_t)n;
	return sum != 0 ? (ssize_t)sum : n;
}

static ssize_t socket_outcome(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN ? WIRE_WAIT : WIRE_BROKEN;
}

ssize_t wire_read(struct wire *w, char *to, size_t room)
{
	return w->tls != NULL ? read_tls(w, to, room) : socket_outcome(recv(w->fd, to, room, 0));
}

ssize_t wire_write(struct wire *w, const char *from, size_t len)
{
	if (w->tls == NULL)
		return socket_outcome(send(w->fd, from, len, MSG_NOSIGNAL));
	ERR_clear_error();
	return tls_outcome(w, SSL_write(w->tls, from, (int)len));
}

void wire_close(struct wire *w)
{
	/* a session whose connection was not shut down may not be resumed by the others */
	if (w->tls != NULL)
		SSL_set_shutdown(w->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(w->tls);
	close(w->fd);
	*w = (struct wire){ .fd = -1 };
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	/* accepted sockets inherit it */
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int wire_listen(struct in_addr at, unsigned port)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_addr = at,
				    .sin_port = htons((uint16_t)port) };
	int fd = tcp_socket(), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(fd, 4096) == 0)
		return fd;
	close(fd);
	return -1;
}

int wire_connect(struct in_addr to, unsigned port, struct in_addr source)
{
	struct sockaddr_in there = { .sin_family = AF_INET,
				     .sin_addr = to,
				     .sin_port = htons((uint16_t)port) };
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr = source };
	int fd = tcp_socket(), on = 1;

	if (fd < 0)
		return -1;
	/* the port is chosen at connect(): each source address has all of them */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (source.s_addr != 0 && bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0)
		goto fail;
	if (connect(fd, (struct sockaddr *)&there, sizeof(there)) == 0 || errno == EINPROGRESS)
		return fd;
fail:
	close(fd);
	return -1;
}

bool wire_watch(int epoll, int fd, void *owner)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = owner };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}
