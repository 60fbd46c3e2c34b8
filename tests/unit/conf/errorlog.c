/* SPDX-License-Identifier: BSD-2-Clause */
/* error_log: outputs and their numbers, levels, syslog's parameters, inheritance, and every refusal. */
#include "conf/errorlog.h"

#include "trial.h"
#include <string.h>

static const struct module *const MODULES[] = { &error_log_module, &sample_module, NULL };

/* All outputs as text: "file /p/x; stderr; syslog 127.0.0.1:514 23 nginx; …" */
static void put_outputs(const struct trial *t, struct buf *to)
{
	char server[ADDR_TEXT_MAX];
	size_t len;
	const struct log_output *o = error_log_outputs(t->conf, &len);

	for (size_t i = 0; i < len; i++) {
		if (o[i].kind == LOG_TO_FILE)
			buf_format(to, "file %.*s; ", STR_ARG(o[i].path));
		else if (o[i].kind == LOG_TO_STDERR)
			buf_format(to, "stderr; ");
		else
			buf_format(to, "syslog %s %u %.*s%s; ", addr_text(&o[i].server, server),
				   o[i].facility, STR_ARG(o[i].tag), o[i].nohostname ? " nohostname" : "");
	}
}

/* What a scope logs to: "0:error 1:debug/32 …" */
static void put_uses(const struct scope *s, struct buf *to)
{
	struct log_uses uses = error_log_uses(s);

	for (size_t i = 0; i < uses.len; i++) {
		buf_format(to, "%zu:%s", uses.at[i].output, log_level_names[uses.at[i].level]);
		if (uses.at[i].debug != 0)
			buf_format(to, "/%u", uses.at[i].debug);
		buf_format(to, " ");
	}
}

/* The outputs, then the uses at the top. */
static void check(struct trial *t, const char *text, const char *want)
{
	struct buf got;

	assert_string_equal(trial_load(t, text), "");
	buf_init(&got, 4096);
	put_outputs(t, &got);
	put_uses(conf_top(t->conf), &got);
	if (!str_eq(buf_text(&got), str_of(want)))
		print_error("for: %s\n", text);
	assert_str(buf_text(&got), str_of(want));
	buf_done(&got);
}

static void outputs_and_levels(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "file /p/logs/error.log; 0:error " },
		{ "error_log x;", "file /p/x; 0:error " },
		{ "error_log /x/y info;", "file /x/y; 0:info " },
		{ "error_log off;", "file /p/off; 0:error " },
		{ "error_log x emerg; error_log x alert; error_log x crit; error_log x error;",
		  "file /p/x; 0:emerg 0:alert 0:crit 0:error " },
		{ "error_log x warn; error_log y notice; error_log ./x info; error_log y debug;",
		  "file /p/x; file /p/y; file /p/./x; 0:warn 1:notice 2:info 1:debug/255 " },
		{ "error_log stderr; error_log \"\" info;", "stderr; 0:error 0:info " },
		{ "error_log x debug_mail;", "file /p/x; 0:debug/32 " },
		{ "error_log x debug_core debug_stream debug_event debug_core;", "file /p/x; 0:debug/73 " },
		{ "error_log x debug_core debug_alloc debug_mutex debug_event debug_http debug_mail "
		  "debug_stream debug_core;",
		  "file /p/x; 0:debug/127 " },
		{ "error_log syslog:server=127.0.0.1;", "syslog 127.0.0.1:514 23 nginx; 0:error " },
		{ "error_log syslog:server=[::1]:5514,facility=mail,tag=a_Z9,severity=crit,nohostname info;",
		  "syslog [::1]:5514 2 a_Z9 nohostname; 0:info " },
		{ "error_log syslog:nohostname,tag=,facility=kern,server=unix:/dev/log;",
		  "syslog unix:/dev/log 0  nohostname; 0:error " },
		{ "error_log syslog:server=log.test:1;", "syslog 192.0.2.1:1 23 nginx; 0:error " },
		{ "error_log syslog:server=127.0.0.1; error_log syslog:server=127.0.0.1:514,tag=nginx info;"
		  "error_log syslog:server=127.0.0.1,tag=x; error_log syslog:server=127.0.0.1,facility=user;"
		  "error_log syslog:server=127.0.0.1,nohostname; error_log syslog:server=127.0.0.2;",
		  "syslog 127.0.0.1:514 23 nginx; syslog 127.0.0.1:514 23 x; syslog 127.0.0.1:514 1 nginx; "
		  "syslog 127.0.0.1:514 23 nginx nohostname; syslog 127.0.0.2:514 23 nginx; "
		  "0:error 0:info 1:error 2:error 3:error 4:error " },
	};
	struct trial t;

	(void)state;
	trial_init(&t, MODULES);
	bundle_put(t.world, BUNDLE_HOST, STR("log.test"),
		   STR("192.0.2.1\0"
		       "192.0.2.2\0"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&t, cases[i].text, cases[i].want);
	trial_done(&t);
}

static void facilities(void **state)
{
	static const char *const names[] = {
		"kern",	  "user",   "mail",	"daemon", "auth",   "intern", "lpr",	"news",
		"uucp",	  "clock",  "authpriv", "ftp",	  "ntp",    "audit",  "alert",	"cron",
		"local0", "local1", "local2",	"local3", "local4", "local5", "local6", "local7",
	};
	struct trial t;
	char text[128], want[128];

	(void)state;
	trial_init(&t, MODULES);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "error_log syslog:server=127.0.0.1,facility=%s;", names[i]);
		snprintf(want, sizeof(want), "syslog 127.0.0.1:514 %zu nginx; 0:error ", i);
		check(&t, text, want);
	}
	trial_done(&t);
}

static void refusals(void **state)
{
	static const struct {
		const char *args, *want;
	} cases[] = {
		{ "", "invalid number of arguments in \"error_log\" directive" },
		{ "x nothing", "invalid log level \"nothing\"" },
		{ "x Error", "invalid log level \"Error\"" },
		{ "x \"\"", "invalid log level \"\"" },
		{ "x error error", "duplicate log level \"error\"" },
		{ "x info warn", "duplicate log level \"warn\"" },
		{ "x debug debug", "duplicate log level \"debug\"" },
		{ "x debug debug_mail", "invalid log level \"debug_mail\"" },
		{ "x info debug_mail", "invalid log level \"debug_mail\"" },
		{ "x debug_mail debug", "duplicate log level \"debug\"" },
		{ "x debug_mail info", "duplicate log level \"info\"" },
		{ "x debug_none", "invalid log level \"debug_none\"" },
		{ "memory:32k", "nginx was built without debug support" },
		{ "syslog:", "unknown syslog parameter \"\"" },
		{ "syslog:server=127.0.0.1,", "unknown syslog parameter \"\"" },
		{ "syslog:nothing", "unknown syslog parameter \"nothing\"" },
		{ "syslog:nohostname=x", "unknown syslog parameter \"nohostname=x\"" },
		{ "syslog:SERVER=127.0.0.1", "unknown syslog parameter \"SERVER=127.0.0.1\"" },
		{ "syslog:tag=x", "no syslog server specified" },
		{ "syslog:server=", "no host in syslog server \"\"" },
		{ "syslog:server=unix:", "no path in the unix domain socket in syslog server \"unix:\"" },
		{ "syslog:server=[::g]", "invalid IPv6 address in syslog server \"[::g]\"" },
		{ "syslog:server=a/b", "invalid host in syslog server \"a/b\"" },
		{ "syslog:server=a:0", "invalid port in syslog server \"a:0\"" },
		{ "syslog:server=nowhere.test", "host not found in syslog server \"nowhere.test\"" },
		{ "syslog:server=127.0.0.1,server=127.0.0.1", "duplicate syslog \"server\"" },
		{ "syslog:facility=user,facility=user", "duplicate syslog \"facility\"" },
		{ "syslog:severity=info,severity=info", "duplicate syslog \"severity\"" },
		{ "syslog:tag=x,tag=x", "duplicate syslog \"tag\"" },
		{ "syslog:facility=Mail", "unknown syslog facility \"Mail\"" },
		{ "syslog:facility=", "unknown syslog facility \"\"" },
		{ "syslog:severity=debug_mail", "unknown syslog severity \"debug_mail\"" },
		{ "syslog:tag=a-b", "syslog \"tag\" only allows alphanumeric characters and underscore" },
		{ "syslog:tag=0123456789abcdef0123456789abcdefx", "syslog tag length exceeds 32" },
	};
	struct trial t;
	char text[256], want[256];

	(void)state;
	trial_init(&t, MODULES);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "error_log %s;", cases[i].args);
		snprintf(want, sizeof(want), "%s:1", cases[i].want);
		assert_faults(&t, text, want);
	}
	assert_faults(&t, "events { error_log x; }", "\"error_log\" directive is not allowed here:1");
	trial_done(&t);
}

static void inner_blocks_replace(void **state)
{
	struct trial t;
	struct scope *mail, *server;
	struct buf got;

	(void)state;
	trial_init(&t, MODULES);
	assert_string_equal(trial_load(&t, "mail { server { error_log c info; error_log b debug; }\n"
					   "error_log b warn; server {} }\nerror_log a; error_log c crit;"),
			    "");
	mail = scope_first(conf_top(t.conf), IN_MAIL);
	server = scope_first(mail, IN_SERVER);
	buf_init(&got, 4096);
	put_outputs(&t, &got);
	put_uses(conf_top(t.conf), &got);
	buf_put(&got, STR("| "));
	put_uses(mail, &got);
	buf_put(&got, STR("| "));
	put_uses(server, &got);
	buf_put(&got, STR("| "));
	put_uses(scope_next(server), &got);
	assert_str(buf_text(&got), STR("file /p/c; file /p/b; file /p/a; 2:error 0:crit | 1:warn | 0:info "
				       "1:debug/255 | 1:warn "));
	buf_done(&got);
	trial_done(&t);
}

/* Without one at the top, its default comes behind those that are named. */
static void the_default_is_an_output_too(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, MODULES);
	check(&t, "mail { error_log x; }", "file /p/x; file /p/logs/error.log; 1:error ");
	check(&t, "mail { error_log logs/error.log info; }", "file /p/logs/error.log; 0:error ");
	bundle_note(t.world, STR("error_log"), STR("/var/log/e"));
	check(&t, "", "file /var/log/e; 0:error ");
	bundle_note(t.world, STR("error_log"), STR("e"));
	check(&t, "", "file /p/e; 0:error ");
	bundle_note(t.world, STR("error_log"), STR("stderr"));
	check(&t, "", "stderr; 0:error ");
	check(&t, "error_log x;", "file /p/x; 0:error ");
	trial_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_and_levels),
		cmocka_unit_test(facilities),
		cmocka_unit_test(refusals),
		cmocka_unit_test(inner_blocks_replace),
		cmocka_unit_test(the_default_is_an_output_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
