/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives of upstream{}: what is refused, in which words, and where; what a target may be. */
#include "scene.h"

#include "upstream/target.h"
#include <string.h>

static struct scene scene;

static const struct {
	const char *text, *fault;
} FAULTS[] = {
	{ "upstream g { }", "no servers are inside upstream \"g\"" },
	{ "upstream g { server a.b backup; }", "upstream \"g\" has backup servers only" },
	{ "upstream g { server 1.1.1.1; } upstream G { server 1.1.1.1; }", "duplicate upstream \"G\"" },
	{ "upstream g { server 1.1.1.1 wieght=2; }", "invalid parameter \"wieght=2\"" },
	{ "upstream g { server 1.1.1.1 weight=0; }", "invalid parameter \"weight=0\"" },
	{ "upstream g { server 1.1.1.1 max_fails=x; }", "invalid parameter \"max_fails=x\"" },
	{ "upstream g { server 1.1.1.1 fail_timeout=soon; }", "invalid parameter \"fail_timeout=soon\"" },
	{ "upstream g { server 1.1.1.1 login_rate=50; }", "invalid parameter \"login_rate=50\"" },
	{ "upstream g { server 1.1.1.1 login_rate=0r/s; }", "invalid parameter \"login_rate=0r/s\"" },
	{ "upstream g { server http://a; }", "invalid port in upstream \"http://a\"" },
	{ "upstream g { server 1.1.1.1:0; }", "invalid port in upstream \"1.1.1.1:0\"" },
	{ "upstream g { server 1.1.1.1:65536; }", "invalid port in upstream \"1.1.1.1:65536\"" },
	{ "upstream g { server :143; }", "no host in upstream \":143\"" },
	{ "upstream g { server [::1; }", "invalid host in upstream \"[::1\"" },
	{ "upstream g { server [1.2.3.4]; }", "invalid IPv6 address in upstream \"[1.2.3.4]\"" },
	{ "upstream g { server unix:; }", "no path in the unix domain socket in upstream \"unix:\"" },
	{ "upstream g { hash $login; server 1.1.1.1; server 1.1.1.2 backup; }",
	  "balancing method does not support parameter \"backup\"" },
	{ "upstream g { server 1.1.1.1 slow_start=5s; random; }",
	  "balancing method does not support parameter \"slow_start\"" },
	{ "upstream g { least_conn; random; server 1.1.1.1; }", "load balancing method redefined" },
	{ "upstream g { hash $login steady; server 1.1.1.1; }", "invalid parameter \"steady\"" },
	{ "upstream g { random three; server 1.1.1.1; }", "invalid parameter \"three\"" },
	{ "upstream g { random two hash; server 1.1.1.1; }", "invalid parameter \"hash\"" },
	{ "upstream g { server 1.1.1.1; check; }",
	  "\"check\" must be told what the servers speak: protocol=imap, pop3 or smtp" },
	{ "upstream g { server 1.1.1.1; check type=login protocol=imap; }",
	  "\"check\" with type=login needs user= and password_file=" },
	{ "upstream g { server 1.1.1.1; check interval=1ms; }", "invalid parameter \"interval=1ms\"" },
	{ "upstream g { server 1.1.1.1; check protocol=http; }", "invalid parameter \"protocol=http\"" },
	{ "server 1.1.1.1;", "\"server\" directive is not allowed here" },
	{ "upstream g { sevrer 1.1.1.1; }", "unknown directive \"sevrer\", did you mean \"server\"?" },
};

static void faults(void **state)
{
	char want[512];

	(void)state;
	for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text), "\n\n%s", FAULTS[i].text);
		scene_load(&scene, text);
		snprintf(want, sizeof(want), "%s in /etc/t.conf:3\n", FAULTS[i].fault);
		if (strncmp(scene.said, want, strlen(want)) != 0)
			fail_msg("%s: %s", FAULTS[i].text, scene.said);
		assert_null(scene.conf);
		scene_unload(&scene);
	}
}

/* What can only be said when everything is known. */
static const struct {
	const char *text, *fault; /* NULL: none */
} LATE[] = {
	{ "upstream g { server 1.1.1.1; check type=connect; }",
	  "\"check\" does not know the port of server \"1.1.1.1\"" },
	{ "upstream g { server 1.1.1.1:1; server one.test; check type=tls; }",
	  "\"check\" does not know the port of server \"one.test\"" },
	{ "upstream g { server 1.1.1.1; check type=tls protocol=imap; }",
	  "\"check\" with type=tls does not know the port of server \"1.1.1.1\"" },
	{ "upstream g { server 1.1.1.1:1; server unix:/x; check type=connect; }", NULL },
	{ "upstream g { server 1.1.1.1; check type=connect protocol=imap; }", NULL },
	{ "upstream g { server 1.1.1.1; check type=login protocol=imap user=u password_file=/secret; }",
	  "\"check\" with type=login would send its password in the clear" },
	{ "upstream g { server 1.1.1.1; proxy_ssl off; "
	  "check type=login protocol=imap user=u password_file=/secret; }",
	  NULL },
	{ "upstream g { server 1.1.1.1; proxy_ssl on; proxy_ssl_verify off; proxy_ssl_name $login_domain; "
	  "check protocol=imap; }",
	  "\"check\" knows no login and so cannot fill \"proxy_ssl_name $login_domain\"" },
	{ "site { proxy_ssl on; } upstream g { server 1.1.1.1; proxy_ssl_verify off; }",
	  "upstream \"g\" has \"proxy_ssl_...\" directives" },
	{ "site { proxy_ssl on; } upstream g { server 1.1.1.1; proxy_ssl_verify off; proxy_ssl off; }",
	  NULL },
	{ "site { proxy_ssl on; } upstream g { server 1.1.1.1; }", NULL },
	{ "site { } upstream g { server 1.1.1.1; proxy_ssl_verify off; }", NULL },
	{ "proxy_ssl on; site { } upstream g { server 1.1.1.1; proxy_ssl_verify off; }", NULL },
};

static void late_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(LATE) / sizeof(LATE[0]); i++) {
		scene_load(&scene, LATE[i].text);
		assert_string_equal(scene.said, "");
		assert_int_equal(upstream_load(scene.conf, false, NULL), LATE[i].fault == NULL);
		if (LATE[i].fault == NULL ? scene.said[0] != '\0'
					  : strncmp(scene.said, LATE[i].fault, strlen(LATE[i].fault)) != 0)
			fail_msg("%s: %s", LATE[i].text, scene.said);
		scene_unload(&scene);
	}
}

static void names_that_nobody_knows(void **state)
{
	(void)state;
	scene_load(&scene, "upstream g {\nserver none.test:143;\nserver one.test; }");
	bundle_put(scene.bundle, BUNDLE_HOST, STR("none.test"), STR(""));
	assert_false(upstream_load(scene.conf, false, NULL));
	assert_non_null(strstr(scene.said, "host not found in upstream \"none.test:143\""));
	assert_non_null(strstr(scene.said, " in /etc/t.conf:2\n"));
	upstream_unload(scene.conf);
	/* a resolver will see */
	assert_true(upstream_load(scene.conf, true, NULL));
	scene_unload(&scene);
}

static void targets_of_a_configuration(void **state)
{
	(void)state;
	scene_load(&scene, "upstream backend { server 1.1.1.1; }");
	bundle_put(scene.bundle, BUNDLE_HOST, STR("backnd"), STR(""));
	assert_true(upstream_check_target(scene.conf, STR("backend"), false, "/f", 7));
	assert_true(upstream_check_target(scene.conf, STR("Backend"), false, "/f", 7));
	assert_true(upstream_check_target(scene.conf, STR("one.test:143"), false, "/f", 7));
	assert_true(upstream_check_target(scene.conf, STR("[::1]:143"), false, "/f", 7));
	assert_true(upstream_check_target(scene.conf, STR("unix:/x"), false, "/f", 7));
	assert_true(upstream_check_target(scene.conf, STR("backnd"), true, "/f", 7));
	assert_string_equal(scene.said, "");
	assert_false(upstream_check_target(scene.conf, STR("backnd"), false, "/f", 7));
	assert_string_equal(scene.said,
			    "host not found in \"backnd\", did you mean the upstream \"backend\"? in "
			    "/f:7\n");
	scene.said[0] = '\0';
	assert_false(upstream_check_target(scene.conf, STR("a b"), true, "/f", 7));
	assert_string_equal(scene.said, "invalid host in \"a b\" in /f:7\n");
	scene_unload(&scene);
}

static void what_is_untouched_after_a_refusal(void **state)
{
	struct target t = { .port = 77 };

	(void)state;
	assert_non_null(target_parse(STR("a:0"), &t));
	assert_non_null(target_parse(STR("[::1]:0"), &t));
	assert_non_null(target_parse(STR("a\0b"), &t));
	assert_non_null(target_parse(STR("unix:/a\0b"), &t));
	assert_int_equal(t.port, 77);
	assert_null(target_parse(STR("::1"), &t));
	assert_int_equal(t.kind, TARGET_IP);
	assert_int_equal(t.port, 0);
	assert_null(target_parse(STR("UNIX:/run/x"), &t));
	assert_int_equal(t.kind, TARGET_UNIX);
	assert_str(t.host, STR("/run/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults),
		cmocka_unit_test(late_faults),
		cmocka_unit_test(names_that_nobody_knows),
		cmocka_unit_test(targets_of_a_configuration),
		cmocka_unit_test(what_is_untouched_after_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
