/* SPDX-License-Identifier: BSD-2-Clause */
/* Links: handshakes that go well and those that do not, bytes in both directions, the end. */
#include "tls_side.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const char SERVER[] = "server { ssl_certificate s.crt; ssl_certificate_key s.key; }";

struct fixture {
	struct site site;
	struct tls_context *context;
	struct card card;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->card = card_make("mail.test", &(struct card_wish){ .rsa = false });
	site_init(&f->site, 0);
	site_file(&f->site, "/etc/s.crt", card_pem(&f->card));
	site_file(&f->site, "/etc/s.key", card_key_pem(&f->card));
	site_load(&f->site, SERVER);
	f->context = site_context(&f->site, 0);
	*state = f;
	return f->context == NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tls_context_free(f->context);
	site_done(&f->site);
	card_drop(&f->card);
	free(f);
	return 0;
}

static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void shakes_hands_and_moves_bytes(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct pair p;
		char got[64];

		assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .version = VERSIONS[i] }),
				 TLS_DONE);
		assert_int_equal(SSL_version(p.theirs), VERSIONS[i]);
		assert_int_equal(pair_say(&p, STR("* OK ready\r\n"), got, sizeof(got)), 12);
		assert_memory_equal(got, "* OK ready\r\n", 12);
		assert_int_equal(pair_hear(&p, STR("a LOGOUT\r\n"), got, sizeof(got)), 10);
		assert_memory_equal(got, "a LOGOUT\r\n", 10);
		pair_close(&p);
	}
}

/* --- large things through small sockets
 * ----------------------------------------------------------------------- */

enum { LARGE = 700 * 1000 };

static char *pattern(size_t len)
{
	char *at = malloc(len);
	struct dice dice = { .state = len };

	for (size_t i = 0; i < len; i++)
		at[i] = (char)dice_roll(&dice, 256);
	return at;
}

static void large_flights_arrive_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	char *sent = pattern(LARGE), *got = malloc(LARGE);

	for (size_t i = 0; i < 2; i++) {
		int small = 20000;
		struct pair p;

		pair_open(&p, f->context);
		setsockopt(p.fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		setsockopt(p.fd[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		pair_client(&p, &(struct pair_wish){ .version = VERSIONS[i] });
		assert_int_equal(pair_shake(&p), TLS_DONE);
		memset(got, 0, LARGE);
		assert_int_equal(pair_say(&p, (struct str){ sent, LARGE }, got, LARGE), LARGE);
		assert_memory_equal(got, sent, LARGE);
		memset(got, 0, LARGE);
		assert_int_equal(pair_hear(&p, (struct str){ sent, LARGE }, got, LARGE), LARGE);
		assert_memory_equal(got, sent, LARGE);
		pair_close(&p);
	}
	free(sent);
	free(got);
}

/* What does not go is not said to be written, not even when all of it is encrypted: else nobody would send
 * the rest. */
static void a_full_socket_leaves_something_to_be_written(void **state)
{
	struct fixture *f = *state;
	char *sent = pattern(LARGE), got[4096];
	size_t written = 0, n, read = 0, sum = 0;
	struct pair p;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	while (tls_link_write(p.ours.tls, sent + written, 1000, &n) == TLS_DONE && n == 1000)
		written += n;
	written += n;
	assert_true(written > 10000 && written < LARGE);
	assert_int_equal(tls_link_write(p.ours.tls, sent + written, 1000, &n), TLS_WANTS_WRITE);
	assert_int_equal(n, 0);
	while (SSL_read_ex(p.theirs, got, sizeof(got), &read) == 1) {
		assert_memory_equal(got, sent + sum, read);
		sum += read;
	}
	assert_true(sum < written);
	/* the single byte that was owed, and nothing beside */
	assert_int_equal(tls_link_write(p.ours.tls, sent + written, 1, &n), TLS_DONE);
	assert_int_equal(n, 1);
	while (SSL_read_ex(p.theirs, got, sizeof(got), &read) == 1) {
		assert_memory_equal(got, sent + sum, read);
		sum += read;
	}
	assert_int_equal(sum, written + 1);
	pair_close(&p);
	free(sent);
}

/* Reading goes on while writing cannot: else two full directions would wait for each other for ever. */
static void reads_while_it_cannot_write(void **state)
{
	struct fixture *f = *state;
	char *sent = pattern(LARGE), got[16];
	size_t n;
	struct pair p;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	while (tls_link_write(p.ours.tls, sent, LARGE, &n) == TLS_DONE)
		;
	assert_int_equal(SSL_write(p.theirs, "hello", 5), 5);
	tls_link_arrived(p.ours.tls);
	assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_DONE);
	assert_int_equal(n, 5);
	pair_close(&p);
	free(sent);
}

/* --- ends
 * ----------------------------------------------------------------------------------------------------- */

static enum tls_progress read_end(struct pair *p)
{
	size_t n;
	char byte;

	tls_link_arrived(p->ours.tls);
	tls_link_ended(p->ours.tls);
	return tls_link_read(p->ours.tls, &byte, 1, &n);
}

static void both_kinds_of_end_are_ends(void **state)
{
	struct fixture *f = *state;

	for (int with_notify = 0; with_notify < 2; with_notify++) {
		struct pair p;

		assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
		if (with_notify)
			SSL_shutdown(p.theirs);
		shutdown(p.fd[1], SHUT_WR);
		assert_int_equal(read_end(&p), TLS_ENDED);
		assert_int_equal(read_end(&p), TLS_ENDED);
		pair_close(&p);
	}
}

static void says_goodbye(void **state)
{
	struct fixture *f = *state;
	struct pair p;
	char byte;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	tls_link_shut(p.ours.tls);
	assert_int_equal(SSL_read(p.theirs, &byte, 1), 0);
	assert_int_equal(SSL_get_error(p.theirs, 0), SSL_ERROR_ZERO_RETURN);
	pair_close(&p);
}

static void bytes_before_the_end_are_read_first(void **state)
{
	struct fixture *f = *state;
	struct pair p;
	char got[8];
	size_t n;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	SSL_write(p.theirs, "last", 4);
	SSL_shutdown(p.theirs);
	shutdown(p.fd[1], SHUT_WR);
	tls_link_arrived(p.ours.tls);
	tls_link_ended(p.ours.tls);
	assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_DONE);
	assert_int_equal(n, 4);
	assert_true(tls_link_readable(p.ours.tls));
	assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_ENDED);
	pair_close(&p);
}

/* After the library failed it must not be asked again, and what it said stays. */
static void a_broken_record_is_a_failure_for_good(void **state)
{
	struct fixture *f = *state;
	enum log_level level;
	struct pair p;
	char byte;
	size_t n;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	assert_int_equal(write(p.fd[1], "\x17\x03\x03\x00\x20this is not what was agreed upon", 37), 37);
	tls_link_arrived(p.ours.tls);
	assert_int_equal(tls_link_read(p.ours.tls, &byte, 1, &n), TLS_FAILED);
	assert_string_equal(
		pair_failure(&p, &level),
		"SSL_read() failed (SSL: error:0A000119:SSL routines::decryption failed or bad record mac)");
	assert_int_equal(level, LOG_INFO);
	assert_int_equal(tls_link_read(p.ours.tls, &byte, 1, &n), TLS_FAILED);
	assert_int_equal(tls_link_write(p.ours.tls, "x", 1, &n), TLS_FAILED);
	assert_int_equal(tls_link_handshake(p.ours.tls), TLS_FAILED);
	tls_link_shut(p.ours.tls);
	tls_link_flush(p.ours.tls);
	assert_string_equal(
		pair_failure(&p, &level),
		"SSL_read() failed (SSL: error:0A000119:SSL routines::decryption failed or bad record mac)");
	pair_close(&p);
}

static void a_vanished_peer_is_found_when_writing(void **state)
{
	struct fixture *f = *state;
	enum log_level level;
	struct pair p;
	size_t n;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	shutdown(p.fd[1], SHUT_RDWR);
	while (tls_link_write(p.ours.tls, "x", 1, &n) == TLS_DONE)
		;
	assert_int_equal(tls_link_write(p.ours.tls, "x", 1, &n), TLS_FAILED);
	assert_string_equal(pair_failure(&p, &level), "SSL_write() failed (32: Broken pipe)");
	assert_int_equal(level, LOG_INFO);
	pair_close(&p);
}

/* --- bad beginnings
 * ------------------------------------------------------------------------------------------- */

static void check_garbage(struct fixture *f, struct str garbage, const char *why)
{
	enum log_level level;
	struct pair p;

	pair_open(&p, f->context);
	assert_int_equal(write(p.fd[1], garbage.at, garbage.len), garbage.len);
	shutdown(p.fd[1], SHUT_WR);
	tls_link_ended(p.ours.tls);
	assert_int_equal(tls_link_handshake(p.ours.tls), TLS_FAILED);
	assert_string_equal(pair_failure(&p, &level), why);
	assert_int_equal(level, LOG_INFO);
	assert_int_equal(tls_link_handshake(p.ours.tls), TLS_FAILED);
	pair_close(&p);
}

static void garbage_instead_of_a_handshake(void **state)
{
	struct fixture *f = *state;

	check_garbage(f, STR("GET / HTTP/1.0\r\n\r\n"),
		      "SSL_do_handshake() failed (SSL: error:0A00009C:SSL routines::http request)");
	check_garbage(f, STR("a001 CAPABILITY\r\n"),
		      "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)");
	check_garbage(f, STR("\x16\x03\x01\xff\xff"),
		      "SSL_do_handshake() failed (SSL: error:0A0000C6:SSL routines::packet length too long)");
	check_garbage(f, STR("\x15\x03\x01\x00\x02\x02\x28"),
		      "SSL_do_handshake() failed (SSL: error:0A0000F4:SSL routines::unexpected message)");
	check_garbage(f, STR(""), "peer closed connection in SSL handshake");
	check_garbage(f, STR("\x16\x03\x01\x02"), "peer closed connection in SSL handshake");
}

static void a_reset_in_the_handshake_names_its_cause(void **state)
{
	struct fixture *f = *state;
	enum log_level level;
	struct pair p;

	pair_open(&p, f->context);
	/* a unix socket says ECONNRESET when it is closed with bytes unread */
	assert_int_equal(write(p.fd[0], "unread", 6), 6);
	close(p.fd[1]);
	p.fd[1] = -1;
	tls_link_ended(p.ours.tls);
	assert_int_equal(tls_link_handshake(p.ours.tls), TLS_FAILED);
	assert_string_equal(pair_failure(&p, &level),
			    "peer closed connection in SSL handshake (104: Connection reset by peer)");
	assert_int_equal(level, LOG_INFO);
	pair_close(&p);
}

static void the_number_of_an_alert_is_told(void **state)
{
	struct fixture *f = *state;
	enum log_level level;
	struct pair p;

	pair_open(&p, f->context);
	SSL_CTX_set_verify(p.about, SSL_VERIFY_PEER, NULL);
	pair_client(&p, &(struct pair_wish){ .sni = NULL });
	assert_int_equal(pair_shake(&p), TLS_FAILED);
	assert_string_equal(pair_failure(&p, &level),
			    "SSL_do_handshake() failed (SSL: error:0A000418:SSL "
			    "routines::tlsv1 alert unknown ca:SSL alert number 48)");
	assert_int_equal(level, LOG_INFO);
	pair_close(&p);
}

/* What one side says goes to the other one byte at a time. */
static void a_handshake_may_come_byte_by_byte(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		enum tls_progress us = TLS_WANTS_READ;
		BIO *from = BIO_new(BIO_s_mem()), *to = BIO_new(BIO_s_mem());
		char piece[16384];
		struct pair p;

		pair_open(&p, f->context);
		pair_client(&p, &(struct pair_wish){ .version = VERSIONS[i] });
		BIO_up_ref(from);
		BIO_up_ref(to);
		SSL_set_bio(p.theirs, from, to);
		for (int rounds = 0; rounds < 4; rounds++) {
			ssize_t n;

			SSL_do_handshake(p.theirs);
			ERR_clear_error();
			while (BIO_read(to, piece, 1) == 1) {
				assert_int_equal(write(p.fd[1], piece, 1), 1);
				tls_link_arrived(p.ours.tls);
				us = tls_link_handshake(p.ours.tls);
				assert_true(us == TLS_WANTS_READ || us == TLS_DONE);
			}
			n = read(p.fd[1], piece, sizeof(piece));
			if (n > 0)
				BIO_write(from, piece, (int)n);
		}
		assert_int_equal(us, TLS_DONE);
		BIO_free(from);
		BIO_free(to);
		pair_close(&p);
	}
}

/* A full socket in the middle of a handshake: we say so, and go on when there is room. */
static void a_handshake_waits_for_room(void **state)
{
	struct fixture *f = *state;
	enum tls_progress us = TLS_WANTS_READ;
	char filler[4096] = { 0 };
	ssize_t n, sum = 0;
	struct pair p;

	pair_open(&p, f->context);
	pair_client(&p, &(struct pair_wish){ .sni = NULL });
	SSL_do_handshake(p.theirs);
	ERR_clear_error();
	while ((n = send(p.fd[0], filler, sizeof(filler), 0)) > 0)
		sum += n;
	assert_int_equal(tls_link_handshake(p.ours.tls), TLS_WANTS_WRITE);
	assert_int_equal(tls_link_handshake(p.ours.tls), TLS_WANTS_WRITE);
	while (sum > 0 && (n = recv(p.fd[1], filler,
				    (size_t)sum < sizeof(filler) ? (size_t)sum : sizeof(filler), 0)) > 0)
		sum -= n;
	for (int rounds = 0; rounds < 10 && us != TLS_DONE; rounds++) {
		SSL_do_handshake(p.theirs);
		ERR_clear_error();
		tls_link_arrived(p.ours.tls);
		us = tls_link_handshake(p.ours.tls);
	}
	assert_int_equal(us, TLS_DONE);
	pair_close(&p);
}

/* --- manners
 * -------------------------------------------------------------------------------------------------- */

static bool nothing_came(const struct pair *p)
{
	char byte;

	return recv(p->fd[1], &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/* Tickets wait for the greeting, or for who says that there is none yet. */
static void tickets_go_with_the_first_write(void **state)
{
	struct fixture *f = *state;
	char got[8];

	for (int flush = 0; flush < 2; flush++) {
		struct pair p;
		size_t n;

		assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .version = TLS1_3_VERSION }),
				 TLS_DONE);
		assert_true(nothing_came(&p));
		if (flush)
			tls_link_flush(p.ours.tls);
		else
			assert_int_equal(tls_link_write(p.ours.tls, "+OK", 3, &n), TLS_DONE);
		assert_false(nothing_came(&p));
		assert_int_equal(SSL_read(p.theirs, got, sizeof(got)), flush ? -1 : 3);
		assert_true(SSL_SESSION_is_resumable(SSL_get0_session(p.theirs)));
		tls_link_flush(p.ours.tls);
		assert_true(nothing_came(&p));
		pair_close(&p);
	}
}

static void the_last_flight_of_old_tls_goes_at_once(void **state)
{
	struct fixture *f = *state;
	struct pair p;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .version = TLS1_2_VERSION }),
			 TLS_DONE);
	assert_int_equal(SSL_is_init_finished(p.theirs), 1);
	pair_close(&p);
}

/* A link that has seen its socket empty does not look again until it is told to. */
static void an_empty_socket_is_not_asked_twice(void **state)
{
	struct fixture *f = *state;
	struct pair p;
	char got[8];
	size_t n;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	assert_false(tls_link_readable(p.ours.tls));
	SSL_write(p.theirs, "one", 3);
	assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_WANTS_READ);
	tls_link_arrived(p.ours.tls);
	assert_true(tls_link_readable(p.ours.tls));
	assert_int_equal(tls_link_read(p.ours.tls, got, 1, &n), TLS_DONE);
	assert_true(tls_link_readable(p.ours.tls));
	assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_DONE);
	assert_int_equal(n, 2);
	assert_false(tls_link_readable(p.ours.tls));
	pair_close(&p);
}

static void keys_may_be_updated(void **state)
{
	struct fixture *f = *state;
	struct pair p;
	char got[8];

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .version = TLS1_3_VERSION }),
			 TLS_DONE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(SSL_key_update(p.theirs, SSL_KEY_UPDATE_REQUESTED), 1);
		assert_int_equal(pair_hear(&p, STR("to us"), got, sizeof(got)), 5);
		assert_int_equal(pair_say(&p, STR("to him"), got, sizeof(got)), 6);
	}
	pair_close(&p);
}

/* Each update asked for is answered; answers that do not go must not pile up. (A client that sends so many
 * that his own socket is full, too, has locked himself out.) */
static void a_flood_of_key_updates_is_not_kept(void **state)
{
	struct fixture *f = *state;
	char *sent = pattern(LARGE), byte;
	struct pair p;
	size_t n;
	uint32_t kept;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .version = TLS1_3_VERSION }),
			 TLS_DONE);
	while (tls_link_write(p.ours.tls, sent, LARGE, &n) == TLS_DONE)
		;
	kept = p.ours.tls->kept_len;
	for (int i = 0; i < 50; i++) {
		if (SSL_key_update(p.theirs, SSL_KEY_UPDATE_REQUESTED) != 1 ||
		    SSL_do_handshake(p.theirs) != 1)
			break;
		tls_link_arrived(p.ours.tls);
		assert_int_not_equal(tls_link_read(p.ours.tls, &byte, 1, &n), TLS_DONE);
	}
	ERR_clear_error();
	assert_true(p.ours.tls->kept_len <= kept);
	/* and none of them is lost: once both sides read again they still understand each other */
	for (int i = 0; i < 1000; i++) {
		SSL_read(p.theirs, sent, LARGE);
		tls_link_arrived(p.ours.tls);
		tls_link_read(p.ours.tls, &byte, 1, &n);
		tls_link_write(p.ours.tls, "x", 1, &n);
	}
	ERR_clear_error();
	assert_int_equal(pair_hear(&p, STR("still here"), sent, LARGE), 10);
	assert_memory_equal(sent, "still here", 10);
	pair_close(&p);
	free(sent);
}

static void renegotiation_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pair p;
	char got[8];
	size_t n;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .version = TLS1_2_VERSION }),
			 TLS_DONE);
	assert_int_equal(SSL_renegotiate(p.theirs), 1);
	assert_int_equal(SSL_do_handshake(p.theirs), -1);
	tls_link_arrived(p.ours.tls);
	assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_WANTS_READ);
	assert_int_equal(SSL_do_handshake(p.theirs), -1);
	assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
	pair_close(&p);
}

static void foreign_protocols_are_refused(void **state)
{
	struct fixture *f = *state;
	struct tls_facts facts;
	enum log_level level;
	struct pair p;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .alpn = "\x02h2\x04imap" }),
			 TLS_DONE);
	tls_facts(&p.ours, &facts);
	assert_str(facts.alpn, STR("imap"));
	pair_close(&p);
	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .alpn = NULL }), TLS_DONE);
	tls_facts(&p.ours, &facts);
	assert_str(facts.alpn, STR(""));
	pair_close(&p);
	assert_int_equal(pair_meet(&p, f->context,
				   &(struct pair_wish){ .alpn = "\x02h2\x08http/1.1\x04IMAP" }),
			 TLS_FAILED);
	assert_string_equal(
		pair_failure(&p, &level),
		"SSL_do_handshake() failed (SSL: error:0A0000EB:SSL routines::no application protocol)");
	assert_int_equal(level, LOG_INFO);
	assert_int_equal(p.their_reason, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
	pair_close(&p);
}

static void tells_the_facts(void **state)
{
	struct fixture *f = *state;
	struct str sig_alg, key_alg;
	struct tls_facts facts;
	struct arena *home = arena_new(64);
	struct tls_certificate cert;
	struct pair p;

	assert_int_equal(pair_meet(&p, f->context,
				   &(struct pair_wish){ .sni = "Mail.Test", .version = TLS1_3_VERSION }),
			 TLS_DONE);
	tls_facts(&p.ours, &facts);
	assert_str(facts.protocol, STR("TLSv1.3"));
	assert_str(facts.cipher, STR("TLS_AES_256_GCM_SHA384"));
	assert_str(facts.server_name, STR("Mail.Test"));
	assert_false(facts.resumed || facts.certificate || facts.verified);
	assert_ptr_equal(tls_chosen(&p.ours), f->context);
	tls_own_certificate(&p.ours, &sig_alg, &key_alg);
	assert_str(sig_alg, STR("ecdsa-with-SHA256"));
	assert_str(key_alg, STR("EC256"));
	assert_false(tls_client_certificate(&p.ours, home, &cert));
	pair_close(&p);
	arena_free(home);
}

/* Until the login is over the library wipes what it decrypted: a password must not lie about in freed
 * memory. */
static void plaintext_is_wiped_until_settled(void **state)
{
	struct fixture *f = *state;
	struct pair p;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	assert_true(SSL_get_options(p.ours.tls->ssl) & SSL_OP_CLEANSE_PLAINTEXT);
	tls_settle(&p.ours);
	assert_false(SSL_get_options(p.ours.tls->ssl) & SSL_OP_CLEANSE_PLAINTEXT);
	tls_settle(&(struct stream){ .tls = NULL });
	pair_close(&p);
}

/* … and then several records are received at once. */
static void bulk_is_received_in_bulk(void **state)
{
	struct fixture *f = *state;
	char record[16384] = { 0 }, got[sizeof(record)];
	struct pair p;
	size_t n;
	int left;

	assert_int_equal(pair_meet(&p, f->context, &(struct pair_wish){ .sni = NULL }), TLS_DONE);
	for (int settled = 0; settled < 2; settled++) {
		if (settled)
			tls_settle(&p.ours);
		for (int i = 0; i < 5; i++)
			assert_int_equal(SSL_write(p.theirs, record, sizeof(record)), sizeof(record));
		tls_link_arrived(p.ours.tls);
		assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_DONE);
		assert_int_equal(ioctl(p.fd[0], FIONREAD, &left), 0);
		assert_true(settled ? left == 0 : left > 3 * (int)sizeof(record));
		for (int i = 1; i < 5; i++)
			assert_int_equal(tls_link_read(p.ours.tls, got, sizeof(got), &n), TLS_DONE);
	}
	pair_close(&p);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(shakes_hands_and_moves_bytes),
		T(large_flights_arrive_byte_for_byte),
		T(a_full_socket_leaves_something_to_be_written),
		T(reads_while_it_cannot_write),
		T(both_kinds_of_end_are_ends),
		T(says_goodbye),
		T(bytes_before_the_end_are_read_first),
		T(a_broken_record_is_a_failure_for_good),
		T(a_vanished_peer_is_found_when_writing),
		T(garbage_instead_of_a_handshake),
		T(the_number_of_an_alert_is_told),
		T(a_reset_in_the_handshake_names_its_cause),
		T(a_handshake_may_come_byte_by_byte),
		T(a_handshake_waits_for_room),
		T(tickets_go_with_the_first_write),
		T(the_last_flight_of_old_tls_goes_at_once),
		T(an_empty_socket_is_not_asked_twice),
		T(keys_may_be_updated),
		T(a_flood_of_key_updates_is_not_kept),
		T(renegotiation_is_refused),
		T(foreign_protocols_are_refused),
		T(tells_the_facts),
		T(plaintext_is_wiped_until_settled),
		T(bulk_is_received_in_bulk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
