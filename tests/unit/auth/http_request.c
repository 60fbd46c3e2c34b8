/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions as HTTP, byte for byte: a few written out, and the product of methods, protocols, TLS and PROXY
 * against a second writer that knows no escaping.
 */
#include "auth/http_request.h"

#include "unit.h"
#include <string.h>

static const struct http_frame FRAME = {
	.before = LIT("GET /auth HTTP/1.1\r\nHost: auth.example.org\r\n"),
	.after = LIT("X-Auth-Key: k3y\r\n\r\n"),
};

struct fixture {
	struct arena *arena;
	struct login login;
	struct auth_request request;
	struct buf bytes;
};

static struct fixture *begin(enum sasl_method method, const char *protocol)
{
	struct arena *arena = arena_new(1024);
	struct fixture *f = arena_take(arena, sizeof(*f));

	f->arena = arena;
	login_init(&f->login, arena, HTTP_REQUEST_MOST, 512);
	f->login.method = method;
	f->login.attempt = 1;
	f->request = (struct auth_request){ .login = &f->login, .protocol = protocol };
	f->request.client_ip = STR("192.0.2.7");
	buf_init_in(&f->bytes, arena, HTTP_REQUEST_MOST);
	return f;
}

static void end(struct fixture *f)
{
	arena_free(f->arena);
}

static void assert_request(struct fixture *f, const char *want)
{
	struct str culprit;

	buf_clear(&f->bytes);
	assert_true(http_request_write(&f->bytes, &FRAME, &f->request, &culprit));
	assert_str(buf_text(&f->bytes), str_of(want));
}

static void plain_login(void **state)
{
	struct fixture *f = begin(SASL_PLAIN, "imap");

	(void)state;
	buf_set(&f->login.user, STR("joe@example.org"));
	buf_set(&f->login.secret, STR("pass word%\r\n\"+\x7f\xff"));
	assert_request(f, "GET /auth HTTP/1.1\r\n"
			  "Host: auth.example.org\r\n"
			  "Auth-Method: plain\r\n"
			  "Auth-User: joe@example.org\r\n"
			  "Auth-Pass: pass%20word%25%0D%0A\"+\x7f\xff\r\n"
			  "Auth-Protocol: imap\r\n"
			  "Auth-Login-Attempt: 1\r\n"
			  "Client-IP: 192.0.2.7\r\n"
			  "X-Auth-Key: k3y\r\n"
			  "\r\n");
	end(f);
}

static void relay_without_login(void **state)
{
	struct fixture *f = begin(SASL_NONE, "smtp");

	(void)state;
	f->login.attempt = 4294967295;
	f->request.client_ip = STR("unix:");
	f->request.client_host = STR("[UNAVAILABLE]");
	buf_set(&f->login.salt, STR("<left.over@host>"));
	buf_set(&f->login.helo, STR("client.example.org"));
	buf_set(&f->login.mail, STR("MAIL FROM:<\xc3\xa4@b> SIZE=1"));
	buf_set(&f->login.rcpt, STR("RCPT TO:<\"c d\"@e%f>"));
	assert_request(f, "GET /auth HTTP/1.1\r\n"
			  "Host: auth.example.org\r\n"
			  "Auth-Method: none\r\n"
			  "Auth-User: \r\n"
			  "Auth-Pass: \r\n"
			  "Auth-Protocol: smtp\r\n"
			  "Auth-Login-Attempt: 4294967295\r\n"
			  "Client-IP: unix:\r\n"
			  "Client-Host: [UNAVAILABLE]\r\n"
			  "Auth-SMTP-Helo: client.example.org\r\n"
			  "Auth-SMTP-From: MAIL FROM:<\xc3\xa4@b> SIZE=1\r\n"
			  "Auth-SMTP-To: RCPT TO:<\"c d\"@e%f>\r\n"
			  "X-Auth-Key: k3y\r\n"
			  "\r\n");
	end(f);
}

static void everything_at_once(void **state)
{
	struct fixture *f = begin(SASL_CRAM_MD5, "smtp");

	(void)state;
	f->login.attempt = 10;
	buf_set(&f->login.user, STR("joe"));
	buf_set(&f->login.secret, STR("0123456789abcdef0123456789abcdef"));
	buf_set(&f->login.salt, STR("<1.2@mail.example.org>"));
	buf_set(&f->login.mail, STR("MAIL FROM:<not asked for>"));
	f->request.client_host = STR("client.example.org");
	f->request.proxy_addr = STR("2001:db8::7");
	f->request.proxy_server_addr = STR("2001:db8::1");
	f->request.proxy_port = 65535;
	f->request.proxy_server_port = 0;
	f->request.tls = (struct auth_tls){
		.on = true,
		.protocol = STR("TLSv1.3"),
		.cipher = STR("TLS_AES_256_GCM_SHA384"),
		.verify = STR("FAILED:certificate has expired"),
		.subject = STR("CN=joe,O=A\\, B"),
		.issuer = STR("CN=ca"),
		.serial = STR("0A"),
		.fingerprint = STR("aa00"),
		.certificate = STR("-----BEGIN X-----\nA+/=\n"),
	};
	assert_request(f, "GET /auth HTTP/1.1\r\n"
			  "Host: auth.example.org\r\n"
			  "Auth-Method: cram-md5\r\n"
			  "Auth-User: joe\r\n"
			  "Auth-Pass: 0123456789abcdef0123456789abcdef\r\n"
			  "Auth-Salt: <1.2@mail.example.org>\r\n"
			  "Auth-Protocol: smtp\r\n"
			  "Auth-Login-Attempt: 10\r\n"
			  "Client-IP: 192.0.2.7\r\n"
			  "Client-Host: client.example.org\r\n"
			  "Proxy-Protocol-Addr: 2001:db8::7\r\n"
			  "Proxy-Protocol-Port: 65535\r\n"
			  "Proxy-Protocol-Server-Addr: 2001:db8::1\r\n"
			  "Proxy-Protocol-Server-Port: 0\r\n"
			  "Auth-SSL: on\r\n"
			  "Auth-SSL-Protocol: TLSv1.3\r\n"
			  "Auth-SSL-Cipher: TLS_AES_256_GCM_SHA384\r\n"
			  "Auth-SSL-Verify: FAILED:certificate has expired\r\n"
			  "Auth-SSL-Subject: CN=joe,O=A\\, B\r\n"
			  "Auth-SSL-Issuer: CN=ca\r\n"
			  "Auth-SSL-Serial: 0A\r\n"
			  "Auth-SSL-Fingerprint: aa00\r\n"
			  "Auth-SSL-Cert: -----BEGIN%20X-----%0AA+/=%0A\r\n"
			  "X-Auth-Key: k3y\r\n"
			  "\r\n");
	end(f);
}

static const struct {
	enum sasl_method method;
	const char *name;
	bool salted;
} METHODS[] = {
	{ SASL_PLAIN, "plain", false },	     { SASL_LOGIN, "plain", false },
	{ SASL_CRAM_MD5, "cram-md5", true }, { SASL_EXTERNAL, "external", false },
	{ SASL_XOAUTH2, "xoauth2", false },  { SASL_OAUTHBEARER, "oauthbearer", false },
	{ SASL_APOP, "apop", true },	     { SASL_NONE, "none", false },
};

static const char *const PROTOCOLS[] = { "imap", "pop3", "smtp" };

static const struct {
	const char *bytes;
	struct auth_tls tls;
} TLS[] = {
	{ "", { .on = false, .protocol = LIT("unused") } },
	{ "Auth-SSL: on\r\nAuth-SSL-Protocol: TLSv1.2\r\nAuth-SSL-Cipher: C\r\n",
	  { .on = true, .protocol = LIT("TLSv1.2"), .cipher = LIT("C") } },
	{ "Auth-SSL: on\r\nAuth-SSL-Protocol: TLSv1.3\r\nAuth-SSL-Cipher: C\r\nAuth-SSL-Verify: NONE\r\n",
	  { .on = true, .protocol = LIT("TLSv1.3"), .cipher = LIT("C"), .verify = LIT("NONE") } },
	{ "Auth-SSL: on\r\nAuth-SSL-Protocol: P\r\nAuth-SSL-Cipher: C\r\nAuth-SSL-Verify: SUCCESS\r\n"
	  "Auth-SSL-Subject: CN=s\r\nAuth-SSL-Issuer: CN=i\r\nAuth-SSL-Serial: 1\r\n"
	  "Auth-SSL-Fingerprint: f\r\n",
	  { .on = true,
	    .protocol = LIT("P"),
	    .cipher = LIT("C"),
	    .verify = LIT("SUCCESS"),
	    .subject = LIT("CN=s"),
	    .issuer = LIT("CN=i"),
	    .serial = LIT("1"),
	    .fingerprint = LIT("f") } },
};

static const char *const PROXIES[] = {
	"",
	"Proxy-Protocol-Addr: 10.0.0.1\r\nProxy-Protocol-Port: 1\r\n"
	"Proxy-Protocol-Server-Addr: 10.0.0.2\r\nProxy-Protocol-Server-Port: 2\r\n",
};

#define ENVELOPE "Auth-SMTP-Helo: h\r\nAuth-SMTP-From: m\r\nAuth-SMTP-To: r\r\n"

static void one_of_all(size_t method, size_t protocol, size_t tls, size_t proxy)
{
	struct fixture *f = begin(METHODS[method].method, PROTOCOLS[protocol]);
	bool smtp = protocol == 2;
	char want[2048];

	buf_set(&f->login.user, STR("u"));
	buf_set(&f->login.secret, STR("s"));
	buf_set(&f->login.salt, STR("<salt>"));
	buf_set(&f->login.helo, STR("h"));
	buf_set(&f->login.mail, STR("m"));
	buf_set(&f->login.rcpt, STR("r"));
	if (smtp)
		f->request.client_host = STR("name");
	f->request.tls = TLS[tls].tls;
	if (proxy != 0) {
		f->request.proxy_addr = STR("10.0.0.1");
		f->request.proxy_server_addr = STR("10.0.0.2");
		f->request.proxy_port = 1;
		f->request.proxy_server_port = 2;
	}
	snprintf(want, sizeof(want),
		 "%sAuth-Method: %s\r\nAuth-User: u\r\nAuth-Pass: s\r\n%s"
		 "Auth-Protocol: %s\r\nAuth-Login-Attempt: 1\r\nClient-IP: 192.0.2.7\r\n%s%s%s%s%s",
		 FRAME.before.at, METHODS[method].name, METHODS[method].salted ? "Auth-Salt: <salt>\r\n" : "",
		 PROTOCOLS[protocol], smtp ? "Client-Host: name\r\n" : "", PROXIES[proxy],
		 METHODS[method].method == SASL_NONE ? ENVELOPE : "", TLS[tls].bytes, FRAME.after.at);
	assert_request(f, want);
	end(f);
}

static void methods_by_protocols_by_tls_by_proxy(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof(METHODS) / sizeof(METHODS[0]); m++)
		for (size_t p = 0; p < 3; p++)
			for (size_t t = 0; t < sizeof(TLS) / sizeof(TLS[0]); t++)
				for (size_t x = 0; x < 2; x++)
					one_of_all(m, p, t, x);
}

/* Every byte in name and password: the escape set is 0x00 to 0x20 and '%', nothing else. */
static void every_byte_of_a_secret(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		struct fixture *f = begin(SASL_PLAIN, "pop3");
		char byte = (char)c, escaped[4] = { byte }, line[32], *request;
		struct str culprit;
		size_t len = 1;

		if (c <= ' ' || c == '%')
			len = (size_t)snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned)c);
		buf_set(&f->login.user, (struct str){ &byte, 1 });
		buf_set(&f->login.secret, (struct str){ &byte, 1 });
		assert_true(http_request_write(&f->bytes, &FRAME, &f->request, &culprit));
		buf_put_byte(&f->bytes, '\0');
		request = f->bytes.at;
		assert_int_equal(strlen(request) + 1, f->bytes.len);
		snprintf(line, sizeof(line), "\r\nAuth-User: %.*s\r\n", (int)len, escaped);
		assert_non_null(strstr(request, line));
		snprintf(line, sizeof(line), "\r\nAuth-Pass: %.*s\r\n", (int)len, escaped);
		assert_non_null(strstr(request, line));
		end(f);
	}
}

/* A raw value with any control character in it is not sent, and the header is named. */
static void no_control_gets_out(void **state)
{
	static const size_t RAW[] = {
		offsetof(struct auth_request, client_ip),
		offsetof(struct auth_request, client_host),
		offsetof(struct auth_request, proxy_addr),
		offsetof(struct auth_request, proxy_server_addr),
		offsetof(struct auth_request, tls.protocol),
		offsetof(struct auth_request, tls.cipher),
		offsetof(struct auth_request, tls.verify),
		offsetof(struct auth_request, tls.subject),
		offsetof(struct auth_request, tls.issuer),
		offsetof(struct auth_request, tls.serial),
		offsetof(struct auth_request, tls.fingerprint),
	};
	static const char *const NAMES[] = {
		"Client-IP",	     "Client-Host",	"Proxy-Protocol-Addr",	"Proxy-Protocol-Server-Addr",
		"Auth-SSL-Protocol", "Auth-SSL-Cipher", "Auth-SSL-Verify",	"Auth-SSL-Subject",
		"Auth-SSL-Issuer",   "Auth-SSL-Serial", "Auth-SSL-Fingerprint",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(RAW) / sizeof(RAW[0]); i++) {
		for (int c = 0; c < 256; c++) {
			struct fixture *f = begin(SASL_PLAIN, "smtp");
			char bytes[3] = { 'a', (char)c, 'b' };
			bool control = c < ' ' || c == 0x7f, sent;
			struct str culprit;

			f->request.tls.on = true;
			f->request.proxy_addr = STR("x");
			memcpy((char *)&f->request + RAW[i], &(struct str){ bytes, 3 }, sizeof(struct str));
			sent = http_request_write(&f->bytes, &FRAME, &f->request, &culprit);
			assert_int_equal(sent, !control);
			assert_str(culprit, str_of(control ? NAMES[i] : NULL));
			end(f);
		}
	}
}

static void no_control_in_an_envelope(void **state)
{
	static const size_t BUFS[] = {
		offsetof(struct login, helo),
		offsetof(struct login, mail),
		offsetof(struct login, rcpt),
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture *f = begin(SASL_NONE, "smtp");
		struct str culprit;

		buf_set((struct buf *)(void *)((char *)&f->login + BUFS[i]), STR("x\r\nAuth-Status: OK"));
		assert_false(http_request_write(&f->bytes, &FRAME, &f->request, &culprit));
		assert_true(str_starts(culprit, STR("Auth-SMTP-")));
		end(f);
	}
}

static void too_long_is_refused(void **state)
{
	struct fixture *f = begin(SASL_PLAIN, "imap");
	struct str culprit;
	char *big;

	(void)state;
	big = buf_space(&f->login.secret, HTTP_REQUEST_MOST - 16);
	memset(big, 'x', HTTP_REQUEST_MOST - 16);
	buf_grew(&f->login.secret, HTTP_REQUEST_MOST - 16);
	assert_false(http_request_write(&f->bytes, &FRAME, &f->request, &culprit));
	assert_int_equal(culprit.len, 0);
	end(f);
}

static void frames(void **state)
{
	struct str words[] = { STR("X-Key"), STR("a b"), STR("X-Empty"), STR("") };
	struct http_server_conf server = { .host = STR("[::1]"), .uri = STR("/a?b=c") };
	struct http_conf conf = { .keepalive = 1 };
	struct arena *arena = arena_new(64);
	struct http_frame f = http_frame_make(&conf, &server, NULL, arena);

	(void)state;
	assert_str(f.before, STR("GET /a?b=c HTTP/1.1\r\nHost: [::1]\r\n"));
	assert_str(f.after, STR("\r\n"));
	conf.headers = (struct strs){ words, 4 };
	conf.keepalive = 0;
	f = http_frame_make(&conf, &server, NULL, arena);
	assert_str(f.before, STR("GET /a?b=c HTTP/1.0\r\nHost: [::1]\r\n"));
	assert_str(f.after, STR("X-Key: a b\r\nX-Empty: \r\n\r\n"));
	arena_free(arena);
}

static void hear(void *to, enum log_level level, const char *text)
{
	(void)to;
	(void)level;
	print_error("%s\n", text);
}

static bool fact(const struct vars *v, enum var which, struct str *to)
{
	static const struct str values[VARS_LEN] = {
		[VAR_LOGIN] = LIT("joe@Example.org"), [VAR_SMTP_HELO] = LIT("a\tb")
	};

	(void)v;
	*to = values[which];
	return to->len != 0;
}

/* A '$' is literal but before a name that is known; the rest of the configured headers stays as it is. */
static void headers_with_variables(void **state)
{
	struct str words[] = { STR("X-Key"),  STR("pa$$word\t$1"), STR("X-Where"), STR("$login_domain $site"),
			       STR("X-Helo"), STR("${smtp_helo}") };
	struct http_server_conf server = { .host = STR("h"), .uri = STR("/") };
	struct http_conf conf = { .keepalive = 1, .headers = { words, 4 } };
	struct conf_source source = { .modules = (const struct module *const[]){ NULL },
				      .bundle = bundle_record(),
				      .file = "/c",
				      .prefix = "/",
				      .say = hear };
	struct fixture *f = begin(SASL_PLAIN, "imap");
	struct vars vars = { .home = f->arena, .fact = fact };
	struct http_frame frame;
	struct str culprit;
	struct conf *c;

	(void)state;
	bundle_put(source.bundle, BUNDLE_CONF, STR("/c"), STR(""));
	c = conf_load(&source);
	assert_non_null(c);
	frame = http_frame_make(&conf, &server, c, f->arena);
	f->request.vars = &vars;
	assert_true(http_request_write(&f->bytes, &frame, &f->request, &culprit));
	assert_non_null(memmem(f->bytes.at, f->bytes.len,
			       "\r\nX-Key: pa$$word\t$1\r\nX-Where: example.org $site\r\n\r\n", 52));
	conf.headers.len = 6;
	frame = http_frame_make(&conf, &server, c, f->arena);
	buf_clear(&f->bytes);
	assert_false(http_request_write(&f->bytes, &frame, &f->request, &culprit));
	assert_str(culprit, STR("X-Helo"));
	conf.headers.len = 2;
	frame = http_frame_make(&conf, &server, c, f->arena);
	assert_null(frame.headers);
	assert_str(frame.after, STR("X-Key: pa$$word\t$1\r\n\r\n"));
	conf_free(c);
	bundle_free(source.bundle);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_login),
		cmocka_unit_test(relay_without_login),
		cmocka_unit_test(everything_at_once),
		cmocka_unit_test(methods_by_protocols_by_tls_by_proxy),
		cmocka_unit_test(every_byte_of_a_secret),
		cmocka_unit_test(no_control_gets_out),
		cmocka_unit_test(no_control_in_an_envelope),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(frames),
		cmocka_unit_test(headers_with_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
