/* SPDX-License-Identifier: BSD-2-Clause */
/* geo: the smallest network decides, and every line that is refused. */
#include "filled.h"

#include <string.h>

struct pair {
	const char *ip, *want;
};

/* `say` for clients of these addresses; the list ends with NULL. */
static void check(struct filled *f, const char *text, const struct pair *pairs)
{
	filled_load(f, text);
	f->vars.client = &f->client;
	for (; pairs->ip != NULL; pairs++) {
		assert_true(addr_parse_ip(str_of(pairs->ip), &f->client));
		assert_str(filled_say(f), str_of(pairs->want));
	}
}

static void smallest_network_wins(void **state)
{
	static const struct pair pairs[] = { { "10.1.2.3", "host" },
					     { "10.1.2.4", "small" },
					     { "10.1.3.0", "large" },
					     { "10.255.255.255", "large" },
					     { "11.0.0.0", "all4" },
					     { "9.255.255.255", "all4" },
					     { "::ffff:10.1.2.3", "host" },
					     { "2001:db8::1", "six" },
					     { "2001:db8:1::", "subnet" },
					     { "2001:db9::", "none" },
					     { "0.0.0.0", "all4" },
					     { "255.255.255.255", "all4" },
					     { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f,
	      "geo $g { default none; 10.0.0.0/8 large; 10.1.2.3 host; 10.1.2.0/255.255.255.0 small; "
	      "0.0.0.0/0 all4; 2001:db8::/32 six; 2001:db8:1::/48 subnet; } say $g;",
	      pairs);
	filled_done(&f);
}

static void values_are_literal(void **state)
{
	static const struct pair pairs[] = { { "10.0.0.1", "$" }, { "1.1.1.1", "a $login" }, { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f, "geo $dollar { default 'a $login'; 10.0.0.0/8 $; } say $dollar;", pairs);
	filled_done(&f);
}

static void clients_without_an_address(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	filled_load(&f, "geo $g { default none; 0.0.0.0/0 four; ::/0 six; } say $g;");
	f.vars.client = &f.client;
	f.client = (struct addr){ .family = AF_UNIX };
	assert_str(filled_say(&f), STR("none"));
	f.vars.client = NULL;
	assert_str(filled_say(&f), STR("none"));
	f.facts[VAR_REMOTE_ADDR] = STR("unix:");
	assert_str(filled_say(&f), STR("none"));
	f.facts[VAR_REMOTE_ADDR] = STR("10.0.0.1");
	assert_str(filled_say(&f), STR("four"));
	f.facts[VAR_REMOTE_ADDR] = STR("::1");
	assert_str(filled_say(&f), STR("six"));
	filled_done(&f);
}

static void another_address(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	filled_load(&f, "geo $proxy_protocol_addr $g { default none; 10.0.0.0/8 ten; } say $g;");
	assert_str(filled_with(&f, VAR_PROXY_PROTOCOL_ADDR, "10.2.3.4"), STR("ten"));
	assert_str(filled_with(&f, VAR_PROXY_PROTOCOL_ADDR, "11.2.3.4"), STR("none"));
	assert_str(filled_with(&f, VAR_PROXY_PROTOCOL_ADDR, "10.2.3.4:25"), STR("none"));
	assert_str(filled_with(&f, VAR_PROXY_PROTOCOL_ADDR, NULL), STR("none"));
	filled_done(&f);
}

static void ranges(void **state)
{
	static const struct pair pairs[] = { { "10.0.0.4", "d" },     { "10.0.0.5", "outer" },
					     { "10.0.0.7", "inner" }, { "10.0.0.8", "inner" },
					     { "10.0.0.9", "outer" }, { "10.0.0.20", "outer" },
					     { "10.0.0.21", "d" },    { "::5", "six" },
					     { "::6", "d" },	      { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f,
	      "geo $g { ranges; default d; 10.0.0.7-10.0.0.8 inner; 10.0.0.5-10.0.0.20 outer; ::1-::5 six; }"
	      " say $g;",
	      pairs);
	filled_done(&f);
}

static void lines_that_take_back(void **state)
{
	static const struct pair pairs[] = {
		{ "10.1.0.1", "ten" }, { "11.0.0.1", "again" }, { "12.0.0.1", "new" }, { NULL, NULL }
	};
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f,
	      "geo $g { 10.0.0.0/8 ten; 10.1.0.0/16 sub; delete 10.1.0.0/16; 11.0.0.0/8 x; "
	      "delete 11.0.0.0/8; 11.0.0.0/8 again; 12.0.0.0/8 old; 12.0.0.0/8 new; } say $g;",
	      pairs);
	assert_non_null(
		strstr(f.trial.said.at,
		       "[warn] duplicate network \"12.0.0.0/8\", value: \"new\", old value: \"old\""));
	filled_done(&f);
}

static void warnings(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	assert_string_equal(
		trial_load(&f.trial, "mail { geo $g { 10.0.0.1/8 x; delete 11.0.0.0/8; default a; default b;"
				     " proxy 10.0.0.0/8; proxy_recursive; } }"),
		"[warn] low address bits of 10.0.0.1/8 are meaningless in /c/main.conf:1\n"
		"[warn] no network \"11.0.0.0/8\" to delete in /c/main.conf:1\n"
		"[warn] duplicate default geo value, the last one counts in /c/main.conf:1\n"
		"[notice] \"proxy\" in geo is for HTTP, skipped in /c/main.conf:1\n"
		"[notice] \"proxy_recursive\" in geo is for HTTP, skipped in /c/main.conf:1\n");
	filled_done(&f);
}

static void included_files(void **state)
{
	static const struct pair pairs[] = { { "10.0.0.1", "a" }, { "11.0.0.1", "b" }, { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	trial_file(&f.trial, "/c/nets", "11.0.0.0/8 b;\n");
	check(&f, "geo $g { 10.0.0.0/8 a; include nets; } say $g;", pairs);
	filled_done(&f);
}

/* Any address is in the network that a look through all of them finds. */
static void as_a_plain_search_finds(void **state)
{
	enum { MANY = 300 };
	struct network nets[MANY];
	struct dice dice = { 7 };
	struct filled f;
	struct buf text;

	(void)state;
	filled_init(&f);
	buf_init(&text, 1 << 16);
	buf_put(&text, STR("geo $g { default none;"));
	for (int i = 0; i < MANY; i++) {
		char ip[ADDR_TEXT_MAX];
		bool bits;
		struct str net;

		snprintf(ip, sizeof(ip), "10.0.%d.%d/%d", (int)dice_roll(&dice, 4),
			 (int)dice_roll(&dice, 256), (int)(20 + dice_roll(&dice, 13)));
		net = str_of(ip);
		assert_true(network_parse(net, &nets[i], &bits));
		buf_format(&text, "%s n%s/%u;", ip, addr_ip_text(&nets[i].base, (char[ADDR_TEXT_MAX]){ 0 }),
			   nets[i].bits);
	}
	buf_format(&text, "} say $g;%c", 0);
	filled_load(&f, text.at);
	f.vars.client = &f.client;
	for (int i = 0; i < 2000; i++) {
		const struct network *best = NULL;
		char want[64] = "none";

		f.client = (struct addr){ .family = AF_INET };
		f.client.ip4[0] = 10;
		f.client.ip4[2] = (uint8_t)dice_roll(&dice, 5);
		f.client.ip4[3] = (uint8_t)dice_roll(&dice, 256);
		for (int k = 0; k < MANY; k++)
			if (network_has(&nets[k], &f.client) && (best == NULL || nets[k].bits > best->bits))
				best = &nets[k];
		if (best != NULL)
			snprintf(want, sizeof(want), "n%s/%u",
				 addr_ip_text(&best->base, (char[ADDR_TEXT_MAX]){ 0 }), best->bits);
		assert_str(filled_say(&f), str_of(want));
	}
	buf_done(&text);
	filled_done(&f);
}

static void every_fault_is_told(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	assert_mail_faults(&f, "geo g { }", "invalid variable name \"g\":1");
	assert_mail_faults(&f, "geo x $g { }", "invalid variable name \"x\":1");
	assert_mail_faults(&f, "geo $nobody $g { } say $g;", "unknown \"nobody\" variable:1");
	assert_mail_faults(&f, "geo $login { }", "the duplicate \"login\" variable: every session has it:1");
	assert_mail_faults(&f, "geo $g { 10.0.0.0/33 x; a.example x; all x; 10.0.0.1-10.0.0.2 x; }",
			   "invalid network \"10.0.0.0/33\":1\ninvalid network \"a.example\":1\n"
			   "invalid network \"all\":1\ninvalid network \"10.0.0.1-10.0.0.2\":1");
	assert_mail_faults(&f, "geo $g { 10.0.0.0/8; }", "invalid number of the geo parameters:1");
	assert_mail_faults(&f, "geo $g { 10.0.0.0/8 a b; }", "invalid number of the geo parameters:1");
	assert_mail_faults(&f, "geo $g { 10.0.0.0/8 a; ranges; }",
			   "\"ranges\" must stand before the networks of the geo:1");
	assert_mail_faults(&f, "geo $g { ranges; 10.0.0.0/8 a; 10.0.0.2-10.0.0.1 b; 1.1.1.1-::1 c; }",
			   "invalid range \"10.0.0.0/8\":1\n"
			   "invalid range \"10.0.0.2-10.0.0.1\": it ends before it begins:1\n"
			   "invalid range \"1.1.1.1-::1\":1");
	assert_mail_faults(&f, "geo $g { ranges; delete 10.0.0.2; }", "invalid range \"10.0.0.2\":1");
	filled_done(&f);
}

static void ranges_that_cross(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	assert_string_equal(trial_load(&f.trial, "mail { geo $g { ranges;\n10.0.0.1-10.0.0.5 a;\n"
						 "10.0.0.5-10.0.0.9 b;\n} }"),
			    "[emerg] the range overlaps the one in /c/main.conf:2 in /c/main.conf:3\n");
	filled_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_network_wins),
		cmocka_unit_test(values_are_literal),
		cmocka_unit_test(clients_without_an_address),
		cmocka_unit_test(another_address),
		cmocka_unit_test(ranges),
		cmocka_unit_test(lines_that_take_back),
		cmocka_unit_test(warnings),
		cmocka_unit_test(included_files),
		cmocka_unit_test(as_a_plain_search_finds),
		cmocka_unit_test(every_fault_is_told),
		cmocka_unit_test(ranges_that_cross),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
