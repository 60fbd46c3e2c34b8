/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chain with sources that say what the test wants, when it wants: the order of the file, what each
 * verdict means for the next source, what a refused client can and cannot see, and that nothing stays behind.
 */
#include "auth/chain.h"

#include "load.h"

/* --- sources that do as they are told --- */

struct fake {
	struct auth_source base;
	unsigned asked, cancelled, freed;
	struct auth_request *request; /* under way */
};

struct fake_conf {
	struct str word;
};

static const struct auth_kind ONE, TWO, DIGEST, PACED;
static struct fake fakes[4];
static const struct auth_kind *const FAKE_KINDS[] = { &ONE, &TWO, &DIGEST, &PACED };

static struct fake *fake_of(const struct auth_kind *k)
{
	for (size_t i = 0; i < sizeof(FAKE_KINDS) / sizeof(FAKE_KINDS[0]); i++)
		if (FAKE_KINDS[i] == k)
			return &fakes[i];
	return NULL;
}

static struct auth_source *fake_new(const struct auth_kind *kind)
{
	struct fake *f = fake_of(kind);

	*f = (struct fake){ .base.kind = kind };
	return &f->base;
}

static void fake_ask(struct auth_source *s, struct auth_request *r)
{
	struct fake *f = (struct fake *)s;

	assert_null(f->request);
	f->asked++;
	f->request = r;
	r->state = f;
}

static void fake_cancel(struct auth_request *r)
{
	struct fake *f = r->state;

	assert_ptr_equal(f->request, r);
	f->cancelled++;
	f->request = NULL;
	r->state = NULL;
}

static void fake_free(struct auth_source *s)
{
	((struct fake *)s)->freed++;
}

#define MODULE(rows)                                                                             \
	{                                                                                        \
		.name = "fake", .places = IN_MAIL | IN_SERVER, .size = sizeof(struct fake_conf), \
		.directives = rows                                                               \
	}
#define ROW(text)                                               \
	{                                                       \
		{ .name = text,                                 \
		  .where = IN_MAIL | IN_SERVER,                 \
		  .min = 1,                                     \
		  .max = 1,                                     \
		  .slot = SLOT_TEXT,                            \
		  .offset = offsetof(struct fake_conf, word) }, \
		{                                               \
			.name = NULL                            \
		}                                               \
	}

static const struct directive ONE_ROWS[] = ROW("auth_one"), TWO_ROWS[] = ROW("auth_two"),
			      DIGEST_ROWS[] = ROW("auth_digest"), PACED_ROWS[] = ROW("auth_paced");
static const struct module ONE_MODULE = MODULE(ONE_ROWS), TWO_MODULE = MODULE(TWO_ROWS),
			   DIGEST_MODULE = MODULE(DIGEST_ROWS), PACED_MODULE = MODULE(PACED_ROWS);

#define MAKER(name, kind)                                                                           \
	static struct auth_source *name(const struct auth_tools *tools, const struct scope *server) \
	{                                                                                           \
		assert_non_null(tools->home);                                                       \
		assert_non_null(server);                                                            \
		return fake_new(&kind);                                                             \
	}
MAKER(make_one, ONE)
MAKER(make_two, TWO)
MAKER(make_digest, DIGEST)
MAKER(make_paced, PACED)

#define PASSWORDS (SASL_PLAIN | SASL_LOGIN)
#define KIND(text, of, can, maker)                                                                       \
	{                                                                                                \
		.name = text, .directive = "auth_" text, .module = &of, .methods = (can), .make = maker, \
		.ask = fake_ask, .cancel = fake_cancel, .free = fake_free                                \
	}

static const struct auth_kind ONE = KIND("one", ONE_MODULE, PASSWORDS, make_one);
static const struct auth_kind TWO = KIND("two", TWO_MODULE, PASSWORDS, make_two);
static const struct auth_kind DIGEST = KIND("digest", DIGEST_MODULE, PASSWORDS | SASL_CRAM_MD5, make_digest);
static const struct auth_kind PACED = { .name = "paced",
					.directive = "auth_paced",
					.module = &PACED_MODULE,
					.methods = ~0u,
					.keeps_pace = true,
					.make = make_paced,
					.ask = fake_ask,
					.cancel = fake_cancel,
					.free = fake_free };
const struct auth_kind *const auth_kinds[] = { &ONE, &TWO, &DIGEST, &PACED, NULL };

/* --- one asker --- */

struct fixture {
	struct loop *loop;
	struct arena *arena;
	struct loaded conf;
	struct auth_source *source;
	struct login login;
	struct auth_request request;
	struct auth_answer got;
	char text[256]; /* the answer's message or cause */
	int answers;
	bool inside;
};

static void answered(struct auth_request *r, const struct auth_answer *a)
{
	struct fixture *f = r->owner;

	assert_false(f->inside);
	assert_null(r->state);
	f->got = *a;
	f->answers++;
	snprintf(f->text, sizeof(f->text), "%.*s%s", STR_ARG(a->message), a->cause != NULL ? a->cause : "");
	auth_cancel(r);
}

static struct fixture *begin(const char *conf)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	f->arena = arena_new(4096);
	load(&f->conf, conf);
	assert_string_equal(f->conf.said, "");
	f->source = auth_source_new(&(struct auth_tools){ .loop = f->loop, .home = f->arena },
				    load_server(&f->conf, 0));
	login_init(&f->login, f->arena, 4096, 512);
	buf_set(&f->login.user, STR("joe"));
	buf_set(&f->login.secret, STR("s3cret"));
	f->request = (struct auth_request){ .login = &f->login,
					    .protocol = "imap",
					    .client_ip = STR("192.0.2.7"),
					    .done = answered,
					    .owner = f };
	return f;
}

static void ask(struct fixture *f)
{
	f->got = (struct auth_answer){ 0 };
	f->answers = 0;
	f->inside = true;
	auth_ask(f->source, &f->request);
	f->inside = false;
	assert_non_null(f->request.state);
}

static void end(struct fixture *f)
{
	auth_source_free(f->source);
	unload(&f->conf);
	arena_free(f->arena);
	loop_free(f->loop);
	free(f);
}

static void say(const struct auth_kind *kind, const struct auth_answer *a)
{
	struct fake *f = fake_of(kind);
	struct auth_request *r = f->request;

	assert_non_null(r);
	f->request = NULL;
	r->state = NULL;
	r->done(r, a);
}

static void verdict(const struct auth_kind *kind, enum auth_verdict v)
{
	struct auth_answer a = { AUTH_ANSWER_INIT, .verdict = v };

	if (v == AUTH_BROKEN) {
		a.cause = "the table is missing";
		a.level = LOG_CRIT;
	}
	say(kind, &a);
}

#define CHAIN "mail { auth_failure_delay 30s; server { auth_two x; auth_one y; } }"

/* --- order and inheritance --- */

static void order_is_that_of_the_file(void **state)
{
	struct fixture *f = begin(CHAIN);

	(void)state;
	ask(f);
	assert_non_null(fake_of(&TWO)->request);
	assert_null(fake_of(&ONE)->request);
	verdict(&TWO, AUTH_UNKNOWN);
	assert_int_equal(f->answers, 0);
	verdict(&ONE, AUTH_OK);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->got.verdict, AUTH_OK);
	end(f);
}

static void order_spans_included_files(void **state)
{
	static const char TEXT[] = "mail { server { include two.conf; auth_one y; } }";
	const struct auth_kind *kinds[AUTH_SOURCES_MOST];
	struct loaded conf = { .bundle = bundle_record() };
	const struct module *modules[] = { &ROOMS_MODULE, &auth_module,	  &auth_cache_module, &ONE_MODULE,
					   &TWO_MODULE,	  &DIGEST_MODULE, &PACED_MODULE,      NULL };
	struct conf_source source = { .modules = modules,
				      .bundle = conf.bundle,
				      .file = "/etc/t.conf",
				      .prefix = "/etc/",
				      .say = load_hear,
				      .to = &conf };
	const struct scope *from;

	(void)state;
	bundle_put(conf.bundle, BUNDLE_CONF, STR("/etc/t.conf"), str_of(TEXT));
	bundle_put(conf.bundle, BUNDLE_CONF, STR("/etc/two.conf"),
		   STR("\n\n\n\nauth_digest d;\nauth_two x;\n"));
	conf.conf = conf_load(&source);
	assert_string_equal(conf.said, "");
	assert_int_equal(auth_sources(load_server(&conf, 0), &from, kinds), 3);
	assert_ptr_equal(kinds[0], &DIGEST);
	assert_ptr_equal(kinds[1], &TWO);
	assert_ptr_equal(kinds[2], &ONE);
	unload(&conf);
}

static void a_block_with_a_source_has_no_other(void **state)
{
	struct loaded conf;
	const struct auth_kind *kinds[AUTH_SOURCES_MOST];
	const struct scope *from;

	(void)state;
	load(&conf, "mail { auth_one a; auth_two b; server { auth_digest c; } server { } }");
	assert_int_equal(auth_sources(load_server(&conf, 0), &from, kinds), 1);
	assert_ptr_equal(kinds[0], &DIGEST);
	assert_ptr_equal(from, load_server(&conf, 0));
	assert_int_equal(auth_sources(load_server(&conf, 1), &from, kinds), 2);
	assert_ptr_equal(kinds[0], &ONE);
	assert_int_equal(scope_place(from), IN_MAIL);
	unload(&conf);
	load(&conf, "mail { server { } }");
	assert_false(auth_configured(load_server(&conf, 0)));
	unload(&conf);
}

static void a_lone_source_with_manners_is_asked_directly(void **state)
{
	struct fixture *f = begin("mail { server { auth_paced x; } }");

	(void)state;
	assert_ptr_equal(f->source, &fake_of(&PACED)->base);
	ask(f);
	assert_ptr_equal(fake_of(&PACED)->request, &f->request);
	verdict(&PACED, AUTH_DENIED);
	assert_int_equal(f->got.wait_ms, 0);
	end(f);
}

/* --- verdicts --- */

static void a_no_ends_the_chain(void **state)
{
	struct fixture *f = begin(CHAIN);

	(void)state;
	ask(f);
	verdict(&TWO, AUTH_DENIED);
	assert_int_equal(f->got.verdict, AUTH_DENIED);
	assert_string_equal(f->text, "Authentication failed");
	assert_int_equal(fake_of(&ONE)->asked, 0);
	end(f);
}

/* Nobody can tell the two apart: text, code, time. */
static void an_unknown_user_looks_like_a_wrong_password(void **state)
{
	struct fixture *f = begin(CHAIN);
	struct auth_answer wrong;

	(void)state;
	ask(f);
	verdict(&TWO, AUTH_DENIED);
	wrong = f->got;
	ask(f);
	verdict(&TWO, AUTH_UNKNOWN);
	verdict(&ONE, AUTH_UNKNOWN);
	assert_int_equal(f->got.verdict, AUTH_DENIED);
	assert_int_equal(f->got.failure, wrong.failure);
	assert_int_equal(f->got.wait_ms, wrong.wait_ms);
	assert_true(f->got.paced && wrong.paced);
	assert_string_equal(f->text, "Authentication failed");
	assert_null(f->got.error_code.at);
	end(f);
}

/* The delay counts from the question on, whatever was done meanwhile, and never becomes 0. */
static void refusals_are_paced(void **state)
{
	(void)state;
	assert_int_equal(auth_pace(2000, 5000, 5000), 2000);
	assert_int_equal(auth_pace(2000, 5000, 5700), 1300);
	assert_int_equal(auth_pace(2000, 5000, 7000), 1);
	assert_int_equal(auth_pace(2000, 5000, 9999), 1);
	assert_int_equal(auth_pace(0, 5000, 5000), 1);
}

static void a_source_with_a_pace_keeps_it_in_a_chain(void **state)
{
	struct fixture *f = begin("mail { server { auth_one y; auth_paced x; } }");
	struct auth_answer a = { AUTH_ANSWER_INIT, .verdict = AUTH_DENIED, .message = STR("go away") };

	(void)state;
	ask(f);
	verdict(&ONE, AUTH_UNKNOWN);
	say(&PACED, &a);
	assert_int_equal(f->got.wait_ms, 0);
	assert_false(f->got.paced);
	assert_string_equal(f->text, "go away");
	end(f);
}

static void reasons_have_their_words(void **state)
{
	static const struct {
		enum auth_failure failure;
		const char *words;
	} CASES[] = {
		{ AUTH_FAILURE_CREDENTIALS, "Authentication failed" },
		{ AUTH_FAILURE_DISABLED, "Account is disabled" },
		{ AUTH_FAILURE_EXPIRED, "Password has expired" },
		{ AUTH_FAILURE_FORBIDDEN, "Login is not allowed from here" },
	};
	struct fixture *f = begin(CHAIN);

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct auth_answer a = { AUTH_ANSWER_INIT, .verdict = AUTH_DENIED,
					 .failure = CASES[i].failure };

		ask(f);
		say(&TWO, &a);
		assert_string_equal(f->text, CASES[i].words);
	}
	end(f);
}

static void an_outage_is_no_wrong_password(void **state)
{
	struct fixture *f = begin(CHAIN);

	(void)state;
	ask(f);
	verdict(&TWO, AUTH_BROKEN);
	assert_int_equal(f->got.verdict, AUTH_BROKEN);
	assert_string_equal(f->text, "the table is missing");
	assert_int_equal(fake_of(&ONE)->asked, 0);
	end(f);
}

static void an_outage_may_be_passed_over(void **state)
{
	struct fixture *f =
		begin("mail { auth_next_source unknown unavailable; server { auth_two x; auth_one y; } }");

	(void)state;
	ask(f);
	verdict(&TWO, AUTH_BROKEN);
	verdict(&ONE, AUTH_OK);
	assert_int_equal(f->got.verdict, AUTH_OK);
	ask(f);
	verdict(&TWO, AUTH_BROKEN);
	verdict(&ONE, AUTH_DENIED);
	assert_int_equal(f->got.verdict, AUTH_DENIED);
	/* the first source might have known the user */
	ask(f);
	verdict(&TWO, AUTH_BROKEN);
	verdict(&ONE, AUTH_UNKNOWN);
	assert_int_equal(f->got.verdict, AUTH_BROKEN);
	assert_int_equal(f->got.level, LOG_CRIT);
	assert_string_equal(f->text, "the table is missing");
	end(f);
}

static void wait_asks_from_the_beginning(void **state)
{
	struct fixture *f = begin(CHAIN);

	(void)state;
	ask(f);
	verdict(&TWO, AUTH_WAIT);
	assert_int_equal(f->got.verdict, AUTH_WAIT);
	ask(f);
	assert_int_equal(fake_of(&TWO)->asked, 2);
	auth_cancel(&f->request);
	end(f);
}

/* --- methods --- */

static void who_cannot_verify_is_not_asked(void **state)
{
	struct fixture *f = begin("mail { server { auth_one y; auth_digest x; } }");

	(void)state;
	f->login.method = SASL_CRAM_MD5;
	ask(f);
	assert_int_equal(fake_of(&ONE)->asked, 0);
	verdict(&DIGEST, AUTH_OK);
	assert_int_equal(f->got.verdict, AUTH_OK);
	end(f);
}

/* Nobody was asked, and the answer still does not come from inside. */
static void a_method_that_nobody_verifies_is_told(void **state)
{
	struct fixture *f = begin(CHAIN);

	(void)state;
	f->login.method = SASL_XOAUTH2;
	ask(f);
	loop_turn(f->loop, 0);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->got.verdict, AUTH_BROKEN);
	assert_string_equal(f->text, "none of the auth sources can verify xoauth2");
	ask(f);
	auth_cancel(&f->request);
	loop_turn(f->loop, 0);
	assert_int_equal(f->answers, 0);
	end(f);
}

static void a_digest_is_no_password_for_the_mail_server(void **state)
{
	struct fixture *f = begin("mail { server { auth_digest x; auth_one y; } }");
	struct auth_answer with = { AUTH_ANSWER_INIT, .verdict = AUTH_OK, .secret = STR("p4ss") };

	(void)state;
	f->login.method = SASL_CRAM_MD5;
	f->request.needs_secret = true;
	ask(f);
	verdict(&DIGEST, AUTH_OK);
	assert_int_equal(f->got.verdict, AUTH_BROKEN);
	assert_string_equal(
		f->text, "auth source digest has no password for the mail server, and cram-md5 brings none");
	ask(f);
	say(&DIGEST, &with);
	assert_int_equal(f->got.verdict, AUTH_OK);
	f->login.method = SASL_PLAIN;
	ask(f);
	verdict(&DIGEST, AUTH_OK);
	assert_int_equal(f->got.verdict, AUTH_OK);
	end(f);
}

/* --- life --- */

static void cancel_reaches_the_source(void **state)
{
	struct fixture *f = begin(CHAIN);

	(void)state;
	ask(f);
	verdict(&TWO, AUTH_UNKNOWN);
	auth_cancel(&f->request);
	assert_null(f->request.state);
	assert_int_equal(fake_of(&ONE)->cancelled, 1);
	assert_int_equal(fake_of(&TWO)->cancelled, 0);
	auth_cancel(&f->request);
	assert_int_equal(fake_of(&ONE)->cancelled, 1);
	assert_int_equal(f->answers, 0);
	end(f);
}

static void sources_are_freed(void **state)
{
	struct fixture *f = begin(CHAIN);

	(void)state;
	auth_source_free(f->source);
	assert_int_equal(fake_of(&ONE)->freed, 1);
	assert_int_equal(fake_of(&TWO)->freed, 1);
	f->source = NULL;
	end(f);
}

static void faults(void **state)
{
	static const char *const LINES[] = { "auth_next_source unavailable",
					     "auth_next_source unknown denied", "auth_failure_delay 11m",
					     "auth_failure_delay soon" };
	struct loaded conf;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		snprintf(text, sizeof(text), "mail { %s; server { auth_one x; } }", LINES[i]);
		load(&conf, text);
		assert_null(conf.conf);
		assert_non_null(strstr(conf.said, "/etc/t.conf:1"));
		unload(&conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_that_of_the_file),
		cmocka_unit_test(order_spans_included_files),
		cmocka_unit_test(a_block_with_a_source_has_no_other),
		cmocka_unit_test(a_lone_source_with_manners_is_asked_directly),
		cmocka_unit_test(a_no_ends_the_chain),
		cmocka_unit_test(an_unknown_user_looks_like_a_wrong_password),
		cmocka_unit_test(refusals_are_paced),
		cmocka_unit_test(a_source_with_a_pace_keeps_it_in_a_chain),
		cmocka_unit_test(reasons_have_their_words),
		cmocka_unit_test(an_outage_is_no_wrong_password),
		cmocka_unit_test(an_outage_may_be_passed_over),
		cmocka_unit_test(wait_asks_from_the_beginning),
		cmocka_unit_test(who_cannot_verify_is_not_asked),
		cmocka_unit_test(a_method_that_nobody_verifies_is_told),
		cmocka_unit_test(a_digest_is_no_password_for_the_mail_server),
		cmocka_unit_test(cancel_reaches_the_source),
		cmocka_unit_test(sources_are_freed),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
