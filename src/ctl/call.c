/* SPDX-License-Identifier: BSD-2-Clause */
/* One line there, one line back; see call.h. The protocol stands in main/control.h. */
#include "ctl/call.h"

#include "ctl/ctl.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MOST = 1024, WAIT_S = 10 };

static int reach(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_S };
	int fd;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The words with TABs between them. Its length, or 0 when they make no line. */
static size_t write_line(char to[static LINE_MOST], const char *const *words, int len)
{
	size_t at = 0;

	for (int i = 0; i < len; i++) {
		size_t n = strlen(words[i]);

		if (n == 0 || strpbrk(words[i], "\t\r\n") != NULL || at + n + 1 >= LINE_MOST)
			return 0;
		memcpy(to + at, words[i], n);
		at += n;
		to[at++] = i + 1 < len ? '\t' : '\n';
	}
	return at;
}

/* The answer, with a NUL behind it. False when none came. */
static bool read_line(int fd, char to[static LINE_MOST])
{
	size_t len = 0;

	while (len + 1 < LINE_MOST) {
		ssize_t n = recv(fd, to + len, LINE_MOST - 1 - len, 0);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	to[len] = '\0';
	to[strcspn(to, "\n")] = '\0';
	return len != 0;
}

static int not_there(const char *path)
{
	return ctl_fail(
		"no postern answers at %s (%s): is it running, and is this the path of its \"control\" "
		"directive? --socket names another",
		path, strerror(errno));
}

int call(const char *path, const char *const *words, int len)
{
	char line[LINE_MOST];
	size_t n = write_line(line, words, len);
	int fd;
	bool answered;

	if (n == 0)
		return ctl_fail("a word is empty, too long, or holds a control character");
	fd = reach(path);
	if (fd < 0)
		return not_there(path);
	answered = send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n && read_line(fd, line);
	close(fd);
	if (!answered)
		return ctl_fail("the postern at %s did not answer: it is busy, or does not hear this user",
				path);
	if (strncmp(line, "ok ", 3) != 0)
		return ctl_fail("%s", strncmp(line, "error ", 6) == 0 ? line + 6 : line);
	puts(line + 3);
	return 0;
}
