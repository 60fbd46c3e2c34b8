/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls of the data path, counted, and cut short where a test wants it. The linker puts the shim
 * between the code under test and libc (see meson.build).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct shim {
	unsigned recv, send; /* calls */
	unsigned vain;	     /* … of them answered EAGAIN */
	unsigned splice;
	unsigned epoll_ctl, shutdown, close, sockopt, accept, connect, socket;
	int cut_fd;	 /* what is sent to this descriptor … */
	size_t cut_room; /* is taken for so many bytes more, then EAGAIN */
	bool no_splice;	 /* as sockets have it that cannot */
};

/* One for the process: the shim's functions have libc's signatures and nowhere else to look. */
extern struct shim shim;

/* All counts to zero, nothing cut. */
void shim_reset(void);

/* Every system call counted so far. */
unsigned shim_calls(void);
