/* SPDX-License-Identifier: BSD-2-Clause */
/* Resumption: tickets and numbered sessions, in one process and across processes, and never where they do
 * not belong. */
#include "tls_side.h"

#include "base/clock.h"
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct card card;

static int make_card(void **state)
{
	(void)state;
	card = card_make("mail.test", &(struct card_wish){ .rsa = false });
	return 0;
}

static int drop_card(void **state)
{
	(void)state;
	card_drop(&card);
	return 0;
}

static void furnish(struct site *s, const char *mail)
{
	char text[2048];

	site_file(s, "/etc/s.crt", card_pem(&card));
	site_file(s, "/etc/s.key", card_key_pem(&card));
	site_file(s, "/etc/ca", card_pem(&card));
	site_file(s, "/etc/crl", card_crl(&card, NULL));
	site_file(s, "/etc/one", STR("one-------------0123456789abcdefghijklmnopqrstuv"));
	site_file(s, "/etc/two",
		  STR("two-------------0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+"));
	snprintf(text, sizeof(text), "ssl_certificate s.crt; ssl_certificate_key s.key; %s", mail);
	site_load(s, text);
	assert_string_equal(s->said, "");
}

static void open_site(struct site *s, size_t cache, const char *mail)
{
	site_init(s, cache);
	furnish(s, mail);
}

static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static SSL_SESSION *first_visit(struct tls_context *t, int version)
{
	struct pair p;
	SSL_SESSION *session;

	assert_int_equal(pair_meet(&p, t, &(struct pair_wish){ .version = version }), TLS_DONE);
	session = pair_session(&p);
	pair_close(&p);
	return session;
}

static bool is_resumed(struct tls_context *t, SSL_SESSION *session, int version)
{
	struct tls_facts facts;
	struct pair p;

	assert_int_equal(pair_meet(&p, t, &(struct pair_wish){ .version = version, .resume = session }),
			 TLS_DONE);
	tls_facts(&p.ours, &facts);
	assert_int_equal(facts.resumed, SSL_session_reused(p.theirs));
	pair_close(&p);
	return facts.resumed;
}

/* Does a session of the first server resume at the last one of the configuration? */
static bool comes_back(const char *mail, int version, int servers)
{
	struct tls_context *first, *last;
	SSL_SESSION *session;
	struct site s;
	bool resumed;

	open_site(&s, 65536, mail);
	first = site_context(&s, 0);
	last = site_context(&s, servers - 1);
	session = first_visit(first, version);
	resumed = is_resumed(last, session, version);
	SSL_SESSION_free(session);
	tls_context_free(first);
	tls_context_free(last);
	site_done(&s);
	return resumed;
}

/* Two contexts of one block are as two workers are. */
static void directives_decide(void **state)
{
	static const struct {
		const char *mail;
		bool old, new; /* TLS 1.2, 1.3 */
	} CASES[] = {
		{ "server { }", true, true },
		{ "server { ssl_session_cache off; }", true, true },
		{ "server { ssl_session_tickets off; }", false, false },
		{ "server { ssl_session_tickets off; ssl_session_cache off; }", false, false },
		{ "server { ssl_session_tickets off; ssl_session_cache shared:x:64k; }", true, true },
		{ "server { ssl_session_tickets off; ssl_session_cache builtin shared:x:64k; }", true, true },
		{ "server { ssl_session_tickets off; ssl_session_cache builtin; }", false, false },
		{ "server { ssl_session_ticket_key one; }", true, true },
		{ "server { ssl_session_ticket_key two; ssl_session_ticket_key one; }", true, true },
		{ "server { ssl_verify_client on; ssl_client_certificate ca; }", true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		assert_int_equal(comes_back(CASES[i].mail, TLS1_2_VERSION, 1), CASES[i].old);
		assert_int_equal(comes_back(CASES[i].mail, TLS1_3_VERSION, 1), CASES[i].new);
	}
}

/* A builtin cache is that of one context. */
static void a_builtin_cache_is_private(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct tls_context *t, *other;
		SSL_SESSION *session;
		struct site s;

		open_site(&s, 0, "server { ssl_session_tickets off; ssl_session_cache builtin:100; }");
		t = site_context(&s, 0);
		other = site_context(&s, 0);
		session = first_visit(t, VERSIONS[i]);
		assert_false(is_resumed(other, session, VERSIONS[i]));
		assert_true(is_resumed(t, session, VERSIONS[i]));
		SSL_SESSION_free(session);
		tls_context_free(t);
		tls_context_free(other);
		site_done(&s);
	}
}

/* Same certificate, same keys, same cache: but another block, or another idea of whom to trust. */
static void no_session_crosses_blocks(void **state)
{
	static const char *const CASES[] = {
		"server { } server { }",
		"ssl_session_ticket_key one; server { } server { }",
		"ssl_session_tickets off; ssl_session_cache shared:x:64k; server { } server { }",
		"ssl_verify_client optional; ssl_client_certificate ca; server { } server { }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		for (int v = 0; v < 2; v++)
			assert_false(comes_back(CASES[i], VERSIONS[v], 2));
}

/* After a reload a session is good if the block is the same in all that counts. */
static void a_reload_that_changes_trust_ends_sessions(void **state)
{
	static const struct {
		const char *before, *after;
		bool resumed;
	} CASES[] = {
		{ "server { ssl_session_timeout 5m; }", "server { ssl_session_timeout 6m; }", true },
		{ "server { }", "server { ssl_verify_client on; ssl_client_certificate ca; }", false },
		{ "server { ssl_verify_client optional; ssl_client_certificate ca; }",
		  "server { ssl_verify_client on; ssl_client_certificate ca; }", false },
		{ "server { ssl_verify_client on; ssl_client_certificate ca; }",
		  "server { ssl_verify_client on; ssl_client_certificate ca; ssl_crl crl; }", false },
		{ "server { }",
		  "server { ssl_certificate s.crt; ssl_certificate s.crt; ssl_certificate_key s.key; "
		  "ssl_certificate_key s.key; }",
		  false },
		{ "server { }", "server { ssl_session_ticket_key one; }", false },
		{ "server { ssl_session_ticket_key one; }",
		  "server { ssl_session_ticket_key two; ssl_session_ticket_key one; }", true },
		{ "server { ssl_session_ticket_key one; }", "server { ssl_session_ticket_key two; }", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		for (int v = 0; v < 2; v++) {
			struct tls_context *t;
			SSL_SESSION *session;
			struct site before, after;

			open_site(&before, 0, CASES[i].before);
			t = site_context(&before, 0);
			session = first_visit(t, VERSIONS[v]);
			tls_context_free(t);
			site_init_after(&after, &before);
			furnish(&after, CASES[i].after);
			t = site_context(&after, 0);
			assert_string_equal(after.said, "");
			assert_int_equal(is_resumed(t, session, VERSIONS[v]), CASES[i].resumed);
			tls_context_free(t);
			SSL_SESSION_free(session);
			site_done(&after);
			site_done(&before);
		}
}

/* A client of TLS 1.3 gets a new ticket each time; a client of TLS 1.2 keeps his while its key is the
 * current one. */
static void tickets_are_renewed(void **state)
{
	(void)state;
	for (int v = 0; v < 2; v++) {
		struct pair_wish wish = { .version = VERSIONS[v] };
		const unsigned char *before, *after;
		size_t before_len, after_len;
		struct tls_context *t;
		SSL_SESSION *session;
		struct pair p;
		struct site s;

		open_site(&s, 0, "server { }");
		t = site_context(&s, 0);
		wish.resume = first_visit(t, VERSIONS[v]);
		assert_int_equal(pair_meet(&p, t, &wish), TLS_DONE);
		session = pair_session(&p);
		SSL_SESSION_get0_ticket(wish.resume, &before, &before_len);
		SSL_SESSION_get0_ticket(session, &after, &after_len);
		assert_int_equal(before_len == after_len && memcmp(before, after, after_len) == 0,
				 VERSIONS[v] == TLS1_2_VERSION);
		pair_close(&p);
		assert_true(is_resumed(t, session, VERSIONS[v]));
		SSL_SESSION_free(wish.resume);
		SSL_SESSION_free(session);
		tls_context_free(t);
		site_done(&s);
	}
}

/* One is enough: the library's default of two costs a seal and 250 bytes. */
static void one_ticket_is_given(void **state)
{
	struct tls_context *t;
	struct site s;

	(void)state;
	open_site(&s, 0, "server { }");
	t = site_context(&s, 0);
	assert_int_equal(SSL_CTX_get_num_tickets(t->ssl), 1);
	tls_context_free(t);
	site_done(&s);
	open_site(&s, 0, "server { ssl_session_tickets off; }");
	t = site_context(&s, 0);
	assert_int_equal(SSL_CTX_get_num_tickets(t->ssl), 0);
	tls_context_free(t);
	site_done(&s);
}

static void forgotten_sessions_do_not_resume(void **state)
{
	struct tls_context *t;
	struct pair p;
	struct site s;

	(void)state;
	open_site(&s, 65536, "server { ssl_session_tickets off; ssl_session_cache shared:x:64k; }");
	t = site_context(&s, 0);
	for (int v = 0; v < 2; v++) {
		SSL_SESSION *session;

		assert_int_equal(pair_meet(&p, t, &(struct pair_wish){ .version = VERSIONS[v] }), TLS_DONE);
		session = pair_session(&p);
		tls_forget_session(&p.ours);
		pair_close(&p);
		assert_false(is_resumed(t, session, VERSIONS[v]));
		SSL_SESSION_free(session);
	}
	tls_context_free(t);
	site_done(&s);
}

/* A connection that is simply dropped does not spoil its session. */
static void sudden_ends_are_forgiven(void **state)
{
	(void)state;
	assert_true(comes_back("server { ssl_session_tickets off; ssl_session_cache shared:x:64k; }",
			       TLS1_2_VERSION, 1));
}

/* A certificate larger than a place in the cache is not kept, and nothing breaks. */
static void huge_sessions_are_not_kept(void **state)
{
	char name[6000];
	struct card huge;
	struct tls_context *t;
	SSL_SESSION *session;
	struct pair p;
	struct site s;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ASN1_STRING_TABLE_add(NID_commonName, 1, 10000, DIRSTRING_TYPE, 0);
	huge = card_make(name, &(struct card_wish){ .rsa = false });
	open_site(&s, 65536,
		  "server { ssl_session_tickets off; ssl_session_cache shared:x:64k; ssl_verify_client "
		  "optional_no_ca; }");
	t = site_context(&s, 0);
	assert_int_equal(pair_meet(&p, t, &(struct pair_wish){ .version = TLS1_2_VERSION, .card = &huge }),
			 TLS_DONE);
	session = pair_session(&p);
	pair_close(&p);
	assert_false(is_resumed(t, session, TLS1_2_VERSION));
	SSL_SESSION_free(session);
	tls_context_free(t);
	site_done(&s);
	card_drop(&huge);
}

/* --- workers
 * -------------------------------------------------------------------------------------------------- */

/* A worker of its own process: serves the connections whose sockets it is sent, until there are no more;
 * each client is told in one byte whether he was resumed. */
static void work(struct tls_context *t, int orders)
{
	char room[CMSG_SPACE(sizeof(int))], byte;

	for (;;) {
		struct iovec one = { &byte, 1 };
		struct msghdr order = {
			.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)
		};
		enum tls_progress us = TLS_WANTS_READ;
		struct pollfd wait = { .events = POLLIN };
		struct tls_facts facts;
		struct tls_link *link;
		size_t n;

		if (recvmsg(orders, &order, 0) <= 0 || CMSG_FIRSTHDR(&order) == NULL)
			_exit(0);
		memcpy(&wait.fd, CMSG_DATA(CMSG_FIRSTHDR(&order)), sizeof(int));
		link = tls_link_new(t, wait.fd, false, NULL);
		while (us == TLS_WANTS_READ && poll(&wait, 1, -1) == 1) {
			tls_link_arrived(link);
			us = tls_link_handshake(link);
		}
		if (us == TLS_DONE) {
			tls_facts(&(struct stream){ .tls = link }, &facts);
			tls_link_write(link, facts.resumed ? "r" : "f", 1, &n);
		}
		tls_link_free(link);
		close(wait.fd);
	}
}

struct worker {
	pid_t pid;
	int orders;
};

static struct worker hire(struct tls_context *t)
{
	struct worker w;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	w = (struct worker){ .pid = fork(), .orders = fd[0] };
	if (w.pid == 0) {
		close(fd[0]);
		work(t, fd[1]);
	}
	close(fd[1]);
	return w;
}

/* Workers hold each other's sockets, so it takes an order without a socket to end one. */
static void fire(struct worker *w)
{
	assert_int_equal(send(w->orders, "q", 1, 0), 1);
	close(w->orders);
	assert_int_equal(waitpid(w->pid, NULL, 0), w->pid);
}

static void send_fd(int to, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec one = { "x", 1 };
	struct msghdr order = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&order);

	*head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	assert_int_equal(sendmsg(to, &order, 0), 1);
}

/* Visit a worker: 'r' or 'f'. *session is resumed if there is one, and replaced. */
static char visit(struct worker *w, SSL_SESSION **session, int version)
{
	SSL_CTX *about = SSL_CTX_new(TLS_client_method());
	SSL *ssl;
	char said = '?';
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	send_fd(w->orders, fd[1]);
	close(fd[1]);
	SSL_CTX_set_max_proto_version(about, version);
	ssl = SSL_new(about);
	SSL_set_fd(ssl, fd[0]);
	if (*session != NULL)
		SSL_set_session(ssl, *session);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(SSL_read(ssl, &said, 1), 1);
	SSL_SESSION_free(*session);
	*session = SSL_get1_session(ssl);
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(ssl);
	SSL_CTX_free(about);
	close(fd[0]);
	return said;
}

static void any_worker_resumes(void **state)
{
	static const char *const CASES[] = {
		"server { }", "server { ssl_session_tickets off; ssl_session_cache shared:x:64k; }"
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		SSL_SESSION *session = NULL;
		struct worker one, two;
		struct tls_context *t;
		struct site s;

		open_site(&s, 65536, CASES[i / 2]);
		t = site_context(&s, 0);
		one = hire(t);
		two = hire(t);
		assert_int_equal(visit(&one, &session, VERSIONS[i % 2]), 'f');
		assert_int_equal(visit(&two, &session, VERSIONS[i % 2]), 'r');
		assert_int_equal(visit(&one, &session, VERSIONS[i % 2]), 'r');
		fire(&one);
		/* a worker that came later, as after a crash */
		one = hire(t);
		assert_int_equal(visit(&one, &session, VERSIONS[i % 2]), 'r');
		fire(&one);
		fire(&two);
		SSL_SESSION_free(session);
		tls_context_free(t);
		site_done(&s);
	}
}

/* A worker that dies with the locks in its hands takes sessions with it, not the others. */
static void a_dead_worker_blocks_nobody(void **state)
{
	static const char *const CASES[] = {
		"server { }", "server { ssl_session_tickets off; ssl_session_cache shared:x:64k; }"
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		SSL_SESSION *session;
		struct tls_context *t;
		struct site s;
		pid_t victim;

		open_site(&s, 65536, CASES[i]);
		t = site_context(&s, 0);
		session = first_visit(t, TLS1_2_VERSION);
		victim = fork();
		if (victim == 0) {
			lock_take(&s.shared->tickets->lock);
			lock_take(&s.shared->cache->lock);
			_exit(0);
		}
		assert_int_equal(waitpid(victim, NULL, 0), victim);
		assert_false(is_resumed(t, session, TLS1_2_VERSION));
		SSL_SESSION_free(session);
		session = first_visit(t, TLS1_2_VERSION);
		assert_true(is_resumed(t, session, TLS1_2_VERSION));
		SSL_SESSION_free(session);
		tls_context_free(t);
		site_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directives_decide),
		cmocka_unit_test(a_builtin_cache_is_private),
		cmocka_unit_test(no_session_crosses_blocks),
		cmocka_unit_test(a_reload_that_changes_trust_ends_sessions),
		cmocka_unit_test(tickets_are_renewed),
		cmocka_unit_test(one_ticket_is_given),
		cmocka_unit_test(forgotten_sessions_do_not_resume),
		cmocka_unit_test(sudden_ends_are_forgiven),
		cmocka_unit_test(huge_sessions_are_not_kept),
		cmocka_unit_test(any_worker_resumes),
		cmocka_unit_test(a_dead_worker_blocks_nobody),
	};

	return cmocka_run_group_tests(tests, make_card, drop_card);
}
