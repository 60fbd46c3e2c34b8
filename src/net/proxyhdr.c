/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PROXY protocol, versions 1 and 2, after HAProxy's proxy-protocol.txt; see proxyhdr.h.
 *
 * A header is read as a whole or not at all: there is no state between two attempts, since it nearly always
 * comes in one piece and the few bytes are soon read again. Who may send one is the caller's to decide.
 */
#include "net/proxyhdr.h"

#include <assert.h>
#include <string.h>

static const char SIGNATURE[12] = { '\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

enum {
	V1_MAX = 107, /* CR LF included */
	V2_FIXED = sizeof(SIGNATURE) + 4,
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1,
	TRANSPORT_STREAM = 1,
	TRANSPORT_LAST = 2,
	TLV_FIXED = 3,
	TLV_ALPN = 0x01,
	TLV_AUTHORITY = 0x02,
	TLV_CRC32C = 0x03,
	TLV_SSL = 0x20,
	TLV_SSL_VERSION = 0x21,
	TLV_SSL_CN = 0x22,
	TLV_SSL_CIPHER = 0x23,
	TLV_SSL_SIG_ALG = 0x24,
	TLV_SSL_KEY_ALG = 0x25,
	SSL_ON = 0x01,
	SSL_CERT_NOW = 0x02,
	SSL_CERT_SESSION = 0x04,
	CRC_SIZE = 4,
	TEXT_MAX = 255,
};

/* Version 2's families, by number: how many bytes their two addresses and ports take, and of what width an
 * address is. */
static const struct family {
	sa_family_t family;
	size_t block, width;
} FAMILIES[] = {
	{ AF_UNSPEC, 0, 0 },
	{ AF_INET, 12, 4 },
	{ AF_INET6, 36, 16 },
	{ AF_UNIX, 216, 0 },
};

enum { FAMILIES_LEN = sizeof(FAMILIES) / sizeof(FAMILIES[0]) };

static enum proxyhdr_result bad(struct proxyhdr *h, const char *complaint)
{
	h->complaint = complaint;
	return PROXYHDR_BAD;
}

static unsigned byte_at(struct str s, size_t i)
{
	return (uint8_t)s.at[i];
}

static unsigned two_bytes_at(struct str s, size_t i)
{
	return byte_at(s, i) << 8 | byte_at(s, i + 1);
}

/* May `in` become, or is it already, something that begins with `head`? */
static bool agrees(struct str in, struct str head)
{
	return in.len < head.len ? str_starts(head, in) : str_starts(in, head);
}

/* A decimal number as one writes it: no leading zeros. */
static bool read_port(struct str text, uint16_t *port)
{
	uint64_t number;

	if (!str_number(text, UINT16_MAX, &number) || (text.len > 1 && text.at[0] == '0'))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* What stands between "PROXY " and CR LF. Behind UNKNOWN anything may stand, and nothing is believed. */
static bool read_v1_fields(struct str line, struct proxyhdr *h)
{
	struct str kind = str_cut(&line, ' ');
	struct str source = str_cut(&line, ' '), destination = str_cut(&line, ' ');
	struct str source_port = str_cut(&line, ' ');
	sa_family_t family = str_eq(kind, STR("TCP4")) ? AF_INET : AF_INET6;

	if (str_eq(kind, STR("UNKNOWN")))
		return true;
	h->has_addresses = true;
	return (family == AF_INET || str_eq(kind, STR("TCP6"))) && addr_parse_ip(source, &h->source) &&
	       addr_parse_ip(destination, &h->destination) && h->source.family == family &&
	       h->destination.family == family && read_port(source_port, &h->source.port) &&
	       read_port(line, &h->destination.port);
}

static enum proxyhdr_result read_v1(struct str in, struct proxyhdr *h)
{
	struct str head = STR("PROXY ");
	struct str line = { in.at, in.len < V1_MAX ? in.len : V1_MAX };
	size_t end = str_index(line, '\n');

	if (!agrees(in, head))
		return bad(h, PROXYHDR_BROKEN);
	if (end == line.len)
		return line.len < V1_MAX ? PROXYHDR_MORE : bad(h, PROXYHDR_BROKEN);
	if (line.at[end - 1] != '\r')
		return bad(h, PROXYHDR_BROKEN);
	line.len = end - 1;
	h->size = end + 1;
	return read_v1_fields(str_skip(line, head.len), h) ? PROXYHDR_OK : bad(h, PROXYHDR_BROKEN);
}

/* CRC-32C (Castagnoli, reflected), four bits at a time: enough for a header a connection, and the table
 * fits into one cache line. */
static uint32_t crc32c_more(uint32_t crc, const char *at, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)at[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

/* The checksum of a whole header, in which its own four bytes at `hole` count as zero. */
static uint32_t header_crc(struct str header, size_t hole)
{
	static const char zero[CRC_SIZE];
	uint32_t crc = crc32c_more(UINT32_MAX, header.at, hole);

	crc = crc32c_more(crc, zero, sizeof(zero));
	return ~crc32c_more(crc, header.at + hole + CRC_SIZE, header.len - hole - CRC_SIZE);
}

static bool crc_holds(struct str header, size_t at)
{
	uint32_t said = (uint32_t)two_bytes_at(header, at) << 16 | two_bytes_at(header, at + 2);

	return said == header_crc(header, at);
}

/* The TLVs from `at` on: each must fit, and a checksum must hold. Nothing else in them concerns us. */
static bool tlvs_hold(struct str header, size_t at)
{
	while (at < header.len) {
		size_t left = header.len - at, len;

		if (left < TLV_FIXED)
			return false;
		len = two_bytes_at(header, at + 1);
		if (len > left - TLV_FIXED)
			return false;
		if (byte_at(header, at) == TLV_CRC32C &&
		    (len != CRC_SIZE || !crc_holds(header, at + TLV_FIXED)))
			return false;
		at += TLV_FIXED + len;
	}
	return true;
}

static void read_address(struct str in, const struct family *f, unsigned which, struct addr *a)
{
	*a = (struct addr){ .family = f->family };
	memcpy(f->family == AF_INET ? a->ip4 : a->ip6, in.at + V2_FIXED + which * f->width, f->width);
	a->port = (uint16_t)two_bytes_at(in, V2_FIXED + 2 * f->width + which * 2);
}

/* `header` is whole. Behind LOCAL and an unspecified family anything may stand, and nothing is believed. */
static bool read_v2_body(struct str header, struct proxyhdr *h)
{
	const struct family *f = &FAMILIES[byte_at(header, 13) >> 4];

	if ((byte_at(header, 12) & 15) == COMMAND_LOCAL || f->family == AF_UNSPEC)
		return true;
	if (header.len - V2_FIXED < f->block || !tlvs_hold(header, V2_FIXED + f->block))
		return false;
	h->has_addresses = f->width != 0 && (byte_at(header, 13) & 15) == TRANSPORT_STREAM;
	if (h->has_addresses) {
		read_address(header, f, 0, &h->source);
		read_address(header, f, 1, &h->destination);
	}
	return true;
}

static enum proxyhdr_result read_v2(struct str in, struct proxyhdr *h)
{
	if (!agrees(in, (struct str){ SIGNATURE, sizeof(SIGNATURE) }))
		return bad(h, PROXYHDR_BROKEN);
	if (in.len > 12 && byte_at(in, 12) >> 4 != 2) {
		h->version_seen = byte_at(in, 12) >> 4;
		return bad(h, PROXYHDR_VERSION);
	}
	if (in.len < V2_FIXED)
		return PROXYHDR_MORE;
	if ((byte_at(in, 12) & 15) > COMMAND_PROXY || byte_at(in, 13) >> 4 >= FAMILIES_LEN ||
	    (byte_at(in, 13) & 15) > TRANSPORT_LAST)
		return bad(h, PROXYHDR_BROKEN);
	h->size = V2_FIXED + two_bytes_at(in, 14);
	if (h->size > PROXYHDR_MAX)
		return bad(h, PROXYHDR_LARGE);
	if (in.len < h->size)
		return PROXYHDR_MORE;
	in.len = h->size;
	return read_v2_body(in, h) ? PROXYHDR_OK : bad(h, PROXYHDR_BROKEN);
}

enum proxyhdr_result proxyhdr_read(struct str in, struct proxyhdr *h)
{
	*h = (struct proxyhdr){ 0 };
	if (in.len == 0)
		return PROXYHDR_MORE;
	return in.at[0] == SIGNATURE[0] ? read_v2(in, h) : read_v1(in, h);
}

static void map_to_ip6(struct addr *a)
{
	struct addr mapped = { .family = AF_INET6, .port = a->port, .ip6 = { [10] = 0xff, [11] = 0xff } };

	if (a->family != AF_INET)
		return;
	memcpy(mapped.ip6 + 12, a->ip4, sizeof(a->ip4));
	*a = mapped;
}

static bool is_ip(const struct addr *a)
{
	return a->family == AF_INET || a->family == AF_INET6;
}

/* Bring both to one family. A client of IPv4 on a connection of IPv6 occurs where a PROXY header came in:
 * better written in a roundabout way than lost. */
static bool make_alike(struct addr *a, struct addr *b)
{
	if (!is_ip(a) || !is_ip(b))
		return false;
	if (a->family != b->family) {
		map_to_ip6(a);
		map_to_ip6(b);
	}
	return true;
}

void proxyhdr_write_v1(struct buf *to, const struct addr *source, const struct addr *destination)
{
	struct addr from = *source, at = *destination;
	char from_text[ADDR_TEXT_MAX], at_text[ADDR_TEXT_MAX];

	if (make_alike(&from, &at))
		buf_format(to, "PROXY TCP%c %s %s %u %u\r\n", from.family == AF_INET ? '4' : '6',
			   addr_ip_text(&from, from_text), addr_ip_text(&at, at_text), from.port, at.port);
	else
		buf_put(to, STR("PROXY UNKNOWN\r\n"));
}

/* A version 2 header being made; large enough for all that proxyhdr_write_v2 can put in. */
struct header {
	char at[2048];
	size_t len;
};

static_assert(V2_FIXED + 36 + 7 * (TLV_FIXED + TEXT_MAX) + TLV_FIXED + 5 + TLV_FIXED + CRC_SIZE <=
		      sizeof(((struct header *)0)->at),
	      "the longest header fits");

static void put(struct header *h, const void *at, size_t len)
{
	memcpy(h->at + h->len, at, len);
	h->len += len;
}

static void put_number(struct header *h, unsigned bytes, uint32_t number)
{
	while (bytes-- > 0)
		h->at[h->len++] = (char)(number >> (8 * bytes));
}

static void put_address(struct header *h, const struct addr *a)
{
	if (a->family == AF_INET)
		put(h, a->ip4, sizeof(a->ip4));
	else
		put(h, a->ip6, sizeof(a->ip6));
}

static void put_text(struct header *h, unsigned type, struct str text)
{
	if (text.len == 0 || text.len > TEXT_MAX)
		return;
	put_number(h, 1, type);
	put_number(h, 2, (uint32_t)text.len);
	put(h, text.at, text.len);
}

/* Write a length into the two bytes at `at`: of all that stands behind them. */
static void settle_length(struct header *h, size_t at)
{
	size_t len = h->len - at - 2;

	h->at[at] = (char)(len >> 8);
	h->at[at + 1] = (char)len;
}

static unsigned ssl_bits(const struct proxyhdr_tls *tls)
{
	if (!tls->certificate)
		return SSL_ON;
	return tls->resumed ? SSL_ON | SSL_CERT_SESSION : SSL_ON | SSL_CERT_NOW | SSL_CERT_SESSION;
}

static void put_ssl(struct header *h, const struct proxyhdr_tls *tls)
{
	size_t length;

	put_number(h, 1, TLV_SSL);
	length = h->len;
	put_number(h, 2, 0);
	put_number(h, 1, ssl_bits(tls));
	put_number(h, 4, !(tls->certificate && tls->verified));
	put_text(h, TLV_SSL_VERSION, tls->version);
	put_text(h, TLV_SSL_CN, tls->common_name);
	put_text(h, TLV_SSL_CIPHER, tls->cipher);
	put_text(h, TLV_SSL_SIG_ALG, tls->sig_alg);
	put_text(h, TLV_SSL_KEY_ALG, tls->key_alg);
	settle_length(h, length);
}

/* The checksum covers the header's length, so that is settled first. */
static void put_crc(struct header *h)
{
	size_t hole = h->len + TLV_FIXED;

	put_number(h, 1, TLV_CRC32C);
	put_number(h, 2, CRC_SIZE);
	put_number(h, CRC_SIZE, 0);
	settle_length(h, V2_FIXED - 2);
	h->len = hole;
	put_number(h, CRC_SIZE, header_crc((struct str){ h->at, hole + CRC_SIZE }, hole));
}

static void put_fixed(struct header *h, unsigned command, unsigned family_and_transport)
{
	put(h, SIGNATURE, sizeof(SIGNATURE));
	put_number(h, 1, 2 << 4 | command);
	put_number(h, 1, family_and_transport);
	put_number(h, 2, 0);
}

void proxyhdr_write_v2(struct buf *to, const struct addr *source, const struct addr *destination,
		       const struct proxyhdr_tls *tls)
{
	struct addr from = *source, at = *destination;
	struct header h;

	h.len = 0;
	if (!make_alike(&from, &at)) {
		put_fixed(&h, COMMAND_LOCAL, 0);
		buf_put(to, (struct str){ h.at, h.len });
		return;
	}
	put_fixed(&h, COMMAND_PROXY, (from.family == AF_INET ? 1U : 2U) << 4 | TRANSPORT_STREAM);
	put_address(&h, &from);
	put_address(&h, &at);
	put_number(&h, 2, from.port);
	put_number(&h, 2, at.port);
	put_text(&h, TLV_AUTHORITY, tls->sni);
	put_text(&h, TLV_ALPN, tls->alpn);
	if (tls->on)
		put_ssl(&h, tls);
	put_crc(&h);
	buf_put(to, (struct str){ h.at, h.len });
}
