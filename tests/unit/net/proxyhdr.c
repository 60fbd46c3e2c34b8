/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROXY headers in and out. Every header is also read in pieces: whatever is cut off, the answer is "more",
 * and whatever follows changes nothing.
 */
#include "net/proxyhdr.h"

#include "unit.h"
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct addr ip(const char *text, uint16_t port)
{
	struct addr a = { .port = port };

	assert_true(addr_parse_ip(str_of(text), &a));
	return a;
}

/* A header that is in order, however it comes in. */
static struct proxyhdr good(struct str whole)
{
	struct proxyhdr h;
	char longer[PROXYHDR_MAX + 8];

	for (size_t n = 0; n < whole.len; n++)
		assert_int_equal(proxyhdr_read((struct str){ whole.at, n }, &h), PROXYHDR_MORE);
	memcpy(longer, whole.at, whole.len);
	memcpy(longer + whole.len, "EHLO x\r\n", 8);
	assert_int_equal(proxyhdr_read((struct str){ longer, whole.len + 8 }, &h), PROXYHDR_OK);
	assert_int_equal(h.size, whole.len);
	assert_int_equal(proxyhdr_read(whole, &h), PROXYHDR_OK);
	assert_int_equal(h.size, whole.len);
	return h;
}

static void good_between(struct str whole, struct addr source, struct addr destination)
{
	struct proxyhdr h = good(whole);

	assert_true(h.has_addresses);
	assert_true(addr_eq(&h.source, &source));
	assert_true(addr_eq(&h.destination, &destination));
}

/* A header that is not in order; before it is found out it may only ask for more. */
static void bad(struct str in, const char *complaint)
{
	struct proxyhdr h;
	bool found = false;

	for (size_t n = 0; n <= in.len; n++) {
		enum proxyhdr_result r = proxyhdr_read((struct str){ in.at, n }, &h);

		assert_int_equal(r, found || r == PROXYHDR_BAD ? PROXYHDR_BAD : PROXYHDR_MORE);
		found = r == PROXYHDR_BAD;
	}
	if (!found)
		fail_msg("taken for a header: %.*s", (int)in.len, in.at);
	assert_string_equal(h.complaint, complaint);
}

static void reads_v1(void **state)
{
	(void)state;
	good_between(STR("PROXY TCP4 192.0.2.1 198.51.100.7 56324 143\r\n"), ip("192.0.2.1", 56324),
		     ip("198.51.100.7", 143));
	good_between(STR("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n"), ip("255.255.255.255", 0),
		     ip("0.0.0.0", 65535));
	good_between(STR("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), ip("2001:db8::1", 1), ip("::1", 2));
	/* the longest there is: 107 bytes */
	good_between(STR("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
			 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
		     ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
		     ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535));
	assert_false(good(STR("PROXY UNKNOWN\r\n")).has_addresses);
	assert_false(good(STR("PROXY UNKNOWN ffff::1 anything at all 1 2\r\n")).has_addresses);
}

static void refuses_v1_that_is_not(void **state)
{
	static const char *const lines[] = {
		"EHLO client\r\n",
		"proxy TCP4 1.2.3.4 1.2.3.5 1 2\r\n",
		"PROXY  TCP4 1.2.3.4 1.2.3.5 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n",
		"PROXY UNKNOWN\n",
		"PROXY \r\n",
		"PROXY TCP4\r\n",
		"PROXY TCP4 \r\n",
		"PROXY TCP5 1.2.3.4 1.2.3.5 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1 \r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1 2 \r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n",
		"PROXY TCP4 1.2.3.4  1.2.3.5 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 65536 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 -1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 0x1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1 99999999999999999999\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1 2x\r\n",
		"PROXY TCP4 1.2.3 1.2.3.5 1 2\r\n",
		"PROXY TCP4 1.2.3.256 1.2.3.5 1 2\r\n",
		"PROXY TCP4 01.2.3.4 1.2.3.5 1 2\r\n",
		"PROXY TCP4 localhost 1.2.3.5 1 2\r\n",
		"PROXY TCP4 ::1 ::1 1 2\r\n",
		"PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n",
		"PROXY TCP6 ::1 1.2.3.5 1 2\r\n",
		"PROXY TCP6 [::1] [::1] 1 2\r\n",
		"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
		"PROXY UNKNOWNX\r\n",
		"PROXY TCP4 1.2.3.4\t1.2.3.5 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		bad(str_of(lines[i]), "broken header");
	bad(STR("PROXY TCP4 1.2.3.4\0 1.2.3.5 1 2\r\n"), "broken header");
}

/* 107 bytes without an end are enough, 106 are not. */
static void does_not_wait_for_ever(void **state)
{
	char line[108];
	struct proxyhdr h;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	assert_int_equal(proxyhdr_read((struct str){ line, 106 }, &h), PROXYHDR_MORE);
	assert_int_equal(proxyhdr_read((struct str){ line, 107 }, &h), PROXYHDR_BAD);
	memcpy(line + 105, "\r\n", 2);
	assert_int_equal(proxyhdr_read((struct str){ line, 107 }, &h), PROXYHDR_OK);
	memcpy(line + 105, "x\r\n", 3);
	assert_int_equal(proxyhdr_read((struct str){ line, 108 }, &h), PROXYHDR_BAD);
}

#define V4          \
	"\1\2\3\4"  \
	"\5\6\7\10" \
	"\x12\x34"  \
	"\0\x8f"
#define ZERO8 "\0\0\0\0\0\0\0\0"
#define V6                                                \
	"\x20\1\xd\xb8" ZERO8 "\0\0\0\1" ZERO8 "\0\0\0\0" \
	"\0\0\0\2"                                        \
	"\x12\x34"                                        \
	"\0\x19"

static void reads_v2(void **state)
{
	struct addr source = ip("1.2.3.4", 0x1234), destination = ip("5.6.7.8", 143);

	(void)state;
	good_between(STR(SIGNATURE "\x21\x11\0\14" V4), source, destination);
	good_between(STR(SIGNATURE "\x21\x21\0\x24" V6), ip("2001:db8::1", 0x1234), ip("::2", 25));
	/* TLVs of any kind are passed over: NOOP, and one that does not exist */
	good_between(STR(SIGNATURE "\x21\x11\0\25" V4 "\4\0\0"
				   "\xee\0\3abc"),
		     source, destination);
	/* no addresses: LOCAL, whatever follows; unspecified; datagrams; unix */
	assert_false(good(STR(SIGNATURE "\x20\0\0\0")).has_addresses);
	assert_false(good(STR(SIGNATURE "\x20\x11\0\2xx")).has_addresses);
	assert_false(good(STR(SIGNATURE "\x21\0\0\2xx")).has_addresses);
	assert_false(good(STR(SIGNATURE "\x21\x12\0\14" V4)).has_addresses);
	assert_false(good(STR(SIGNATURE "\x21\x10\0\14" V4)).has_addresses);
}

static void reads_v2_of_a_unix_client(void **state)
{
	char header[16 + 216] = SIGNATURE "\x21\x31\0\xd8";

	(void)state;
	assert_false(good((struct str){ header, sizeof(header) }).has_addresses);
	header[15]--;
	bad((struct str){ header, sizeof(header) - 1 }, "broken header");
}

static void refuses_v2_that_is_not(void **state)
{
	struct proxyhdr h;

	(void)state;
	bad(STR("\r\n\r\nHELO"), "broken header");
	bad(STR(SIGNATURE "\x11\x11\0\14" V4), "unknown PROXY protocol version");
	bad(STR(SIGNATURE "\x31\x11\0\14" V4), "unknown PROXY protocol version");
	proxyhdr_read(STR(SIGNATURE "\x31"), &h);
	assert_int_equal(h.version_seen, 3);
	/* an unassigned command, family, transport */
	bad(STR(SIGNATURE "\x22\x11\0\14" V4), "broken header");
	bad(STR(SIGNATURE "\x21\x41\0\14" V4), "broken header");
	bad(STR(SIGNATURE "\x21\x13\0\14" V4), "broken header");
	/* too short for its addresses */
	bad(STR(SIGNATURE "\x21\x11\0\13\1\2\3\4\5\6\7\10\1\2\0"), "broken header");
	bad(STR(SIGNATURE "\x21\x21\0\14" V4), "broken header");
	/* TLVs that do not fit */
	bad(STR(SIGNATURE "\x21\x11\0\15" V4 "\4"), "broken header");
	bad(STR(SIGNATURE "\x21\x11\0\16" V4 "\4\0"), "broken header");
	bad(STR(SIGNATURE "\x21\x11\0\20" V4 "\4\0\2x"), "broken header");
	/* larger than any sender has reason for; refused before it is waited for */
	bad(STR(SIGNATURE "\x21\x11\xf\xf1"), "header is too large");
	bad(STR(SIGNATURE "\x20\0\xff\xff"), "header is too large");
	assert_int_equal(proxyhdr_read(STR(SIGNATURE "\x21\x11\xf\xf0"), &h), PROXYHDR_MORE);
}

/* The checksum as its definition has it, bit by bit. */
static uint32_t crc32c(struct str s)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < s.len; i++) {
		crc ^= (uint8_t)s.at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static void checks_the_checksum(void **state)
{
	char header[] = SIGNATURE "\x21\x11\0\23" V4 "\3\0\4\0\0\0\0";
	struct str whole = { header, sizeof(header) - 1 };
	uint32_t crc;

	(void)state;
	assert_int_equal(crc32c(STR("123456789")), 0xe3069283);
	crc = crc32c(whole);
	for (int i = 0; i < 4; i++)
		header[whole.len - 4 + (size_t)i] = (char)(crc >> (24 - 8 * i));
	good_between(whole, ip("1.2.3.4", 0x1234), ip("5.6.7.8", 143));
	for (size_t i = 16; i < whole.len; i++) {
		struct proxyhdr h;

		if (i >= 28 && i < 31)
			continue;
		header[i] ^= 1;
		assert_int_equal(proxyhdr_read(whole, &h), PROXYHDR_BAD);
		header[i] ^= 1;
	}
	bad(STR(SIGNATURE "\x21\x11\0\22" V4 "\3\0\3\0\0\0"), "broken header");
}

static struct str v1(struct buf *b, struct addr source, struct addr destination)
{
	buf_clear(b);
	proxyhdr_write_v1(b, &source, &destination);
	return buf_text(b);
}

static void writes_v1(void **state)
{
	struct addr nobody = { .family = AF_UNIX }, none = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	assert_str(v1(&b, ip("192.0.2.1", 56324), ip("198.51.100.7", 143)),
		   STR("PROXY TCP4 192.0.2.1 198.51.100.7 56324 143\r\n"));
	assert_str(v1(&b, ip("2001:db8::1", 1), ip("::1", 65535)),
		   STR("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"));
	/* of different families: the client's address is worth more than its looks */
	assert_str(v1(&b, ip("192.0.2.1", 7), ip("::1", 8)), STR("PROXY TCP6 ::ffff:192.0.2.1 ::1 7 8\r\n"));
	assert_str(v1(&b, nobody, ip("::1", 1)), STR("PROXY UNKNOWN\r\n"));
	assert_str(v1(&b, ip("::1", 1), none), STR("PROXY UNKNOWN\r\n"));
	good_between(v1(&b, ip("192.0.2.1", 7), ip("::1", 8)), ip("::ffff:192.0.2.1", 7), ip("::1", 8));
	buf_done(&b);
}

/* A buffer without room gets nothing of it. */
static void writes_all_or_nothing(void **state)
{
	struct proxyhdr_tls tls = { .on = true, .version = STR("TLSv1.3") };
	struct addr a = ip("1.2.3.4", 5);
	struct buf b;

	(void)state;
	buf_init(&b, 20);
	proxyhdr_write_v1(&b, &a, &a);
	assert_true(b.full);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	proxyhdr_write_v2(&b, &a, &a, &tls);
	assert_true(b.full);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

/* A version 2 header taken apart by other means: the TLVs follow each other in order, and the last is a
 * checksum that holds. */
static void assert_v2(struct str whole, struct str fixed_and_addresses, struct str tlvs)
{
	char copy[4096];
	size_t crc_at = whole.len - 4;
	uint32_t crc;

	good(whole);
	assert_int_equal(whole.len, fixed_and_addresses.len + tlvs.len + 7);
	assert_str(((struct str){ whole.at, fixed_and_addresses.len }), fixed_and_addresses);
	assert_str(((struct str){ whole.at + fixed_and_addresses.len, tlvs.len }), tlvs);
	assert_memory_equal(whole.at + crc_at - 3, "\3\0\4", 3);
	memcpy(copy, whole.at, whole.len);
	memset(copy + crc_at, 0, 4);
	crc = crc32c((struct str){ copy, whole.len });
	for (int i = 0; i < 4; i++)
		assert_int_equal((uint8_t)whole.at[crc_at + (size_t)i], (uint8_t)(crc >> (24 - 8 * i)));
}

static void writes_v2(void **state)
{
	struct proxyhdr_tls plain = { .on = false };
	struct addr a = ip("1.2.3.4", 0x1234), b = ip("5.6.7.8", 143);
	struct addr c = ip("2001:db8::1", 0x1234), d = ip("::2", 25);
	struct addr nobody = { .family = AF_UNIX };
	struct buf to;

	(void)state;
	buf_init(&to, 4096);
	proxyhdr_write_v2(&to, &a, &b, &plain);
	assert_v2(buf_text(&to), STR(SIGNATURE "\x21\x11\0\23" V4), STR(""));
	good_between(buf_text(&to), a, b);
	buf_clear(&to);
	proxyhdr_write_v2(&to, &c, &d, &plain);
	assert_v2(buf_text(&to), STR(SIGNATURE "\x21\x21\0\x2b" V6), STR(""));
	buf_clear(&to);
	proxyhdr_write_v2(&to, &a, &d, &plain);
	good_between(buf_text(&to), ip("::ffff:1.2.3.4", 0x1234), d);
	buf_clear(&to);
	proxyhdr_write_v2(&to, &nobody, &d, &plain);
	assert_str(buf_text(&to), STR(SIGNATURE "\x20\0\0\0"));
	buf_done(&to);
}

static void writes_v2_tlvs(void **state)
{
	struct proxyhdr_tls tls = {
		.on = true,
		.certificate = true,
		.verified = true,
		.version = STR("TLSv1.3"),
		.cipher = STR("AES"),
		.common_name = STR("Joe"),
		.sig_alg = STR("SHA256"),
		.key_alg = STR("RSA2048"),
		.sni = STR("mx.org"),
		.alpn = STR("imap"),
	};
	struct addr a = ip("1.2.3.4", 0x1234), b = ip("5.6.7.8", 143);
	struct buf to;

	(void)state;
	buf_init(&to, 4096);
	proxyhdr_write_v2(&to, &a, &b, &tls);
	assert_v2(buf_text(&to), STR(SIGNATURE "\x21\x11\0\x54" V4),
		  STR("\2\0\6mx.org"
		      "\1\0\4imap"
		      "\x20\0\x2e\7\0\0\0\0"
		      "\x21\0\7TLSv1.3"
		      "\x22\0\3Joe"
		      "\x23\0\3"
		      "AES"
		      "\x24\0\6SHA256"
		      "\x25\0\7RSA2048"));
	/* a certificate of an earlier connection, one that does not verify, none */
	tls = (struct proxyhdr_tls){ .on = true, .certificate = true, .resumed = true, .verified = true };
	buf_clear(&to);
	proxyhdr_write_v2(&to, &a, &b, &tls);
	assert_v2(buf_text(&to), STR(SIGNATURE "\x21\x11\0\x1b" V4), STR("\x20\0\5\5\0\0\0\0"));
	tls = (struct proxyhdr_tls){ .on = true, .certificate = true };
	buf_clear(&to);
	proxyhdr_write_v2(&to, &a, &b, &tls);
	assert_v2(buf_text(&to), STR(SIGNATURE "\x21\x11\0\x1b" V4), STR("\x20\0\5\7\0\0\0\1"));
	tls = (struct proxyhdr_tls){ .on = true, .verified = true };
	buf_clear(&to);
	proxyhdr_write_v2(&to, &a, &b, &tls);
	assert_v2(buf_text(&to), STR(SIGNATURE "\x21\x11\0\x1b" V4), STR("\x20\0\5\1\0\0\0\1"));
	buf_done(&to);
}

/* The longest of everything fits; one byte more of any is left out, never cut. */
static void writes_long_texts_whole_or_not(void **state)
{
	char text[256];
	struct str most = { text, 255 }, more = { text, 256 };
	struct proxyhdr_tls tls = { true, true, false, true, most, most, most, most, most, most, most };
	struct addr a = ip("::1", 1);
	struct buf to;

	(void)state;
	memset(text, 'n', sizeof(text));
	buf_init(&to, 4096);
	proxyhdr_write_v2(&to, &a, &a, &tls);
	good_between(buf_text(&to), a, a);
	assert_int_equal(to.len, 16 + 36 + 7 * 258 + 8 + 7);
	tls.common_name = tls.sni = more;
	buf_clear(&to);
	proxyhdr_write_v2(&to, &a, &a, &tls);
	good_between(buf_text(&to), a, a);
	assert_int_equal(to.len, 16 + 36 + 5 * 258 + 8 + 7);
	buf_done(&to);
}

/* Bytes without sense never crash it, and what it takes for a header has a size that fits. */
static void survives_mutation(void **state)
{
	static const struct str seeds[] = {
		LIT("PROXY TCP4 192.0.2.1 198.51.100.7 56324 143\r\n"),
		LIT("PROXY UNKNOWN\r\n"),
		LIT(SIGNATURE "\x21\x11\0\23" V4 "\4\0\4abcd"),
		LIT(SIGNATURE "\x21\x21\0\x24" V6),
	};
	struct dice dice = { 7 };

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct str seed = seeds[dice_roll(&dice, 4)];
		char copy[128];
		struct proxyhdr h;

		memcpy(copy, seed.at, seed.len);
		for (uint64_t n = dice_roll(&dice, 3) + 1; n > 0; n--)
			copy[dice_roll(&dice, seed.len)] = (char)dice_roll(&dice, 256);
		if (proxyhdr_read((struct str){ copy, seed.len }, &h) == PROXYHDR_OK)
			assert_true(h.size != 0 && h.size <= seed.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_v1),
		cmocka_unit_test(refuses_v1_that_is_not),
		cmocka_unit_test(does_not_wait_for_ever),
		cmocka_unit_test(reads_v2),
		cmocka_unit_test(reads_v2_of_a_unix_client),
		cmocka_unit_test(refuses_v2_that_is_not),
		cmocka_unit_test(checks_the_checksum),
		cmocka_unit_test(writes_v1),
		cmocka_unit_test(writes_all_or_nothing),
		cmocka_unit_test(writes_v2),
		cmocka_unit_test(writes_v2_tlvs),
		cmocka_unit_test(writes_long_texts_whole_or_not),
		cmocka_unit_test(survives_mutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
