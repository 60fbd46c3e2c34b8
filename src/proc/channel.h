/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages with descriptors between master and workers, over a pair of local sockets that keep message
 * boundaries.
 */
#pragma once
#include "base/str.h"
#include <sys/types.h>

enum { CHANNEL_FDS_MAX = 64 };

struct message {
	unsigned kind; /* what it means is between the two ends */
	uint64_t number;
	size_t fds_len;
	int fds[CHANNEL_FDS_MAX]; /* received ones belong to the receiver */
};

/* A connected pair, non-blocking and close-on-exec. False with errno. */
bool channel_open(int ends[2]);

/* Send one message; the descriptors stay the sender's. False with errno: the other end is gone, or does not
 * read (EAGAIN). */
bool channel_send(int end, const struct message *m);

enum channel_result { CHANNEL_GOT, CHANNEL_EMPTY, CHANNEL_GONE };

/* Receive one message if there is one. */
enum channel_result channel_receive(int end, struct message *m);
