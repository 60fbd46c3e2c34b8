/* SPDX-License-Identifier: BSD-2-Clause */
/* map: what is found, in which order, and every line that is refused. */
#include "filled.h"
#include "vars/regex.h"

#include <string.h>

/* Load `text`, and compare what `say` is for each login. The list ends with a NULL login. */
struct pair {
	const char *login, *want;
};

static void check(struct filled *f, const char *text, const struct pair *pairs)
{
	filled_load(f, text);
	for (; pairs->login != NULL; pairs++)
		assert_str(filled_with(f, VAR_LOGIN, pairs->login), str_of(pairs->want));
}

static void exact_values_ignore_case(void **state)
{
	static const struct pair pairs[] = { { "ann", "1" },  { "ANN", "1" }, { "Bob", "2" },
					     { "anna", "d" }, { "", "none" }, { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f, "map $login $m { default d; ann 1; \"BOB\" 2; '' none; } say $m;", pairs);
	filled_done(&f);
}

static void without_default_it_is_empty(void **state)
{
	static const struct pair pairs[] = { { "ann", "<1>" }, { "x", "<>" }, { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f, "map $login $m { ann 1; } say '<$m>';", pairs);
	filled_done(&f);
}

static void a_map_may_stand_behind_its_use(void **state)
{
	static const struct pair pairs[] = { { "ann", "b" }, { "x", "" }, { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f, "say $second; map $first $second { a b; } map $login $first { volatile; ann a; }", pairs);
	filled_done(&f);
}

static void special_words_are_escaped(void **state)
{
	static const struct pair pairs[] = { { "default", "1" }, { "hostnames", "2" }, { "~x", "3" },
					     { "\\y", "4" },	 { "include", "5" },   { "volatile", "6" },
					     { "a;b", "semi" },	 { "*.a", "7" },       { "other", "d" },
					     { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f,
	      "map $login $m { default d; \\default 1; \\hostnames 2; \\~x 3; '\\\\\\\\y' 4; \\include 5;"
	      " \\volatile 6; 'a;b' semi; *.a 7; } say $m;",
	      pairs);
	filled_done(&f);
}

static void host_names(void **state)
{
	static const struct pair pairs[] = { { "example.com", "exact" },
					     { "www.example.com", "star" },
					     { "a.b.example.com", "star" },
					     { "b.b.example.com", "longer" },
					     { "example.org", "dot" },
					     { "x.EXAMPLE.org", "dot" },
					     { "mail.x", "head" },
					     { "mail.x.y", "head" },
					     { "mail.x.z", "longer head" },
					     { "example.com.", "exact" },
					     { "mail.", "none" },
					     { "mailx", "none" },
					     { ".example.com", "none" },
					     { "xexample.com", "none" },
					     { "", "none" },
					     { ".", "none" },
					     { "mail.example.org", "dot" },
					     { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	check(&f,
	      "map $login $m { hostnames; default none; example.com exact; *.example.com star; "
	      "*.b.b.example.com x; b.b.example.com longer; .example.org dot; mail.* head; "
	      "mail.x.z.* y; mail.x.z 'longer head'; } say $m;",
	      pairs);
	filled_done(&f);
}

static void long_names_meet_no_wildcard(void **state)
{
	char name[VALUE_MAX];
	struct filled f;

	(void)state;
	filled_init(&f);
	filled_load(&f, "map $login $m { hostnames; default none; .a yes; } say $m;");
	memset(name, '.', sizeof(name));
	name[sizeof(name) - 1] = 'a';
	f.facts[VAR_LOGIN] = (struct str){ name, sizeof(name) };
	assert_str(filled_say(&f), STR("none"));
	f.facts[VAR_LOGIN] = (struct str){ name + sizeof(name) - 255, 255 };
	assert_str(filled_say(&f), STR("yes"));
	filled_done(&f);
}

static void regular_expressions(void **state)
{
	static const struct pair pairs[] = { { "ann@old.org", "ann@new.org" },
					     { "ann@OLD.org", "none" },
					     { "x-y", "y+x" },
					     { "x-Y", "none" },
					     { "ABC", "abc-map" },
					     { "exact", "first" },
					     { "12", "number 12, 1 10" },
					     { "", "none" },
					     { "q", "[]" },
					     { NULL, NULL } };
	struct filled f;

	(void)state;
	if (!regex_there)
		skip();
	filled_init(&f);
	check(&f,
	      "map $login $m { default none; '~^(?<user>.+)@old\\.org$' $user@new.org; '~^([a-z])-([a-z])$' "
	      "$2+$1;"
	      " ~*^abc abc-map; ~^exa wrong; exact first; '~^((\\d)\\d)$' 'number $1, ${2} $20';"
	      " '~^q(x)?$' [$1]; } say $m;",
	      pairs);
	filled_done(&f);
}

static void results_may_hold_variables(void **state)
{
	static const struct pair pairs[] = { { "ann@a.example", "imap.a.example:143 imap" },
					     { "bob", "bob" },
					     { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	f.facts[VAR_PROTOCOL] = STR("imap");
	check(&f,
	      "map $login_domain $m { '' $login; default '$protocol.$login_domain:143 $protocol'; } say $m;",
	      pairs);
	filled_done(&f);
}

static void the_text_may_be_several(void **state)
{
	static const struct pair pairs[] = { { "ann", "yes" }, { "bob", "" }, { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	f.facts[VAR_PROTOCOL] = STR("imap");
	check(&f, "map '$protocol:$login' $m { imap:ann yes; pop3:bob no; } say $m;", pairs);
	filled_done(&f);
}

/* As a session does that an expression makes backtrack without end. */
static void a_match_tries_only_so_much(void **state)
{
	struct filled f;
	char login[64];

	(void)state;
	if (!regex_there)
		skip();
	filled_init(&f);
	filled_load(&f, "map $login $m { ~^(a+)+$ yes; default no; } say $m;");
	memset(login, 'a', sizeof(login));
	login[sizeof(login) - 1] = '!';
	f.facts[VAR_LOGIN] = (struct str){ login, sizeof(login) };
	assert_str(filled_say(&f), STR("no"));
	assert_str(buf_text(&f.notes), STR("the value of \"m\" makes a regular expression try too much, so "
					   "it is taken for empty\n"));
	filled_done(&f);
}

static void what_grows_is_cut_off(void **state)
{
	struct filled f;
	char login[2100];

	(void)state;
	filled_init(&f);
	memset(login, 'a', sizeof(login));
	f.facts[VAR_LOGIN] = (struct str){ login, sizeof(login) };
	filled_load(&f, "map $login $m { default '$login$login'; } say 'x$m';");
	assert_str(filled_say(&f), STR("x"));
	assert_str(buf_text(&f.notes), STR("the value of \"m\" is too long, so it is taken for empty\n"));
	filled_done(&f);
}

/* Each uses the next three times: 3 to the 15th look-ups, if they were all made. */
static void maps_of_maps_end(void **state)
{
	struct filled f;
	struct buf text;

	(void)state;
	filled_init(&f);
	buf_init(&text, 1 << 14);
	for (int i = 0; i < 15; i++)
		buf_format(&text, "map $v%d $v%d { default '$v%d$v%d'; } ", i + 1, i, i + 1, i + 1);
	buf_format(&text, "map $login $v15 { } say $v0;%c", 0);
	filled_load(&f, text.at);
	assert_str(filled_say(&f), STR(""));
	assert_true(f.notes.len != 0);
	buf_done(&text);
	filled_done(&f);
}

static void included_files(void **state)
{
	static const struct pair pairs[] = { { "ann", "1" }, { "bob", "2" }, { "c", "3" }, { NULL, NULL } };
	struct filled f;

	(void)state;
	filled_init(&f);
	trial_file(&f.trial, "/c/more.map", "bob 2;\n# a comment\nc 3;\n");
	check(&f, "map $login $m { ann 1; include more.map; } say $m;", pairs);
	trial_file(&f.trial, "/c/bad.map", "bob 2;\nbob 3;\n");
	assert_string_equal(trial_load(&f.trial, "mail { map $login $m { include bad.map; } }"),
			    "[emerg] conflicting parameter \"bob\" in /c/bad.map:2\n");
	filled_done(&f);
}

static void a_large_map(void **state)
{
	enum { MANY = 30000 };
	struct filled f;
	struct buf text;

	(void)state;
	filled_init(&f);
	buf_init(&text, 4 << 20);
	for (int i = 0; i < MANY; i++)
		buf_format(&text, "user%d@example.org backend%d;\n", i, i % 7);
	buf_put_byte(&text, '\0');
	trial_file(&f.trial, "/c/large.map", text.at);
	filled_load(&f, "map $login $m { include large.map; } say $m;");
	assert_str(filled_with(&f, VAR_LOGIN, "User29999@example.org"), STR("backend4"));
	assert_str(filled_with(&f, VAR_LOGIN, "user30000@example.org"), STR(""));
	buf_done(&text);
	filled_done(&f);
}

static void every_fault_is_told(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	assert_mail_faults(&f, "map $login m { }", "invalid variable name \"m\":1");
	assert_mail_faults(&f, "map $login $ { }", "invalid variable name \"$\":1");
	assert_mail_faults(&f, "map $login $a-b { }", "invalid variable name \"$a-b\":1");
	assert_mail_faults(&f, "map $login $protocol { }",
			   "the duplicate \"protocol\" variable: every session has it:1");
	assert_mail_faults(&f, "map $logi $m { } say $m;",
			   "unknown \"logi\" variable, did you mean \"$login\"?:1");
	assert_mail_faults(&f, "map $login $m { a 1; A 2; }", "conflicting parameter \"A\":1");
	assert_mail_faults(&f, "map $login $m { default 1; default 2; }",
			   "duplicate default map parameter:1");
	assert_mail_faults(&f, "map $login $m { a; }", "invalid number of the map parameters:1");
	assert_mail_faults(&f, "map $login $m { a b c; }", "invalid number of the map parameters:1");
	assert_mail_faults(&f, "map $login $m { a 1; hostnames; }",
			   "\"hostnames\" must stand before the values of the map:1");
	assert_mail_faults(&f, "map $login $m { hostnames; a..b 1; *a 2; a.*.b 3; *.*.b 4; }",
			   "invalid hostname or wildcard \"a..b\":1\ninvalid hostname or wildcard \"*a\":1\n"
			   "invalid hostname or wildcard \"a.*.b\":1\n"
			   "invalid hostname or wildcard \"*.*.b\":1");
	assert_mail_faults(&f, "map $login $m { a $; }", "invalid variable name in \"$\":1");
	assert_mail_faults(&f, "map $login $m { a $1; }",
			   "\"$1\" stands for a group of a regular expression, and here is none:1");
	assert_mail_faults(&f, "map $login $m { a $nobody; }", "unknown \"nobody\" variable:1");
	filled_done(&f);
}

static void two_maps_of_one_name(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	assert_string_equal(trial_load(&f.trial, "mail {\nmap $login $m { }\nmap $login $M { }\n}"),
			    "[emerg] the duplicate \"M\" variable, first made in /c/main.conf:2"
			    " in /c/main.conf:3\n");
	filled_done(&f);
}

static void faults_of_expressions(void **state)
{
	struct filled f;

	(void)state;
	if (!regex_there)
		skip();
	filled_init(&f);
	assert_mail_faults(
		&f, "map $login $m { '~a(' 1; ~ 2; ~* 3; '~(a)' $2; '~(a)' $0; }",
		"the regular expression \"~a(\" cannot be used: missing closing parenthesis at byte 3:1\n"
		"the regular expression \"~\" cannot be used: it is empty:1\n"
		"the regular expression \"~*\" cannot be used: it is empty:1\n"
		"the regular expression has no group 2:1\n"
		"the regular expression has no group 0:1");
	filled_done(&f);
}

static void circles_are_faults(void **state)
{
	struct filled f;
	struct buf text;

	(void)state;
	filled_init(&f);
	assert_mail_faults(&f, "map $m $m { }",
			   "the maps behind \"$m\" form a circle, or a chain of more than 16:1");
	assert_mail_faults(&f, "\nmap $login $a { default $b; }\nmap $c $b { }\ngeo $a $c { }",
			   "the maps behind \"$a\" form a circle, or a chain of more than 16:2\n"
			   "the maps behind \"$b\" form a circle, or a chain of more than 16:3\n"
			   "the maps behind \"$c\" form a circle, or a chain of more than 16:4");
	buf_init(&text, 1 << 12);
	buf_put(&text, STR("mail {"));
	for (int i = 0; i < 16; i++)
		buf_format(&text, "map $v%d $v%d { }", i + 1, i);
	buf_put(&text, STR("map $login $v16 { }}"));
	buf_put_byte(&text, '\0');
	assert_string_equal(trial_load(&f.trial, text.at),
			    "[emerg] the maps behind \"$v0\" form a circle, or a chain of more than 16"
			    " in /c/main.conf:1\n");
	buf_done(&text);
	filled_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_values_ignore_case),
		cmocka_unit_test(without_default_it_is_empty),
		cmocka_unit_test(a_map_may_stand_behind_its_use),
		cmocka_unit_test(special_words_are_escaped),
		cmocka_unit_test(host_names),
		cmocka_unit_test(long_names_meet_no_wildcard),
		cmocka_unit_test(regular_expressions),
		cmocka_unit_test(results_may_hold_variables),
		cmocka_unit_test(the_text_may_be_several),
		cmocka_unit_test(a_match_tries_only_so_much),
		cmocka_unit_test(what_grows_is_cut_off),
		cmocka_unit_test(maps_of_maps_end),
		cmocka_unit_test(included_files),
		cmocka_unit_test(a_large_map),
		cmocka_unit_test(every_fault_is_told),
		cmocka_unit_test(two_maps_of_one_name),
		cmocka_unit_test(faults_of_expressions),
		cmocka_unit_test(circles_are_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
