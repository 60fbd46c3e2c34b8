/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets: what is set on them, what their connections inherit, whose file a unix socket may
 * replace. */
#include "net/listen.h"

#include "net/wire.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static struct addr loopback(void)
{
	return (struct addr){ .family = AF_INET, .ip4 = { 127, 0, 0, 1 } };
}

static struct addr loopback6(void)
{
	return (struct addr){ .family = AF_INET6, .ip6 = { [15] = 1 } };
}

static struct addr name_of(int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	struct addr a;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	addr_from_sockaddr(&a, &at, len);
	return a;
}

static int open_ok(const struct addr *a, const struct listen_options *o)
{
	const char *step = "none";
	int fd = listen_open(a, o, &step);

	if (fd < 0)
		print_error("%s: %s\n", step, strerror(errno));
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	return fd;
}

static int connected(const struct addr *to)
{
	struct sockaddr_storage at;
	socklen_t len = addr_to_sockaddr(to, &at);
	int fd = socket(to->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, len), 0);
	return fd;
}

static void accepted_sockets_inherit(void **state)
{
	struct listen_options o = { .keepalive = 1,
				    .keep_idle_sec = 77,
				    .keep_interval_sec = 11,
				    .keep_count = 5,
				    .rcvbuf = 30000,
				    .sndbuf = 40000 };
	struct addr any = loopback(), at, client, local;
	int listening = open_ok(&any, &o), far, fd;

	(void)state;
	at = name_of(listening);
	assert_true(at.port != 0);
	far = connected(&at);
	fd = wire_accept(listening, &client);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(option(fd, IPPROTO_TCP, TCP_NODELAY));
	assert_true(option(fd, SOL_SOCKET, SO_KEEPALIVE));
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 77);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 11);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 5);
	/* Linux doubles what it is told, for its own needs */
	assert_int_equal(option(fd, SOL_SOCKET, SO_RCVBUF), 60000);
	assert_int_equal(option(fd, SOL_SOCKET, SO_SNDBUF), 80000);
	local = name_of(far);
	assert_true(addr_eq(&client, &local));
	close(fd);
	close(far);
	close(listening);
}

static void nothing_waits(void **state)
{
	struct listen_options o = { 0 };
	struct addr any = loopback(), client;
	int listening = open_ok(&any, &o);

	(void)state;
	assert_int_equal(listen_accept(listening, &client), -1);
	assert_int_equal(errno, EAGAIN);
	close(listening);
}

static void says_what_failed(void **state)
{
	struct listen_options o = { 0 };
	struct addr any = loopback(), taken, foreign = { .family = AF_INET, .ip4 = { 192, 0, 2, 1 } };
	int listening = open_ok(&any, &o);
	const char *step = "none";

	(void)state;
	taken = name_of(listening);
	assert_int_equal(listen_open(&taken, &o, &step), -1);
	assert_int_equal(errno, EADDRINUSE);
	/* SO_REUSEADDR lets two be bound, so it may show only at listen() */
	assert_true(strcmp(step, "bind()") == 0 || strcmp(step, "listen()") == 0);
	assert_int_equal(listen_open(&foreign, &o, &step), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_string_equal(step, "bind()");
	o.keep_idle_sec = 1 << 30;
	o.keepalive = 1;
	assert_int_equal(listen_open(&any, &o, &step), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(step, "setsockopt(TCP_KEEPIDLE)");
	close(listening);
}

static void port_is_free_again_at_once(void **state)
{
	struct listen_options o = { 0 };
	struct addr any = loopback(), at, client;
	int listening = open_ok(&any, &o), far, fd;

	(void)state;
	at = name_of(listening);
	far = connected(&at);
	fd = wire_accept(listening, &client);
	/* our side closes first, so the port's connection lies in TIME_WAIT */
	close(fd);
	close(far);
	close(listening);
	close(open_ok(&at, &o));
}

static void ipv6_is_for_itself_or_for_both(void **state)
{
	struct listen_options o = { .ipv6only = true };
	struct addr any = { .family = AF_INET6 }, own = loopback6(), at, client;
	int listening, far;

	(void)state;
	listening = open_ok(&own, &o);
	assert_true(option(listening, IPPROTO_IPV6, IPV6_V6ONLY));
	close(listening);
	o.ipv6only = false;
	listening = open_ok(&any, &o);
	assert_false(option(listening, IPPROTO_IPV6, IPV6_V6ONLY));
	at = loopback();
	at.port = name_of(listening).port;
	far = connected(&at);
	close(wire_accept(listening, &client));
	assert_int_equal(client.family, AF_INET6);
	assert_memory_equal(client.ip6 + 10, "\xff\xff\x7f\0\0\1", 6);
	close(far);
	close(listening);
}

static void adjusts_an_open_socket(void **state)
{
	struct listen_options o = { .keepalive = 1 };
	struct addr any = loopback();
	int listening = open_ok(&any, &o);
	const char *step = "none";

	(void)state;
	o = (struct listen_options){ .keepalive = -1, .rcvbuf = 50000, .backlog = 7 };
	assert_true(listen_adjust(listening, &any, &o, &step));
	assert_false(option(listening, SOL_SOCKET, SO_KEEPALIVE));
	assert_int_equal(option(listening, SOL_SOCKET, SO_RCVBUF), 100000);
	close(listening);
	assert_false(listen_adjust(listening, &any, &o, &step));
	assert_int_equal(errno, EBADF);
	assert_string_equal(step, "setsockopt(SO_RCVBUF)");
}

/* Where the kernel does MPTCP its socket serves plain TCP clients too; where not, the caller learns just
 * that. */
static void multipath(void **state)
{
	struct listen_options o = { .multipath = true };
	struct addr any = loopback(), at, client;
	const char *step = "none";
	int listening = listen_open(&any, &o, &step), far, fd;

	(void)state;
	if (listening < 0) {
		assert_int_equal(errno, EPROTONOSUPPORT);
		assert_string_equal(step, "socket()");
		return;
	}
	assert_int_equal(option(listening, SOL_SOCKET, SO_PROTOCOL), IPPROTO_MPTCP);
	at = name_of(listening);
	far = connected(&at);
	fd = wire_accept(listening, &client);
	assert_true(option(fd, IPPROTO_TCP, TCP_NODELAY));
	close(fd);
	close(far);
	close(listening);
}

struct folder {
	char path[64], file[80];
	struct addr at;
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	snprintf(f->path, sizeof(f->path), "/tmp/postern-listen-XXXXXX");
	if (mkdtemp(f->path) == NULL)
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/socket", f->path);
	f->at = (struct addr){ .family = AF_UNIX, .path = f->file };
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	unlink(f->file);
	rmdir(f->path);
	free(f);
	return 0;
}

static void unix_socket(void **state)
{
	struct folder *f = *state;
	struct listen_options o = { .keepalive = 1, .sndbuf = 50000 };
	struct addr client;
	struct stat is;
	int listening = open_ok(&f->at, &o), far;

	far = connected(&f->at);
	close(wire_accept(listening, &client));
	assert_int_equal(client.family, AF_UNIX);
	assert_null(client.path);
	assert_int_equal(stat(f->file, &is), 0);
	assert_int_equal(is.st_mode & 0777, 0666);
	close(far);
	close(listening);
}

static void stale_socket_is_replaced(void **state)
{
	struct folder *f = *state;
	struct listen_options o = { 0 };

	close(open_ok(&f->at, &o));
	close(open_ok(&f->at, &o));
}

static void living_socket_is_not_replaced(void **state)
{
	struct folder *f = *state;
	struct listen_options o = { .backlog = 1 };
	int listening = open_ok(&f->at, &o), far[2];
	const char *step = "none";
	struct addr client;

	assert_int_equal(listen_open(&f->at, &o, &step), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_string_equal(step, "bind()");
	/* nor when its queue is full */
	far[0] = connected(&f->at);
	assert_int_equal(listen_open(&f->at, &o, &step), -1);
	assert_int_equal(errno, EADDRINUSE);
	far[1] = wire_accept(listening, &client);
	close(far[0]);
	close(far[1]);
	close(listening);
}

static void file_is_not_replaced(void **state)
{
	struct folder *f = *state;
	struct listen_options o = { 0 };
	const char *step = "none";
	struct stat is;
	int fd = open(f->file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(listen_open(&f->at, &o, &step), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(stat(f->file, &is), 0);
	assert_true(S_ISREG(is.st_mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_sockets_inherit),
		cmocka_unit_test(nothing_waits),
		cmocka_unit_test(says_what_failed),
		cmocka_unit_test(port_is_free_again_at_once),
		cmocka_unit_test(ipv6_is_for_itself_or_for_both),
		cmocka_unit_test(adjusts_an_open_socket),
		cmocka_unit_test(multipath),
		cmocka_unit_test_setup_teardown(unix_socket, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(stale_socket_is_replaced, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(living_socket_is_not_replaced, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(file_is_not_replaced, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
