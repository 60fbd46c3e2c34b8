/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and networks; see addr.h. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* The longest IPv6 literal with room for a NUL. */
enum { LITERAL_MAX = INET6_ADDRSTRLEN };

const char *addr_ip_text(const struct addr *a, char to[static ADDR_TEXT_MAX])
{
	to[0] = '\0';
	if (a->family == AF_INET)
		inet_ntop(AF_INET, a->ip4, to, ADDR_TEXT_MAX);
	else if (a->family == AF_INET6)
		inet_ntop(AF_INET6, a->ip6, to, ADDR_TEXT_MAX);
	else if (a->family == AF_UNIX)
		snprintf(to, ADDR_TEXT_MAX, "unix:");
	return to;
}

const char *addr_text(const struct addr *a, char to[static ADDR_TEXT_MAX])
{
	char ip[ADDR_TEXT_MAX];

	addr_ip_text(a, ip);
	if (a->family == AF_INET)
		snprintf(to, ADDR_TEXT_MAX, "%.*s:%u", LITERAL_MAX, ip, a->port);
	else if (a->family == AF_INET6)
		snprintf(to, ADDR_TEXT_MAX, "[%.*s]:%u", LITERAL_MAX, ip, a->port);
	else if (a->family == AF_UNIX)
		snprintf(to, ADDR_TEXT_MAX, "unix:%s", a->path != NULL ? a->path : "");
	else
		to[0] = '\0';
	return to;
}

bool addr_parse_ip(struct str text, struct addr *a)
{
	char copy[LITERAL_MAX];
	struct in6_addr ip;

	if (text.len == 0 || text.len >= sizeof(copy) || str_has(text, '\0'))
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, &ip) == 1) {
		a->family = AF_INET;
		memcpy(a->ip4, &ip, sizeof(a->ip4));
		return true;
	}
	if (inet_pton(AF_INET6, copy, &ip) == 1) {
		a->family = AF_INET6;
		memcpy(a->ip6, &ip, sizeof(a->ip6));
		return true;
	}
	return false;
}

/* A path that does not fit is no address: cut, it would be somebody else's. */
static socklen_t to_unix(const struct addr *a, struct sockaddr_storage *to)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = a->path != NULL ? strlen(a->path) : 0;

	if (len == 0 || len >= sizeof(un.sun_path))
		return 0;
	memcpy(un.sun_path, a->path, len);
	memcpy(to, &un, sizeof(un));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
}

/* Copies in and out, since the compiler may take the kernel's structs for things that cannot overlap. */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (a->family == AF_INET) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };

		memcpy(&in.sin_addr, a->ip4, sizeof(a->ip4));
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	if (a->family == AF_INET6) {
		struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };

		memcpy(&in.sin6_addr, a->ip6, sizeof(a->ip6));
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	return a->family == AF_UNIX ? to_unix(a, to) : 0;
}

void addr_from_sockaddr(struct addr *a, const struct sockaddr_storage *from, socklen_t len)
{
	sa_family_t family = AF_UNSPEC;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (len >= sizeof(family))
		memcpy(&family, from, sizeof(family));
	*a = (struct addr){ .family = family };
	if (family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, from, sizeof(in));
		a->port = ntohs(in.sin_port);
		memcpy(a->ip4, &in.sin_addr, sizeof(a->ip4));
	} else if (family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, from, sizeof(in6));
		a->port = ntohs(in6.sin6_port);
		memcpy(a->ip6, &in6.sin6_addr, sizeof(a->ip6));
	} else if (family != AF_UNIX) {
		a->family = AF_UNSPEC;
	}
}

bool addr_same_ip(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return memcmp(a->ip4, b->ip4, sizeof(a->ip4)) == 0;
	if (a->family == AF_INET6)
		return memcmp(a->ip6, b->ip6, sizeof(a->ip6)) == 0;
	if (a->family == AF_UNIX)
		return str_eq(str_of(a->path), str_of(b->path));
	return true;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_same_ip(a, b) && a->port == b->port;
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	if (a->family == AF_INET)
		return memcmp(a->ip4, zero, sizeof(a->ip4)) == 0;
	return a->family == AF_INET6 && memcmp(a->ip6, zero, sizeof(a->ip6)) == 0;
}

static unsigned bits_of(const struct addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}

/* Of byte `i` of an address, the bits that count when the first `bits` of the whole do. */
static uint8_t mask_at(unsigned i, unsigned bits)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	return (uint8_t)(bits <= 8 * i ? 0 : 0xff00 >> (bits - 8 * i));
}

/* Clear what lies behind the mask; tells whether there was anything. */
static bool clear_host_bits(struct addr *a, unsigned bits)
{
	uint8_t *at = a->family == AF_INET ? a->ip4 : a->ip6;
	bool any = false;

	for (unsigned i = bits / 8; i < bits_of(a) / 8; i++) {
		any |= (at[i] & ~mask_at(i, bits)) != 0;
		at[i] &= mask_at(i, bits);
	}
	return any;
}

/* A mask written as an address: ones, then zeros. */
static bool parse_mask(struct str text, unsigned *bits)
{
	struct addr mask = { 0 };
	uint32_t m;

	if (!addr_parse_ip(text, &mask) || mask.family != AF_INET)
		return false;
	m = (uint32_t)mask.ip4[0] << 24 | (uint32_t)mask.ip4[1] << 16 | (uint32_t)mask.ip4[2] << 8 |
	    mask.ip4[3];
	*bits = (unsigned)__builtin_popcount(m);
	return *bits == 0 || m == ~(uint32_t)0 << (32 - *bits);
}

/* What stands behind the slash of ADDRESS/BITS or IPv4/MASK. */
static bool parse_bits(struct str text, const struct addr *base, unsigned *bits)
{
	uint64_t number;

	if (!str_number(text, bits_of(base), &number))
		return base->family == AF_INET && parse_mask(text, bits);
	*bits = (unsigned)number;
	return true;
}

bool network_parse(struct str text, struct network *n, bool *host_bits)
{
	struct network r = { 0 };
	bool slash = str_has(text, '/');
	struct str ip = str_cut(&text, '/');

	if (str_eq(ip, STR("all")) || str_eq(ip, STR("unix:"))) {
		if (slash)
			return false;
		r.base.family = ip.at[0] == 'a' ? AF_UNSPEC : AF_UNIX;
		*host_bits = false;
		*n = r;
		return true;
	}
	if (!addr_parse_ip(ip, &r.base))
		return false;
	r.bits = bits_of(&r.base);
	if (slash && !parse_bits(text, &r.base, &r.bits))
		return false;
	*host_bits = clear_host_bits(&r.base, r.bits);
	*n = r;
	return true;
}

/* ::ffff:a.b.c.d as a.b.c.d; anything else as it is. */
static struct addr unmapped(const struct addr *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	struct addr r = *a;

	if (a->family == AF_INET6 && memcmp(a->ip6, prefix, sizeof(prefix)) == 0) {
		r.family = AF_INET;
		memcpy(r.ip4, a->ip6 + sizeof(prefix), sizeof(r.ip4));
	}
	return r;
}

/* Do the first `bits` agree? Whole bytes at once, then what is left of one. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask_at(whole, bits)) == 0;
}

bool network_has(const struct network *n, const struct addr *a)
{
	struct addr plain = unmapped(a);

	if (n->base.family == AF_UNSPEC)
		return true;
	if (n->base.family == AF_INET)
		return plain.family == AF_INET && same_bits(n->base.ip4, plain.ip4, n->bits);
	if (n->base.family == AF_INET6)
		return a->family == AF_INET6 && same_bits(n->base.ip6, a->ip6, n->bits);
	return n->base.family == a->family;
}
