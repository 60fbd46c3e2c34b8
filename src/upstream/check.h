/* SPDX-License-Identifier: BSD-2-Clause */
/* Active health checks: see check.c. Private to this folder. */
#pragma once
#include "upstream/group.h"

/* Begin to check the servers of all groups that want it; and end it. */
void checks_begin(struct upstreams *u);
void checks_end(struct upstreams *u);

/* The `set` of `check`, and what has to be known of all directives first. */
bool check_set(struct conf *c, const struct directive *d, const struct words *w, void *settings);

/* Make contexts for checks under TLS; false after a fault. And give them back. */
bool check_load(struct conf *c, const struct scope *group, struct tls_shared *shared);
void check_unload(const struct scope *group);
