/* SPDX-License-Identifier: BSD-2-Clause */
/* Several server blocks behind one address: the name that a client asks for decides everything. */
#include "tls_side.h"

#include <openssl/err.h>
#include <string.h>

/* The blocks: a default, one by two names, one by patterns that also asks for certificates and speaks only
 * TLS 1.3. */
static const char MAIL[] = "ssl_certificate_key key; ssl_session_cache shared:s:64k;"
			   "server { ssl_certificate a.crt; }"
			   "server { ssl_certificate b.crt; ssl_prefer_server_ciphers on; }"
			   "server { ssl_certificate c.crt; ssl_protocols TLSv1.3; ssl_verify_client on; "
			   "ssl_client_certificate c.crt; ssl_ecdh_curve P-384; }";

enum { BLOCKS = 3, NAMES = 6 };

struct fixture {
	struct site site;
	struct card card[BLOCKS];
	struct tls_context *block[BLOCKS], *door;
};

/* Three certificates with one key, so that the blocks differ in nothing but what they should. */
static int set_up(void **state)
{
	static const char *const COMMON[] = { "a.test", "b.test", "c.test" };
	static const char *const PATHS[] = { "/etc/a.crt", "/etc/b.crt", "/etc/c.crt" };
	static const struct str WANTED[NAMES] = { LIT("a.test"),   LIT("b.test"),     LIT("B2.Test."),
						  LIT("*.c.test"), LIT("*.d.c.test"), LIT("b.test") };
	struct fixture *f = calloc(1, sizeof(*f));
	struct tls_context *contexts[NAMES];

	site_init(&f->site, 65536);
	for (int i = 0; i < BLOCKS; i++) {
		f->card[i] = card_make(COMMON[i], &(struct card_wish){ .authority = true });
		if (i > 0) {
			EVP_PKEY_free(f->card[i].key);
			f->card[i].key = f->card[0].key;
			EVP_PKEY_up_ref(f->card[0].key);
			X509_set_pubkey(f->card[i].cert, f->card[i].key);
			X509_sign(f->card[i].cert, f->card[i].key, EVP_sha256());
		}
		site_file(&f->site, PATHS[i], card_pem(&f->card[i]));
	}
	site_file(&f->site, "/etc/key", card_key_pem(&f->card[0]));
	site_load(&f->site, MAIL);
	for (int i = 0; i < BLOCKS; i++)
		f->block[i] = site_context(&f->site, i);
	contexts[0] = f->block[0];
	contexts[1] = contexts[2] = contexts[4] = f->block[1];
	contexts[3] = f->block[2];
	contexts[5] = f->block[2];
	f->door = tls_by_name(contexts, WANTED, NAMES);
	*state = f;
	return f->block[0] == NULL || f->block[1] == NULL || f->block[2] == NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tls_context_free(f->door);
	for (int i = 0; i < BLOCKS; i++) {
		tls_context_free(f->block[i]);
		card_drop(&f->card[i]);
	}
	site_done(&f->site);
	free(f);
	return 0;
}

static void names_lead_to_blocks(void **state)
{
	static const struct {
		struct str name;
		int block;
	} CASES[] = {
		{ LIT("a.test"), 0 },	  { LIT("b.test"), 1 },	    { LIT("B.TEST"), 1 },
		{ LIT("b.test."), 1 },	  { LIT("b2.test"), 1 },    { LIT("x.c.test"), 2 },
		{ LIT("x.y.c.test"), 2 }, { LIT("x.d.c.test"), 1 }, { LIT("d.c.test"), 2 },
		{ LIT("c.test"), 0 },	  { LIT("b.test.."), 0 },   { LIT("xb.test"), 0 },
		{ LIT(""), 0 },		  { LIT("."), 0 },	    { LIT(".c.test"), 2 },
		{ LIT("*.c.test"), 2 },	  { LIT("b.test\0x"), 0 },  { LIT("unknown"), 0 },
	};
	struct fixture *f = *state;
	char huge[70000];

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_ptr_equal(tls_named(f->door, CASES[i].name), f->block[CASES[i].block]);
	memset(huge, 'x', sizeof(huge));
	assert_ptr_equal(tls_named(f->door, (struct str){ huge, sizeof(huge) }), f->block[0]);
	memset(huge, '.', sizeof(huge));
	assert_ptr_equal(tls_named(f->door, (struct str){ huge, 255 }), f->block[0]);
}

static void names_are_read_from_the_extension(void **state)
{
	static const struct {
		struct str extension, name;
	} CASES[] = {
		{ LIT("\0\x09\0\0\x06"
		      "a.test"),
		  LIT("a.test") },
		{ LIT("\0\x03\0\0\0"), LIT("") },
		{ LIT("\0\x09\x01\0\x06"
		      "a.test"),
		  LIT("") }, /* another type of name */
		{ LIT("\0\x08\0\0\x06"
		      "a.test"),
		  LIT("") },
		{ LIT("\0\x09\0\0\x05"
		      "a.test"),
		  LIT("") },
		{ LIT("\0\x09\0\0\x07"
		      "a.test"),
		  LIT("") },
		{ LIT("\0\x09\0\xff\xff"
		      "a.test"),
		  LIT("") },
		{ LIT("\0\x09\0\0\x06"
		      "a.test"
		      "\0\0\x01"
		      "b"),
		  LIT("") },
		{ LIT("\0\x09\0\0"), LIT("") },
		{ LIT(""), LIT("") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_str(tls_name_in(CASES[i].extension), CASES[i].name);
}

/* Against a search that tries every name. */
static void many_names_are_found(void **state)
{
	enum { MANY = 2000 };
	struct fixture *f = *state;
	static char text[MANY][24];
	static struct str names[MANY];
	static struct tls_context *contexts[MANY];
	struct dice dice = { .state = 1 };
	struct tls_context *t;

	for (int i = 0; i < MANY; i++) {
		snprintf(text[i], sizeof(text[i]), "n%d.test", (int)dice_roll(&dice, 3 * MANY));
		names[i] = str_of(text[i]);
		contexts[i] = f->block[dice_roll(&dice, BLOCKS)];
	}
	t = tls_by_name(contexts, names, MANY);
	for (int i = 0; i < 3 * MANY; i++) {
		const struct tls_context *want = contexts[0];
		char name[24];

		snprintf(name, sizeof(name), "n%d.test", i);
		for (int k = MANY - 1; k >= 0; k--)
			want = strcmp(text[k], name) == 0 ? contexts[k] : want;
		assert_ptr_equal(tls_named(t, str_of(name)), want);
	}
	tls_context_free(t);
}

static void check_served(struct fixture *f, const struct pair_wish *wish, int block)
{
	struct tls_facts facts;
	struct pair p;
	X509 *shown;

	assert_int_equal(pair_meet(&p, f->door, wish), TLS_DONE);
	assert_ptr_equal(tls_chosen(&p.ours), f->block[block]);
	shown = SSL_get1_peer_certificate(p.theirs);
	assert_int_equal(X509_cmp(shown, f->card[block].cert), 0);
	X509_free(shown);
	tls_facts(&p.ours, &facts);
	assert_str(facts.server_name, str_of(wish->sni));
	assert_null(p.ours.tls->opening);
	pair_close(&p);
}

static void the_block_serves_with_its_certificate(void **state)
{
	struct fixture *f = *state;
	const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (int i = 0; i < 2; i++) {
		check_served(f, &(struct pair_wish){ .sni = NULL, .version = versions[i] }, 0);
		check_served(f, &(struct pair_wish){ .sni = "a.test", .version = versions[i] }, 0);
		check_served(f, &(struct pair_wish){ .sni = "b.test", .version = versions[i] }, 1);
		check_served(f, &(struct pair_wish){ .sni = "who.knows", .version = versions[i] }, 0);
		check_served(f,
			     &(struct pair_wish){
				     .sni = "b.test", .alpn = "\x04imap", .version = versions[i] },
			     1);
	}
	check_served(f, &(struct pair_wish){ .sni = "x.c.test", .card = &f->card[2] }, 2);
}

/* Versions, groups and the demand for certificates are the block's, nothing of the default's remains. */
static void the_rules_are_the_blocks(void **state)
{
	struct fixture *f = *state;
	struct tls_facts facts;
	struct pair p;

	assert_int_equal(pair_meet(&p, f->door,
				   &(struct pair_wish){ .sni = "x.c.test", .version = TLS1_2_VERSION }),
			 TLS_FAILED);
	assert_int_equal(p.their_reason, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	pair_close(&p);

	assert_int_equal(pair_meet(&p, f->door,
				   &(struct pair_wish){ .sni = "x.c.test", .card = &f->card[2] }),
			 TLS_DONE);
	tls_facts(&p.ours, &facts);
	assert_true(facts.certificate && facts.verified);
	assert_int_equal(SSL_get_negotiated_group(p.theirs), NID_secp384r1);
	pair_close(&p);

	assert_int_equal(pair_meet(&p, f->door, &(struct pair_wish){ .sni = "a.test", .card = &f->card[2] }),
			 TLS_DONE);
	tls_facts(&p.ours, &facts);
	assert_false(facts.certificate);
	assert_int_equal(SSL_get_negotiated_group(p.theirs), NID_X25519);
	pair_close(&p);
}

/* A session belongs to the block that made it: all others answer with a full handshake. */
static void sessions_stay_with_their_block(void **state)
{
	static const char *const SNI[BLOCKS] = { "a.test", "b.test", "x.c.test" };
	const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };
	struct fixture *f = *state;

	for (int v = 0; v < 2; v++)
		for (int from = 0; from < BLOCKS - v; from++)
			for (int to = 0; to < BLOCKS - v; to++) {
				struct pair_wish wish = { .sni = SNI[from],
							  .card = &f->card[2],
							  .version = versions[v] };
				struct tls_facts facts;
				struct pair p;

				assert_int_equal(pair_meet(&p, f->door, &wish), TLS_DONE);
				wish.resume = pair_session(&p);
				pair_close(&p);
				wish.sni = SNI[to];
				assert_int_equal(pair_meet(&p, f->door, &wish), TLS_DONE);
				tls_facts(&p.ours, &facts);
				assert_int_equal(facts.resumed, from == to);
				assert_ptr_equal(tls_chosen(&p.ours), f->block[to]);
				SSL_SESSION_free(wish.resume);
				pair_close(&p);
			}
}

/* The hello comes in pieces of every size, and the name is still heard. */
static void a_hello_in_pieces_is_heard(void **state)
{
	struct fixture *f = *state;

	for (int piece = 1; piece < 400; piece += 37) {
		BIO *to = BIO_new(BIO_s_mem()), *from = BIO_new(BIO_s_mem());
		char bytes[4096], answer[8192];
		enum tls_progress us = TLS_WANTS_READ;
		struct pair p;
		ssize_t n;

		pair_open(&p, f->door);
		pair_client(&p, &(struct pair_wish){ .sni = "b.test" });
		BIO_up_ref(to);
		BIO_up_ref(from);
		SSL_set_bio(p.theirs, from, to);
		for (int rounds = 0; rounds < 3; rounds++) {
			SSL_do_handshake(p.theirs);
			ERR_clear_error();
			while ((n = BIO_read(to, bytes, piece)) > 0) {
				assert_int_equal(write(p.fd[1], bytes, (size_t)n), n);
				tls_link_arrived(p.ours.tls);
				us = tls_link_handshake(p.ours.tls);
			}
			n = read(p.fd[1], answer, sizeof(answer));
			if (n > 0)
				BIO_write(from, answer, (int)n);
		}
		assert_int_equal(us, TLS_DONE);
		assert_ptr_equal(tls_chosen(&p.ours), f->block[1]);
		BIO_free(to);
		BIO_free(from);
		pair_close(&p);
	}
}

/* What is no hello fails as it does without names, and a hello that has no end is not kept without end. */
static void garbage_is_no_name(void **state)
{
	struct fixture *f = *state;
	enum log_level level;
	char fragment[5 + 16384];
	enum tls_progress us;
	struct pair p;

	pair_open(&p, f->door);
	assert_int_equal(write(p.fd[1], "GET / HTTP/1.0\r\n\r\n", 18), 18);
	assert_int_equal(tls_link_handshake(p.ours.tls), TLS_FAILED);
	assert_string_equal(pair_failure(&p, &level),
			    "SSL_do_handshake() failed (SSL: error:0A00009C:SSL routines::http request)");
	pair_close(&p);

	pair_open(&p, f->door);
	memset(fragment, 0, sizeof(fragment));
	/* a hello of 120,000 bytes, as far as it says */
	memcpy(fragment, "\x16\x03\x01\x40\x00\x01\x01\xd4\xc0", 9);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(write(p.fd[1], fragment, sizeof(fragment)), sizeof(fragment));
		tls_link_arrived(p.ours.tls);
		us = tls_link_handshake(p.ours.tls);
		assert_int_equal(us, TLS_WANTS_READ);
		memcpy(fragment + 5, "\0\0\0\0", 4);
		assert_true(p.ours.tls->opening->heard.room <= 32 * 1024);
	}
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_blocks),
		cmocka_unit_test(names_are_read_from_the_extension),
		cmocka_unit_test(many_names_are_found),
		cmocka_unit_test(the_block_serves_with_its_certificate),
		cmocka_unit_test(the_rules_are_the_blocks),
		cmocka_unit_test(sessions_stay_with_their_block),
		cmocka_unit_test(a_hello_in_pieces_is_heard),
		cmocka_unit_test(garbage_is_no_name),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
