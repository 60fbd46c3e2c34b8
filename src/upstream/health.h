/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a server may be tried: pure functions over its shared entry, which the caller has locked. See
 * health.c. Private to this folder.
 */
#pragma once
#include "upstream/conf.h"
#include "upstream/shared.h"

enum health_change { HEALTH_AS_BEFORE, HEALTH_WENT_DOWN, HEALTH_CAME_UP };

/* In service, or due for a try that nobody makes at this moment. `checked`: its group has active checks, so
 * their result counts. */
bool health_ready(const struct shared_entry *e, bool checked, uint64_t now_ms);

/* It is being tried: if it is out, nobody else tries before this one has told, or fail_timeout is over. What
 * tells this trial from others, for health_neutral; 0: it is none. */
uint64_t health_try(struct shared_entry *e, const struct server_conf *c, uint64_t now_ms);

/* What came of a login. *down_ms: how long it was down, of HEALTH_CAME_UP. */
enum health_change health_good(struct shared_entry *e, bool checked, uint64_t now_ms, uint64_t *down_ms);
enum health_change health_failed(struct shared_entry *e, const struct server_conf *c, uint64_t now_ms);
void health_neutral(struct shared_entry *e, uint64_t trial);

/* What an active check found: the first that says otherwise than before counts from `fails` or `rises` in a
 * row on. What logins had found is forgotten when a check logs in, else only when its time is
 * over: a server may greet well and turn every login away. */
enum health_change health_checked(struct shared_entry *e, bool good, const struct check_conf *k,
				  uint64_t now_ms, uint64_t *down_ms);

/* Its weight in units of 1/WEIGHT_UNIT, less while it starts slowly; at least 1. */
enum { WEIGHT_UNIT = 256 };
uint64_t health_weight(const struct shared_entry *e, const struct server_conf *c, uint64_t now_ms);

/* Take a login's place in login_rate: 0, or how many ms until there is one. */
uint64_t health_wait(const struct shared_entry *e, const struct server_conf *c, uint64_t now_ms);
void health_take(struct shared_entry *e, const struct server_conf *c, uint64_t now_ms);
