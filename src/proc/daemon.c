/* SPDX-License-Identifier: BSD-2-Clause */
/* Going to the background; see daemon.h. Standard error stays: it may be a log. */
#include "proc/daemon.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool daemonize(const char **step)
{
	int null;
	pid_t pid;

	*step = "fork()";
	pid = fork();
	if (pid < 0)
		return false;
	if (pid != 0)
		_exit(0);
	*step = "setsid()";
	if (setsid() < 0)
		return false;
	umask(0);
	*step = "open() \"/dev/null\"";
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return false;
	*step = "dup2()";
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return false;
	close(null);
	return true;
}
