/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache in front of a source that says what the test wants: what is asked once and what is asked again,
 * whose answer serves whom, what happens when a source is unable, a password changes, an asker goes away, a
 * process dies.
 */
#include "auth/cache.h"

#include "auth/cache_key.h"
#include "auth/cache_record.h"
#include "base/must.h"
#include "load.h"
#include "vars/vars.h"
#include <pthread.h>

/* --- a source that is told what to say --- */

static struct {
	struct auth_source base;
	unsigned asked, cancelled;
	struct auth_request *under_way[8];
	size_t len;
} fake;

static struct auth_source *fake_make(const struct auth_tools *tools, const struct scope *server);

static void fake_ask(struct auth_source *s, struct auth_request *r)
{
	(void)s;
	fake.asked++;
	assert_true(fake.len < 8);
	fake.under_way[fake.len++] = r;
	r->state = &fake;
}

static void forget(struct auth_request *r)
{
	size_t i = 0;

	while (fake.under_way[i] != r)
		must(++i < fake.len);
	fake.under_way[i] = fake.under_way[--fake.len];
	r->state = NULL;
}

static void fake_cancel(struct auth_request *r)
{
	fake.cancelled++;
	forget(r);
}

static const struct directive FAKE_ROWS[] = {
	{ .name = "auth_fake", .where = IN_MAIL | IN_SERVER, .min = 1, .max = 1 }, { .name = NULL }
};
static const struct module FAKE_MODULE = {
	.name = "fake", .places = IN_MAIL | IN_SERVER, .size = 8, .directives = FAKE_ROWS
};
static const struct auth_kind FAKE = { .name = "fake",
				       .directive = "auth_fake",
				       .module = &FAKE_MODULE,
				       .methods = ~0u,
				       .make = fake_make,
				       .ask = fake_ask,
				       .cancel = fake_cancel };
const struct auth_kind *const auth_kinds[] = { &FAKE, NULL };

static struct auth_source *fake_make(const struct auth_tools *tools, const struct scope *server)
{
	(void)tools;
	(void)server;
	fake.base.kind = &FAKE;
	return &fake.base;
}

/* --- askers --- */

struct asker {
	struct login login;
	struct auth_request request;
	char got[256]; /* empty: not answered */
	struct auth_answer answer;
	bool inside;
};

struct fixture {
	struct loop *loop;
	struct arena *arena;
	struct loaded conf;
	struct auth_shared *shared;
	struct auth_source *source;
	struct asker a, b, c;
};

static void answered(struct auth_request *r, const struct auth_answer *a)
{
	struct asker *who = r->owner;
	char addr[ADDR_TEXT_MAX];

	assert_false(who->inside);
	assert_null(r->state);
	who->answer = *a;
	if (a->verdict == AUTH_OK)
		snprintf(who->got, sizeof(who->got), "ok %s %.*s %.*s%s%s", addr_text(&a->server, addr),
			 STR_ARG(a->user), STR_ARG(a->secret), a->cause != NULL ? " | " : "",
			 a->cause != NULL ? a->cause : "");
	else
		snprintf(who->got, sizeof(who->got), "%d %.*s%s", a->verdict, STR_ARG(a->message),
			 a->cause != NULL ? a->cause : "");
}

static void asker_init(struct fixture *f, struct asker *a)
{
	*a = (struct asker){ .request = { .protocol = "imap", .done = answered } };
	login_init(&a->login, f->arena, 65536, 512);
	a->request.client_ip = STR("192.0.2.7");
	a->login.method = SASL_PLAIN;
	buf_set(&a->login.user, STR("joe"));
	buf_set(&a->login.secret, STR("s3cret"));
	a->request.login = &a->login;
	a->request.owner = a;
}

static struct fixture *begin_with(const char *more)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char text[512];

	memset(&fake, 0, sizeof(fake));
	f->loop = loop_new();
	f->arena = arena_new(4096);
	f->shared = auth_shared_new();
	assert_non_null(f->shared);
	snprintf(text, sizeof(text), "mail { auth_cache one:1m; %s; server { auth_fake x; } }", more);
	load(&f->conf, text);
	assert_string_equal(f->conf.said, "");
	f->source = auth_source_new(&(struct auth_tools){ .loop = f->loop,
							  .home = f->arena,
							  .shared = f->shared,
							  .identity = STR("1") },
				    load_server(&f->conf, 0));
	asker_init(f, &f->a);
	asker_init(f, &f->b);
	asker_init(f, &f->c);
	return f;
}

static struct fixture *begin(void)
{
	return begin_with("auth_failure_delay 30s");
}

static void end(struct fixture *f)
{
	assert_int_equal(fake.len, 0);
	auth_source_free(f->source);
	auth_shared_free(f->shared);
	unload(&f->conf);
	arena_free(f->arena);
	loop_free(f->loop);
	free(f);
}

static void ask(struct fixture *f, struct asker *a)
{
	a->got[0] = '\0';
	a->inside = true;
	auth_ask(f->source, &a->request);
	a->inside = false;
	assert_non_null(a->request.state);
}

static struct auth_answer yes(void)
{
	return (struct auth_answer){ AUTH_ANSWER_INIT, .verdict = AUTH_OK,
				     .server = { .family = AF_INET, .port = 143, .ip4 = { 10, 0, 0, 1 } },
				     .user = STR("u"), .secret = STR("p4ss") };
}

static struct auth_answer no(void)
{
	return (struct auth_answer){ AUTH_ANSWER_INIT, .verdict = AUTH_DENIED };
}

static struct auth_answer unable(void)
{
	return (struct auth_answer){ AUTH_ANSWER_INIT, .verdict = AUTH_BROKEN, .level = LOG_ERROR,
				     .cause = "the source is down" };
}

static struct auth_answer down(void)
{
	struct auth_answer a = unable();

	a.source_down = true;
	return a;
}

/* The source answers the question that it was asked last. */
static void say(struct auth_answer a)
{
	struct auth_request *r;

	assert_true(fake.len != 0);
	r = fake.under_way[fake.len - 1];
	forget(r);
	r->done(r, &a);
}

#define YES "ok 10.0.0.1:143 u p4ss"
#define NO  "1 Authentication failed"

/* Comes out of the cache. */
static void assert_kept(struct fixture *f, struct asker *a, const char *want)
{
	unsigned before = fake.asked;

	ask(f, a);
	assert_int_equal(fake.asked, before);
	loop_turn(f->loop, 0);
	assert_string_equal(a->got, want);
	assert_true(a->answer.cached);
}

/* The source is asked, and says this. */
static void assert_asked(struct fixture *f, struct asker *a, struct auth_answer answer, const char *want)
{
	unsigned before = fake.asked;

	ask(f, a);
	assert_int_equal(fake.asked, before + 1);
	say(answer);
	assert_string_equal(a->got, want);
	assert_false(a->answer.cached);
}

/* --- yes and no --- */

static void answers_are_kept(void **state)
{
	struct fixture *f = begin();

	(void)state;
	assert_asked(f, &f->a, yes(), YES);
	assert_kept(f, &f->a, YES);
	assert_kept(f, &f->b, YES);
	end(f);
}

/* A refusal from the cache waits as long as one from the source. */
static void refusals_are_kept_and_paced(void **state)
{
	struct fixture *f = begin();

	(void)state;
	assert_asked(f, &f->a, no(), NO);
	assert_kept(f, &f->b, NO);
	assert_true(f->b.answer.paced);
	assert_in_range(f->b.answer.wait_ms, 25000, 30000);
	end(f);
}

static void temporary_things_are_not_kept(void **state)
{
	struct auth_answer wait = { AUTH_ANSWER_INIT, .verdict = AUTH_WAIT, .wait_ms = 1000 };
	struct auth_answer later = no();
	struct fixture *f = begin();

	(void)state;
	later.error_code = STR("454 4.7.0");
	assert_asked(f, &f->a, unable(), "3 the source is down");
	assert_asked(f, &f->a, wait, "2 ");
	assert_asked(f, &f->a, later, NO);
	assert_asked(f, &f->a, yes(), YES);
	end(f);
}

static void the_source_says_how_long(void **state)
{
	struct auth_answer a = yes();
	struct fixture *f = begin_with("auth_cache_valid denied 1s");

	(void)state;
	assert_asked(f, &f->a, yes(), YES);
	a.cache_ms = 60000;
	assert_asked(f, &f->a, a, YES);
	assert_kept(f, &f->a, YES);
	end(f);
	f = begin();
	a.cache_ms = 0;
	assert_asked(f, &f->a, a, YES);
	assert_asked(f, &f->a, yes(), YES);
	end(f);
}

static void digests_and_tokens(void **state)
{
	struct auth_answer a = yes();
	struct fixture *f = begin();

	(void)state;
	f->a.login.method = SASL_CRAM_MD5;
	assert_asked(f, &f->a, yes(), YES);
	assert_asked(f, &f->a, yes(), YES);
	ask(f, &f->a);
	auth_cancel(&f->a.request);
	assert_int_equal(fake.cancelled, 1);
	f->a.login.method = SASL_XOAUTH2;
	assert_asked(f, &f->a, yes(), YES);
	a.cache_ms = 60000;
	assert_asked(f, &f->a, a, YES);
	assert_kept(f, &f->a, YES);
	f->a.login.method = SASL_NONE;
	assert_asked(f, &f->a, no(), NO);
	assert_asked(f, &f->a, yes(), YES);
	assert_kept(f, &f->a, YES);
	end(f);
}

/* --- passwords --- */

static void a_changed_password_is_noticed(void **state)
{
	struct fixture *f = begin();

	(void)state;
	buf_set(&f->b.login.secret, STR("new"));
	assert_asked(f, &f->a, yes(), YES);
	assert_asked(f, &f->b, no(), NO);
	/* a no to another password bars nobody */
	assert_kept(f, &f->a, YES);
	/* the new password is right now: the old one is asked about again */
	f->conf.said[0] = '\0';
	assert_int_equal(auth_shared_flush(f->shared, STR("nobody")), 0);
	buf_set(&f->c.login.secret, STR("newest"));
	assert_asked(f, &f->c, yes(), YES);
	assert_asked(f, &f->a, no(), NO);
	assert_kept(f, &f->c, YES);
	assert_kept(f, &f->a, NO);
	/* and a yes ends a no */
	assert_int_equal(auth_shared_flush(f->shared, STR("joe")), 2);
	assert_asked(f, &f->a, no(), NO);
	auth_cache_drop(&f->a.request);
	assert_asked(f, &f->a, yes(), YES);
	assert_kept(f, &f->a, YES);
	end(f);
}

static void a_login_that_the_mail_server_refuses_is_dropped(void **state)
{
	struct fixture *f = begin();

	(void)state;
	assert_asked(f, &f->a, yes(), YES);
	assert_kept(f, &f->b, YES);
	/* what the session does with an answer */
	buf_set(&f->b.login.secret, STR("p4ss"));
	buf_set(&f->b.login.user, STR("u"));
	auth_cache_drop(&f->b.request);
	assert_asked(f, &f->a, no(), NO);
	f->c.request.source = NULL;
	auth_cache_drop(&f->c.request);
	end(f);
}

/* --- what an answer depends on --- */

static void user(struct asker *a)
{
	buf_set(&a->login.user, STR("jo"));
}
static void secret(struct asker *a)
{
	buf_set(&a->login.secret, STR("x"));
}
static void case_of_user(struct asker *a)
{
	buf_set(&a->login.user, STR("JOE"));
}
static void method(struct asker *a)
{
	a->login.method = SASL_LOGIN;
}
static void protocol(struct asker *a)
{
	a->request.protocol = "pop3";
}
static void client(struct asker *a)
{
	a->request.client_ip = STR("192.0.2.8");
}
static void host(struct asker *a)
{
	a->request.client_host = STR("h");
}
static void empty_host(struct asker *a)
{
	a->request.client_host = STR("");
}
static void server(struct asker *a)
{
	a->request.server_ip = STR("h");
}
static void port(struct asker *a)
{
	a->request.server_port = 993;
}
static void proxy(struct asker *a)
{
	a->request.proxy_addr = STR("h");
}
static void proxy_server(struct asker *a)
{
	a->request.proxy_server_addr = STR("h");
}
static void proxy_port(struct asker *a)
{
	a->request.proxy_server_port = 143;
}
static void tls(struct asker *a)
{
	a->request.tls.on = true;
}
static void tls_protocol(struct asker *a)
{
	a->request.tls.protocol = STR("h");
}
static void cipher(struct asker *a)
{
	a->request.tls.cipher = STR("h");
}
static void verify(struct asker *a)
{
	a->request.tls.verify = STR("h");
}
static void subject(struct asker *a)
{
	a->request.tls.subject = STR("h");
}
static void issuer(struct asker *a)
{
	a->request.tls.issuer = STR("h");
}
static void serial(struct asker *a)
{
	a->request.tls.serial = STR("h");
}
static void fingerprint(struct asker *a)
{
	a->request.tls.fingerprint = STR("h");
}
static void certificate(struct asker *a)
{
	a->request.tls.certificate = STR("h");
}
static void needs_secret(struct asker *a)
{
	a->request.needs_secret = true;
}
static void helo(struct asker *a)
{
	buf_set(&a->login.helo, STR("h"));
}
static void sender(struct asker *a)
{
	buf_set(&a->login.mail, STR("h"));
}
static void rcpt(struct asker *a)
{
	buf_set(&a->login.rcpt, STR("h"));
}
static void nothing(struct asker *a)
{
	(void)a;
}
static void client_port(struct asker *a)
{
	a->request.client_port = 4711;
}
static void attempt(struct asker *a)
{
	a->login.attempt = 7;
}
static void session(struct asker *a)
{
	a->request.session_id = STR("abc");
}

static bool sni(const struct vars *v, enum var which, struct str *to)
{
	(void)v;
	*to = STR("mail.example.org");
	return which == VAR_SSL_SERVER_NAME;
}

static void server_name(struct asker *a)
{
	static const struct vars VARS = { .fact = sni };

	a->request.vars = &VARS;
}

static const struct {
	void (*change)(struct asker *a);
	bool same;
	unsigned ignored_as; /* the bit of auth_cache_ignore that makes it the same */
} FACTS[] = {
	{ nothing, true, 0 },	    { server_name, false, 4 },	{ client_port, true, 0 },
	{ attempt, true, 0 },	    { session, true, 0 },	{ user, false, 0 },
	{ secret, false, 0 },	    { case_of_user, false, 0 }, { method, false, 0 },
	{ protocol, false, 0 },	    { client, false, 1 },	{ host, false, 1 },
	{ empty_host, false, 1 },   { proxy, false, 1 },	{ server, false, 2 },
	{ port, false, 2 },	    { proxy_server, false, 2 }, { proxy_port, false, 2 },
	{ tls, false, 4 },	    { tls_protocol, false, 4 }, { cipher, false, 4 },
	{ verify, false, 0 },	    { subject, false, 0 },	{ issuer, false, 0 },
	{ serial, false, 0 },	    { fingerprint, false, 0 },	{ certificate, false, 0 },
	{ needs_secret, false, 0 }, { helo, false, 8 },		{ sender, false, 8 },
	{ rcpt, false, 8 },
};

static bool same_id(struct fixture *f, void (*change)(struct asker *a), unsigned ignore,
		    const char *server_name)
{
	static const uint8_t KEY[SHA256_SIZE] = { 1 };
	uint8_t seal[2][SEAL_KEY];
	struct cache_id id[2];
	bool same;

	asker_init(f, &f->a);
	asker_init(f, &f->b);
	change(&f->b);
	cache_key(KEY, STR("s"), &f->a.request, ignore, &id[0], seal[0]);
	cache_key(KEY, str_of(server_name), &f->b.request, ignore, &id[1], seal[1]);
	same = memcmp(id[0].asked, id[1].asked, CACHE_ID) == 0;
	/* the key that opens goes with what was asked, and a password changes nothing but that */
	assert_int_equal(same, memcmp(seal[0], seal[1], SEAL_KEY) == 0);
	assert_int_equal(same || change == secret, memcmp(id[0].question, id[1].question, CACHE_ID) == 0);
	return same;
}

static void every_fact_counts(void **state)
{
	struct fixture *f = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(FACTS) / sizeof(FACTS[0]); i++) {
		assert_int_equal(same_id(f, FACTS[i].change, 0, "s"), FACTS[i].same);
		for (unsigned bit = 1; bit <= 8; bit *= 2)
			assert_int_equal(same_id(f, FACTS[i].change, bit, "s"),
					 FACTS[i].same || FACTS[i].ignored_as == bit);
	}
	assert_false(same_id(f, nothing, 0, "t"));
	end(f);
}

/* Where the envelope is all there is, it is never left out. */
static void an_envelope_alone_always_counts(void **state)
{
	static const uint8_t KEY[SHA256_SIZE] = { 1 };
	struct fixture *f = begin();
	uint8_t seal[SEAL_KEY];
	struct cache_id id[2];

	(void)state;
	f->a.login.method = f->b.login.method = SASL_NONE;
	rcpt(&f->b);
	cache_key(KEY, STR("s"), &f->a.request, CACHE_IGNORE_ENVELOPE, &id[0], seal);
	cache_key(KEY, STR("s"), &f->b.request, CACHE_IGNORE_ENVELOPE, &id[1], seal);
	assert_memory_not_equal(id[0].asked, id[1].asked, CACHE_ID);
	end(f);
}

/* Two facts are not the same as one that reads like both. */
static void facts_do_not_run_together(void **state)
{
	static const uint8_t KEY[SHA256_SIZE] = { 1 };
	struct fixture *f = begin();
	uint8_t seal[SEAL_KEY];
	struct cache_id id[2];

	(void)state;
	f->a.request.tls.subject = STR("ab");
	f->a.request.tls.issuer = STR("c");
	f->b.request.tls.subject = STR("a");
	f->b.request.tls.issuer = STR("bc");
	cache_key(KEY, STR("s"), &f->a.request, 0, &id[0], seal);
	cache_key(KEY, STR("s"), &f->b.request, 0, &id[1], seal);
	assert_memory_not_equal(id[0].asked, id[1].asked, CACHE_ID);
	end(f);
}

/* --- many askers, one question --- */

static void one_question_for_many(void **state)
{
	struct fixture *f = begin();

	(void)state;
	ask(f, &f->a);
	ask(f, &f->b);
	ask(f, &f->c);
	assert_int_equal(fake.asked, 1);
	say(yes());
	assert_string_equal(f->a.got, YES);
	assert_string_equal(f->b.got, YES);
	assert_string_equal(f->c.got, YES);
	end(f);
}

static void others_do_not_join(void **state)
{
	struct fixture *f = begin();

	(void)state;
	secret(&f->b);
	ask(f, &f->a);
	ask(f, &f->b);
	assert_int_equal(fake.asked, 2);
	say(no());
	assert_string_equal(f->b.got, NO);
	assert_string_equal(f->a.got, "");
	say(yes());
	assert_string_equal(f->a.got, YES);
	end(f);
}

/* The source sees the first asker's words: when that one goes, it is asked with another's. */
static void askers_go_away(void **state)
{
	struct fixture *f = begin();

	(void)state;
	ask(f, &f->a);
	ask(f, &f->b);
	ask(f, &f->c);
	auth_cancel(&f->b.request);
	assert_int_equal(fake.cancelled, 0);
	auth_cancel(&f->a.request);
	assert_int_equal(fake.cancelled, 1);
	assert_int_equal(fake.asked, 2);
	assert_ptr_equal(fake.under_way[0]->login, &f->c.login);
	say(yes());
	assert_string_equal(f->c.got, YES);
	assert_string_equal(f->a.got, "");
	assert_int_equal(auth_shared_flush(f->shared, STR("joe")), 1);
	ask(f, &f->a);
	auth_cancel(&f->a.request);
	assert_int_equal(fake.len, 0);
	/* one that was found is taken back too */
	assert_asked(f, &f->a, yes(), YES);
	ask(f, &f->a);
	auth_cancel(&f->a.request);
	loop_turn(f->loop, 0);
	assert_string_equal(f->a.got, "");
	end(f);
}

static struct auth_request *victim;

static void cancels_another(struct auth_request *r, const struct auth_answer *a)
{
	answered(r, a);
	auth_cancel(victim);
}

static void an_asker_cancels_another_while_told(void **state)
{
	struct fixture *f = begin();

	(void)state;
	f->a.request.done = cancels_another;
	victim = &f->b.request;
	ask(f, &f->a);
	ask(f, &f->b);
	ask(f, &f->c);
	say(yes());
	assert_string_equal(f->b.got, "");
	assert_string_equal(f->c.got, YES);
	end(f);
}

/* --- out of order --- */

static void pass_a_moment(struct fixture *f)
{
	uint64_t now = loop_now(f->loop);

	while (loop_now(f->loop) < now + 2)
		loop_turn(f->loop, 1);
}

#define OLD YES " | the source is down; answered out of auth_cache"

static void an_old_yes_serves_while_the_source_is_down(void **state)
{
	struct fixture *f = begin_with("auth_cache_valid ok 1ms denied 1ms");

	(void)state;
	assert_asked(f, &f->a, yes(), YES);
	pass_a_moment(f);
	ask(f, &f->a);
	ask(f, &f->b);
	say(down());
	assert_string_equal(f->a.got, OLD);
	assert_string_equal(f->b.got, OLD);
	assert_int_equal(f->a.answer.level, LOG_WARN);
	/* the next one does not wait for the same failure */
	assert_kept(f, &f->c, OLD);
	/* who was never let in is not let in */
	secret(&f->b);
	assert_asked(f, &f->b, unable(), "3 the source is down");
	end(f);
}

/* … and neither does it keep what is old alive for others. */
static void trouble_of_one_is_not_everybodys(void **state)
{
	struct fixture *f = begin_with("auth_cache_valid ok 1ms denied 1ms");

	(void)state;
	assert_asked(f, &f->a, yes(), YES);
	pass_a_moment(f);
	secret(&f->b);
	assert_asked(f, &f->b, unable(), "3 the source is down");
	ask(f, &f->a);
	say(unable());
	assert_string_equal(f->a.got, OLD);
	assert_asked(f, &f->c, no(), NO);
	end(f);
}

static void nothing_is_stale_when_so_configured(void **state)
{
	struct fixture *f = begin_with("auth_cache_valid ok 1ms; auth_cache_stale 0");

	(void)state;
	assert_asked(f, &f->a, yes(), YES);
	pass_a_moment(f);
	assert_asked(f, &f->a, unable(), "3 the source is down");
	assert_asked(f, &f->a, yes(), YES);
	end(f);
}

static void a_no_ends_an_old_yes(void **state)
{
	struct fixture *f = begin_with("auth_cache_valid ok 1ms");

	(void)state;
	assert_asked(f, &f->a, yes(), YES);
	pass_a_moment(f);
	assert_asked(f, &f->a, no(), NO);
	assert_asked(f, &f->a, unable(), "3 the source is down");
	end(f);
}

/* --- flush --- */

static void flush(void **state)
{
	struct fixture *f = begin();

	(void)state;
	user(&f->b);
	assert_asked(f, &f->a, yes(), YES);
	assert_asked(f, &f->b, yes(), YES);
	assert_int_equal(auth_shared_flush(f->shared, STR("JOE")), 1);
	assert_kept(f, &f->b, YES);
	assert_asked(f, &f->a, yes(), YES);
	assert_int_equal(auth_shared_flush(f->shared, (struct str){ NULL, 0 }), 2);
	/* an answer that was asked for before a flush is not kept */
	ask(f, &f->a);
	auth_shared_flush(f->shared, (struct str){ NULL, 0 });
	say(yes());
	assert_asked(f, &f->a, yes(), YES);
	assert_kept(f, &f->a, YES);
	end(f);
}

/* --- the ring --- */

static struct cache_id id_of(unsigned n)
{
	struct cache_id id = { .user = n };

	memcpy(id.question, &n, sizeof(n));
	memcpy(id.asked, &n, sizeof(n));
	return id;
}

static const struct cache_life LIFE = { 10, 20 };

static void put(struct cache_ring *r, unsigned n, size_t len)
{
	static char text[CACHE_RECORD_MOST];
	struct cache_id id = id_of(n);

	memset(text, (int)n, len);
	cache_ring_put(r, cache_ring_flushes(r), &id, LIFE, (struct str){ text, len });
}

static size_t get(struct cache_ring *r, unsigned n)
{
	static char text[CACHE_RECORD_MOST];
	struct cache_id id = id_of(n);
	struct cache_life life;
	size_t len = cache_ring_get(r, &id, &life, text);

	for (size_t i = 0; i < len; i++)
		assert_int_equal((unsigned char)text[i], n & 0xff);
	if (len != 0)
		assert_memory_equal(&life, &LIFE, sizeof(life));
	return len;
}

/* A ring that is full loses the oldest, never more, and never mixes them. */
static void a_full_ring(void **state)
{
	struct cache_ring *r = cache_ring_make(calloc(1, CACHE_RING_LEAST), CACHE_RING_LEAST);
	struct dice dice = { 1 };
	unsigned left = 0;

	(void)state;
	for (unsigned n = 1; n < 20000; n++) {
		put(r, n, 1 + dice_roll(&dice, n % 100 == 0 ? 9000 : 300));
		assert_true(get(r, n) != 0);
		if (n > 3)
			assert_true(n % 100 < 3 || get(r, n - 3) != 0);
	}
	for (unsigned n = 1; n < 20000; n++)
		left += get(r, n) != 0;
	assert_in_range(left, 50, 1000);
	assert_int_equal(cache_ring_flush(r, NULL), left);
	assert_int_equal(get(r, 19999), 0);
	put(r, 3, CACHE_RECORD_MOST);
	assert_int_equal(get(r, 3), CACHE_RECORD_MOST);
	free(r);
}

/* Many passwords for one question take one place. */
static void one_place_for_a_question(void **state)
{
	struct cache_ring *r = cache_ring_make(calloc(1, CACHE_RING_LEAST), CACHE_RING_LEAST);
	struct cache_id id = id_of(2);

	(void)state;
	put(r, 1, 100);
	for (unsigned n = 0; n < 100000; n++) {
		memcpy(id.asked, &n, sizeof(n));
		cache_ring_put(r, 0, &id, LIFE, STR("no"));
	}
	assert_int_equal(get(r, 1), 100);
	free(r);
}

static void zones(void **state)
{
	struct auth_shared *s = auth_shared_new();
	struct cache_zone a, b;

	(void)state;
	assert_true(auth_shared_zone(s, STR("a"), 1 << 20, &a));
	assert_true(auth_shared_zone(s, STR("a"), 1 << 20, &b));
	assert_ptr_equal(a.granted, b.granted);
	assert_true(auth_shared_zone(s, STR("b"), 1 << 20, &b));
	assert_ptr_not_equal(a.granted, b.granted);
	assert_true(auth_shared_zone(s, STR("a"), 2 << 20, &b));
	assert_ptr_not_equal(a.granted, b.granted);
	assert_true(auth_shared_zone(s, STR("c"), 128 << 20, &b));
	assert_false(auth_shared_zone(s, STR("d"), 128 << 20, &b));
	assert_false(auth_shared_zone(s, STR("e"), 1, &b));
	auth_shared_free(s);
	auth_shared_free(NULL);
}

/* What one process keeps another finds; one that dies with the lock leaves an empty ring, not a stuck one. */
static void processes(void **state)
{
	struct auth_shared *s = auth_shared_new();
	struct cache_zone z;
	int status;
	pid_t child;

	(void)state;
	assert_true(auth_shared_zone(s, STR("a"), 1 << 20, &z));
	child = fork();
	if (child == 0) {
		for (unsigned n = 1; n <= 100; n++)
			put(z.granted, n, n);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	for (unsigned n = 1; n <= 100; n++)
		assert_int_equal(get(z.granted, n), n);
	child = fork();
	if (child == 0) {
		/* the lock is the first thing in a ring */
		pthread_mutex_lock((pthread_mutex_t *)(void *)z.granted);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(get(z.granted, 1), 0);
	put(z.granted, 1, 10);
	assert_int_equal(get(z.granted, 1), 10);
	auth_shared_free(s);
}

/* --- records --- */

static void records(void **state)
{
	struct auth_answer a = yes(), got;
	struct buf text;

	(void)state;
	a.target = STR("pool");
	a.tls = 3;
	a.tls_name = STR("mx");
	a.port = 993;
	a.master = STR("");
	a.back_method = SASL_XOAUTH2;
	buf_init(&text, CACHE_RECORD_MOST);
	assert_true(cache_record_write(&a, &text));
	assert_true(cache_record_read(buf_text(&text), &got));
	assert_true(addr_eq(&got.server, &a.server));
	assert_str(got.target, a.target);
	assert_str(got.tls_name, a.tls_name);
	assert_str(got.secret, a.secret);
	assert_non_null(got.master.at);
	assert_null(got.message.at);
	assert_int_equal(got.port, 993);
	assert_int_equal(got.tls, 3);
	assert_int_equal(got.back_method, SASL_XOAUTH2);
	for (size_t i = 0; i < text.len; i++)
		assert_false(cache_record_read((struct str){ text.at, i }, &got));
	buf_put_byte(&text, 'x');
	assert_false(cache_record_read(buf_text(&text), &got));
	buf_clear(&text);
	a.server = (struct addr){ .family = AF_UNIX, .path = "/run/x" };
	assert_true(cache_record_write(&a, &text));
	assert_true(cache_record_read(buf_text(&text), &got));
	assert_string_equal(got.server.path, "/run/x");
	buf_done(&text);
	buf_init(&text, 60);
	assert_false(cache_record_write(&a, &text));
	buf_done(&text);
}

static void sealed(void **state)
{
	uint8_t key[SEAL_KEY] = { 1 }, other[SEAL_KEY] = { 2 };
	char to[64 + SEAL_MORE], back[64];
	struct str text = STR("the password is p4ss"), all = { to, text.len + SEAL_MORE };

	(void)state;
	seal_put(key, text, to);
	assert_null(memmem(to, all.len, "p4ss", 4));
	assert_true(seal_open(key, all, back));
	assert_memory_equal(back, text.at, text.len);
	assert_false(seal_open(other, all, back));
	for (size_t i = 0; i < all.len; i++) {
		to[i] ^= 1;
		assert_false(seal_open(key, all, back));
		to[i] ^= 1;
		assert_false(seal_open(key, (struct str){ to, i }, back));
	}
	seal_put(key, STR(""), to);
	assert_true(seal_open(key, (struct str){ to, SEAL_MORE }, back));
}

/* --- directives --- */

static void faults(void **state)
{
	static const char *const LINES[] = {
		"auth_cache one",
		"auth_cache one:1k",
		"auth_cache one:1x",
		"auth_cache :1m",
		"auth_cache a/b:1m",
		"auth_cache one:1g",
		"auth_cache_valid ok",
		"auth_cache_valid ok x",
		"auth_cache_valid maybe 5s",
		"auth_cache_valid ok 1m x",
		"auth_cache_stale forever",
		"auth_cache_ignore user",
		"auth_cache one:1m; server { auth_cache one:2m; }",
		"auth_cache_valid ok 31d",
	};
	struct loaded conf;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		const char *tail = strchr(LINES[i], '}') != NULL ? "" : ";";

		snprintf(text, sizeof(text), "mail { %s%s server { auth_fake x; } }", LINES[i], tail);
		load(&conf, text);
		assert_null(conf.conf);
		assert_non_null(strstr(conf.said, "/etc/t.conf:1"));
		unload(&conf);
	}
}

static void off_and_without_memory(void **state)
{
	struct fixture *f = begin();
	struct auth_tools tools = { .loop = f->loop, .home = f->arena, .shared = f->shared };
	struct loaded conf;
	struct auth_source *s;

	(void)state;
	load(&conf,
	     "mail { auth_cache one:1m; server { auth_fake x; auth_cache off; } server { auth_fake x; } }");
	assert_string_equal(conf.said, "");
	s = auth_source_new(&tools, load_server(&conf, 0));
	assert_string_equal(s->kind->name, "chain");
	assert_true(auth_cache_claim(conf.conf, f->shared, load_server(&conf, 1)));
	assert_false(auth_cache_claim(conf.conf, NULL, load_server(&conf, 1)));
	assert_non_null(strstr(conf.said, "no memory is left for the zone \"one\""));
	tools.shared = NULL;
	s = auth_source_new(&tools, load_server(&conf, 1));
	assert_string_equal(s->kind->name, "chain");
	unload(&conf);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_kept),
		cmocka_unit_test(refusals_are_kept_and_paced),
		cmocka_unit_test(temporary_things_are_not_kept),
		cmocka_unit_test(the_source_says_how_long),
		cmocka_unit_test(digests_and_tokens),
		cmocka_unit_test(a_changed_password_is_noticed),
		cmocka_unit_test(a_login_that_the_mail_server_refuses_is_dropped),
		cmocka_unit_test(every_fact_counts),
		cmocka_unit_test(an_envelope_alone_always_counts),
		cmocka_unit_test(facts_do_not_run_together),
		cmocka_unit_test(one_question_for_many),
		cmocka_unit_test(others_do_not_join),
		cmocka_unit_test(askers_go_away),
		cmocka_unit_test(an_asker_cancels_another_while_told),
		cmocka_unit_test(an_old_yes_serves_while_the_source_is_down),
		cmocka_unit_test(trouble_of_one_is_not_everybodys),
		cmocka_unit_test(nothing_is_stale_when_so_configured),
		cmocka_unit_test(a_no_ends_an_old_yes),
		cmocka_unit_test(flush),
		cmocka_unit_test(a_full_ring),
		cmocka_unit_test(one_place_for_a_question),
		cmocka_unit_test(zones),
		cmocka_unit_test(processes),
		cmocka_unit_test(records),
		cmocka_unit_test(sealed),
		cmocka_unit_test(faults),
		cmocka_unit_test(off_and_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
