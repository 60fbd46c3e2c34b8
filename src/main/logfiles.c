/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening log targets; see logfiles.h. */
#include "main/logfiles.h"

#include "base/mem.h"
#include "conf/errorlog.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A datagram socket that sends to the syslog server. */
static int open_syslog(const struct addr *server)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(server, &ss);
	int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* a syslog that is not there yet is no reason not to start: lines are lost, and counted, until it is
	 */
	if (fd >= 0)
		(void)!connect(fd, (struct sockaddr *)&ss, len);
	return fd;
}

static int open_output(const struct log_output *o, const struct loader *loader)
{
	char text[ADDR_TEXT_MAX];
	const char *name = o->path.at;
	int fd = -1;

	switch (o->kind) {
	case LOG_TO_FILE:
		fd = open(o->path.at, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
		break;
	case LOG_TO_STDERR:
		name = "stderr";
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
		break;
	case LOG_TO_SYSLOG:
		name = addr_text(&o->server, text);
		fd = open_syslog(&o->server);
		break;
	}
	if (fd < 0)
		load_say(loader, LOG_EMERG, "open() \"%s\" failed (%d: %s)", name, errno, strerror(errno));
	return fd;
}

/* All of them, or none and NULL. */
static int *open_all(const struct generation *g, const struct loader *loader, size_t *len)
{
	const struct log_output *outputs = error_log_outputs(g->conf, len);
	int *fds = mem_array(*len + 1, sizeof(int));

	for (size_t i = 0; i < *len; i++) {
		fds[i] = open_output(&outputs[i], loader);
		if (fds[i] >= 0)
			continue;
		while (i-- != 0)
			close(fds[i]);
		free(fds);
		return NULL;
	}
	return fds;
}

bool logfiles_open(struct generation *g, const struct loader *loader)
{
	size_t len;
	int *fds = open_all(g, loader, &len);

	if (fds == NULL)
		return false;
	generation_attach_logs(g, fds, len);
	free(fds);
	return true;
}

bool logfiles_reopen(struct generation *g, const struct loader *loader)
{
	size_t len;
	int *fds = open_all(g, loader, &len);

	if (fds == NULL)
		return false;
	generation_reopen_logs(g, g, fds);
	for (size_t i = 0; i < len; i++)
		close(fds[i]);
	free(fds);
	return true;
}
