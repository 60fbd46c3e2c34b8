/* SPDX-License-Identifier: BSD-2-Clause */
/* An answer as bytes, for the cache: written and read by processes of one run, so it has no version. */
#pragma once
#include "auth/auth.h"

/* Append a yes or a no. False when the buffer is full. */
bool cache_record_write(const struct auth_answer *a, struct buf *to);

/* Read it; spans and a unix path point into `record`. False when this is no record. */
bool cache_record_read(struct str record, struct auth_answer *a);
