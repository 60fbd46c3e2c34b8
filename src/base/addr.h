/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of sockets and networks, kept small because every session holds some: 24 bytes instead of the 128
 * of sockaddr_storage. The scope of a link-local IPv6 address is not kept.
 */
#pragma once
#include "base/buf.h"
#include <netinet/in.h>
#include <sys/socket.h>

struct addr {
	uint16_t family; /* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC is "none" */
	uint16_t port;	 /* in the host's byte order */
	union {
		uint8_t ip4[4];
		uint8_t ip6[16];
		const char *path; /* AF_UNIX; owned elsewhere, NULL for a nameless peer */
	};
};

/* Room for any text below: "[IPv6]:PORT" or "unix:" and a path. */
enum { ADDR_TEXT_MAX = 128 };

/* "192.0.2.1:25", "[2001:db8::1]:25", "unix:/path"; a nameless unix peer is "unix:", none is "". Returns
 * `to`. */
const char *addr_text(const struct addr *a, char to[static ADDR_TEXT_MAX]);

/* The same without port and brackets: "192.0.2.1", "2001:db8::1", "unix:". */
const char *addr_ip_text(const struct addr *a, char to[static ADDR_TEXT_MAX]);

/* Read an IPv4 or bare IPv6 literal; the port stays as it is. False when it is none, and *a is untouched. */
bool addr_parse_ip(struct str text, struct addr *a);

/* To and from what the kernel takes. The length is 0, which bind() and connect() refuse as EINVAL, when there
 * is no such address: none at all, a nameless unix one, a path that is too long. addr_from_sockaddr keeps no
 * unix path, and gives "none" for what is too short or of another family. */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *to);
void addr_from_sockaddr(struct addr *a, const struct sockaddr_storage *from, socklen_t len);

/* Same family, address, port and path. Two that are "none" are equal; ::ffff:a.b.c.d is not a.b.c.d. */
bool addr_eq(const struct addr *a, const struct addr *b);

/* Same family and address (or path), whatever the port. */
bool addr_same_ip(const struct addr *a, const struct addr *b);

/* 0.0.0.0 or ::. */
bool addr_is_any(const struct addr *a);

/* A network: an address of which the first `bits` count. Family AF_UNSPEC matches everything ("all"), AF_UNIX
 * every unix peer. */
struct network {
	struct addr base;
	unsigned bits;
};

/* Read "all", "unix:", an address, or ADDRESS/BITS or IPv4/MASK. *host_bits tells whether bits beyond the
 * mask were set (they are cleared). False when it is none of these, and nothing is written. */
bool network_parse(struct str text, struct network *n, bool *host_bits);

/* An IPv4 client on an IPv6 socket (::ffff:a.b.c.d) matches IPv4 networks too. */
bool network_has(const struct network *n, const struct addr *a);
