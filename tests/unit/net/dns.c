/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS messages: what is asked, what is read, and what strangers may send instead of an answer. */
#include "net/dns.h"

#include "unit.h"
#include <string.h>

static void hosts_are_told_from_other_names(void **state)
{
	static const char *const GOOD[] = {
		"a", "A-9", "mail.example.org", "0.0.127", "xn--bcher-kva.example", "-", "a.b-.c"
	};
	static const char *const BAD[] = { "",	  ".",	    "a.",	 ".a",	"a..b", "a_b",
					   "a b", "a\r\nb", "b\xc3\xbc", "a/b", "*.a",	"a:b" };
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
		assert_true(dns_is_host(str_of(GOOD[i])));
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		assert_false(dns_is_host(str_of(BAD[i])));
	assert_false(dns_is_host((struct str){ "a\0b", 3 }));
	assert_false(dns_is_host((struct str){ NULL, 0 }));
	memset(name, 'x', sizeof(name));
	assert_true(dns_is_host((struct str){ name, 63 }));
	assert_false(dns_is_host((struct str){ name, 64 }));
	for (size_t i = 50; i < sizeof(name); i += 51)
		name[i] = '.';
	assert_true(dns_is_host((struct str){ name, 253 }));
	assert_false(dns_is_host((struct str){ name, 254 }));
}

static void asks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, DNS_QUESTION_MAX);
	dns_ask(&b, 0x1234, STR("Mail.test"), DNS_AAAA);
	assert_str(
		buf_text(&b),
		STR("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04Mail\x04test\x00\x00\x1c\x00\x01"));
	buf_done(&b);
}

static void check_reverse(const char *ip, const char *name)
{
	struct addr a = { .family = AF_UNSPEC };
	struct buf b;

	assert_true(addr_parse_ip(str_of(ip), &a));
	buf_init(&b, DNS_NAME_MAX);
	dns_reverse_put(&b, &a);
	assert_str(buf_text(&b), str_of(name));
	assert_true(dns_is_host(buf_text(&b)));
	buf_done(&b);
}

static void names_of_addresses(void **state)
{
	(void)state;
	check_reverse("192.0.2.7", "7.2.0.192.in-addr.arpa");
	check_reverse("255.255.255.255", "255.255.255.255.in-addr.arpa");
	check_reverse("2001:db8::567:89ab",
		      "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	check_reverse("::ffff:192.0.2.7", "7.2.0.192.in-addr.arpa");
}

/* --- answers
 * -------------------------------------------------------------------------------------------------- */

#define HEAD(rcode, answers) "\x00\x00\x81" rcode "\x00\x01" answers "\x00\x00\x00\x00"
#define ASK_A  \
	"\x01" \
	"a\x04test\x00\x00\x01\x00\x01" /* a.test, at 12; test at 14 */
#define ASK_PTR \
	"\x01"  \
	"a\x04test\x00\x00\x0c\x00\x01"
#define OF_A	      "\xc0\x0c"
#define A_60(b)	      "\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02" b
#define CNAME_30(len) "\x00\x05\x00\x01\x00\x00\x00\x1e\x00" len
#define PTR_60(len)   "\x00\x0c\x00\x01\x00\x00\x00\x3c\x00" len

#define READ(text, type, a) dns_read(STR(text), STR("a.test"), type, a)

static void reads_addresses(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_true(READ(HEAD("\x80", "\x00\x02") ASK_A OF_A A_60("\x01") OF_A A_60("\x02"), DNS_A, &a));
	assert_int_equal(a.rcode, 0);
	assert_int_equal(a.ttl_s, 60);
	assert_int_equal(a.addrs_len, 2);
	assert_int_equal(a.addrs[1].family, AF_INET);
	assert_memory_equal(a.addrs[1].ip4, "\xc0\x00\x02\x02", 4);
	assert_true(dns_read(STR(HEAD("\x80", "\x00\x01") "\x01"
							  "a\x04test\x00\x00\x1c\x00\x01" OF_A
							  "\x00\x1c\x00\x01\x00\x00\x00\x01\x00\x10"
							  "0123456789abcdef"),
			     STR("A.TEST"), DNS_AAAA, &a));
	assert_int_equal(a.addrs_len, 1);
	assert_int_equal(a.addrs[0].family, AF_INET6);
	assert_memory_equal(a.addrs[0].ip6, "0123456789abcdef", 16);
	assert_int_equal(a.ttl_s, 1);
}

static void reads_that_there_is_nothing(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_true(READ(HEAD("\x83", "\x00\x00") ASK_A, DNS_A, &a));
	assert_int_equal(a.rcode, 3);
	assert_true(READ(HEAD("\x80", "\x00\x00") ASK_A, DNS_A, &a));
	assert_int_equal(a.rcode + a.addrs_len, 0);
	/* records of other names, types and classes are not ours */
	assert_true(READ(HEAD("\x80", "\x00\x03") ASK_A "\xc0\x0e" A_60("\x01") OF_A PTR_60(
				 "\x02") "\xc0\x0c" OF_A "\x00\x01\x00\x03\x00\x00\x00\x3c\x00\x04"
					 "1234",
			 DNS_A, &a));
	assert_int_equal(a.addrs_len, 0);
}

static void follows_aliases(void **state)
{
	struct dns_answer a;

	(void)state;
	/* a.test is b.test is c.test, whose address comes first: the order does not matter */
	assert_true(READ(HEAD("\x80", "\x00\x03") ASK_A
			 "\x01"
			 "c\xc0\x0e" A_60("\x05") "\x01"
						  "b\xc0\x0e" CNAME_30("\x04") "\x01"
									       "c\xc0\x0e" OF_A CNAME_30(
										       "\x04") "\x01"
											       "b\xc0\x0e",
			 DNS_A, &a));
	assert_int_equal(a.addrs_len, 1);
	assert_int_equal(a.addrs[0].ip4[3], 5);
	assert_int_equal(a.ttl_s, 30);
	/* one that leads to itself, and two that lead to each other */
	assert_true(READ(HEAD("\x80", "\x00\x01") ASK_A OF_A CNAME_30("\x02") OF_A, DNS_A, &a));
	assert_int_equal(a.addrs_len, 0);
	assert_true(READ(HEAD("\x80", "\x00\x02") ASK_A OF_A CNAME_30("\x04") "\x01"
									      "b\xc0\x0e"
									      "\x01"
									      "b\xc0\x0e" CNAME_30("\x02")
										      OF_A,
			 DNS_A, &a));
	assert_int_equal(a.addrs_len, 0);
}

static void reads_names(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_true(READ(HEAD("\x80", "\x00\x02") ASK_PTR OF_A PTR_60(
				 "\x09") "\x02mx\x01-\xc0\x0e\x00" OF_A PTR_60("\x02") OF_A,
			 DNS_PTR, &a) == false);
	assert_true(READ(HEAD("\x80", "\x00\x02")
				 ASK_PTR OF_A PTR_60("\x07") "\x02mx\x01-\xc0\x0e" OF_A PTR_60("\x02") OF_A,
			 DNS_PTR, &a));
	assert_true(a.has_name && a.name_is_host);
	assert_str(((struct str){ a.name, a.name_len }), STR("mx.-.test"));
	/* RFC 2317: the reverse name is an alias into another zone */
	assert_true(READ(HEAD("\x80", "\x00\x02")
				 ASK_PTR OF_A CNAME_30("\x04") "\x01"
							       "7\xc0\x0e"
							       "\x01"
							       "7\xc0\x0e" PTR_60("\x03") "\x01h\x00",
			 DNS_PTR, &a));
	assert_str(((struct str){ a.name, a.name_len }), STR("h"));
	assert_int_equal(a.ttl_s, 30);
}

/* A name is told whole, and told to be bad: with a dot inside of a label, a line break, a NUL, or nothing at
 * all. */
static void bad_names_are_marked(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_true(READ(HEAD("\x80", "\x00\x01") ASK_PTR OF_A PTR_60("\x0e") "\x0c"
									      "a.b\r\nX: y\0_z\x00",
			 DNS_PTR, &a));
	assert_true(a.has_name && !a.name_is_host);
	assert_str(((struct str){ a.name, a.name_len }), STR("a.b\r\nX: y\0_z"));
	assert_true(READ(HEAD("\x80", "\x00\x01") ASK_PTR OF_A PTR_60("\x05") "\x03"
									      "a.b\x00",
			 DNS_PTR, &a));
	assert_false(a.name_is_host);
	assert_true(READ(HEAD("\x80", "\x00\x01") ASK_PTR OF_A PTR_60("\x01") "\x00", DNS_PTR, &a));
	assert_true(a.has_name && !a.name_is_host);
	assert_int_equal(a.name_len, 0);
}

static void refuses_rubbish(void **state)
{
	static const struct str CASES[] = {
		LIT(""),
		LIT("\x00\x00\x81\x80\x00\x01\x00\x00\x00\x00\x00"),
		LIT("\x00\x00\x01\x80\x00\x01\x00\x00\x00\x00\x00\x00" ASK_A), /* a question */
		LIT("\x00\x00\x81\x80\x00\x00\x00\x00\x00\x00\x00\x00"),       /* an answer to nothing */
		LIT("\x00\x00\x81\x80\x00\x02\x00\x00\x00\x00\x00\x00" ASK_A ASK_A),
		LIT(HEAD("\x80", "\x00\x00") "\x01"
					     "b\x04test\x00\x00\x01\x00\x01"), /* to something else */
		LIT(HEAD("\x80", "\x00\x00") ASK_PTR),
		LIT(HEAD("\x80", "\x00\x00") "\x01"
					     "a\x04test\x00\x00\x01\x00\x03"),
		LIT(HEAD("\x80", "\x00\x00") "\xc0\x0c\x00\x01\x00\x01"), /* a name that is itself */
		LIT(HEAD("\x80", "\x00\x01") ASK_A
		    "\xc0\x18" A_60("\x01")), /* and one that leads to itself */
		LIT(HEAD("\x80", "\x00\x01") ASK_A "\xc0\x20" A_60("\x01")), /* or forward */
		LIT(HEAD("\x80", "\x00\x01") ASK_A "\x41"
						   "a\x00" A_60("\x01")), /* a label of no known kind */
		LIT(HEAD("\x80", "\x00\x01") ASK_A "\x80"
						   "a\x00" A_60("\x01")),
		LIT(HEAD("\x80", "\x00\x02") ASK_A OF_A A_60("\x01")), /* fewer records than said */
		LIT(HEAD("\x80", "\x00\x01") ASK_A OF_A "\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x03"
							"123"),
		LIT(HEAD("\x80", "\x00\x01") ASK_A OF_A "\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x05"
							"12345"),
		LIT(HEAD("\x80", "\x00\x01") ASK_A OF_A "\x00\x01\x00\x01\x00\x00\x00\x3c\xff\xff"
							"1234"),
		LIT(HEAD("\x80", "\x00\x01") ASK_A OF_A CNAME_30("\x03") OF_A "x"),
	};
	struct dns_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_false(dns_read(CASES[i], STR("a.test"), DNS_A, &a));
}

/* Every message cut anywhere is rubbish, and nothing behind its end is looked at. */
static void cut_messages_are_rubbish(void **state)
{
	struct str whole = STR(HEAD("\x80", "\x00\x02") ASK_A OF_A CNAME_30("\x04") "\x01"
										    "b\xc0\x0e"
										    "\x01"
										    "b\xc0\x0e" A_60("\x05"));
	struct dns_answer a;

	(void)state;
	assert_true(dns_read(whole, STR("a.test"), DNS_A, &a));
	assert_int_equal(a.addrs_len, 1);
	for (size_t len = 0; len < whole.len; len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, whole.at, len);
		copy = realloc(copy, len != 0 ? len : 1);
		assert_false(dns_read((struct str){ copy, len }, STR("a.test"), DNS_A, &a));
		free(copy);
	}
}

static void long_answers_are_bounded(void **state)
{
	static char message[65535];
	struct str head = STR(HEAD("\x80", "\xff\xff") ASK_A), record = STR(OF_A A_60("\x01"));
	struct dns_answer a;
	size_t len = head.len;

	(void)state;
	memcpy(message, head.at, head.len);
	while (len + record.len <= sizeof(message)) {
		memcpy(message + len, record.at, record.len);
		len += record.len;
	}
	assert_true(dns_read((struct str){ message, len }, STR("a.test"), DNS_A, &a));
	assert_int_equal(a.addrs_len, DNS_ADDRS_MAX);
	assert_int_equal(a.ttl_s, 60);
}

static void times_to_live_are_sane(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_true(READ(HEAD("\x80", "\x00\x01") ASK_A OF_A "\x00\x01\x00\x01\x80\x00\x00\x01\x00\x04"
							     "1234",
			 DNS_A, &a));
	assert_int_equal(a.ttl_s, 0);
	assert_true(READ(HEAD("\x80", "\x00\x01") ASK_A OF_A "\x00\x01\x00\x01\x7f\xff\xff\xff\x00\x04"
							     "1234",
			 DNS_A, &a));
	assert_int_equal(a.ttl_s, INT32_MAX);
}

/* Valid messages with bytes changed at random: whatever comes out is within bounds. */
static void survives_changed_bytes(void **state)
{
	static const struct str SEEDS[] = {
		LIT(HEAD("\x80", "\x00\x02") ASK_A OF_A CNAME_30("\x04") "\x01"
									 "b\xc0\x0e"
									 "\x01"
									 "b\xc0\x0e" A_60("\x05")),
		LIT(HEAD("\x80", "\x00\x02")
			    ASK_PTR OF_A PTR_60("\x07") "\x02mx\x01-\xc0\x0e" OF_A PTR_60("\x02") OF_A),
	};
	struct dice dice = { .state = 42 };

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct str seed = SEEDS[i % 2];
		struct dns_answer a;
		char *copy = malloc(seed.len);

		memcpy(copy, seed.at, seed.len);
		for (uint64_t n = dice_roll(&dice, 4); n > 0; n--)
			copy[dice_roll(&dice, seed.len)] = (char)dice_roll(&dice, 256);
		if (dns_read((struct str){ copy, seed.len }, STR("a.test"), i % 2 != 0 ? DNS_PTR : DNS_A,
			     &a)) {
			assert_true(a.addrs_len <= DNS_ADDRS_MAX && a.name_len <= DNS_NAME_MAX - 2);
			assert_true(!a.name_is_host || dns_is_host((struct str){ a.name, a.name_len }));
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_told_from_other_names),
		cmocka_unit_test(asks),
		cmocka_unit_test(names_of_addresses),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(reads_that_there_is_nothing),
		cmocka_unit_test(follows_aliases),
		cmocka_unit_test(reads_names),
		cmocka_unit_test(bad_names_are_marked),
		cmocka_unit_test(refuses_rubbish),
		cmocka_unit_test(cut_messages_are_rubbish),
		cmocka_unit_test(long_answers_are_bounded),
		cmocka_unit_test(times_to_live_are_sane),
		cmocka_unit_test(survives_changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
