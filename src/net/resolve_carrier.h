/* SPDX-License-Identifier: BSD-2-Clause */
/* What brings the resolver's queries to name servers and their answers back; private to it. */
#pragma once
#include "net/resolve.h"

struct carrier;

/* The answer to a query: with RESOLVE_OK the message, valid during the call; else why there is none. */
typedef void carrier_fn(void *arg, enum resolve_status status, struct str message);

/* For servers with their ports; at least one. */
struct carrier *carrier_new(struct loop *l, const struct addr *servers, size_t len);

/* Queries under way are dropped, and their answers do not come. Not from inside a callback. NULL is allowed.
 */
void carrier_free(struct carrier *c);

/* Send a whole DNS message and wait for the answer to it, which comes once; perhaps from inside the call. */
void carrier_send(struct carrier *c, struct str query, carrier_fn *fn, void *arg);
