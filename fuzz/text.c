/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small parsers of base/: base64, numbers, addresses, networks, and the writers beside them. The first
 * byte chooses which, the rest is what it reads. What was read must come out the same when it is written and
 * read again; what was refused must leave no trace.
 */
#include "base/addr.h"
#include "base/must.h"
#include "base/text.h"
#include <stdio.h>

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_base64(struct str in)
{
	struct buf bytes, text, back;

	buf_init(&bytes, MOST);
	buf_init(&text, 2 * MOST);
	buf_init(&back, MOST);
	if (base64_get(&bytes, in)) {
		base64_put(&text, buf_text(&bytes));
		must(base64_get(&back, buf_text(&text)));
		must(str_eq(buf_text(&bytes), buf_text(&back)));
		must(text.len % 4 == 0 && text.len <= in.len + 3);
	} else {
		must(bytes.len == 0);
	}
	buf_wipe(&text);
	base64_put(&text, in);
	buf_wipe(&back);
	must(text.full || (base64_get(&back, buf_text(&text)) && str_eq(buf_text(&back), in)) || back.full);
	buf_done(&bytes);
	buf_done(&text);
	buf_done(&back);
}

static void fuzz_address(struct str in)
{
	struct addr a = { .family = AF_UNSPEC }, again = a;
	char text[ADDR_TEXT_MAX];
	struct sockaddr_storage ss;

	if (!addr_parse_ip(in, &a)) {
		must(addr_eq(&a, &again));
		return;
	}
	must(addr_parse_ip(str_of(addr_ip_text(&a, text)), &again));
	must(addr_eq(&a, &again));
	addr_from_sockaddr(&again, &ss, addr_to_sockaddr(&a, &ss));
	must(addr_eq(&a, &again));
}

static void fuzz_network(struct str in)
{
	struct network n, again;
	char ip[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 8];
	bool host_bits;

	if (!network_parse(in, &n, &host_bits))
		return;
	must(network_has(&n, &n.base));
	if (n.base.family != AF_INET && n.base.family != AF_INET6)
		return;
	snprintf(text, sizeof(text), "%s/%u", addr_ip_text(&n.base, ip), n.bits);
	must(network_parse(str_of(text), &again, &host_bits));
	must(!host_bits && again.bits == n.bits && addr_eq(&again.base, &n.base));
}

static void fuzz_number(struct str in)
{
	uint64_t number;
	char text[24];
	int len;

	if (!str_number(in, UINT64_MAX, &number))
		return;
	while (in.len > 1 && in.at[0] == '0')
		in = str_skip(in, 1);
	len = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	must(str_eq(in, (struct str){ text, (size_t)len }));
	must(number == 0 || !str_number(in, number - 1, &number));
}

static void fuzz_lines(struct str in)
{
	struct str line, rest = in;
	size_t seen = 0;

	while (str_line(&rest, &line)) {
		must(!str_has(line, '\n'));
		seen++;
	}
	must(!str_has(rest, '\n'));
	while (in.len != 0 && str_has(in, '\n')) {
		str_cut(&in, '\n');
		seen--;
	}
	must(seen == 0 && in.len == rest.len);
}

static void fuzz_writers(struct str in)
{
	struct buf visible, others;

	buf_init(&visible, MOST);
	buf_init(&others, MOST);
	visible_put(&visible, in, in.len / 2 + 1);
	must(is_line_safe(buf_text(&visible)) && has_no_controls(buf_text(&visible)));
	percent_put(&others, in);
	must(is_line_safe(buf_text(&others)) && !str_has(buf_text(&others), ' '));
	buf_wipe(&others);
	xtext_put(&others, in);
	must(has_no_controls(buf_text(&others)) && !str_has(buf_text(&others), '='));
	buf_wipe(&others);
	hex_put(&others, in);
	must(others.full || others.len == 2 * in.len);
	buf_done(&visible);
	buf_done(&others);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(struct str) = { fuzz_base64, fuzz_address, fuzz_network,
						       fuzz_number, fuzz_lines,	  fuzz_writers };

	if (size == 0)
		return 0;
	parsers[data[0] % (sizeof(parsers) / sizeof(parsers[0]))](
		(struct str){ (const char *)data + 1, size - 1 });
	return 0;
}
