/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asynchronous DNS through c-ares: names of addresses, addresses of names. Answers are kept by their TTL, and
 * many askers of one question share one query. Names that come back are checked before anybody sees them.
 */
#pragma once
#include "base/addr.h"
#include "loop/loop.h"

struct resolver;
struct resolve_query;

enum resolve_status {
	RESOLVE_OK,
	RESOLVE_FORMAT,
	RESOLVE_SERVFAIL,
	RESOLVE_NOT_FOUND,
	RESOLVE_UNIMPLEMENTED,
	RESOLVE_REFUSED,
	RESOLVE_TIMEOUT,
	RESOLVE_BAD_NAME, /* what came back, or what was asked for, cannot be a host's name */
};

/* "Host not found" and kin, as they stand in the log. */
const char *resolve_status_text(enum resolve_status status);

/* The number that stands before the text in the log (DNS rcodes; 110 for a timeout). */
unsigned resolve_status_number(enum resolve_status status);

/* Valid during the callback. */
struct resolve_answer {
	enum resolve_status status;
	struct str name;	  /* of resolve_ptr: letters, digits, '-', '.' only; printable, for the log,
				   * with RESOLVE_BAD_NAME */
	const struct addr *addrs; /* of resolve_host; port 0 */
	size_t addrs_len;
	uint64_t good_ms; /* how long it stays good: by TTL, or `valid_ms` */
};

typedef void resolve_fn(struct resolve_query *q, const struct resolve_answer *answer);

/* Embedded in who asks. May be used again from inside its callback. */
struct resolve_query {
	resolve_fn *fn;
	struct resolve_query *next, **link; /* link != NULL: under way */
	struct timer limit;
};

struct resolver_options {
	const struct addr *servers;
	size_t servers_len;
	uint64_t valid_ms; /* keep answers this long whatever their TTL; 0: by TTL */
	bool no_ipv4, no_ipv6;
};

/* The options are copied. */
struct resolver *resolver_new(struct loop *l, const struct resolver_options *o);

/* All queries must be answered or cancelled before. Not from inside a callback. NULL is allowed. */
void resolver_free(struct resolver *r);

/* Ask; the answer comes within `limit_ms`, never from inside the call. The address is one of IP. */
void resolve_ptr(struct resolver *r, struct resolve_query *q, const struct addr *a, uint64_t limit_ms,
		 resolve_fn *fn);
void resolve_host(struct resolver *r, struct resolve_query *q, struct str name, uint64_t limit_ms,
		  resolve_fn *fn);

/* The answer will not come any more. Nothing happens to a query that is not under way. */
void resolve_cancel(struct resolve_query *q);
