/* SPDX-License-Identifier: BSD-2-Clause */
/* Client certificates: every mode against every kind of certificate, revocation and depth, and what is told
 * of them. */
#include "tls_side.h"

#include "base/text.h"
#include <string.h>

/* Who is who: a trusted authority, two levels of intermediates, strangers, and the clients of each. */
struct world {
	struct card server, root, middle, lower, stranger;
	struct card good, expired, revoked, below, deep, foreign, alone;
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->server = card_make("mail.test", &(struct card_wish){ .rsa = false });
	w->root = card_make("Root", &(struct card_wish){ .authority = true });
	w->middle =
		card_make("Middle", &(struct card_wish){ .authority = true, .by = &w->root, .serial = 2 });
	w->lower =
		card_make("Lower", &(struct card_wish){ .authority = true, .by = &w->middle, .serial = 3 });
	w->stranger = card_make("Stranger", &(struct card_wish){ .authority = true });
	w->good = card_make("good", &(struct card_wish){ .by = &w->root,
							 .organisation = "Post, \"Inc\"",
							 .serial = 0xABCDEF });
	w->expired = card_make("expired", &(struct card_wish){ .by = &w->root, .expired = true });
	w->revoked = card_make("revoked", &(struct card_wish){ .by = &w->root, .serial = 99 });
	w->below = card_make("below", &(struct card_wish){ .by = &w->middle });
	w->deep = card_make("deep", &(struct card_wish){ .by = &w->lower });
	w->foreign = card_make("foreign", &(struct card_wish){ .by = &w->stranger });
	w->alone = card_make("alone", &(struct card_wish){ .rsa = true });
	*state = w;
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;

	for (struct card *c = &w->server; c <= &w->alone; c++)
		card_drop(c);
	free(w);
	return 0;
}

static struct tls_context *open_site(struct site *s, const struct world *w, const char *directives)
{
	char mail[512];

	site_init(s, 0);
	site_file(s, "/etc/s.crt", card_pem(&w->server));
	site_file(s, "/etc/s.key", card_key_pem(&w->server));
	site_file(s, "/etc/ca", card_pem(&w->root));
	site_file(s, "/etc/two-ca",
		  pem_join(card_pem(&w->root), pem_join(card_pem(&w->stranger), card_pem(&w->root))));
	site_file(s, "/etc/crl", card_crl(&w->root, &w->revoked));
	site_file(s, "/etc/middle-crl", card_crl(&w->middle, NULL));
	site_file(s, "/etc/crls", pem_join(card_crl(&w->root, &w->revoked), card_crl(&w->middle, NULL)));
	snprintf(mail, sizeof(mail), "server { ssl_certificate s.crt; ssl_certificate_key s.key; %s }",
		 directives);
	site_load(s, mail);
	return site_context(s, 0);
}

/* A handshake with a client who shows `card` and the intermediates behind it. */
static struct tls_facts meet(struct pair *p, struct tls_context *t, const struct world *w,
			     const struct card *card, int version)
{
	struct tls_facts facts;

	pair_open(p, t);
	if (card == &w->below || card == &w->deep) {
		X509_up_ref(w->lower.cert);
		X509_up_ref(w->middle.cert);
		SSL_CTX_add_extra_chain_cert(p->about, w->lower.cert);
		SSL_CTX_add_extra_chain_cert(p->about, w->middle.cert);
	}
	pair_client(p, &(struct pair_wish){ .card = card, .version = version });
	assert_int_equal(pair_shake(p), TLS_DONE);
	tls_facts(&p->ours, &facts);
	return facts;
}

static const char ON[] = "ssl_verify_client on; ssl_client_certificate ca;";
static const char OPTIONAL[] = "ssl_verify_client optional; ssl_trusted_certificate ca;";
static const char ANY[] = "ssl_verify_client optional_no_ca; ssl_client_certificate ca;";
static const char OFF[] = "ssl_verify_client off; ssl_client_certificate ca;";

static void every_mode_meets_every_certificate(void **state)
{
	const struct world *w = *state;
	const struct {
		const char *directives;
		const struct card *card;
		bool shown, verified;
		long code;
	} cases[] = {
		{ OFF, &w->good, false, false, X509_V_OK },
		{ ON, NULL, false, false, X509_V_OK },
		{ ON, &w->good, true, true, X509_V_OK },
		{ ON, &w->expired, true, false, X509_V_ERR_CERT_HAS_EXPIRED },
		{ ON, &w->foreign, true, false, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE },
		{ ON, &w->alone, true, false, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
		{ ON, &w->below, true, true, X509_V_OK },
		{ OPTIONAL, NULL, false, false, X509_V_OK },
		{ OPTIONAL, &w->good, true, true, X509_V_OK },
		{ OPTIONAL, &w->expired, true, false, X509_V_ERR_CERT_HAS_EXPIRED },
		{ OPTIONAL, &w->foreign, true, false, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE },
		{ ANY, NULL, false, false, X509_V_OK },
		{ ANY, &w->good, true, true, X509_V_OK },
		{ ANY, &w->foreign, true, true, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE },
		{ ANY, &w->alone, true, true, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
		{ ANY, &w->expired, true, false, X509_V_ERR_CERT_HAS_EXPIRED },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		int version = i % 2 != 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
		struct tls_facts facts;
		struct site s;
		struct pair p;
		struct tls_context *t = open_site(&s, w, cases[i / 2].directives);

		facts = meet(&p, t, w, cases[i / 2].card, version);
		assert_int_equal(facts.verify_code, cases[i / 2].code);
		assert_string_equal(facts.verify_text, X509_verify_cert_error_string(cases[i / 2].code));
		assert_int_equal(facts.certificate, cases[i / 2].shown);
		assert_int_equal(facts.verified, cases[i / 2].verified);
		pair_close(&p);
		tls_context_free(t);
		site_done(&s);
	}
}

static void check_code(const struct world *w, const char *directives, const struct card *card, long code)
{
	struct tls_facts facts;
	struct site s;
	struct pair p;
	struct tls_context *t = open_site(&s, w, directives);

	facts = meet(&p, t, w, card, 0);
	assert_int_equal(facts.verify_code, code);
	assert_int_equal(facts.verified, code == X509_V_OK);
	pair_close(&p);
	tls_context_free(t);
	site_done(&s);
}

/* The library says CERT_CHAIN_TOO_LONG first, but as in the peer its last word counts: it did not find an
 * issuer. */
static void depth_counts_intermediates(void **state)
{
	const struct world *w = *state;

	check_code(w, "ssl_verify_client on; ssl_client_certificate ca;", &w->below, X509_V_OK);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca;", &w->deep,
		   X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_verify_depth 2;", &w->deep,
		   X509_V_OK);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_verify_depth 0;", &w->good,
		   X509_V_OK);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_verify_depth 0;", &w->below,
		   X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

/* Once there is a list, each authority of the chain needs one. */
static void revoked_certificates_are_found(void **state)
{
	const struct world *w = *state;

	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_crl crl;", &w->good, X509_V_OK);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_crl crl;", &w->revoked,
		   X509_V_ERR_CERT_REVOKED);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_crl crl;", &w->below,
		   X509_V_ERR_UNABLE_TO_GET_CRL);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_crl middle-crl;", &w->below,
		   X509_V_ERR_UNABLE_TO_GET_CRL);
	check_code(w, "ssl_verify_client on; ssl_client_certificate ca; ssl_crl crls;", &w->below, X509_V_OK);
	check_code(w, "ssl_verify_client optional_no_ca; ssl_trusted_certificate ca; ssl_crl crl;",
		   &w->revoked, X509_V_ERR_CERT_REVOKED);
}

/* Clients are told of the authorities of ssl_client_certificate, each once, and of no others. */
static void authorities_are_named(void **state)
{
	const struct world *w = *state;
	static const struct {
		const char *directives;
		int names;
	} CASES[] = {
		{ "ssl_verify_client on; ssl_client_certificate two-ca;", 2 },
		{ "ssl_verify_client on; ssl_client_certificate ca; ssl_trusted_certificate two-ca;", 1 },
		{ "ssl_verify_client on; ssl_trusted_certificate two-ca;", 0 },
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct tls_facts facts;
		struct site s;
		struct pair p;
		struct tls_context *t = open_site(&s, w, CASES[i].directives);
		int names;

		facts = meet(&p, t, w, &w->good, TLS1_2_VERSION);
		assert_true(facts.verified);
		names = sk_X509_NAME_num(SSL_get0_peer_CA_list(p.theirs));
		assert_int_equal(names < 0 ? 0 : names, CASES[i].names);
		pair_close(&p);
		tls_context_free(t);
		site_done(&s);
	}
}

static void tells_about_a_certificate(void **state)
{
	const struct world *w = *state;
	struct arena *home = arena_new(64);
	struct tls_certificate cert;
	uint8_t digest[SHA_DIGEST_LENGTH];
	unsigned len = sizeof(digest);
	struct buf hex;
	struct site s;
	struct pair p;
	struct tls_context *t = open_site(&s, w, ON);

	meet(&p, t, w, &w->good, 0);
	assert_true(tls_client_certificate(&p.ours, home, &cert));
	assert_str(cert.subject, STR("CN=good,O=Post\\, \\\"Inc\\\""));
	assert_str(cert.issuer, STR("CN=Root"));
	assert_str(cert.serial, STR("ABCDEF"));
	assert_str(cert.common_name, STR("good"));
	assert_str(cert.pem, card_pem(&w->good));
	X509_digest(w->good.cert, EVP_sha1(), digest, &len);
	buf_init(&hex, 64);
	hex_put(&hex, (struct str){ (const char *)digest, len });
	assert_str(cert.fingerprint, buf_text(&hex));
	buf_done(&hex);
	pair_close(&p);
	tls_context_free(t);
	site_done(&s);
	arena_free(home);
}

/* A name that would forge a line stays one line of plain ASCII; odd serial numbers are written as they
 * are. */
static void hostile_names_are_escaped(void **state)
{
	static const struct {
		long serial;
		const char *text;
	} SERIALS[] = { { 1, "01" }, { -1, "-01" }, { 0x100, "0100" } };
	const struct world *w = *state;

	for (size_t i = 0; i < sizeof(SERIALS) / sizeof(SERIALS[0]); i++) {
		struct card card =
			card_make("evil\r\nAuth-Status: OK\n\xc3\xa9,CN=admin",
				  &(struct card_wish){ .rsa = false, .serial = SERIALS[i].serial });
		struct arena *home = arena_new(64);
		struct tls_certificate cert;
		struct site s;
		struct pair p;
		struct tls_context *t = open_site(&s, w, ANY);

		meet(&p, t, w, &card, 0);
		assert_true(tls_client_certificate(&p.ours, home, &cert));
		assert_str(cert.subject, STR("CN=evil\\0D\\0AAuth-Status: OK\\0A\\C3\\A9\\,CN=admin"));
		assert_str(cert.common_name, STR("evil\r\nAuth-Status: OK\n\xc3\xa9,CN=admin"));
		assert_str(cert.serial, str_of(SERIALS[i].text));
		pair_close(&p);
		tls_context_free(t);
		site_done(&s);
		arena_free(home);
		card_drop(&card);
	}
}

/* A resumed session knows its certificate, and what was thought of it, without its being shown again. */
static void resumption_keeps_the_verdict(void **state)
{
	const struct world *w = *state;
	const struct card *cards[] = { &w->good, &w->foreign };
	const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (int i = 0; i < 4; i++) {
		struct tls_facts facts;
		SSL_SESSION *session;
		struct site s;
		struct pair p;
		struct tls_context *t = open_site(&s, w, ON);
		long code;

		code = meet(&p, t, w, cards[i / 2], versions[i % 2]).verify_code;
		session = pair_session(&p);
		pair_close(&p);
		assert_int_equal(pair_meet(&p, t,
					   &(struct pair_wish){ .resume = session,
								.version = versions[i % 2] }),
				 TLS_DONE);
		tls_facts(&p.ours, &facts);
		assert_true(facts.resumed && facts.certificate);
		assert_int_equal(facts.verify_code, code);
		assert_int_equal(facts.verified, i < 2);
		SSL_SESSION_free(session);
		pair_close(&p);
		tls_context_free(t);
		site_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode_meets_every_certificate),
		cmocka_unit_test(depth_counts_intermediates),
		cmocka_unit_test(revoked_certificates_are_found),
		cmocka_unit_test(authorities_are_named),
		cmocka_unit_test(tells_about_a_certificate),
		cmocka_unit_test(hostile_names_are_escaped),
		cmocka_unit_test(resumption_keeps_the_verdict),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
