/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and networks: as text, as the kernel has them, and who belongs to whom. */
#include "base/addr.h"

#include "unit.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

static struct addr ip(const char *text, uint16_t port)
{
	struct addr a = { .port = port };

	assert_true(addr_parse_ip(str_of(text), &a));
	assert_int_equal(a.port, port);
	return a;
}

static void small(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct addr), 24);
}

static void texts(void **state)
{
	static const struct {
		const char *literal, *text;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1:25" },
		{ "0.0.0.0", "0.0.0.0:25" },
		{ "255.255.255.255", "255.255.255.255:25" },
		{ "2001:db8::1", "[2001:db8::1]:25" },
		{ "::", "[::]:25" },
		{ "::1", "[::1]:25" },
		{ "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:25" },
		{ "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:25" },
	};
	char text[ADDR_TEXT_MAX];
	struct addr none = { .family = AF_UNSPEC }, nameless = { .family = AF_UNIX };
	struct addr named = { .family = AF_UNIX, .path = "/run/mail.sock" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a = ip(cases[i].literal, 25);

		assert_string_equal(addr_ip_text(&a, text), cases[i].literal);
		assert_string_equal(addr_text(&a, text), cases[i].text);
	}
	assert_string_equal(addr_text(&none, text), "");
	assert_string_equal(addr_ip_text(&none, text), "");
	assert_string_equal(addr_text(&nameless, text), "unix:");
	assert_string_equal(addr_ip_text(&nameless, text), "unix:");
	assert_string_equal(addr_text(&named, text), "unix:/run/mail.sock");
	assert_string_equal(addr_ip_text(&named, text), "unix:");
}

static void no_literals(void **state)
{
	static const struct str bad[] = {
		LIT(""),
		LIT(" 192.0.2.1"),
		LIT("192.0.2.1 "),
		LIT("192.0.2"),
		LIT("192.0.2.256"),
		LIT("192.0.2.1.1"),
		LIT("192.0.2.01"),
		LIT("0x7f.0.0.1"),
		LIT("2130706433"),
		LIT("192.0.2.1\0"),
		LIT("192.0.2.1\0x"),
		LIT(":"),
		LIT(":::"),
		LIT("1::2::3"),
		LIT("[::1]"),
		LIT("::1%lo"),
		LIT("fe80::1%1"),
		LIT("12345::"),
		LIT("g::"),
		LIT("1:2:3:4:5:6:7"),
		LIT("1:2:3:4:5:6:7:8:9"),
		LIT("::ffff:192.0.2.256"),
		LIT("localhost"),
		LIT("0000000000000000000000000000000000000000000000000000::1"),
	};
	struct addr a = { .family = 99, .port = 7, .ip4 = { 1, 2, 3, 4 } }, before = a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(addr_parse_ip(bad[i], &a));
		assert_memory_equal(&a, &before, sizeof(a));
	}
	assert_false(addr_parse_ip((struct str){ NULL, 0 }, &a));
}

/* The longest literals there are, and spans that end where the memory does. */
static void longest_literals(void **state)
{
	struct str longest = STR("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
	char *exact = malloc(longest.len);
	char text[ADDR_TEXT_MAX];
	struct addr a;

	(void)state;
	memcpy(exact, longest.at, longest.len);
	assert_true(addr_parse_ip((struct str){ exact, longest.len }, &a));
	a.port = 65535;
	assert_string_equal(addr_text(&a, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	free(exact);
}

static void through_the_kernels_form(void **state)
{
	static const char *const literals[] = { "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1", "0.0.0.0" };
	struct sockaddr_storage ss;
	struct addr back;

	(void)state;
	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		struct addr a = ip(literals[i], (uint16_t)(54321 + i));
		socklen_t len = addr_to_sockaddr(&a, &ss);

		addr_from_sockaddr(&back, &ss, len);
		assert_true(addr_eq(&a, &back));
		/* cut short it is nothing, not half an address */
		for (socklen_t cut = 0; cut < len; cut++) {
			addr_from_sockaddr(&back, &ss, cut);
			assert_int_equal(back.family, AF_UNSPEC);
			assert_int_equal(back.port, 0);
		}
	}
	ss = (struct sockaddr_storage){ .ss_family = AF_PACKET };
	addr_from_sockaddr(&back, &ss, sizeof(ss));
	assert_int_equal(back.family, AF_UNSPEC);
}

static void bytes_are_where_the_kernel_wants_them(void **state)
{
	struct addr a4 = ip("192.0.2.1", 0x1234), a6 = ip("2001:db8::1", 0x1234);
	struct sockaddr_storage ss;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	(void)state;
	assert_int_equal(addr_to_sockaddr(&a4, &ss), sizeof(in));
	memcpy(&in, &ss, sizeof(in));
	assert_int_equal(in.sin_family, AF_INET);
	assert_int_equal(in.sin_port, htons(0x1234));
	assert_int_equal(in.sin_addr.s_addr, htonl(0xc0000201));
	assert_int_equal(addr_to_sockaddr(&a6, &ss), sizeof(in6));
	memcpy(&in6, &ss, sizeof(in6));
	assert_int_equal(in6.sin6_family, AF_INET6);
	assert_int_equal(in6.sin6_port, htons(0x1234));
	assert_memory_equal(&in6.sin6_addr, a6.ip6, 16);
	assert_int_equal(in6.sin6_flowinfo, 0);
	assert_int_equal(in6.sin6_scope_id, 0);
}

static void unix_paths(void **state)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	struct addr a = { .family = AF_UNIX, .path = path }, back;
	struct addr nameless = { .family = AF_UNIX }, none = { .family = AF_UNSPEC };
	struct sockaddr_storage ss;
	struct sockaddr_un un;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(addr_to_sockaddr(&a, &ss), sizeof(un));
	memcpy(&un, &ss, sizeof(un));
	assert_int_equal(un.sun_family, AF_UNIX);
	assert_string_equal(un.sun_path, path);
	path[sizeof(path) - 2] = 'x';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(addr_to_sockaddr(&a, &ss), 0);
	/* an empty path would be an abstract name */
	a.path = "";
	assert_int_equal(addr_to_sockaddr(&a, &ss), 0);
	assert_int_equal(addr_to_sockaddr(&nameless, &ss), 0);
	assert_int_equal(addr_to_sockaddr(&none, &ss), 0);
	addr_from_sockaddr(&back, (struct sockaddr_storage *)memcpy(&ss, &un, sizeof(un)),
			   sizeof(sa_family_t));
	assert_true(addr_eq(&back, &nameless));
}

static void equality(void **state)
{
	struct addr a = ip("192.0.2.1", 25), b = ip("192.0.2.1", 26), c = ip("192.0.2.2", 25);
	struct addr v6 = ip("2001:db8::1", 25), v6_last = ip("2001:db8::2", 25),
		    mapped = ip("::ffff:192.0.2.1", 25);
	struct addr one = { .family = AF_UNIX, .path = "/a" }, two = { .family = AF_UNIX, .path = "/b" };
	char copy[] = "/a";
	struct addr same = { .family = AF_UNIX, .path = copy }, none = { .family = AF_UNSPEC };

	(void)state;
	assert_true(addr_eq(&a, &a));
	assert_false(addr_eq(&a, &b));
	assert_true(addr_same_ip(&a, &b));
	assert_false(addr_same_ip(&a, &c));
	assert_false(addr_same_ip(&v6, &v6_last));
	assert_false(addr_same_ip(&a, &mapped));
	assert_true(addr_eq(&one, &same));
	assert_false(addr_eq(&one, &two));
	assert_true(addr_eq(&none, &none));
	assert_false(addr_eq(&none, &a));
}

static void any_address(void **state)
{
	struct addr any4 = ip("0.0.0.0", 25), any6 = ip("::", 25), one = ip("0.0.0.1", 0),
		    last = ip("::1", 0);
	struct addr none = { .family = AF_UNSPEC }, nameless = { .family = AF_UNIX };

	(void)state;
	assert_true(addr_is_any(&any4));
	assert_true(addr_is_any(&any6));
	assert_false(addr_is_any(&one));
	assert_false(addr_is_any(&last));
	assert_false(addr_is_any(&none));
	assert_false(addr_is_any(&nameless));
}

static struct network net(const char *text)
{
	struct network n;
	bool host_bits;

	assert_true(network_parse(str_of(text), &n, &host_bits));
	assert_false(host_bits);
	return n;
}

static bool has(const char *network, const char *address)
{
	struct network n = net(network);
	struct addr a = ip(address, 1234);

	return network_has(&n, &a);
}

static void membership(void **state)
{
	struct network local = net("unix:"), all = net("all"), everywhere = net("0.0.0.0/0");
	struct addr nameless = { .family = AF_UNIX }, none = { .family = AF_UNSPEC };

	(void)state;
	assert_true(has("192.168.1.0/24", "192.168.1.255"));
	assert_false(has("192.168.1.0/24", "192.168.2.0"));
	assert_true(has("192.168.1.0/255.255.255.0", "192.168.1.77"));
	assert_true(has("192.0.2.1", "192.0.2.1"));
	assert_false(has("192.0.2.1", "192.0.2.2"));
	assert_true(has("10.128.0.0/9", "10.255.0.1"));
	assert_false(has("10.128.0.0/9", "10.127.0.1"));
	assert_true(has("0.0.0.0/0", "203.0.113.9"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
	assert_true(has("::/0", "2001:db8::1"));
	assert_false(has("::/0", "192.0.2.1"));
	assert_true(has("2001:db8::/33", "2001:db8:7fff::"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::"));
	assert_true(has("2001:db8::5", "2001:db8::5"));
	assert_false(has("2001:db8::5", "2001:db8::4"));
	assert_true(has("all", "192.0.2.1"));
	assert_true(has("all", "::1"));
	assert_false(has("unix:", "::1"));
	assert_true(network_has(&local, &nameless));
	assert_true(network_has(&all, &nameless));
	assert_true(network_has(&all, &none));
	assert_false(network_has(&everywhere, &nameless));
	assert_false(network_has(&everywhere, &none));
	assert_false(network_has(&local, &none));
}

/* A client that came over IPv4 to an IPv6 socket is still an IPv4 client, and has an IPv6 address all the
 * same. */
static void mapped_clients(void **state)
{
	struct addr littered = { .family = AF_INET, .ip6 = { [10] = 0xff, 0xff, 192, 168, 1, 9 } };
	struct network zero = net("0.0.0.0");

	(void)state;
	assert_true(has("192.168.1.0/24", "::ffff:192.168.1.9"));
	assert_false(has("192.168.1.0/24", "::ffff:192.168.2.9"));
	assert_true(has("::ffff:192.168.1.0/120", "::ffff:192.168.1.9"));
	assert_true(has("::/0", "::ffff:192.168.1.9"));
	/* nearly mapped is not mapped */
	assert_false(has("192.168.1.0/24", "::fffe:192.168.1.9"));
	assert_false(has("192.168.1.0/24", "::192.168.1.9"));
	assert_false(has("192.168.1.0/24", "1::ffff:192.168.1.9"));
	/* and what an IPv4 address has behind its four bytes is nobody's business */
	assert_true(network_has(&zero, &littered));
}

static void host_bits_are_cleared_and_told(void **state)
{
	static const struct {
		const char *text, *base;
		unsigned bits;
	} cases[] = {
		{ "192.168.1.1/24", "192.168.1.0", 24 },  { "192.168.1.1/0", "0.0.0.0", 0 },
		{ "10.200.0.0/9", "10.128.0.0", 9 },	  { "192.168.1.1/255.255.254.0", "192.168.0.0", 23 },
		{ "2001:db8::1/127", "2001:db8::", 127 }, { "ffff:ffff::/3", "e000::", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr want = ip(cases[i].base, 0);
		struct network n;
		bool host_bits = false;

		assert_true(network_parse(str_of(cases[i].text), &n, &host_bits));
		assert_true(host_bits);
		assert_true(addr_eq(&n.base, &want));
		assert_int_equal(n.bits, cases[i].bits);
	}
}

static void no_networks(void **state)
{
	static const struct str bad[] = {
		LIT(""),
		LIT("/"),
		LIT("/8"),
		LIT("10.0.0.0/"),
		LIT("10.0.0.0/33"),
		LIT("10.0.0.0/-1"),
		LIT("10.0.0.0/ 8"),
		LIT("10.0.0.0/8/8"),
		LIT("10.0.0.0/255.0.255.0"),
		LIT("10.0.0.0/0.0.0.1"),
		LIT("10.0.0.0/ffff::"),
		LIT("::/129"),
		LIT("::/ffff::"),
		LIT("::/255.0.0.0"),
		LIT("::/18446744073709551616"),
		LIT("all/0"),
		LIT("all/"),
		LIT("unix:/"),
		LIT("unix:/run/x"),
		LIT("unix"),
		LIT("ALL"),
		LIT("al"),
		LIT("10.0.0.0/8\0"),
		LIT("host/8"),
	};
	struct network n, before;
	bool host_bits = true;

	(void)state;
	memset(&n, 0x5a, sizeof(n));
	before = n;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(network_parse(bad[i], &n, &host_bits));
		assert_memory_equal(&n, &before, sizeof(n));
		assert_true(host_bits);
	}
	assert_false(network_parse((struct str){ NULL, 0 }, &n, &host_bits));
}

/* One bit after the other, as it stands in the definition. */
static bool slow_has(const struct addr *base, const struct addr *a, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((base->ip6[i / 8] ^ a->ip6[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static void membership_bit_by_bit(void **state)
{
	struct dice dice = { 1 };

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint16_t family = dice_roll(&dice, 2) == 0 ? AF_INET : AF_INET6;
		unsigned most = family == AF_INET ? 32 : 128, flip = (unsigned)dice_roll(&dice, most + 1);
		struct network n = { .base = { .family = family },
				     .bits = (unsigned)dice_roll(&dice, most + 1) };
		struct addr a = { .family = family };

		for (unsigned k = 0; k < most / 8; k++)
			a.ip6[k] = n.base.ip6[k] = (uint8_t)dice_roll(&dice, 256);
		if (flip < most)
			a.ip6[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
		assert_int_equal(network_has(&n, &a), slow_has(&n.base, &a, n.bits));
		assert_int_equal(network_has(&n, &a), flip >= n.bits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small),
		cmocka_unit_test(texts),
		cmocka_unit_test(no_literals),
		cmocka_unit_test(longest_literals),
		cmocka_unit_test(through_the_kernels_form),
		cmocka_unit_test(bytes_are_where_the_kernel_wants_them),
		cmocka_unit_test(unix_paths),
		cmocka_unit_test(equality),
		cmocka_unit_test(any_address),
		cmocka_unit_test(membership),
		cmocka_unit_test(mapped_clients),
		cmocka_unit_test(host_bits_are_cleared_and_told),
		cmocka_unit_test(no_networks),
		cmocka_unit_test(membership_bit_by_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
