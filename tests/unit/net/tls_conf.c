/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives ssl_*: what they are by default, how they are inherited, and what is wrong with them in the
 * peer's words. */
#include "tls_side.h"

#include <string.h>

/* --- values
 * --------------------------------------------------------------------------------------------------- */

/* Every directive of the peer's mail TLS module is here. */
static void knows_every_directive(void **state)
{
	static const char *const NAMES[] = {
		"ssl_certificate",
		"ssl_certificate_key",
		"ssl_password_file",
		"ssl_certificate_compression",
		"ssl_protocols",
		"ssl_ciphers",
		"ssl_prefer_server_ciphers",
		"ssl_dhparam",
		"ssl_ecdh_curve",
		"ssl_session_cache",
		"ssl_session_tickets",
		"ssl_session_ticket_key",
		"ssl_session_timeout",
		"ssl_verify_client",
		"ssl_verify_depth",
		"ssl_client_certificate",
		"ssl_trusted_certificate",
		"ssl_crl",
		"ssl_conf_command",
	};
	size_t rows = 0;

	(void)state;
	for (const struct directive *d = tls_module.directives; d->name != NULL; d++, rows++) {
		assert_string_equal(d->name, NAMES[rows]);
		assert_int_equal(d->where, IN_MAIL | IN_SERVER);
		assert_true(d->args != NULL && d->help != NULL && strlen(d->help) > 10);
	}
	assert_int_equal(rows, sizeof(NAMES) / sizeof(NAMES[0]));
}

static void has_the_defaults_of_the_peer(void **state)
{
	const struct tls_settings *t;
	struct site s;

	(void)state;
	site_init(&s, 0);
	site_load(&s, "server { }");
	t = tls_settings(site_server(&s, 0));
	assert_int_equal(t->certificates.len + t->keys.len + t->ticket_keys.len + t->commands.len, 0);
	assert_int_equal(t->protocols, TLS_1_2 | TLS_1_3);
	assert_str(t->ciphers.text, STR("HIGH:!aNULL:!MD5"));
	assert_str(t->curves.text, STR("auto"));
	assert_int_equal(t->verify, TLS_VERIFY_OFF);
	assert_int_equal(t->verify_depth, 1);
	assert_int_equal(t->timeout_s, 300);
	assert_true(t->tickets);
	assert_false(t->prefer_server_ciphers || t->certificate_compression);
	assert_false(t->cache.off || t->cache.builtin || t->cache.shared);
	site_done(&s);
}

/* Lists are replaced as a whole, and every word knows its line. */
static void inherits_whole_lists(void **state)
{
	const struct tls_settings *t;
	struct site s;

	(void)state;
	site_init(&s, 0);
	site_load(&s, "ssl_certificate a; ssl_certificate b; ssl_protocols TLSv1.3;\n"
		      "ssl_conf_command A 1; ssl_conf_command B 2; ssl_session_timeout 1h; ssl_verify_client "
		      "optional;\n"
		      "server { ssl_certificate c; ssl_conf_command C 3;\n ssl_protocols TLSv1; "
		      "ssl_protocols TLSv1.1; }\n"
		      "server { }");
	t = tls_settings(site_server(&s, 0));
	assert_int_equal(t->certificates.len, 1);
	assert_str(t->certificates.at[0].text, STR("c"));
	assert_int_equal(t->certificates.at[0].line, 3);
	assert_int_equal(t->commands.len, 2);
	assert_int_equal(t->protocols, TLS_1_0 | TLS_1_1);
	assert_int_equal(tls_verify_mode(site_server(&s, 0)), TLS_VERIFY_OPTIONAL);
	t = tls_settings(site_server(&s, 1));
	assert_int_equal(t->certificates.len, 2);
	assert_str(t->certificates.at[1].text, STR("b"));
	assert_int_equal(t->commands.len, 4);
	assert_str(t->commands.at[3].text, STR("2"));
	assert_int_equal(t->protocols, TLS_1_3);
	assert_int_equal(t->timeout_s, 3600);
	site_done(&s);
}

/* --- ssl_session_cache
 * ---------------------------------------------------------------------------------------- */

static void reads_session_caches(void **state)
{
	const struct tls_cache_choice *c;
	struct site s;

	(void)state;
	site_init(&s, 0);
	site_load(&s, "server { ssl_session_cache builtin:1000 shared:SSL:10m; } server { ssl_session_cache "
		      "shared:SSL:10m builtin; }"
		      "server { ssl_session_cache off; } server { ssl_session_cache none; } server { "
		      "ssl_session_cache shared:b:32768; }");
	c = &tls_settings(site_server(&s, 0))->cache;
	assert_true(c->builtin && c->shared && !c->off);
	assert_int_equal(c->builtin_sessions, 1000);
	assert_int_equal(c->shared_bytes, 10 << 20);
	assert_str(c->shared_name, STR("SSL"));
	assert_int_equal(tls_settings(site_server(&s, 1))->cache.builtin_sessions, 20480);
	assert_true(tls_settings(site_server(&s, 2))->cache.off);
	c = &tls_settings(site_server(&s, 3))->cache;
	assert_false(c->builtin || c->shared || c->off);
	site_done(&s);
}

static void check_said(const char *mail, const char *said)
{
	struct site s;

	site_init(&s, 0);
	site_load(&s, mail);
	assert_null(s.conf);
	assert_string_equal(s.said, said);
	site_done(&s);
}

static void refuses_bad_session_caches(void **state)
{
	static const char *const BAD[] = { "shared",
					   "shared:",
					   "shared:x",
					   "shared:x:",
					   "shared::1m",
					   "shared:x:1g",
					   "shared:x:1m:2",
					   "builtin:",
					   "builtin:x",
					   "builtinx",
					   "OFF",
					   "on",
					   "" };
	char mail[128], said[128];

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		snprintf(mail, sizeof(mail), "\n ssl_session_cache \"%s\";", BAD[i]);
		snprintf(said, sizeof(said), "invalid session cache \"%s\" in /etc/t.conf:2\n", BAD[i]);
		check_said(mail, said);
	}
	check_said("ssl_session_cache shared:s:32767;",
		   "session cache \"shared:s:32767\" is too small in /etc/t.conf:1\n");
	check_said("ssl_session_cache shared:s:1m; server {\nssl_session_cache shared:s:2m; }",
		   "the size 2097152 of shared memory zone \"s\" conflicts with already declared size "
		   "1048576 in /etc/t.conf:2\n");
}

/* --- what is missing
 * ------------------------------------------------------------------------------------------ */

static void says_what_is_missing(void **state)
{
	static const char *const CASES[][2] = {
		{ "server { }",
		  "no \"ssl_certificate\" is defined for the \"starttls\" directive in /f:7\n" },
		{ "server { ssl_certificate a; }",
		  "no \"ssl_certificate_key\" is defined for the \"starttls\" directive in /f:7\n" },
		{ "server { ssl_certificate a; ssl_certificate b; ssl_certificate_key a; }",
		  "no \"ssl_certificate_key\" is defined for certificate \"b\" and the \"starttls\" "
		  "directive in /f:7\n" },
		{ "server { ssl_certificate data:x; ssl_certificate data:y; ssl_certificate_key data:z; }",
		  "no \"ssl_certificate_key\" is defined for certificate \"data:\" and the \"starttls\" "
		  "directive in /f:7\n" },
		{ "ssl_certificate a; server { ssl_certificate_key b; }", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct site s;

		site_init(&s, 0);
		site_load(&s, CASES[i][0]);
		assert_non_null(s.conf);
		assert_int_equal(tls_require(s.conf, site_server(&s, 0), "starttls", "/f", 7),
				 CASES[i][1] == NULL);
		assert_string_equal(s.said, CASES[i][1] != NULL ? CASES[i][1] : "");
		site_done(&s);
	}
}

/* --- what cannot be loaded
 * ------------------------------------------------------------------------------------ */

struct cards {
	struct card ec, rsa;
};

static int make_cards(void **state)
{
	struct cards *c = malloc(sizeof(*c));

	c->ec = card_make("ec.test", &(struct card_wish){ .rsa = false });
	c->rsa = card_make("rsa.test", &(struct card_wish){ .rsa = true });
	*state = c;
	return 0;
}

static int drop_cards(void **state)
{
	struct cards *c = *state;

	card_drop(&c->ec);
	card_drop(&c->rsa);
	free(c);
	return 0;
}

static void put_files(struct site *s, const struct cards *c)
{
	site_file(s, "/etc/ec.crt", card_pem(&c->ec));
	site_file(s, "/etc/ec.key", card_key_pem(&c->ec));
	site_file(s, "/etc/rsa.crt", card_pem(&c->rsa));
	site_file(s, "/etc/rsa.key", card_key_pem(&c->rsa));
	site_file(s, "/etc/both.pem",
		  pem_join(card_key_pem(&c->rsa), pem_join(card_pem(&c->rsa), card_pem(&c->ec))));
	site_file(s, "/etc/locked.key", card_key_pem_locked(&c->ec, "open sesame"));
	site_file(s, "/etc/phrases", STR("wrong\r\n\nopen sesame\r\nnever tried"));
	site_file(s, "/etc/wrong-phrases", STR("wrong\n\n"));
	site_file(s, "/etc/empty", STR(""));
	site_file(s, "/etc/rubbish",
		  STR("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n"));
	site_file(s, "/etc/late",
		  pem_join(card_pem(&c->ec),
			   STR("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")));
	site_file(s, "/etc/47", STR("0123456789abcdef0123456789abcdef0123456789abcde"));
	site_file(s, "/etc/48", STR("0123456789abcdef0123456789abcdef0123456789abcdef"));
}

#define GOOD "ssl_certificate ec.crt; ssl_certificate_key ec.key; "

/* Each must load: directives of one server. */
static void loads_what_it_may(void **state)
{
	static const char *const CASES[] = {
		GOOD,
		"ssl_certificate ec.crt; ssl_certificate_key ec.key; ssl_certificate rsa.crt; "
		"ssl_certificate_key rsa.key;",
		"ssl_certificate both.pem; ssl_certificate_key both.pem;",
		"ssl_certificate ec.crt; ssl_certificate_key locked.key; ssl_password_file phrases;",
		"ssl_certificate ec.crt; ssl_certificate_key ec.key; ssl_password_file wrong-phrases;",
		GOOD "ssl_session_ticket_key 48;",
		GOOD "ssl_verify_client on; ssl_trusted_certificate ec.crt;",
		GOOD "ssl_verify_client optional_no_ca;",
		GOOD "ssl_client_certificate missing; ssl_crl missing;",
		GOOD "ssl_ecdh_curve X25519:P-256; ssl_ciphers ECDHE+AESGCM; ssl_prefer_server_ciphers on;",
		GOOD "ssl_conf_command Options -SessionTicket; ssl_conf_command Ciphersuites "
		     "TLS_AES_128_GCM_SHA256;",
		GOOD
		"ssl_protocols SSLv2 SSLv3 TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_session_cache shared:x:1m;",
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		char mail[512];
		struct site s;
		struct tls_context *t;

		site_init(&s, i % 2 != 0 ? 65536 : 0);
		put_files(&s, *state);
		snprintf(mail, sizeof(mail), "server { %s }", CASES[i]);
		site_load(&s, mail);
		t = site_context(&s, 0);
		assert_string_equal(s.said, "");
		assert_non_null(t);
		tls_context_free(t);
		/* the master only tests */
		tls_shared_free(s.shared);
		s.shared = NULL;
		t = site_context(&s, 0);
		assert_non_null(t);
		tls_context_free(t);
		site_done(&s);
	}
}

/* The text, and where it stands. What the library adds differs from version to version; so it is compared up
 * to there. */
static void check_fault(const char *said, const char *want)
{
	static const char TAIL[] = " in /etc/t.conf:3\n";
	struct str got = str_of(said), head = str_of(want), tail = STR(TAIL);

	if (got.len < head.len + tail.len || !str_starts(got, head) ||
	    !str_eq(str_skip(got, got.len - tail.len), tail))
		assert_string_equal(said, want);
	if (strstr(want, "(SSL: ") == NULL)
		assert_int_equal(got.len, head.len + tail.len);
	else
		assert_int_equal(got.at[got.len - tail.len - 1], ')');
}

/* Each must fail with this. */
static void says_why_it_cannot_load(void **state)
{
	static const char *const CASES[][2] = {
		{ "ssl_certificate missing; ssl_certificate_key ec.key;",
		  "cannot load certificate \"/etc/missing\": open() failed (2: No such file or directory)" },
		{ "ssl_certificate empty; ssl_certificate_key ec.key;",
		  "cannot load certificate \"/etc/empty\": PEM_read_bio_X509_AUX() failed (SSL: error:" },
		{ "ssl_certificate rubbish; ssl_certificate_key ec.key;",
		  "cannot load certificate \"/etc/rubbish\": PEM_read_bio_X509_AUX() failed (SSL: error:" },
		{ "ssl_certificate late; ssl_certificate_key ec.key;",
		  "cannot load certificate \"/etc/late\": PEM_read_bio_X509() failed (SSL: error:" },
		{ "ssl_certificate ec.crt; ssl_certificate_key missing;",
		  "cannot load certificate key \"/etc/missing\": open() failed (2: No such file or "
		  "directory)" },
		{ "ssl_certificate ec.crt; ssl_certificate_key ec.crt;",
		  "cannot load certificate key \"/etc/ec.crt\": PEM_read_bio_PrivateKey() failed (SSL: "
		  "error:" },
		{ "ssl_certificate ec.crt; ssl_certificate_key rsa.key;",
		  "SSL_CTX_use_PrivateKey(\"/etc/rsa.key\") failed (SSL: error:" },
		{ "ssl_certificate ec.crt; ssl_certificate_key locked.key;",
		  "cannot load certificate key \"/etc/locked.key\": it is encrypted and there is no "
		  "\"ssl_password_file\"" },
		{ "ssl_certificate ec.crt; ssl_certificate_key ec.key; ssl_password_file missing;",
		  "cannot load pass phrases \"/etc/missing\": open() failed (2: No such file or directory)" },
		{ "ssl_certificate ec.crt; ssl_certificate_key engine:pkcs11:id;",
		  "cannot load certificate key \"engine:pkcs11:id\": loading \"engine:...\" certificate keys "
		  "is not supported, use \"store:...\" and a provider" },
		{ GOOD "ssl_ciphers NONE;", "SSL_CTX_set_cipher_list(\"NONE\") failed (SSL: error:" },
		{ GOOD "ssl_dhparam ec.crt;", "cannot load DH parameters \"/etc/ec.crt\": "
					      "PEM_read_bio_Parameters() failed (SSL: error:" },
		{ GOOD "ssl_verify_client on;",
		  "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client" },
		{ GOOD "ssl_verify_client optional; ssl_client_certificate empty;",
		  "cannot load certificate \"/etc/empty\": it holds none" },
		{ GOOD "ssl_verify_client optional; ssl_client_certificate late;",
		  "cannot load certificate \"/etc/late\": PEM_read_bio_X509() failed (SSL: error:" },
		{ GOOD "ssl_verify_client optional; ssl_trusted_certificate missing;",
		  "cannot load certificate \"/etc/missing\": open() failed (2: No such file or directory)" },
		{ GOOD "ssl_verify_client optional; ssl_trusted_certificate ec.crt; ssl_crl ec.crt;",
		  "cannot load revocation list \"/etc/ec.crt\": PEM_read_bio_X509_CRL() failed (SSL: "
		  "error:" },
		{ GOOD "ssl_session_ticket_key 47;", "\"/etc/47\" must be 48 or 80 bytes" },
		{ GOOD "ssl_session_ticket_key missing;", "cannot load session ticket key \"/etc/missing\": "
							  "open() failed (2: No such file or directory)" },
		{ GOOD "ssl_conf_command Nonsense 1;",
		  "SSL_CONF_cmd(\"Nonsense\", \"1\") failed (SSL: error:" },
		{ GOOD "ssl_conf_command MinProtocol TLSv9;",
		  "SSL_CONF_cmd(\"MinProtocol\", \"TLSv9\") failed (SSL: error:" },
		{ "ssl_certificate ec.crt; ssl_certificate_key locked.key; ssl_password_file wrong-phrases;",
		  "cannot load certificate key \"/etc/locked.key\": PEM_read_bio_PrivateKey() failed (SSL: "
		  "error:" },
		{ GOOD "ssl_ecdh_curve nonsense;",
		  "SSL_CTX_set1_curves_list(\"nonsense\") failed (SSL: error:" },
		{ "ssl_certificate ec.crt; ssl_certificate_key \"store:file:/nowhere/at/all\";",
		  "cannot load certificate key \"store:file:/nowhere/at/all\": OSSL_STORE_load() failed "
		  "(SSL: error:" },
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		char mail[512];
		struct tls_context *t;
		struct site s;

		site_init(&s, 0);
		put_files(&s, *state);
		snprintf(mail, sizeof(mail), "\n\nserver { %s }", CASES[i][0]);
		site_load(&s, mail);
		assert_non_null(s.conf);
		t = site_context(&s, 0);
		check_fault(s.said, CASES[i][1]);
		assert_null(t);
		site_done(&s);
	}
}

/* What stands in a configuration behind "data:" is used, and never shown. */
static void inline_keys_work_and_stay_secret(void **state)
{
	const struct cards *c = *state;
	struct tls_context *t;
	char mail[8192];
	struct site s;

	site_init(&s, 0);
	snprintf(mail, sizeof(mail),
		 "server { ssl_certificate \"data:%.*s\"; ssl_certificate_key \"data:%.*s\"; }",
		 STR_ARG(card_pem(&c->ec)), STR_ARG(card_key_pem(&c->ec)));
	site_load(&s, mail);
	t = site_context(&s, 0);
	assert_non_null(t);
	tls_context_free(t);
	site_done(&s);

	site_init(&s, 0);
	snprintf(mail, sizeof(mail),
		 "server { ssl_certificate \"data:%.*s\"; ssl_certificate_key \"data:%.*s\"; }",
		 STR_ARG(card_pem(&c->ec)), STR_ARG(card_key_pem(&c->rsa)));
	site_load(&s, mail);
	assert_null(site_context(&s, 0));
	assert_true(str_starts(str_of(s.said), STR("SSL_CTX_use_PrivateKey(\"data:\") failed")));
	assert_null(strstr(s.said, "BEGIN"));
	site_done(&s);
}

/* A key from a store goes into the bundle, so a worker that cannot reach the store gets it all the same. */
static void keys_from_a_store_come_through_the_bundle(void **state)
{
	char path[] = "/tmp/postern-unit-XXXXXX", mail[256];
	const struct cards *c = *state;
	int fd = mkstemp(path);
	struct str key = card_key_pem_locked(&c->ec, "open sesame");
	struct site s;

	assert_int_equal(write(fd, key.at, key.len), key.len);
	close(fd);
	site_init(&s, 0);
	put_files(&s, c);
	snprintf(mail, sizeof(mail),
		 "server { ssl_certificate ec.crt; ssl_certificate_key store:file:%s; ssl_password_file "
		 "phrases; }",
		 path);
	site_load(&s, mail);
	for (int i = 0; i < 2; i++) {
		struct tls_context *t = site_context(&s, 0);

		assert_string_equal(s.said, "");
		assert_non_null(t);
		tls_context_free(t);
		if (i == 0)
			assert_int_equal(unlink(path), 0);
	}
	site_done(&s);
}

static void dh_parameters_are_taken(void **state)
{
	static const char GROUP[] = "-----BEGIN DH PARAMETERS-----\n"
				    "MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
				    "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
				    "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
				    "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
				    "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
				    "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n-----END DH PARAMETERS-----\n";
	struct tls_context *t;
	struct pair p;
	struct site s;

	for (int with = 0; with < 2; with++) {
		site_init(&s, 0);
		put_files(&s, *state);
		site_file(&s, "/etc/dh", STR(GROUP));
		site_load(&s, with ? "server { " GOOD "ssl_dhparam dh; }" : "server { " GOOD "}");
		t = site_context(&s, 0);
		assert_non_null(t);
		pair_open(&p, t);
		SSL_CTX_set_cipher_list(p.about, "DHE");
		pair_client(&p, &(struct pair_wish){ .version = TLS1_2_VERSION });
		/* the certificate is ECDSA and DHE wants RSA: the parameters alone must not make a difference
		 * here */
		assert_int_equal(pair_shake(&p), TLS_FAILED);
		pair_close(&p);
		tls_context_free(t);
		site_done(&s);
	}
	site_init(&s, 0);
	put_files(&s, *state);
	site_file(&s, "/etc/dh", STR(GROUP));
	site_load(&s, "server { ssl_certificate rsa.crt; ssl_certificate_key rsa.key; ssl_dhparam dh; }");
	t = site_context(&s, 0);
	pair_open(&p, t);
	SSL_CTX_set_cipher_list(p.about, "DHE-RSA-AES256-GCM-SHA384");
	pair_client(&p, &(struct pair_wish){ .version = TLS1_2_VERSION });
	assert_int_equal(pair_shake(&p), TLS_DONE);
	pair_close(&p);
	tls_context_free(t);
	site_done(&s);
}

/* Commands are the last word. */
static void commands_override_directives(void **state)
{
	struct tls_context *t;
	struct pair p;
	struct site s;

	site_init(&s, 0);
	put_files(&s, *state);
	site_load(&s,
		  "server { " GOOD "ssl_protocols TLSv1.2 TLSv1.3; ssl_conf_command MinProtocol TLSv1.3; }");
	t = site_context(&s, 0);
	assert_int_equal(pair_meet(&p, t, &(struct pair_wish){ .version = TLS1_2_VERSION }), TLS_FAILED);
	assert_int_equal(p.their_reason, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	pair_close(&p);
	assert_int_equal(pair_meet(&p, t, &(struct pair_wish){ .version = TLS1_3_VERSION }), TLS_DONE);
	pair_close(&p);
	tls_context_free(t);
	site_done(&s);
}

/* The client's abilities choose the certificate; by default no group over a finite field is taken. */
static void serves_each_client_what_it_can(void **state)
{
	struct str sig_alg, key_alg;
	struct tls_context *t;
	struct pair p;
	struct site s;

	site_init(&s, 0);
	put_files(&s, *state);
	site_load(&s, "server { " GOOD "ssl_certificate rsa.crt; ssl_certificate_key rsa.key; }");
	t = site_context(&s, 0);
	pair_open(&p, t);
	SSL_CTX_set1_sigalgs_list(p.about, "rsa_pss_rsae_sha256");
	pair_client(&p, &(struct pair_wish){ .sni = NULL });
	assert_int_equal(pair_shake(&p), TLS_DONE);
	tls_own_certificate(&p.ours, &sig_alg, &key_alg);
	assert_str(sig_alg, STR("RSA-SHA256"));
	assert_str(key_alg, STR("RSA2048"));
	pair_close(&p);
	pair_open(&p, t);
	SSL_CTX_set1_groups_list(p.about, "ffdhe2048");
	pair_client(&p, &(struct pair_wish){ .version = TLS1_3_VERSION });
	assert_int_equal(pair_shake(&p), TLS_FAILED);
	pair_close(&p);
	tls_context_free(t);
	site_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_directive),
		cmocka_unit_test(has_the_defaults_of_the_peer),
		cmocka_unit_test(inherits_whole_lists),
		cmocka_unit_test(reads_session_caches),
		cmocka_unit_test(refuses_bad_session_caches),
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(loads_what_it_may),
		cmocka_unit_test(says_why_it_cannot_load),
		cmocka_unit_test(inline_keys_work_and_stay_secret),
		cmocka_unit_test(keys_from_a_store_come_through_the_bundle),
		cmocka_unit_test(dh_parameters_are_taken),
		cmocka_unit_test(commands_override_directives),
		cmocka_unit_test(serves_each_client_what_it_can),
	};

	return cmocka_run_group_tests(tests, make_cards, drop_cards);
}
