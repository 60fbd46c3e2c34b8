/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PROXY protocol header, versions 1 and 2, in and out: pure functions over bytes.
 */
#pragma once
#include "base/addr.h"
#include "base/buf.h"

enum proxyhdr_result {
	PROXYHDR_MORE,			/* not whole yet; so far nothing is wrong */
	PROXYHDR_OK,
	PROXYHDR_BAD,			/* not a header; `complaint` says why */
};

struct proxyhdr {
	bool has_addresses;		/* false for UNKNOWN, LOCAL, and families other than TCP over IP */
	struct addr source, destination;
	size_t size;			/* bytes that the header takes */
	const char *complaint;		/* static: "broken header", "unknown PROXY protocol version", "header is too large" */
	unsigned version_seen;		/* with "unknown PROXY protocol version" */
};

enum { PROXYHDR_MAX = 4096 };

/* Read a header off the front of `in`, which may hold only a part of it, or more than it. */
enum proxyhdr_result proxyhdr_read(struct str in, struct proxyhdr *h);

/* "PROXY TCP4 …\r\n"; UNKNOWN unless both are of one IP family. */
void proxyhdr_write_v1(struct buf *to, const struct addr *source, const struct addr *destination);

/* TLS facts for version 2's TLVs; all empty for a plain client. */
struct proxyhdr_tls {
	bool on;
	bool certificate;		/* the client showed one */
	bool verified;
	struct str version, cipher, common_name, sig_alg, key_alg;	/* at NULL: left out */
	struct str sni, alpn;
};

/* Binary header with TLVs AUTHORITY, ALPN, SSL and CRC32C, in the order of the peer; LOCAL for non-IP. */
void proxyhdr_write_v2(struct buf *to, const struct addr *source, const struct addr *destination, const struct proxyhdr_tls *tls);
