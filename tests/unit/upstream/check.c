/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Active checks against a server that the test plays by hand: what is a good visit, what a bad one, and how
 * many of them change anything.
 */
#include "scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static struct scene scene;
static struct walk walk;
static int door; /* the server's listening socket */
static uint16_t port;

static int open_door(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	at.sin_port = htons(port);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	port = ntohs(at.sin_port);
	return fd;
}

static void begin(const char *check)
{
	char text[512];

	port = 0;
	door = open_door();
	snprintf(text, sizeof(text),
		 "upstream g { server 127.0.0.1:%u; server 127.0.0.2 backup; check interval=5s %s; }", port,
		 check);
	/* the backup is visited too, and nobody is there: it says nothing about the other */
	scene_open(&scene, text);
}

static void end(void)
{
	close(door);
	scene_close(&scene);
}

/* Turns of the loop until it has nothing more to do with what the test did. */
static void settle(void)
{
	for (int i = 0; i < 20; i++)
		loop_turn(scene.loop, 2);
}

static bool is_waiting(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Let the visit come: the server's end of it. */
static int visited(uint64_t ms)
{
	int fd;

	scene_pass(&scene, ms);
	settle();
	assert_true(is_waiting(door));
	fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	settle();
}

static void hears(int fd, const char *text)
{
	char got[256] = "";
	size_t len = 0;

	while (len < strlen(text)) {
		ssize_t n = recv(fd, got + len, strlen(text) - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_string_equal(got, text);
}

/* Lines about the server that the test plays. */
static const char *log_of_server(void)
{
	static char lines[1024];
	char mark[32], *line, *rest = (char *)scene_log(&scene);

	snprintf(mark, sizeof(mark), "127.0.0.1:%u ", port);
	lines[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *at = strstr(line, mark);

		if (at != NULL)
			snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s\n",
				 at + strlen(mark));
	}
	return lines;
}

static bool in_service(void)
{
	char mark[32];

	snprintf(mark, sizeof(mark), "127.0.0.1:%u", port);
	return strcmp(walk_once(&walk, &scene, "g", "u", ROUTE_NEUTRAL), mark) == 0;
}

static void a_good_greeting(void **state)
{
	int fd;

	(void)state;
	begin("protocol=imap");
	fd = visited(1);
	say(fd, "* OK ready\r\n");
	hears(fd, "b LOGOUT\r\n");
	close(fd);
	assert_true(in_service());
	assert_string_equal(log_of_server(), "");
	fd = visited(5001);
	close(fd);
	end();
}

static void a_bad_greeting_and_a_good_one(void **state)
{
	int fd;

	(void)state;
	begin("protocol=imap");
	fd = visited(1);
	say(fd, "* BYE not now\r\n");
	close(fd);
	settle();
	assert_string_equal(log_of_server(), "is down: check: its greeting is none, or one of trouble\n");
	scene_pass(&scene, 4000);
	fd = visited(1001);
	say(fd, "* OK ready\r\n");
	close(fd);
	assert_string_equal(log_of_server(), "is up again after 5s\n");
	assert_true(in_service());
	end();
}

static void silence_is_bad(void **state)
{
	int fd;

	(void)state;
	begin("protocol=imap timeout=2s");
	fd = visited(1);
	scene_pass(&scene, 2001);
	assert_string_equal(log_of_server(), "is down: check: timed out\n");
	close(fd);
	end();
}

static void nobody_is_there(void **state)
{
	(void)state;
	begin("type=connect protocol=imap");
	close(door);
	scene_pass(&scene, 1);
	settle();
	assert_non_null(strstr(log_of_server(), "is down: check: "));
	scene_pass(&scene, 5001);
	settle();
	/* still down is no news; and it comes back by a connection alone */
	assert_string_equal(log_of_server(), "");
	door = open_door();
	close(visited(5001));
	assert_string_equal(log_of_server(), "is up again after 10s\n");
	end();
}

static void what_it_can(void **state)
{
	int fd;

	(void)state;
	begin("protocol=imap type=capability");
	fd = visited(1);
	say(fd, "* OK ready\r\n");
	hears(fd, "a CAPABILITY\r\n");
	say(fd, "* CAPABILITY IMAP4rev1\r\n");
	say(fd, "a OK done\r\n");
	hears(fd, "b LOGOUT\r\n");
	close(fd);
	assert_string_equal(log_of_server(), "");
	fd = visited(5001);
	say(fd, "* OK ready\r\na NO\r\n");
	close(fd);
	assert_string_equal(log_of_server(), "is down: check: it does not tell what it can\n");
	end();
}

/* It greets well and turns logins away: what greets knows less than what logs in. */
static void a_good_greeting_is_no_login(void **state)
{
	int fd;

	(void)state;
	begin("protocol=imap");
	for (int i = 0; i < 3; i++) {
		static const char *const news[] = { "", "", "is up again after 10s\n" };

		fd = visited(i == 0 ? 1 : 5001);
		say(fd, "* OK ready\r\n");
		close(fd);
		assert_string_equal(log_of_server(), news[i]);
		if (i > 0)
			continue;
		walk_once(&walk, &scene, "g", "u", ROUTE_FAILED);
		assert_string_equal(log_of_server(), "is down: test\n");
	}
	end();
}

static void fails_and_rises(void **state)
{
	static const struct {
		const char *greeting, *news;
	} visits[] = {
		{ "* BYE\r\n", "" },
		{ "* OK\r\n", "" },
		{ "* BYE\r\n", "" },
		{ "* BYE\r\n", "is down: check: its greeting is none, or one of trouble\n" },
		{ "* OK\r\n", "" },
		{ "* OK\r\n", "" },
		{ "* BYE\r\n", "" },
		{ "* OK\r\n", "" },
		{ "* OK\r\n", "" },
		{ "* OK\r\n", "is up again after 30s\n" },
	};

	(void)state;
	begin("protocol=imap fails=2 rises=3");
	for (size_t i = 0; i < sizeof(visits) / sizeof(visits[0]); i++) {
		int fd = visited(i == 0 ? 1 : 5001);

		say(fd, visits[i].greeting);
		close(fd);
		assert_string_equal(log_of_server(), visits[i].news);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_greeting),
		cmocka_unit_test(a_bad_greeting_and_a_good_one),
		cmocka_unit_test(silence_is_bad),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(a_good_greeting_is_no_login),
		cmocka_unit_test(what_it_can),
		cmocka_unit_test(fails_and_rises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
