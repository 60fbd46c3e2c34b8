/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts with variables: how they are cut, what they are filled to, which names are refused. */
#include "filled.h"

#include <string.h>

static void plain_text_needs_no_session(void **state)
{
	struct filled f;
	struct str text;

	(void)state;
	filled_init(&f);
	filled_load(&f, "say 'imap.example.org:143';");
	assert_true(template_fixed(filled_template(&f), &text));
	assert_str(text, STR("imap.example.org:143"));
	assert_ptr_equal(filled_say(&f).at, text.at);
	filled_done(&f);
}

static void names_end_where_they_must(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "$login", "ann@Example.ORG" },
		{ "$LOGIN", "ann@Example.ORG" },
		{ "${login}", "ann@Example.ORG" },
		{ "<$login>", "<ann@Example.ORG>" },
		{ "$login_local", "ann" },
		{ "${login_local}_x", "ann_x" },
		{ "$login_domain", "example.org" },
		{ "$login_lower", "ann@example.org" },
		{ "$login_local@$login_domain", "ann@example.org" },
		{ "$login_local$protocol", "annimap" },
		{ "a$ssl_cipher-b", "a-b" },
		{ "$smtp_rcpt_domain", "two.example" },
		{ "$smtp_from_domain|$smtp_from", "one.example|\"a@b\"@ONE.example" },
	};
	struct filled f;

	(void)state;
	filled_init(&f);
	f.facts[VAR_LOGIN] = STR("ann@Example.ORG");
	f.facts[VAR_PROTOCOL] = STR("imap");
	f.facts[VAR_SMTP_RCPT] = STR("ann@two.EXAMPLE");
	f.facts[VAR_SMTP_FROM] = STR("\"a@b\"@ONE.example");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char line[128];

		snprintf(line, sizeof(line), "say '%s';", cases[i].text);
		filled_load(&f, line);
		assert_str(filled_say(&f), str_of(cases[i].want));
	}
	filled_done(&f);
}

static void a_login_without_a_domain(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	filled_load(&f, "say '$login_local,$login_domain';");
	assert_str(filled_with(&f, VAR_LOGIN, "ann"), STR("ann,"));
	assert_str(filled_with(&f, VAR_LOGIN, "ann@"), STR("ann,"));
	assert_str(filled_with(&f, VAR_LOGIN, "@b"), STR(",b"));
	assert_str(filled_with(&f, VAR_LOGIN, "a@b@C"), STR("a@b,c"));
	assert_str(filled_with(&f, VAR_LOGIN, ""), STR(","));
	assert_str(filled_with(&f, VAR_LOGIN, NULL), STR(","));
	filled_done(&f);
}

/* Nothing of a fact is changed, whatever its bytes are: who uses the text has to look. */
static void any_byte_passes(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	filled_load(&f, "say '[$login]';");
	f.facts[VAR_LOGIN] = STR("a\0\r\n$protocol\xff");
	assert_str(filled_say(&f), STR("[a\0\r\n$protocol\xff]"));
	filled_done(&f);
}

static void too_long_is_empty_and_noted(void **state)
{
	struct filled f;
	char fact[VALUE_MAX + 1];

	(void)state;
	filled_init(&f);
	memset(fact, 'a', sizeof(fact));
	filled_load(&f, "say 'x$login';");
	f.facts[VAR_LOGIN] = (struct str){ fact, VALUE_MAX - 1 };
	assert_int_equal(filled_say(&f).len, VALUE_MAX);
	assert_int_equal(f.notes.len, 0);
	f.facts[VAR_LOGIN].len++;
	assert_int_equal(filled_say(&f).len, 0);
	assert_str(buf_text(&f.notes),
		   STR("the value of \"x$login\" is too long, so it is taken for empty\n"));
	assert_int_equal(vars_get(&f.vars, VAR_LOGIN).len, VALUE_MAX);
	f.facts[VAR_LOGIN].len++;
	assert_int_equal(vars_get(&f.vars, VAR_LOGIN).len, 0);
	f.vars.note = NULL;
	assert_int_equal(filled_say(&f).len, 0);
	filled_done(&f);
}

static void single_values_and_names(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	f.facts[VAR_LOGIN] = STR("Ann@B");
	assert_str(vars_get(&f.vars, VAR_LOGIN_DOMAIN), STR("b"));
	assert_str(vars_get(&f.vars, VAR_SSL), STR(""));
	for (int i = 0; i < VARS_LEN; i++)
		assert_true(strlen(var_name(i)) > 2);
	assert_string_equal(var_name(VAR_UPSTREAM_ADDR), "upstream_addr");
	filled_done(&f);
}

static void servers_inherit(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	filled_load(&f, "say '$login'; server { }");
	assert_str(filled_with(&f, VAR_LOGIN, "x"), STR("x"));
	assert_str(template_source(filled_template(&f)), STR("$login"));
	filled_done(&f);
}

static void every_fault_is_told(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	assert_mail_faults(&f, "say $logn;", "unknown \"logn\" variable, did you mean \"$login\"?:1");
	assert_mail_faults(&f, "\nsay $q$zzzzzz;\nserver { say ${login_dom}; }",
			   "unknown \"q\" variable:2\nunknown \"zzzzzz\" variable:2\n"
			   "unknown \"login_dom\" variable, did you mean \"$login_domain\"?:3");
	assert_mail_faults(&f, "say 'a$';", "invalid variable name in \"a$\":1");
	assert_mail_faults(&f, "say '$-';", "invalid variable name in \"$-\":1");
	assert_mail_faults(&f, "say '${login';", "invalid variable name in \"${login\":1");
	assert_mail_faults(&f, "say '${}';", "invalid variable name in \"${}\":1");
	assert_mail_faults(&f, "say '$$login';", "invalid variable name in \"$$login\":1");
	assert_mail_faults(&f, "say '$1';",
			   "\"$1\" stands for a group of a regular expression, and here is none:1");
	assert_mail_faults(&f, "say $domain_of; map $login $domain_off { }",
			   "unknown \"domain_of\" variable, did you mean \"$domain_off\"?:1");
	filled_done(&f);
}

static void loose_texts_keep_other_dollars(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "pa$$word", "pa$$word" },	{ "$", "$" },
		{ "$1 $0", "$1 $0" },		{ "cost: $5, ${x", "cost: $5, ${x" },
		{ "${} $-", "${} $-" },		{ "$unknown and $login", "$unknown and ann" },
		{ "${unknown}", "${unknown}" }, { "$later", "ANN" },
		{ "$$login", "$ann" },
	};
	struct filled f;

	(void)state;
	filled_init(&f);
	f.facts[VAR_LOGIN] = STR("ann");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char line[128];

		snprintf(line, sizeof(line), "loose '%s'; map $login $later { ann ANN; }", cases[i].text);
		filled_load(&f, line);
		assert_str(filled_loose(&f), str_of(cases[i].want));
	}
	filled_done(&f);
}

/* A `say` elsewhere that needs the name is still told, though a loose text saw it first. */
static void loose_use_hides_no_fault(void **state)
{
	struct filled f;

	(void)state;
	filled_init(&f);
	assert_mail_faults(&f, "loose $nowhere; say $nowhere;", "unknown \"nowhere\" variable:1");
	filled_done(&f);
}

static void without_the_module(void **state)
{
	struct filled f;
	const struct module *modules[2];

	(void)state;
	filled_init(&f);
	modules[0] = f.trial.modules[0];
	modules[1] = NULL;
	f.trial.modules = modules;
	filled_load(&f, "say '$login'; loose '$login $other';");
	assert_str(filled_with(&f, VAR_LOGIN, "x"), STR("x"));
	assert_str(filled_loose(&f), STR("x $other"));
	assert_mail_faults(&f, "say $logn;", "unknown \"logn\" variable, did you mean \"$login\"?:1");
	filled_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_needs_no_session),
		cmocka_unit_test(names_end_where_they_must),
		cmocka_unit_test(a_login_without_a_domain),
		cmocka_unit_test(any_byte_passes),
		cmocka_unit_test(too_long_is_empty_and_noted),
		cmocka_unit_test(single_values_and_names),
		cmocka_unit_test(servers_inherit),
		cmocka_unit_test(every_fault_is_told),
		cmocka_unit_test(loose_texts_keep_other_dollars),
		cmocka_unit_test(loose_use_hides_no_fault),
		cmocka_unit_test(without_the_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
