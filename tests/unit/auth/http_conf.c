/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives of the auth_http client: what is understood, inherited and refused, with the words that
 * operators know. */
#include "auth/http_conf.h"

#include "load.h"

const struct auth_kind *const auth_kinds[] = { &auth_http_kind, NULL };

static struct loaded all;

static const struct http_conf *with(const char *text)
{
	load(&all, text);
	assert_string_equal(all.said, "");
	assert_non_null(all.conf);
	return http_conf(load_server(&all, 0));
}

static void assert_addr(const struct http_conf *h, size_t i, const char *want)
{
	char text[ADDR_TEXT_MAX];

	assert_true(i < h->servers.at[0].addrs_len);
	assert_string_equal(addr_text(&h->servers.at[0].addrs[i], text), want);
}

static const struct {
	const char *word, *addr, *host, *uri;
} URLS[] = {
	{ "127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/" },
	{ "http://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/" },
	{ "127.0.0.1:9000/cgi-bin/nginxauth.cgi", "127.0.0.1:9000", "127.0.0.1", "/cgi-bin/nginxauth.cgi" },
	{ "http://127.0.0.1:65535/", "127.0.0.1:65535", "127.0.0.1", "/" },
	{ "127.0.0.1/a:b?c=/d", "127.0.0.1:80", "127.0.0.1", "/a:b?c=/d" },
	{ "127.0.0.1?a/b", "127.0.0.1:80", "127.0.0.1", "/?a/b" },
	{ "127.0.0.1:81?a", "127.0.0.1:81", "127.0.0.1", "/?a" },
	{ "'127.0.0.1/a b%20c'", "127.0.0.1:80", "127.0.0.1", "/a%20b%20c" },
	{ "'127.0.0.1/a  b '", "127.0.0.1:80", "127.0.0.1", "/a%20%20b%20" },
	{ "[::1]", "[::1]:80", "[::1]", "/" },
	{ "http://[2001:db8::1]:9000/x", "[2001:db8::1]:9000", "[2001:db8::1]", "/x" },
	{ "unix:/run/auth.sock:/uri", "unix:/run/auth.sock", "localhost", "/uri" },
	{ "http://unix:/run/auth.sock:/u:r", "unix:/run/auth.sock", "localhost", "/u:r" },
	{ "unix:/run/auth.sock", "unix:/run/auth.sock", "localhost", "/" },
	{ "unix:/run/auth.sock:", "unix:/run/auth.sock", "localhost", "/" },
	{ "unix:/run/auth.sock:x", "unix:/run/auth.sock", "localhost", "/x" },
	{ "auth.test:9000/", "192.0.2.1:9000", "auth.test", "/" },
};

static void urls(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
		const struct http_conf *h;

		snprintf(text, sizeof(text), "mail { server { auth_http %s; } }", URLS[i].word);
		h = with(text);
		assert_addr(h, 0, URLS[i].addr);
		assert_str(h->servers.at[0].host, str_of(URLS[i].host));
		assert_str(h->servers.at[0].uri, str_of(URLS[i].uri));
		assert_true(auth_configured(load_server(&all, 0)));
		unload(&all);
	}
}

static void names_keep_all_their_addresses(void **state)
{
	const struct http_conf *h = with("mail { server { auth_http auth.test:9000; } }");

	(void)state;
	assert_int_equal(h->servers.at[0].addrs_len, 3);
	assert_addr(h, 0, "192.0.2.1:9000");
	assert_addr(h, 1, "[2001:db8::1]:9000");
	assert_addr(h, 2, "192.0.2.2:9000");
	unload(&all);
}

static void defaults(void **state)
{
	const struct http_conf *h = with("mail { server { } }");

	(void)state;
	assert_false(auth_configured(load_server(&all, 0)));
	assert_int_equal(h->timeout_ms, 60000);
	assert_int_equal(h->headers.len, 0);
	assert_false(h->pass_client_cert);
	assert_int_equal(h->keepalive, 32);
	unload(&all);
}

static void servers_inherit_or_replace(void **state)
{
	const struct http_conf *h;

	(void)state;
	with("mail { auth_http 10.0.0.1/a; auth_http_timeout 5s; auth_http_keepalive 4;\n"
	     "auth_http_header A 1; auth_http_header B \"2 3\"; auth_http_pass_client_cert on;\n"
	     "server { }\n"
	     "server { auth_http 10.0.0.2; auth_http 10.0.0.3; auth_http_timeout 70ms;\n"
	     "auth_http_keepalive 0; auth_http_header C 4; auth_http_pass_client_cert off; } }");
	h = http_conf(load_server(&all, 0));
	assert_addr(h, 0, "10.0.0.1:80");
	assert_str(h->servers.at[0].uri, STR("/a"));
	assert_int_equal(h->timeout_ms, 5000);
	assert_int_equal(h->headers.len, 4);
	assert_str(h->headers.at[3], STR("2 3"));
	assert_true(h->pass_client_cert);
	assert_int_equal(h->keepalive, 4);
	h = http_conf(load_server(&all, 1));
	assert_addr(h, 0, "10.0.0.3:80");
	assert_str(h->servers.at[0].uri, STR("/"));
	assert_int_equal(h->timeout_ms, 70);
	assert_int_equal(h->headers.len, 2);
	assert_str(h->headers.at[0], STR("C"));
	assert_false(h->pass_client_cert);
	assert_int_equal(h->keepalive, 0);
	unload(&all);
}

static const struct {
	const char *line, *fault;
} FAULTS[] = {
	/* these are the words of the proxy we replace, as heard from it */
	{ "auth_http https://x/", "host not found in auth_http \"x/\"" },
	{ "auth_http 127.0.0.1:0/", "invalid port in auth_http \"127.0.0.1:0/\"" },
	{ "auth_http http://127.0.0.1:99999/x", "invalid port in auth_http \"127.0.0.1:99999/x\"" },
	{ "auth_http 127.0.0.1:/x", "invalid port in auth_http \"127.0.0.1:/x\"" },
	{ "auth_http HTTP://127.0.0.1/", "invalid port in auth_http \"HTTP://127.0.0.1/\"" },
	{ "auth_http [::1]:/x", "invalid port in auth_http \"[::1]:/x\"" },
	{ "auth_http [::1]:99999/", "invalid port in auth_http \"[::1]:99999/\"" },
	{ "auth_http no..such/x", "host not found in auth_http \"no..such/x\"" },
	{ "auth_http [::1", "invalid host in auth_http \"[::1\"" },
	{ "auth_http [::1]x", "invalid host in auth_http \"[::1]x\"" },
	{ "auth_http [zz]/", "invalid IPv6 address in auth_http \"[zz]/\"" },
	{ "auth_http :80/", "no host in auth_http \":80/\"" },
	{ "auth_http http://", "no host in auth_http \"\"" },
	{ "auth_http http:///x", "no host in auth_http \"/x\"" },
	{ "auth_http []/x", "no host in auth_http \"[]/x\"" },
	{ "auth_http unix:", "no path in the unix domain socket in auth_http \"unix:\"" },
	{ "auth_http unix::/x", "no path in the unix domain socket in auth_http \"unix::/x\"" },
	{ "auth_http", "invalid number of arguments in \"auth_http\" directive" },
	{ "auth_http_header A", "invalid number of arguments in \"auth_http_header\" directive" },
	{ "auth_http_header A B C", "invalid number of arguments in \"auth_http_header\" directive" },
	{ "auth_http_timeout x", "\"auth_http_timeout\" directive invalid value" },
	{ "auth_http_timeout 1y", "\"auth_http_timeout\" directive invalid value" },
	{ "auth_http_timeout 1s; auth_http_timeout 2s", "\"auth_http_timeout\" directive is duplicate" },
	{ "auth_http_pass_client_cert x",
	  "invalid value \"x\" in \"auth_http_pass_client_cert\" directive, it must be \"on\" or \"off\"" },

	/* these are ours: what would break the request open */
	{ "auth_http '127.0.0.1/a\\nb'", "invalid URI in auth_http \"127.0.0.1/a\\x0ab\"" },
	{ "auth_http_header 'A:' b", "invalid header name \"A:\"" },
	{ "auth_http_header 'A b' b", "invalid header name \"A b\"" },
	{ "auth_http_header '' b", "invalid header name \"\"" },
	{ "auth_http_header '\xc3\xa4' b", "invalid header name \"\xc3\xa4\"" },
	{ "auth_http_header A 'b\\r\\nC: d'", "invalid value of header \"A\"" },
};

static void faults(void **state)
{
	char text[256], want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		snprintf(text, sizeof(text), "mail {\n%s;\nserver { }\n}\n", FAULTS[i].line);
		snprintf(want, sizeof(want), "%s in /etc/t.conf:2\n", FAULTS[i].fault);
		load(&all, text);
		assert_null(all.conf);
		assert_string_equal(all.said, want);
		unload(&all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),	    cmocka_unit_test(names_keep_all_their_addresses),
		cmocka_unit_test(defaults), cmocka_unit_test(servers_inherit_or_replace),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
