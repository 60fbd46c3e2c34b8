/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a login is to go, as configurations and authentication sources write it: see target.c. */
#pragma once
#include "base/addr.h"

enum target_kind { TARGET_NAME, TARGET_IP, TARGET_UNIX };

struct target {
	enum target_kind kind;
	struct str host;  /* of the text: the name, the literal without brackets, the path */
	uint16_t port;	  /* 0: none was given */
	struct addr addr; /* of TARGET_IP, with `port`; of TARGET_UNIX without the path */
};

/*
 * Read "HOST", "HOST:PORT", "IP", "IPv4:PORT", "[IPv6]", "[IPv6]:PORT", a bare IPv6, "unix:PATH"; any bytes
 * are allowed. NULL on success, else what is wrong with it, and *t is untouched.
 */
const char *target_parse(struct str text, struct target *t);
