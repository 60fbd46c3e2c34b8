/* SPDX-License-Identifier: BSD-2-Clause */
/* The pid file; see pidfile.h. */
#include "main/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool pidfile_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool written = fd >= 0 && dprintf(fd, "%d\n", getpid()) >= 0;
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return written;
}

pid_t pidfile_read(const char *path)
{
	char text[32] = "";
	uint64_t pid;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		fprintf(stderr, "postern: [error] open() \"%s\" failed (%d: %s)\n", path, errno,
			strerror(errno));
		return 0;
	}
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (!str_number(str_of(text), INT32_MAX, &pid) || pid == 0) {
		fprintf(stderr, "postern: [error] invalid PID number \"%s\" in \"%s\"\n", text, path);
		return 0;
	}
	return (pid_t)pid;
}
