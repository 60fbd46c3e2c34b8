/* SPDX-License-Identifier: BSD-2-Clause */
/* Connected sockets for tests; see wire.h. */
#include "net/wire.h"

#include "net/secrets.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>

/* Turns of 10 ms at most; only a test that fails comes to their end. */
enum { GUARD = 2000, WAIT_MS = 10 };

int wire_listen(struct addr *at, int buffer)
{
	struct listen_options o = { .rcvbuf = buffer, .sndbuf = buffer };
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	const char *step = "";
	int fd, segment = 1400;

	*at = (struct addr){ .family = AF_INET, .ip4 = { 127, 0, 0, 1 } };
	fd = listen_open(at, &o, &step);
	assert_true(fd >= 0);
	/* loopback's segments of 64 KB do not fit into a small window, and TCP would wait for its timers */
	if (buffer != 0)
		assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	addr_from_sockaddr(at, &name, len);
	return fd;
}

int wire_accept(int listening, struct addr *client)
{
	struct pollfd p = { .fd = listening, .events = POLLIN };
	int fd;

	poll(&p, 1, GUARD * WAIT_MS);
	fd = listen_accept(listening, client);
	assert_true(fd >= 0);
	return fd;
}

static void bound_buffers(int fd, int buffer)
{
	if (buffer == 0)
		return;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)), 0);
}

void wire_tcp(int ends[static 2], int buffer)
{
	struct addr at, client;
	struct sockaddr_storage name;
	int listening = wire_listen(&at, buffer), on = 1;
	socklen_t len = addr_to_sockaddr(&at, &name);

	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(ends[0] >= 0);
	bound_buffers(ends[0], buffer);
	assert_int_equal(setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&name, len), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	ends[1] = wire_accept(listening, &client);
	close(listening);
}

void wire_unix(int ends[static 2], int buffer)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	bound_buffers(ends[0], buffer);
	bound_buffers(ends[1], buffer);
}

static void deaf(struct stream *s, unsigned what)
{
	(void)s;
	(void)what;
}

void wire_streams(struct loop *l, int buffer, struct stream *client, struct stream *server)
{
	struct ear e = { .heard = 0 };
	struct addr at, peer;
	int listening = wire_listen(&at, buffer);

	assert_true(stream_connect(&e.stream, l, &at, NULL, ear_hear));
	bound_buffers(e.stream.watch.fd, buffer);
	assert_true(stream_accept(server, l, wire_accept(listening, &peer), deaf));
	close(listening);
	ear_listen(&e, STREAM_CONNECTED);
	/* a watched stream does not move, so the test's own takes its place */
	loop_unwatch(l, &e.stream.watch);
	*client = e.stream;
	client->fn = deaf;
	assert_true(loop_watch(l, &client->watch));
}

/* How many of the streams that shake hands are done; there is nowhere else for a bare stream's callback to
 * note it. */
static unsigned handshakes;

static void shaken(struct stream *s, unsigned what)
{
	(void)s;
	assert_false(what & STREAM_FAILED);
	handshakes += what & STREAM_SECURED ? 1 : 0;
}

void wire_secure(struct stream *client, struct stream *server)
{
	handshakes = 0;
	client->fn = server->fn = shaken;
	stream_secure(client, secrets_client(), NULL);
	stream_secure(server, secrets_server(), NULL);
	for (int i = 0; i < GUARD && handshakes < 2; i++)
		loop_turn(client->loop, WAIT_MS);
	assert_int_equal(handshakes, 2);
	client->fn = server->fn = deaf;
}

void ear_hear(struct stream *s, unsigned what)
{
	struct ear *e = CONTAINER(s, struct ear, stream);

	e->heard |= what;
	e->times++;
	if (e->also != NULL)
		e->also(e);
}

void ear_listen(struct ear *e, unsigned bits)
{
	struct loop *l = e->stream.loop;

	e->heard = e->times = 0;
	for (int i = 0; i < GUARD && !(e->heard & bits); i++)
		loop_turn(l, WAIT_MS);
	assert_true(e->heard & bits);
}

void settle(struct loop *l)
{
	for (int i = 0; i < 4; i++)
		loop_turn(l, 0);
}

void far_write(struct loop *l, int fd, struct str s)
{
	for (int i = 0; i < GUARD && s.len != 0; i++) {
		ssize_t n = send(fd, s.at, s.len, MSG_NOSIGNAL);

		if (n > 0)
			s = str_skip(s, (size_t)n);
		else
			loop_turn(l, WAIT_MS);
	}
	assert_int_equal(s.len, 0);
}

static void await(struct loop *l, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	loop_turn(l, 0);
	poll(&p, 1, WAIT_MS);
}

void far_expect(struct loop *l, int fd, struct str want)
{
	char got[4096];

	for (int i = 0; i < GUARD && want.len != 0; i++) {
		ssize_t n = recv(fd, got, want.len < sizeof(got) ? want.len : sizeof(got), 0);

		if (n > 0) {
			assert_memory_equal(got, want.at, (size_t)n);
			want = str_skip(want, (size_t)n);
		} else {
			assert_true(n < 0 && errno == EAGAIN);
			await(l, fd);
		}
	}
	assert_int_equal(want.len, 0);
}

int far_end(struct loop *l, int fd)
{
	char byte;

	for (int i = 0; i < GUARD; i++) {
		ssize_t n = recv(fd, &byte, 1, 0);

		assert_true(n <= 0);
		if (n == 0)
			return 0;
		if (errno != EAGAIN)
			return errno;
		await(l, fd);
	}
	fail_msg("no end came");
	return -1;
}

void far_reset(int fd)
{
	struct linger none = { .l_onoff = 1 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
	close(fd);
}
