/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages with descriptors; see channel.h. Both ends run the same program, so the struct's head travels as
 * it is. */
#include "proc/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct head {
	uint64_t number;
	uint32_t kind, fds_len;
};

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

bool channel_open(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0;
}

bool channel_send(int end, const struct message *m)
{
	struct head head = { m->number, m->kind, (uint32_t)m->fds_len };
	struct iovec data = { &head, sizeof(head) };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &data, .msg_iovlen = 1 };

	if (m->fds_len != 0) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(m->fds_len * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(m->fds_len * sizeof(int));
		memcpy(CMSG_DATA(c), m->fds, m->fds_len * sizeof(int));
	}
	return sendmsg(end, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof(head);
}

static void take_descriptors(struct msghdr *msg, struct message *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		m->fds_len = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(m->fds, CMSG_DATA(c), m->fds_len * sizeof(int));
	}
}

enum channel_result channel_receive(int end, struct message *m)
{
	struct head head = { 0 };
	struct iovec data = { &head, sizeof(head) };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &data,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	ssize_t n;

	do
		n = recvmsg(end, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return CHANNEL_EMPTY;
	if (n != (ssize_t)sizeof(head))
		return CHANNEL_GONE;
	*m = (struct message){ .kind = head.kind, .number = head.number };
	take_descriptors(&msg, m);
	return m->fds_len == head.fds_len ? CHANNEL_GOT : CHANNEL_GONE;
}
