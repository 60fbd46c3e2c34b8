/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls of the data path, counted, and cut short where a test wants it. The linker puts the shim
 * between the code under test and libc (see meson.build).
 */
#pragma once
#include <stddef.h>

struct shim {
	unsigned recv, send; /* calls */
	unsigned vain;	     /* … of them answered EAGAIN */
	unsigned epoll_ctl, shutdown, close, sockopt, accept, connect, socket;
	int cut_fd;	 /* sends to this descriptor … */
	size_t cut_room; /* … take only so many bytes more, then say EAGAIN */
	size_t most;	 /* the largest single send so far */
};

/* One for the process: the shim's functions have libc's signatures and nowhere else to look. */
extern struct shim shim;

/* All counts to zero, nothing cut. */
void shim_reset(void);

/* Every system call counted so far. */
unsigned shim_calls(void);
