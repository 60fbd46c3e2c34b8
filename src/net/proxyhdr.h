/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PROXY protocol header, versions 1 and 2, in and out: pure functions over bytes.
 */
#pragma once
#include "base/addr.h"
#include "base/buf.h"

enum proxyhdr_result {
	PROXYHDR_MORE, /* not whole yet; so far nothing is wrong */
	PROXYHDR_OK,
	PROXYHDR_BAD, /* not a header; `complaint` says why */
};

struct proxyhdr {
	bool has_addresses; /* false for UNKNOWN, LOCAL, and families other than TCP over IP */
	struct addr source, destination;
	size_t size;	       /* bytes that the header takes */
	const char *complaint; /* one of the three below */
	unsigned version_seen; /* with PROXYHDR_VERSION */
};

enum { PROXYHDR_MAX = 4096 };

#define PROXYHDR_BROKEN	 "broken header"
#define PROXYHDR_VERSION "unknown PROXY protocol version"
#define PROXYHDR_LARGE	 "header is too large"

/*
 * Read a header off the front of `in`, which may hold only a part of it, or more than it. Strict: addresses
 * and ports are parsed, what the protocol leaves unassigned is refused, a checksum that is there must be
 * right. PROXYHDR_BAD is said as soon as no more bytes could mend it, and *h is whole only with
 * PROXYHDR_OK.
 */
enum proxyhdr_result proxyhdr_read(struct str in, struct proxyhdr *h);

/* "PROXY TCP4 …\r\n"; UNKNOWN unless both are IP addresses. If their families differ, both are written as
 * IPv6. */
void proxyhdr_write_v1(struct buf *to, const struct addr *source, const struct addr *destination);

/* TLS facts for version 2's TLVs; all empty for a plain client. Texts that are empty or longer than 255
 * bytes are left out: half a name would be another name. */
struct proxyhdr_tls {
	bool on;
	bool certificate; /* the client showed one … */
	bool resumed;	  /* … in an earlier connection of this TLS session */
	bool verified;
	struct str version, cipher, common_name, sig_alg, key_alg;
	struct str sni, alpn;
};

/* Binary header with TLVs AUTHORITY, ALPN, SSL and CRC32C, in the order of the peer; LOCAL and nothing more
 * unless both are IP addresses. */
void proxyhdr_write_v2(struct buf *to, const struct addr *source, const struct addr *destination,
		       const struct proxyhdr_tls *tls);
