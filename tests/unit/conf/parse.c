/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directives in their places: faults with their texts and lines, several at once, files inside of files,
 * blocks passed over.
 */
#include "trial.h"

#include "base/mem.h"
#include <string.h>

static void faults_as_the_peer_says_them(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "foo_bar_baz;", "unknown directive \"foo_bar_baz\":1" },
		{ "\nserver {}", "\"server\" directive is not allowed here:2" },
		{ "mail {\nserver { mail {} }\n}", "\"mail\" directive is not allowed here:2" },
		{ "mail { flag on {} }", "directive \"flag\" is not terminated by \";\":1" },
		{ "mail;", "directive \"mail\" has no opening \"{\":1" },
		{ "mail\na b\n{}", "invalid number of arguments in \"mail\" directive:3" },
		{ "mail { flag; }", "invalid number of arguments in \"flag\" directive:1" },
		{ "mail { flag on off; }", "invalid number of arguments in \"flag\" directive:1" },
		{ "mail { list; }", "invalid number of arguments in \"list\" directive:1" },
		{ "mail { custom a b c; }", "invalid number of arguments in \"custom\" directive:1" },
		{ "mail { flag on;\nflag on; }", "\"flag\" directive is duplicate:2" },
		{ "mail { flag on; server { flag on; flag off; } }", "\"flag\" directive is duplicate:1" },
		{ "vain 1;\nvain 1;", "\"vain\" directive is duplicate:2" },
		{ "mail {}\nmail {}", "\"mail\" directive is duplicate:2" },
		{ "http {}\nhttp {}", "[notice] \"http\" block is not for a mail proxy, skipped:1\n"
				      "\"http\" directive is duplicate:2" },
		{ "mail {", "unexpected end of file, expecting \"}\":1" },
		{ "mail {\nserver {\nflag on;\n", "unexpected end of file, expecting \"}\":4" },
		{ "mail { flag on", "unexpected end of file, expecting \";\" or \"}\":1" },
		{ "mail {}\n}", "unexpected \"}\":2" },
		{ "mail { flag on }", "unexpected \"}\":1" },
		{ "mail {};", "unexpected \";\":1" },
		{ "mail { {} }", "unexpected \"{\":1" },
		{ "mail { text \"a\"b; }", "unexpected \"b\":1" },
		{ "mail { flag maybe; }",
		  "invalid value \"maybe\" in \"flag\" directive, it must be \"on\" or \"off\":1" },
		{ "include { }", "directive \"include\" is not terminated by \";\":1" },
		{ "include;", "invalid number of arguments in \"include\" directive:1" },
	};
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_faults(&t, cases[i].text, cases[i].want);
	trial_done(&t);
}

/* One fault each, and what follows is read as if it had not been there. */
static void all_faults_at_once(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "foo_bar_baz;\nmail {\nflag maybe;\nnumber x;\nserver { size 1x; }\n}\nvain 1y;",
		  "unknown directive \"foo_bar_baz\":1\n"
		  "invalid value \"maybe\" in \"flag\" directive, it must be \"on\" or \"off\":3\n"
		  "\"number\" directive invalid number:4\n"
		  "\"size\" directive invalid value:5\n"
		  "\"vain\" directive invalid value:7" },
		/* an unknown block is passed over with all that is in it */
		{ "foo_bar_baz {\nflag maybe;\n\"}\" {} mail { # }\n}\n}\nvain x;",
		  "unknown directive \"foo_bar_baz\":1\n\"vain\" directive invalid value:6" },
		{ "mail {\nmail {\nserver { flag maybe; }\n}\nflag maybe;\n}",
		  "\"mail\" directive is not allowed here:2\n"
		  "invalid value \"maybe\" in \"flag\" directive, it must be \"on\" or \"off\":5" },
		/* a forgotten ';' before a block */
		{ "vain 1s\nmail {\nflag maybe;\n}\nvain x;",
		  "directive \"vain\" is not terminated by \";\":2\n"
		  "invalid value \"maybe\" in \"flag\" directive, it must be \"on\" or \"off\":3\n"
		  "\"vain\" directive invalid value:5" },
		{ "mail {\nflag on\nserver {\nflag maybe;\n}\nnumber x;\n}",
		  "directive \"flag\" is not terminated by \";\":3\n"
		  "invalid value \"maybe\" in \"flag\" directive, it must be \"on\" or \"off\":4\n"
		  "\"number\" directive invalid number:6" },
		{ "mail {\nflag on\nserver x {\nflag maybe;\n}\nnumber x;\n}",
		  "directive \"flag\" is not terminated by \";\":3\n"
		  "invalid number of arguments in \"server\" directive:3\n"
		  "\"number\" directive invalid number:6" },
		{ "mail {\nflag on {\nflag maybe;\n}\nnumber x;\n}",
		  "directive \"flag\" is not terminated by \";\":2\n\"number\" directive invalid number:5" },
		/* a forgotten ';' before a '}' closes the block all the same */
		{ "mail {\nserver { flag on }\nserver { number x; }\n}\nvain x;",
		  "unexpected \"}\":2\n\"number\" directive invalid number:3\n\"vain\" directive invalid "
		  "value:5" },
		{ "mail {\nserver {\nflag on {\nsize x;\n}\n}\nvain x;",
		  "directive \"flag\" is not terminated by \";\":3\n\"size\" directive invalid value:4\n"
		  "\"vain\" directive invalid value:7" },
		/* a forgotten '}' */
		{ "mail {\nserver {\nflag on;\nserver {\nnumber x;\n}\n}\n",
		  "\"server\" directive is not allowed here:4\nunexpected end of file, expecting \"}\":8" },
		/* one '}' too many */
		{ "mail {\n}\n}\nvain x;", "unexpected \"}\":3\n\"vain\" directive invalid value:4" },
		/* a second block is passed over */
		{ "mail {}\nmail {\nflag maybe;\n}\nvain x;",
		  "\"mail\" directive is duplicate:2\n\"vain\" directive invalid value:5" },
		/* behind a quote */
		{ "mail { text \"a\"b; number x; }",
		  "unexpected \"b\":1\n\"number\" directive invalid number:1" },
		{ "mail { \"map\"x { flag maybe; } number x; }",
		  "unexpected \"x\":1\n\"number\" directive invalid number:1" },
		/* a quote without an end takes all that follows */
		{ "mail {\ntext \"a;\nnumber x;\n}\n", "unexpected end of file, expecting \";\" or \"}\":5" },
		{ "vain x;\nfoo_bar_baz {\ntext \"a;\n}\n",
		  "\"vain\" directive invalid value:1\nunknown directive \"foo_bar_baz\":2\n"
		  "unexpected end of file, expecting \"}\":5" },
	};
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_faults(&t, cases[i].text, cases[i].want);
	trial_done(&t);
}

static void faults_end_somewhere(void **state)
{
	static const char line[] = "\1;";
	char *text = mem_new(10000 * strlen(line) + 1);
	struct trial t;
	const char *said;
	size_t lines = 0;

	(void)state;
	trial_init(&t, sample_modules);
	for (size_t i = 0; i < 10000; i++)
		memcpy(text + i * strlen(line), line, strlen(line));
	said = trial_load(&t, text);
	assert_null(t.conf);
	for (const char *p = said; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 101);
	assert_non_null(strstr(said, "[emerg] unknown directive \"\\x01\" in /c/main.conf:1\n"));
	assert_non_null(strstr(said, "[emerg] too many faults, giving up\n"));
	trial_done(&t);
	free(text);
}

static void too_long_parameters_end_the_file(void **state)
{
	char *text = mem_new(6000);
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	strcpy(text, "mail {\nnumber x;\ntext ");
	memset(text + strlen(text), 'y', 5000);
	strcat(text, ";\nflag maybe;\n}\n");
	assert_faults(&t, text,
		      "\"number\" directive invalid number:2\n"
		      "too long parameter \"yyyyyyyyyy...\" started:3");
	trial_done(&t);
	free(text);
}

static void what_a_terminal_would_obey_is_escaped(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	assert_string_equal(trial_load_with(&t, NULL, (struct str)LIT("a\033[2J\x7f\xc3\xa4;\n\\n;")),
			    "[emerg] unknown directive \"a\\x1b[2J\\x7f\xc3\xa4\" in /c/main.conf:1\n"
			    "[emerg] unknown directive \"\\x0a\" in /c/main.conf:2\n");
	trial_done(&t);
}

static void nearest_names(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "mial {}", "unknown directive \"mial\", did you mean \"mail\"?:1" },
		{ "mail { sever {} }", "unknown directive \"sever\", did you mean \"server\"?:1" },
		{ "mail { Flag on; }", "unknown directive \"Flag\", did you mean \"flag\"?:1" },
		{ "mail { numbr 1; }", "unknown directive \"numbr\", did you mean \"number\"?:1" },
		{ "mail { numberr 1; }", "unknown directive \"numberr\", did you mean \"number\"?:1" },
		{ "mail { prefix-path x; }",
		  "unknown directive \"prefix-path\", did you mean \"prefix_path\"?:1" },
		/* known elsewhere only is better than nothing */
		{ "nunber 1;", "unknown directive \"nunber\", did you mean \"number\"?:1" },
		/* equally near: what may stand here */
		{ "mail { mac x {} }", "unknown directive \"mac\", did you mean \"map\"?:1" },
		{ "incldue x;", "unknown directive \"incldue\", did you mean \"include\"?:1" },
		{ "xyzzy 1;", "unknown directive \"xyzzy\":1" },
		{ "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk;",
		  "unknown directive \"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk\":1" },
	};
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_faults(&t, cases[i].text, cases[i].want);
	trial_done(&t);
}

static void skipped_blocks(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	assert_string_equal(
		trial_load(&t, "load_module a.so;\nload_module b.so;\n"
			       "http {\n include /nowhere; server { listen 80; location ~ \"^/{2}\" { } }\n"
			       " a \"b\"c; mail { flag maybe; } '}' # }\n ;\n}\nmail { flag off; }"),
		"[notice] \"load_module\" directive has no use here, skipped in /c/main.conf:1\n"
		"[notice] \"load_module\" directive has no use here, skipped in /c/main.conf:2\n"
		"[notice] \"http\" block is not for a mail proxy, skipped in /c/main.conf:3\n");
	assert_false(sample_in_mail(&t)->flag);
	assert_faults(&t, "http {\n{\n}\n",
		      "[notice] \"http\" block is not for a mail proxy, skipped:1\n"
		      "unexpected end of file, expecting \"}\":4");
	assert_faults(&t, "mail { http {} }", "\"http\" directive is not allowed here:1");
	trial_done(&t);
}

static void includes(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	trial_file(&t, "/c/sub/a.inc", "number 1;\ninclude sub/b.inc;\n");
	trial_file(&t, "/c/sub/b.inc", "size 2;");
	trial_file(&t, "/abs.inc", "msec 3s;");
	bundle_put(t.world, BUNDLE_GLOB, STR("/c/s?/*.x"), STR("/c/sub/1.x\0/c/sub/2.x\0"));
	bundle_put(t.world, BUNDLE_GLOB, STR("/c/no[nt]"), STR(""));
	trial_file(&t, "/c/sub/1.x", "list 1;");
	trial_file(&t, "/c/sub/2.x", "server { include sub/b.inc; }\nlist 2;");
	assert_string_equal(trial_load(&t, "mail { include sub/a.inc;\ninclude '/abs.inc'; include s?/*.x;\n"
					   "include no[nt]; list 3; }"),
			    "");
	assert_int_equal(sample_in_mail(&t)->number, 1);
	assert_int_equal(sample_in_mail(&t)->size, 2);
	assert_int_equal(sample_in_mail(&t)->msec, 3000);
	assert_int_equal(sample_in_mail(&t)->list.len, 3);
	assert_str(sample_in_mail(&t)->list.at[0], STR("1"));
	assert_str(sample_in_mail(&t)->list.at[2], STR("3"));
	assert_int_equal(sample_in_server(&t, 0)->size, 2);
	trial_done(&t);
}

static void faults_in_included_files(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	trial_file(&t, "/c/a", "number x;\n}\n");
	trial_file(&t, "/c/open", "server {\n");
	trial_file(&t, "/c/words", "flag on");
	trial_file(&t, "/c/self", "include main.conf;");
	trial_file(&t, "/c/mutual1", "include mutual2;");
	trial_file(&t, "/c/mutual2", "\ninclude mutual1;");
	assert_string_equal(
		trial_load(&t, "mail {\ninclude a;\nflag maybe; }"),
		"[emerg] \"number\" directive invalid number in /c/a:1\n"
		"[emerg] unexpected \"}\" in /c/a:2\n"
		"[emerg] invalid value \"maybe\" in \"flag\" directive, it must be \"on\" or \"off\" "
		"in /c/main.conf:3\n");
	assert_string_equal(trial_load(&t, "mail {\ninclude open;\nflag on; flag on; }"),
			    "[emerg] unexpected end of file, expecting \"}\" in /c/open:2\n"
			    "[emerg] \"flag\" directive is duplicate in /c/main.conf:3\n");
	assert_string_equal(trial_load(&t, "mail {\ninclude words; }"),
			    "[emerg] unexpected end of file, expecting \";\" or \"}\" in /c/words:1\n");
	assert_string_equal(trial_load(&t, "include self;"),
			    "[emerg] \"/c/main.conf\" includes itself in /c/self:1\n");
	assert_string_equal(trial_load(&t, "include mutual1;"),
			    "[emerg] \"/c/mutual1\" includes itself in /c/mutual2:2\n");
	assert_faults(&t, "\ninclude no/such;",
		      "open() \"/c/no/such\" failed (2: No such file or directory):2");
	assert_faults(&t, "include no*;", "open glob \"/c/no*\" failed (2: No such file or directory):1");
	trial_done(&t);
}

static void hear(void *to, enum log_level level, const char *text)
{
	(void)level;
	snprintf(to, 256, "%s", text);
}

static void the_main_file_is_missing(void **state)
{
	char said[256] = "";
	struct conf_source source = {
		.modules = sample_modules,
		.file = "/no/such",
		.prefix = "/p/",
		.say = hear,
		.to = said,
	};

	(void)state;
	source.bundle = bundle_record();
	assert_null(conf_load(&source));
	assert_string_equal(said, "open() \"/no/such\" failed (2: No such file or directory)");
	bundle_free(source.bundle);
}

static void the_command_line(void **state)
{
	static const struct {
		const char *globals, *want;
	} cases[] = {
		{ "vain 1s", "[emerg] unexpected end of parameter, expecting \";\" in command line\n" },
		{ "mail {}", "[emerg] block directives are not supported in -g option in command line\n" },
		{ "mail { flag maybe; } vain x;",
		  "[emerg] block directives are not supported in -g option in command line\n"
		  "[emerg] \"vain\" directive invalid value in command line\n"
		  "[emerg] \"vain\" directive is duplicate in /c/main.conf:1\n" },
		{ "}", "[emerg] unexpected \"}\" in command line\n" },
		{ "foo_bar_baz;", "[emerg] unknown directive \"foo_bar_baz\" in command line\n" },
		{ "vain x;\nvain 1;", "[emerg] \"vain\" directive invalid value in command line\n"
				      "[emerg] \"vain\" directive is duplicate in command line\n"
				      "[emerg] \"vain\" directive is duplicate in /c/main.conf:1\n" },
		{ "vain 1s;", "[emerg] \"vain\" directive is duplicate in /c/main.conf:1\n" },
		{ "include nowhere;",
		  "[emerg] open() \"/c/nowhere\" failed (2: No such file or directory) in command line\n" },
		{ " # vain", "" },
		{ "", "" },
	};
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(trial_load_with(&t, cases[i].globals, STR("vain 1s;")), cases[i].want);
	trial_done(&t);
}

static void blocks_that_take_their_lines(void **state)
{
	struct trial t;
	const struct strs *rows;

	(void)state;
	trial_init(&t, sample_modules);
	trial_file(&t, "/c/rows", "c  d;\n");
	bundle_put(t.world, BUNDLE_GLOB, STR("/c/*.map"), STR("/c/rows\0"));
	assert_string_equal(
		trial_load(&t, "mail { map x { a \"b c\"; include rows; flag; include *.map; } flag off; }"),
		"");
	rows = &sample_in_mail(&t)->rows;
	assert_int_equal(rows->len, 4);
	assert_str(rows->at[0], STR("a|b c"));
	assert_str(rows->at[1], STR("c|d"));
	assert_str(rows->at[2], STR("flag"));
	assert_str(rows->at[3], STR("c|d"));
	assert_false(sample_in_mail(&t)->flag);
	assert_faults(&t, "mail {\nmap x {\nbad 1;\na {\nb;\n}\nbad 2; }\nnumber x; }",
		      "bad line of \"map\":3\nunexpected \"{\":4\nbad line of \"map\":7\n"
		      "\"number\" directive invalid number:8");
	assert_faults(&t, "mail {\nmap refused {\nbad 1;\n}\nnumber x; }",
		      "refused:2\n\"number\" directive invalid number:5");
	assert_faults(&t, "mail {\nmap x {\na b;\n", "unexpected end of file, expecting \"}\":4");
	trial_done(&t);
}

static void scopes_and_places(void **state)
{
	struct trial t;
	struct scope *mail, *server;
	const struct words *w;

	(void)state;
	trial_init(&t, sample_modules);
	assert_string_equal(
		trial_load(&t, "events {}\nmail {\nserver { flag on; }\nlist a;\nlist b;\nserver\n{}\n}"),
		"");
	mail = scope_first(conf_top(t.conf), IN_MAIL);
	server = scope_first(mail, IN_SERVER);
	assert_int_equal(scope_place(conf_top(t.conf)), IN_MAIN);
	assert_null(scope_outer(conf_top(t.conf)));
	assert_null(scope_file(conf_top(t.conf)));
	assert_null(scope_next(mail));
	assert_null(scope_first(mail, IN_UPSTREAM));
	assert_ptr_equal(scope_outer(server), mail);
	assert_string_equal(scope_file(server), "/c/main.conf");
	assert_int_equal(scope_line(server), 3);
	assert_str(scope_words(server)->at[0], STR("server"));
	assert_int_equal(scope_line(scope_next(server)), 7);
	assert_null(scope_next(scope_next(server)));
	assert_true(scope_given(server, &sample_module, "flag"));
	assert_false(scope_given(scope_next(server), &sample_module, "flag"));
	assert_false(scope_given(mail, &sample_module, "flag"));
	assert_false(scope_given(mail, &sample_module, "nothing"));
	w = scope_directive(mail, &sample_module, "list");
	assert_int_equal(w->line, 5);
	assert_str(w->at[1], STR("b"));
	assert_null(scope_settings(conf_top(t.conf), &sample_module));
	trial_done(&t);
}

/* What a block was given itself counts upon another's; what it inherited does not. */
static void settings_over(void **state)
{
	const struct sample *both;
	struct scope *mail, *base, *over;
	struct trial t;

	(void)state;
	trial_init(&t, sample_modules);
	trial_load(&t, "events {}\nmail {\nnumber 5;\nserver { flag on; number 7; list a; }\n"
		       "server { flag off; list b c; }\nserver {}\n}");
	mail = scope_first(conf_top(t.conf), IN_MAIL);
	base = scope_first(mail, IN_SERVER);
	over = scope_next(base);
	both = scope_settings_over(base, over, &sample_module, conf_arena(t.conf));
	assert_false(both->flag);
	assert_int_equal(both->number, 7);
	assert_int_equal(both->list.len, 2);
	assert_true(sample_in_server(&t, 0)->flag);
	assert_ptr_equal(scope_settings_over(base, scope_next(over), &sample_module, conf_arena(t.conf)),
			 sample_in_server(&t, 0));
	assert_ptr_equal(scope_settings_over(base, NULL, &sample_module, conf_arena(t.conf)),
			 sample_in_server(&t, 0));
	trial_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_as_the_peer_says_them),
		cmocka_unit_test(all_faults_at_once),
		cmocka_unit_test(faults_end_somewhere),
		cmocka_unit_test(too_long_parameters_end_the_file),
		cmocka_unit_test(what_a_terminal_would_obey_is_escaped),
		cmocka_unit_test(nearest_names),
		cmocka_unit_test(skipped_blocks),
		cmocka_unit_test(includes),
		cmocka_unit_test(faults_in_included_files),
		cmocka_unit_test(the_main_file_is_missing),
		cmocka_unit_test(the_command_line),
		cmocka_unit_test(blocks_that_take_their_lines),
		cmocka_unit_test(scopes_and_places),
		cmocka_unit_test(settings_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
