/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS as a client: whom it takes for the server that was meant, what it says when it does not, what it tells
 * the server, and which sessions it resumes. The other end is the library's own server. */
#include "tls_side.h"

#include "net/tls_client.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* --- who is who ------------------------------------------------------------------------------------ */

struct world {
	struct card root, middle, lower, stranger;
	struct card good, expired, other, revoked, address, starred, bare, below, deep, foreign, many, me;
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct card *root = &w->root;
	const char *alt = "DNS:mail.test";

	w->root = card_make("Root", &(struct card_wish){ .authority = true });
	w->middle = card_make("Middle", &(struct card_wish){ .authority = true, .by = root, .serial = 2 });
	w->lower =
		card_make("Lower", &(struct card_wish){ .authority = true, .by = &w->middle, .serial = 3 });
	w->stranger = card_make("Stranger", &(struct card_wish){ .authority = true });
	w->good = card_make("good", &(struct card_wish){ .by = root, .alt = alt });
	w->expired = card_make("expired", &(struct card_wish){ .by = root, .alt = alt, .expired = true });
	w->other =
		card_make("mail.test",
			  &(struct card_wish){ .by = root, .alt = "DNS:a.test,email:x@y,DNS:b\"c,IP:::1" });
	w->revoked = card_make("revoked", &(struct card_wish){ .by = root, .alt = alt, .serial = 99 });
	w->address = card_make("address", &(struct card_wish){ .by = root, .alt = "IP:127.0.0.1,IP:::1" });
	w->starred =
		card_make("starred", &(struct card_wish){ .by = root, .alt = "DNS:*.b.test,DNS:f*.c.test" });
	w->bare = card_make("mail.test", &(struct card_wish){ .by = root });
	w->below = card_make("below", &(struct card_wish){ .by = &w->middle, .alt = alt });
	w->deep = card_make("deep", &(struct card_wish){ .by = &w->lower, .alt = alt });
	w->foreign = card_make("foreign \"x\"", &(struct card_wish){ .by = &w->stranger, .alt = alt });
	w->many = card_make("many", &(struct card_wish){ .by = root,
							 .alt = "DNS:1.test,DNS:2.test,DNS:3.test,DNS:4.test,"
								"DNS:5.test,DNS:6.test,DNS:7.test,DNS:8.test,"
								"DNS:9.test,DNS:10.test" });
	w->me = card_make("proxy", &(struct card_wish){ .by = root });
	*state = w;
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;

	for (struct card *c = &w->root; c <= &w->me; c++)
		card_drop(c);
	free(w);
	return 0;
}

static void open_site(struct site *s, const struct world *w, const char *directives)
{
	char mail[1024];

	site_init(s, 0);
	site_file(s, "/etc/ca", card_pem(&w->root));
	site_file(s, "/etc/me.crt", card_pem(&w->me));
	site_file(s, "/etc/me.key", card_key_pem(&w->me));
	site_file(s, "/etc/crl", card_crl(&w->root, &w->revoked));
	snprintf(mail, sizeof(mail), "server { %s }", directives);
	site_load(s, mail);
	assert_string_equal(s->said, "");
}

/* --- two ends -------------------------------------------------------------------------------------- */

static int take_any(int good, X509_STORE_CTX *store)
{
	(void)good;
	(void)store;
	return 1;
}

static SSL_CTX *server_with(const struct world *w, const struct card *card)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(ssl, card->cert);
	SSL_CTX_use_PrivateKey(ssl, card->key);
	SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"t", 1);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, take_any);
	if (card == &w->below || card == &w->deep) {
		X509_up_ref(w->lower.cert);
		X509_up_ref(w->middle.cert);
		SSL_CTX_add_extra_chain_cert(ssl, w->lower.cert);
		SSL_CTX_add_extra_chain_cert(ssl, w->middle.cert);
	}
	return ssl;
}

struct meeting {
	struct stream ours; /* nothing but .tls */
	SSL *theirs;
	int fd[2];
	enum tls_progress end;
	char failure[1700];
	enum log_level level;
};

/* Let both shake hands, and a byte come back, behind which tickets have come. */
static void shake(struct meeting *m)
{
	enum tls_progress us = TLS_WANTS_READ;
	char byte;
	size_t n;

	for (int rounds = 0; rounds < 10 && us != TLS_DONE && us != TLS_FAILED; rounds++) {
		tls_link_arrived(m->ours.tls);
		us = tls_link_handshake(m->ours.tls);
		SSL_do_handshake(m->theirs);
		ERR_clear_error();
	}
	m->end = us;
	if (us != TLS_DONE)
		return;
	assert_int_equal(SSL_do_handshake(m->theirs), 1);
	assert_int_equal(SSL_write(m->theirs, "*", 1), 1);
	do {
		tls_link_arrived(m->ours.tls);
		us = tls_link_read(m->ours.tls, &byte, 1, &n);
	} while (us == TLS_WANTS_READ && poll(&(struct pollfd){ m->fd[0], POLLIN, 0 }, 1, 10000) == 1);
	assert_int_equal(us, TLS_DONE);
}

static void note_failure(struct meeting *m)
{
	struct buf text;

	buf_init(&text, sizeof(m->failure) - 1);
	m->level = tls_failure(&m->ours, &text);
	snprintf(m->failure, sizeof(m->failure), "%.*s", STR_ARG(buf_text(&text)));
	buf_done(&text);
}

static void meet_on(struct meeting *m, struct tls_context *t, SSL_CTX *server, const char *name,
		    const int fd[2])
{
	*m = (struct meeting){ .theirs = SSL_new(server), .fd = { fd[0], fd[1] } };
	SSL_set_fd(m->theirs, fd[1]);
	SSL_set_accept_state(m->theirs);
	m->ours.tls = tls_link_new(t, fd[0], true, name);
	assert_non_null(m->ours.tls);
	shake(m);
	note_failure(m);
}

static void meet(struct meeting *m, struct tls_context *t, SSL_CTX *server, const char *name)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	meet_on(m, t, server, name, fd);
}

static void part(struct meeting *m)
{
	tls_link_free(m->ours.tls);
	SSL_set_shutdown(m->theirs, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(m->theirs);
	close(m->fd[0]);
	close(m->fd[1]);
	ERR_clear_error();
}

/* --- verification ---------------------------------------------------------------------------------- */

#define ON "proxy_ssl on; proxy_ssl_trusted_certificate ca; "

static void check_verdict(const struct world *w, const char *directives, const struct card *card,
			  const char *name, const char *failure)
{
	SSL_CTX *server = server_with(w, card);
	struct tls_context *t;
	struct meeting m;
	struct site s;

	open_site(&s, w, directives);
	t = tls_client_context(s.conf, site_server(&s, 0), s.shared);
	assert_non_null(t);
	meet(&m, t, server, name);
	assert_string_equal(m.failure, failure != NULL ? failure : "");
	assert_int_equal(m.end, failure != NULL ? TLS_FAILED : TLS_DONE);
	if (failure != NULL)
		assert_int_equal(m.level, LOG_ERROR);
	part(&m);
	tls_context_free(t);
	SSL_CTX_free(server);
	site_done(&s);
}

static void takes_the_server_that_was_meant(void **state)
{
	const struct world *w = *state;

	check_verdict(w, ON, &w->good, "mail.test", NULL);
	check_verdict(w, ON, &w->good, "MAIL.test.", NULL);
	check_verdict(w, ON, &w->starred, "any.b.test", NULL);
	check_verdict(w, ON, &w->address, "127.0.0.1", NULL);
	check_verdict(w, ON, &w->address, "::1", NULL);
	check_verdict(w, ON, &w->below, "mail.test", NULL);
	check_verdict(w, ON "proxy_ssl_verify_depth 2;", &w->deep, "mail.test", NULL);
	check_verdict(w, ON "proxy_ssl_crl crl;", &w->good, "mail.test", NULL);
	check_verdict(w, "proxy_ssl on; proxy_ssl_verify off;", &w->foreign, "mail.test", NULL);
	check_verdict(w, "proxy_ssl on; proxy_ssl_verify off;", &w->expired, NULL, NULL);
	check_verdict(w, "proxy_ssl on; proxy_ssl_verify off;", &w->expired, "::2", NULL);
}

static void says_why_not(void **state)
{
	const struct world *w = *state;

	check_verdict(w, ON, &w->expired, "mail.test",
		      "upstream SSL certificate verify error: (10:certificate has expired), subject "
		      "\"CN=expired\", issuer \"CN=Root\"");
	check_verdict(w, ON, &w->foreign, "mail.test",
		      "upstream SSL certificate verify error: (20:unable to get local issuer certificate), "
		      "subject \"CN=foreign \\x5C\\x22x\\x5C\\x22\", issuer \"CN=Stranger\"");
	check_verdict(w, ON "proxy_ssl_crl crl;", &w->revoked, "mail.test",
		      "upstream SSL certificate verify error: (23:certificate revoked), subject "
		      "\"CN=revoked\", issuer \"CN=Root\"");
	check_verdict(w, ON "proxy_ssl_crl crl;", &w->below, "mail.test",
		      "upstream SSL certificate verify error: (3:unable to get certificate CRL), subject "
		      "\"CN=below\", issuer \"CN=Middle\"");
	check_verdict(w, ON, &w->deep, "mail.test",
		      "upstream SSL certificate verify error: (22:certificate chain too long), subject "
		      "\"CN=Middle\", issuer \"CN=Root\"");
}

static void says_whose_certificate_it_is_instead(void **state)
{
	const struct world *w = *state;

	check_verdict(w, ON, &w->good, "imap.test",
		      "upstream SSL certificate does not match \"imap.test\", it is for \"mail.test\"");
	check_verdict(w, ON, &w->other, "mail.test",
		      "upstream SSL certificate does not match \"mail.test\", it is for \"a.test, b\\x22c, "
		      "::1\"");
	check_verdict(w, ON, &w->starred, "a.a.b.test",
		      "upstream SSL certificate does not match \"a.a.b.test\", it is for \"*.b.test, "
		      "f*.c.test\"");
	check_verdict(w, ON, &w->starred, "foo.c.test",
		      "upstream SSL certificate does not match \"foo.c.test\", it is for \"*.b.test, "
		      "f*.c.test\"");
	check_verdict(w, ON, &w->many, "mail.test",
		      "upstream SSL certificate does not match \"mail.test\", it is for \"1.test, 2.test, "
		      "3.test, 4.test, 5.test, 6.test, 7.test, 8.test, ...\"");
	check_verdict(w, ON, &w->address, "127.0.0.2",
		      "upstream SSL certificate does not match \"127.0.0.2\", it is for \"127.0.0.1, ::1\"");
	check_verdict(w, ON, &w->bare, "mail.test",
		      "upstream SSL certificate does not match \"mail.test\", it is for no host or address "
		      "(the subject does not count): subject \"CN=mail.test\"");
}

/* A name that cannot be checked is not left unchecked. */
static void does_not_begin_without_a_name(void **state)
{
	static const char *const holes[] = { ".test", ".", "mail..test", "mail.test..", ".mail.test" };
	const struct world *w = *state;
	char longer[300];

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	check_verdict(w, ON, &w->good, NULL,
		      "upstream SSL certificate cannot be verified: there is no name to look for in it, see "
		      "\"proxy_ssl_name\"");
	check_verdict(w, ON, &w->good, "",
		      "upstream SSL certificate cannot be verified: the name to look for in it is none, see "
		      "\"proxy_ssl_name\"");
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++)
		check_verdict(w, ON, &w->good, holes[i],
			      "upstream SSL certificate cannot be verified: the name to look for in it is "
			      "none, see "
			      "\"proxy_ssl_name\"");
	check_verdict(w, ON, &w->good, longer,
		      "upstream SSL certificate cannot be verified: the name to look for in it is none, see "
		      "\"proxy_ssl_name\"");
}

/* Where nothing foretells TLS, an answer may ask for it: then the system's authorities are found, or not. */
static void finds_the_systems_authorities_late(void **state)
{
	const struct world *w = *state;

	setenv("SSL_CERT_FILE", "/etc/ca", 1);
	check_verdict(w, "", &w->good, "mail.test", NULL);
	check_verdict(w, "proxy_ssl starttls;", &w->good, "mail.test", NULL);
	setenv("SSL_CERT_FILE", "/nowhere", 1);
	check_verdict(w, "", &w->good, "mail.test",
		      "upstream SSL certificate cannot be verified: there are no authorities, see "
		      "\"proxy_ssl_trusted_certificate\"");
	unsetenv("SSL_CERT_FILE");
}

/* What contexts trust in common is there once, and goes with the last of them. */
static void authorities_are_shared(void **state)
{
	const struct world *w = *state;
	struct tls_context *t[3];
	struct site s;

	open_site(&s, w, ON);
	for (int i = 0; i < 3; i++)
		t[i] = tls_client_context(s.conf, site_server(&s, 0), s.shared);
	assert_ptr_equal(SSL_CTX_get_cert_store(t[0]->ssl), SSL_CTX_get_cert_store(t[2]->ssl));
	for (int i = 0; i < 3; i++) {
		assert_non_null(s.shared->trusts);
		tls_context_free(t[i]);
	}
	assert_null(s.shared->trusts);
	site_done(&s);
}

/* --- what the server is told ----------------------------------------------------------------------- */

struct told {
	const char *sni, *certificate, *version, *cipher;
};

static void check_told(const struct world *w, const char *directives, const char *name, struct told want)
{
	SSL_CTX *server = server_with(w, name[0] == '1' ? &w->address : &w->good);
	struct tls_context *t;
	struct meeting m;
	struct site s;
	X509 *cert;
	char text[64];

	open_site(&s, w, directives);
	t = tls_client_context(s.conf, site_server(&s, 0), s.shared);
	meet(&m, t, server, name);
	assert_string_equal(m.failure, "");
	assert_str(str_of(SSL_get_servername(m.theirs, TLSEXT_NAMETYPE_host_name)), str_of(want.sni));
	cert = SSL_get0_peer_certificate(m.theirs);
	assert_int_equal(cert != NULL, want.certificate != NULL);
	if (cert != NULL)
		assert_string_equal(X509_NAME_oneline(X509_get_subject_name(cert), text, sizeof(text)),
				    want.certificate);
	if (want.version != NULL)
		assert_string_equal(SSL_get_version(m.theirs), want.version);
	if (want.cipher != NULL)
		assert_string_equal(SSL_get_cipher_name(m.theirs), want.cipher);
	part(&m);
	tls_context_free(t);
	SSL_CTX_free(server);
	site_done(&s);
}

static void servers_are_told(void **state)
{
	const struct world *w = *state;
	static const char AES[] = "ECDHE-ECDSA-AES256-GCM-SHA384";

	check_told(w, ON, "mail.test", (struct told){ "mail.test", NULL, "TLSv1.3", NULL });
	check_told(w, ON, "mail.test.", (struct told){ "mail.test", NULL, NULL, NULL });
	check_told(w, ON "proxy_ssl_server_name off;", "mail.test", (struct told){ NULL, NULL, NULL, NULL });
	check_told(w, ON, "127.0.0.1", (struct told){ NULL, NULL, NULL, NULL });
	check_told(w, ON "proxy_ssl_certificate me.crt; proxy_ssl_certificate_key me.key;", "mail.test",
		   (struct told){ "mail.test", "/CN=proxy", NULL, NULL });
	check_told(w,
		   ON
		   "proxy_ssl_protocols TLSv1.2; proxy_ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA;",
		   "mail.test", (struct told){ "mail.test", NULL, "TLSv1.2", AES });
	check_told(w, ON "proxy_ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;", "mail.test",
		   (struct told){ "mail.test", NULL, "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256" });
	check_told(w, ON "proxy_ssl_conf_command MaxProtocol TLSv1.2;", "mail.test",
		   (struct told){ "mail.test", NULL, "TLSv1.2", NULL });
}

/* A server that speaks no TLS is the server's fault, and loud. */
static void other_failures_are_errors(void **state)
{
	const struct world *w = *state;
	SSL_CTX *server = server_with(w, &w->good);
	struct tls_context *t;
	struct meeting m;
	struct site s;

	open_site(&s, w, ON "proxy_ssl_protocols TLSv1.3;");
	SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
	t = tls_client_context(s.conf, site_server(&s, 0), s.shared);
	meet(&m, t, server, "mail.test");
	assert_int_equal(m.end, TLS_FAILED);
	assert_non_null(strstr(m.failure, "SSL_do_handshake() failed (SSL: error:"));
	assert_int_equal(m.level, LOG_ERROR);
	part(&m);
	tls_context_free(t);
	SSL_CTX_free(server);
	site_done(&s);
}

/* --- sessions -------------------------------------------------------------------------------------- */

/* A client's context, and servers that know each other's tickets only if they are the same. */
struct street {
	struct site site;
	struct tls_context *t;
	SSL_CTX *good, *expired;
};

static void open_street(struct street *st, const struct world *w, const char *directives)
{
	open_site(&st->site, w, directives);
	st->t = tls_client_context(st->site.conf, site_server(&st->site, 0), st->site.shared);
	st->good = server_with(w, &w->good);
	st->expired = server_with(w, &w->expired);
}

static void close_street(struct street *st)
{
	tls_context_free(st->t);
	SSL_CTX_free(st->good);
	SSL_CTX_free(st->expired);
	site_done(&st->site);
}

static bool resumed(struct street *st, SSL_CTX *server, const char *name)
{
	struct meeting m;
	bool yes;

	meet(&m, st->t, server, name);
	yes = m.end == TLS_DONE && SSL_session_reused(m.theirs) == 1;
	part(&m);
	return yes;
}

static void sessions_are_resumed(void **state)
{
	static const char *const WAYS[] = { ON "proxy_ssl_protocols TLSv1.2;",
					    ON "proxy_ssl_protocols TLSv1.3;" };

	for (size_t i = 0; i < 2; i++) {
		struct street st;

		open_street(&st, *state, WAYS[i]);
		assert_false(resumed(&st, st.good, "mail.test"));
		assert_true(resumed(&st, st.good, "mail.test"));
		assert_true(resumed(&st, st.good, "mail.test"));
		/* another spelling is another name */
		assert_false(resumed(&st, st.good, "Mail.test"));
		close_street(&st);
		open_street(&st, *state, ON "proxy_ssl_session_reuse off;");
		assert_false(resumed(&st, st.good, "mail.test"));
		assert_false(resumed(&st, st.good, "mail.test"));
		close_street(&st);
	}
}

static void a_failure_forgets_the_session(void **state)
{
	struct street st;

	open_street(&st, *state, ON);
	assert_false(resumed(&st, st.good, "mail.test"));
	assert_true(resumed(&st, st.good, "mail.test"));
	assert_false(resumed(&st, st.expired, "mail.test"));
	assert_false(resumed(&st, st.good, "mail.test"));
	assert_true(resumed(&st, st.good, "mail.test"));
	close_street(&st);
}

/* Ours of many is the oldest: it is gone. A session that began in time is not lost on those that still run.
 */
static void only_so_many_are_kept(void **state)
{
	struct meeting early;
	struct street st;
	char name[32];

	open_street(&st, *state, "proxy_ssl on; proxy_ssl_verify off;");
	meet(&early, st.t, st.good, "early.test");
	assert_false(resumed(&st, st.good, "mail.test"));
	for (int i = 0; i < 63; i++) {
		snprintf(name, sizeof(name), "%d.test", i);
		assert_false(resumed(&st, st.good, name));
	}
	assert_true(resumed(&st, st.good, "mail.test"));
	assert_false(resumed(&st, st.good, "early.test"));
	assert_true(resumed(&st, st.good, "mail.test"));
	assert_false(resumed(&st, st.good, "0.test"));
	assert_true(resumed(&st, st.good, "62.test"));
	/* its place is taken, and a ticket that comes late goes nowhere */
	assert_int_equal(SSL_new_session_ticket(early.theirs), 1);
	part(&early);
	close_street(&st);
}

static int listen_on_loopback(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static bool resumed_at(struct street *st, int listener, const struct sockaddr_in *at)
{
	int fd[2] = { socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct meeting m;
	bool yes;

	assert_int_equal(connect(fd[0], (const struct sockaddr *)at, sizeof(*at)), 0);
	fd[1] = accept(listener, NULL, NULL);
	assert_true(fd[1] >= 0);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	fcntl(fd[1], F_SETFL, O_NONBLOCK);
	meet_on(&m, st->t, st->good, "mail.test", fd);
	assert_string_equal(m.failure, "");
	yes = SSL_session_reused(m.theirs) == 1;
	part(&m);
	return yes;
}

/* Of two servers with one name each has its own. */
static void sessions_belong_to_an_address(void **state)
{
	struct sockaddr_in here, there;
	int a = listen_on_loopback(&here), b = listen_on_loopback(&there);
	struct street st;

	open_street(&st, *state, ON);
	assert_false(resumed_at(&st, a, &here));
	assert_true(resumed_at(&st, a, &here));
	assert_false(resumed_at(&st, b, &there));
	assert_true(resumed_at(&st, a, &here));
	assert_true(resumed_at(&st, b, &there));
	close_street(&st);
	close(a);
	close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_server_that_was_meant),
		cmocka_unit_test(says_why_not),
		cmocka_unit_test(says_whose_certificate_it_is_instead),
		cmocka_unit_test(does_not_begin_without_a_name),
		cmocka_unit_test(finds_the_systems_authorities_late),
		cmocka_unit_test(authorities_are_shared),
		cmocka_unit_test(servers_are_told),
		cmocka_unit_test(other_failures_are_errors),
		cmocka_unit_test(sessions_are_resumed),
		cmocka_unit_test(a_failure_forgets_the_session),
		cmocka_unit_test(only_so_many_are_kept),
		cmocka_unit_test(sessions_belong_to_an_address),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
