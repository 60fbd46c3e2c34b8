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

static socklen_t to_unix(const struct addr *a, struct sockaddr_un *to)
{
	size_t len = a->path != NULL ? strlen(a->path) : 0;

	to->sun_family = AF_UNIX;
	if (len >= sizeof(to->sun_path))
		len = sizeof(to->sun_path) - 1;
	if (len != 0)
		memcpy(to->sun_path, a->path, len);
	to->sun_path[len] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;

		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip4, sizeof(a->ip4));
		return sizeof(*in);
	}
	if (a->family == AF_INET6) {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)to;

		in->sin6_family = AF_INET6;
		in->sin6_port = htons(a->port);
		memcpy(&in->sin6_addr, a->ip6, sizeof(a->ip6));
		return sizeof(*in);
	}
	return to_unix(a, (struct sockaddr_un *)to);
}

void addr_from_sockaddr(struct addr *a, const struct sockaddr_storage *from, socklen_t len)
{
	*a = (struct addr){ .family = len != 0 ? from->ss_family : AF_UNSPEC };
	if (a->family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;

		a->port = ntohs(in->sin_port);
		memcpy(a->ip4, &in->sin_addr, sizeof(a->ip4));
	} else if (a->family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)from;

		a->port = ntohs(in->sin6_port);
		memcpy(a->ip6, &in->sin6_addr, sizeof(a->ip6));
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

static uint8_t *bytes_of(struct addr *a)
{
	return a->family == AF_INET ? a->ip4 : a->ip6;
}

/* Clear what lies behind the mask; tells whether there was anything. */
static bool clear_host_bits(struct addr *a, unsigned bits)
{
	uint8_t *at = bytes_of(a);
	bool any = false;

	for (unsigned i = bits; i < bits_of(a); i++) {
		uint8_t bit = (uint8_t)(0x80 >> (i % 8));

		any |= (at[i / 8] & bit) != 0;
		at[i / 8] &= (uint8_t)~bit;
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
	m = (uint32_t)mask.ip4[0] << 24 | (uint32_t)mask.ip4[1] << 16 | (uint32_t)mask.ip4[2] << 8 | mask.ip4[3];
	*bits = (unsigned)__builtin_popcount(m);
	return *bits == 0 || m == ~(uint32_t)0 << (32 - *bits);
}

bool network_parse(struct str text, struct network *n, bool *host_bits)
{
	struct network r = { 0 };
	struct str ip = str_cut(&text, '/');
	bool slash = text.at != NULL && text.at != ip.at + ip.len;
	uint64_t bits;

	*host_bits = false;
	if (str_eq(ip, STR("all")) || str_eq(ip, STR("unix:"))) {
		r.base.family = ip.at[0] == 'a' ? AF_UNSPEC : AF_UNIX;
		*n = r;
		return !slash;
	}
	if (!addr_parse_ip(ip, &r.base))
		return false;
	r.bits = bits_of(&r.base);
	if (slash) {
		if (str_number(text, r.bits, &bits))
			r.bits = (unsigned)bits;
		else if (r.base.family != AF_INET || !parse_mask(text, &r.bits))
			return false;
	}
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

bool network_has(const struct network *n, const struct addr *a)
{
	struct addr who = unmapped(a);

	if (n->base.family == AF_UNSPEC)
		return true;
	if (n->base.family == AF_INET6 && a->family == AF_INET6)
		who = *a;
	if (n->base.family != who.family)
		return false;
	if (who.family == AF_UNIX)
		return true;
	clear_host_bits(&who, n->bits);
	return addr_same_ip(&n->base, &who);
}
