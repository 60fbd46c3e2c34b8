/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS messages; see dns.h. The answers come from strangers: whoever owns an address chooses the name that it
 * points to.
 *
 * Names are unpacked into the form they have on the wire without compression: labels behind their lengths,
 * ending in a label of length 0. A pointer must lead to before the place where it stands, so no name is
 * endless. A record that does not parse makes the whole message rubbish.
 */
#include "net/dns.h"

#include "base/must.h"
#include <string.h>

enum {
	HEAD = 12, /* of a message */
	CLASS_IN = 1,
	RECORDS_MAX = 256, /* looked at in an answer */
	ALIASES_MAX = 16,  /* followed */
};

struct dns_name {
	uint8_t at[DNS_NAME_MAX];
	size_t len;
};

/* --- names ----------------------------------------------------------------------------------------- */

static bool is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_label(struct str label)
{
	if (label.len == 0 || label.len > 63)
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_host_byte(label.at[i]))
			return false;
	return true;
}

/* On the wire a name takes two bytes more than its text. */
bool dns_is_host(struct str name)
{
	if (name.len == 0 || name.len > DNS_NAME_MAX - 2 || name.at[name.len - 1] == '.')
		return false;
	while (name.len != 0)
		if (!is_label(str_cut(&name, '.')))
			return false;
	return true;
}

/* `name` is a host. */
static void pack(struct str name, struct dns_name *to)
{
	to->len = 0;
	while (name.len != 0) {
		struct str label = str_cut(&name, '.');

		to->at[to->len++] = (uint8_t)label.len;
		memcpy(to->at + to->len, label.at, label.len);
		to->len += label.len;
	}
	to->at[to->len++] = 0;
}

static uint8_t byte_at(struct str m, size_t i)
{
	return (uint8_t)m.at[i];
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Lengths of labels are below 'A', so case does not confuse them. */
static bool same(const struct dns_name *a, const struct dns_name *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (lower(a->at[i]) != lower(b->at[i]))
			return false;
	return true;
}

/* Go on at an earlier place: where a pointer at *at leads, which must be before all of the name so far. */
static bool jump(struct str m, size_t *at, size_t *before)
{
	size_t to;

	if (m.len - *at < 2)
		return false;
	to = ((size_t)byte_at(m, *at) & 0x3f) << 8 | byte_at(m, *at + 1);
	if (to >= *before)
		return false;
	*at = *before = to;
	return true;
}

/* Unpack the name at *at and move behind it. */
static bool unpack(struct str m, size_t *at, struct dns_name *to)
{
	size_t i = *at, before = *at, end = 0;

	to->len = 0;
	for (;;) {
		size_t n;

		if (i >= m.len)
			return false;
		n = byte_at(m, i);
		if (n >= 0xc0) {
			end = end != 0 ? end : i + 2;
			if (!jump(m, &i, &before))
				return false;
			continue;
		}
		if (n > 63 || n >= m.len - i || to->len + n + 1 > sizeof(to->at))
			return false;
		memcpy(to->at + to->len, m.at + i, n + 1);
		to->len += n + 1;
		i += n + 1;
		if (n == 0)
			break;
	}
	*at = end != 0 ? end : i;
	return true;
}

/* --- questions ------------------------------------------------------------------------------------- */

static void put16(struct buf *to, unsigned n)
{
	buf_put_byte(to, (char)(n >> 8));
	buf_put_byte(to, (char)n);
}

void dns_ask(struct buf *to, uint16_t id, struct str name, enum dns_type type)
{
	enum { RECURSION_DESIRED = 0x0100 };
	struct dns_name packed;

	must(dns_is_host(name));
	pack(name, &packed);
	put16(to, id);
	put16(to, RECURSION_DESIRED);
	put16(to, 1);
	put16(to, 0);
	put16(to, 0);
	put16(to, 0);
	buf_put(to, (struct str){ (const char *)packed.at, packed.len });
	put16(to, type);
	put16(to, CLASS_IN);
}

static void put_ip4(struct buf *to, const uint8_t ip[static 4])
{
	buf_format(to, "%u.%u.%u.%u.in-addr.arpa", ip[3], ip[2], ip[1], ip[0]);
}

/* RFC 3596 section 2.5; an IPv4 address on an IPv6 socket is looked up as what it is. */
void dns_reverse_put(struct buf *to, const struct addr *a)
{
	static const uint8_t MAPPED[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (a->family == AF_INET) {
		put_ip4(to, a->ip4);
		return;
	}
	must(a->family == AF_INET6);
	if (memcmp(a->ip6, MAPPED, sizeof(MAPPED)) == 0) {
		put_ip4(to, a->ip6 + sizeof(MAPPED));
		return;
	}
	for (size_t i = sizeof(a->ip6); i > 0; i--)
		buf_format(to, "%x.%x.", a->ip6[i - 1] & 15, a->ip6[i - 1] >> 4);
	buf_put(to, STR("ip6.arpa"));
}

/* --- answers --------------------------------------------------------------------------------------- */

/* A record of the answer section. */
struct record {
	struct dns_name owner;
	unsigned type, class;
	uint32_t ttl_s;
	size_t at, len; /* its data */
};

static unsigned get16(struct str m, size_t i)
{
	return (unsigned)byte_at(m, i) << 8 | byte_at(m, i + 1);
}

static bool read_record(struct str m, size_t *at, struct record *r)
{
	enum { FIXED = 10 };

	if (!unpack(m, at, &r->owner) || m.len - *at < FIXED)
		return false;
	r->type = get16(m, *at);
	r->class = get16(m, *at + 2);
	r->ttl_s = (uint32_t)get16(m, *at + 4) << 16 | get16(m, *at + 6);
	r->len = get16(m, *at + 8);
	r->at = *at + FIXED;
	if (r->len > m.len - r->at)
		return false;
	*at = r->at + r->len;
	return true;
}

/* A name that is a record's whole data. */
static bool read_name(struct str m, const struct record *r, struct dns_name *to)
{
	size_t at = r->at;

	return unpack(m, &at, to) && at == r->at + r->len;
}

/* RFC 2181 section 8: a negative TTL is none. */
static void shorten(struct dns_answer *a, uint32_t ttl_s)
{
	if (ttl_s > INT32_MAX)
		ttl_s = 0;
	if (ttl_s < a->ttl_s)
		a->ttl_s = ttl_s;
}

static bool take_addr(struct str m, const struct record *r, struct dns_answer *a)
{
	struct addr *to = &a->addrs[a->addrs_len];

	if (r->len != (r->type == DNS_A ? 4 : 16))
		return false;
	if (a->addrs_len == DNS_ADDRS_MAX)
		return true;
	*to = (struct addr){ .family = r->type == DNS_A ? AF_INET : AF_INET6 };
	memcpy(r->type == DNS_A ? to->ip4 : to->ip6, m.at + r->at, r->len);
	a->addrs_len++;
	return true;
}

static bool take_name(struct str m, const struct record *r, struct dns_answer *a)
{
	struct dns_name name;

	if (!read_name(m, r, &name))
		return false;
	if (a->has_name)
		return true;
	a->has_name = a->name_is_host = true;
	for (size_t i = 0; name.at[i] != 0; i += name.at[i] + 1u) {
		struct str label = { (const char *)name.at + i + 1, name.at[i] };

		if (i != 0)
			a->name[a->name_len++] = '.';
		memcpy(a->name + a->name_len, label.at, label.len);
		a->name_len += label.len;
		a->name_is_host &= is_label(label);
	}
	a->name_is_host &= a->name_len != 0;
	return true;
}

/* What is being looked for, while aliases lead from name to name. */
struct search {
	struct str message;
	size_t first; /* record */
	unsigned records;
	enum dns_type type;
	struct dns_name name;
	struct dns_answer *answer;
};

/* Go once through the records. *moved: the name turned out to be an alias, and is now what it stands for. */
static bool search_once(struct search *s, bool *moved)
{
	size_t at = s->first;

	*moved = false;
	for (unsigned i = 0; i < s->records; i++) {
		struct record r;

		if (!read_record(s->message, &at, &r))
			return false;
		if (r.class != CLASS_IN || !same(&r.owner, &s->name))
			continue;
		if (r.type == DNS_CNAME) {
			if (!read_name(s->message, &r, &s->name))
				return false;
			*moved = true;
		} else if (r.type != (unsigned)s->type) {
			continue;
		} else if (!(r.type == DNS_PTR ? take_name : take_addr)(s->message, &r, s->answer)) {
			return false;
		}
		shorten(s->answer, r.ttl_s);
	}
	return true;
}

/* Records usually stand in the order in which aliases lead, so the first time through finds it all. */
static bool search_all(struct search *s)
{
	bool moved = true;

	for (int i = 0; moved && i < ALIASES_MAX; i++) {
		if (!search_once(s, &moved))
			return false;
		if (s->answer->has_name || s->answer->addrs_len != 0)
			break;
	}
	return true;
}

bool dns_read(struct str message, struct str name, enum dns_type type, struct dns_answer *answer)
{
	enum { IS_ANSWER = 0x8000, RCODE = 15 };
	struct search s = { .message = message, .first = HEAD, .type = type, .answer = answer };
	struct dns_name asked;

	must(dns_is_host(name));
	*answer = (struct dns_answer){ .ttl_s = INT32_MAX };
	if (message.len < HEAD || !(get16(message, 2) & IS_ANSWER) || get16(message, 4) != 1)
		return false;
	pack(name, &s.name);
	if (!unpack(message, &s.first, &asked) || !same(&asked, &s.name) || message.len - s.first < 4 ||
	    get16(message, s.first) != (unsigned)type || get16(message, s.first + 2) != CLASS_IN)
		return false;
	s.first += 4;
	s.records = get16(message, 6) < RECORDS_MAX ? get16(message, 6) : RECORDS_MAX;
	answer->rcode = get16(message, 2) & RCODE;
	return answer->rcode != 0 || search_all(&s);
}
