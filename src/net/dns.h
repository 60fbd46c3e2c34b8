/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS messages (RFC 1035), as far as names of addresses and addresses of names need them: pure functions over
 * bytes. Sending, waiting and asking again are resolve.c's.
 */
#pragma once
#include "base/addr.h"
#include "base/buf.h"

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_AAAA = 28 };

enum { DNS_NAME_MAX = 255, DNS_QUESTION_MAX = 300, DNS_ADDRS_MAX = 32 };

/* May stand for a host: labels of letters, digits and '-', separated by single dots, in the lengths that DNS
 * allows. */
bool dns_is_host(struct str name);

/* Append a query for `name`, which is a host. */
void dns_ask(struct buf *to, uint16_t id, struct str name, enum dns_type type);

/* Append the name whose PTR record tells an IP address's name. */
void dns_reverse_put(struct buf *to, const struct addr *a);

struct dns_answer {
	unsigned rcode;			  /* RFC 1035 section 4.1.1; 0: no error */
	uint32_t ttl_s;			  /* the shortest of all that led to the answer */
	struct addr addrs[DNS_ADDRS_MAX]; /* of A and AAAA, port 0; more are dropped */
	size_t addrs_len;
	char name[DNS_NAME_MAX]; /* of PTR: the first one; dots between labels, any bytes */
	size_t name_len;
	bool has_name;
	bool name_is_host; /* no label holds what dns_is_host forbids */
};

/* Read what a server answered to the question for `name` and `type`, following aliases. False: rubbish, or
 * the answer to something else. */
bool dns_read(struct str message, struct str name, enum dns_type type, struct dns_answer *answer);
