/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives outside of all blocks and in events {}: values, refusals, warnings, and what the machine
 * says.
 */
#include "main/core.h"

#include "conf/errorlog.h"
#include "../conf/trial.h"
#include <string.h>

static const struct module *const MODULES[] = { &core_module, &events_module, &error_log_module,
						&sample_module, NULL };

/* A machine with four CPUs whose root starts us. */
static void machine(struct trial *t)
{
	trial_init(t, MODULES);
	bundle_note(t->world, STR("euid"), STR("0"));
	bundle_note(t->world, STR("cpus"), STR("4"));
	bundle_note(t->world, STR("nofile"), STR("1024"));
	bundle_note(t->world, STR("user nobody"), STR("65534"));
	bundle_note(t->world, STR("group nogroup"), STR("65533"));
	bundle_note(t->world, STR("user mail"), STR("8"));
	bundle_note(t->world, STR("group mail"), STR("18"));
	bundle_note(t->world, STR("group staff"), STR("50"));
}

static const struct core_settings *load_line(struct trial *t, const char *line)
{
	char text[512];

	snprintf(text, sizeof(text), "events {}\n%s", line);
	assert_string_equal(trial_load(t, text), "");
	return core_settings(t->conf);
}

/* What is said of a whole that is right in all its parts, and whether it will do. */
static void check_whole(struct trial *t, const char *text, bool fine, const char *want)
{
	assert_string_equal(trial_load(t, text), "");
	assert_non_null(t->conf);
	buf_clear(&t->said);
	assert_int_equal(core_complete(t->conf), fine);
	assert_str(buf_text(&t->said), str_of(want));
}

static void defaults(void **state)
{
	struct trial t;
	const struct core_settings *s;
	cpu_set_t cpus;

	(void)state;
	machine(&t);
	s = load_line(&t, "");
	assert_true(s->daemon && s->master_process);
	assert_int_equal(s->workers, 1);
	assert_int_equal(s->priority, 0);
	assert_true(s->rlimit_nofile == CORE_UNSET && s->rlimit_core == CORE_UNSET);
	assert_int_equal(s->shutdown_timeout_ms, 0);
	assert_int_equal(s->working_directory.len, 0);
	assert_int_equal(s->env.len, 0);
	assert_str(s->pid, STR("/p/logs/postern.pid"));
	assert_false(core_cpus(s, 0, &cpus));
	assert_true(s->user.change);
	assert_int_equal(s->user.uid, 65534);
	assert_int_equal(s->user.gid, 65533);
	assert_str(s->user.name, STR("nobody"));
	assert_int_equal(events_settings(t.conf)->worker_connections, 512);
	assert_int_equal(events_settings(t.conf)->debug_connection.len, 0);
	trial_done(&t);
}

static void values(void **state)
{
	struct trial t;
	const struct core_settings *s;

	(void)state;
	machine(&t);
	s = load_line(&t, "daemon off; master_process off; worker_processes 3; worker_priority -5; "
			  "worker_rlimit_nofile 0;\n"
			  "worker_rlimit_core 1g; worker_shutdown_timeout 1h30m; working_directory /tmp; env "
			  "A; env B=C;\n"
			  "pid /run/x.pid;");
	assert_false(s->daemon || s->master_process);
	assert_int_equal(s->workers, 3);
	assert_int_equal(s->priority, -5);
	assert_int_equal(s->rlimit_nofile, 0);
	assert_int_equal(s->rlimit_core, 1 << 30);
	assert_int_equal(s->shutdown_timeout_ms, 5400000);
	assert_str(s->working_directory, STR("/tmp"));
	assert_int_equal(s->env.len, 2);
	assert_str(s->env.at[1], STR("B=C"));
	assert_str(s->pid, STR("/run/x.pid"));
	assert_int_equal(load_line(&t, "worker_processes auto;")->workers, 4);
	assert_int_equal(load_line(&t, "worker_priority +7;")->priority, 7);
	assert_int_equal(load_line(&t, "worker_priority 99999999;")->priority, INT16_MAX);
	trial_done(&t);
}

static void users(void **state)
{
	struct trial t;
	const struct core_settings *s;

	(void)state;
	machine(&t);
	s = load_line(&t, "user mail;");
	assert_true(s->user.change);
	assert_int_equal(s->user.uid, 8);
	assert_int_equal(s->user.gid, 18);
	assert_str(s->user.name, STR("mail"));
	assert_int_equal(load_line(&t, "user mail staff;")->user.gid, 50);
	bundle_note(t.world, STR("group nobody"), STR("99"));
	assert_int_equal(load_line(&t, "")->user.gid, 99);
	assert_faults(&t, "events {} user stranger;",
		      "getpwnam(\"stranger\") failed (2: No such file or directory):1");
	assert_faults(&t, "events {} user mail strangers;",
		      "getgrnam(\"strangers\") failed (2: No such file or directory):1");
	trial_done(&t);
	trial_init(&t, MODULES);
	bundle_note(t.world, STR("euid"), STR("0"));
	assert_faults(&t, "events {}", "getpwnam(\"nobody\") failed (2: No such file or directory)");
	bundle_note(t.world, STR("user nobody"), STR("65534"));
	assert_faults(&t, "events {}", "getgrnam(\"nogroup\") failed (2: No such file or directory)");
	bundle_note(t.world, STR("euid"), STR("1000"));
	assert_false(load_line(&t, "")->user.change);
	assert_string_equal(
		trial_load(&t, "events {}\nuser stranger;"),
		"[warn] the \"user\" directive makes sense only if the master process runs with super-user "
		"privileges, ignored in /c/main.conf:2\n");
	assert_false(core_settings(t.conf)->user.change);
	trial_done(&t);
}

static void hear(void *to, enum log_level level, const char *text)
{
	(void)level;
	snprintf(to, 256, "%s", text);
}

/* A name that the system knows nothing of comes without an error number. */
static void users_of_this_machine(void **state)
{
	char said[256] = "";
	struct conf_source source = {
		.modules = MODULES,
		.file = "/c/main.conf",
		.prefix = "/p/",
		.say = hear,
		.to = said,
	};

	(void)state;
	source.bundle = bundle_record();
	bundle_note(source.bundle, STR("euid"), STR("0"));
	bundle_put(source.bundle, BUNDLE_CONF, STR("/c/main.conf"), STR("user no-such-user;"));
	assert_null(conf_load(&source));
	assert_string_equal(said, "getpwnam(\"no-such-user\") failed in /c/main.conf:1");
	bundle_free(source.bundle);
}

/* The CPUs of a worker as binary digits, CPU 0 first. */
static void check_cpus(const struct core_settings *s, unsigned worker, const char *want)
{
	char got[9] = "";
	cpu_set_t cpus;

	assert_true(core_cpus(s, worker, &cpus));
	for (size_t i = 0; i < 8; i++)
		got[i] = CPU_ISSET(i, &cpus) ? '1' : '0';
	assert_string_equal(got, want);
}

static void affinity(void **state)
{
	struct trial t;
	const struct core_settings *s;

	(void)state;
	machine(&t);
	s = load_line(&t, "worker_processes 2; worker_cpu_affinity 0001 \"01 10\";");
	check_cpus(s, 0, "10000000");
	check_cpus(s, 1, "01100000");
	check_cpus(s, 7, "01100000");
	s = load_line(&t, "worker_processes 6; worker_cpu_affinity auto;");
	check_cpus(s, 0, "10000000");
	check_cpus(s, 3, "00010000");
	check_cpus(s, 5, "01000000");
	s = load_line(&t, "worker_processes 6; worker_cpu_affinity auto 1010;");
	check_cpus(s, 0, "01000000");
	check_cpus(s, 1, "00010000");
	check_cpus(s, 2, "01000000");
	s = load_line(&t, "worker_processes 6; worker_cpu_affinity 10;");
	check_cpus(s, 5, "01000000");
	check_whole(&t, "events {} worker_processes 3; worker_cpu_affinity 01 10;", true,
		    "[warn] the number of \"worker_processes\" is not equal to the number of "
		    "\"worker_cpu_affinity\" "
		    "masks, using last mask for remaining worker processes\n");
	check_whole(&t, "events {} worker_processes 3; worker_cpu_affinity 01;", true, "");
	check_whole(&t, "events {} worker_processes 3; worker_cpu_affinity auto 01;", true, "");
	trial_done(&t);
}

static void refusals(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "worker_processes 0;", "value must be between 1 and 1024" },
		{ "worker_processes 1025;", "value must be between 1 and 1024" },
		{ "worker_processes x;", "\"worker_processes\" directive invalid value" },
		{ "worker_processes -1;", "\"worker_processes\" directive invalid value" },
		{ "worker_processes 1; worker_processes 1;", "\"worker_processes\" directive is duplicate" },
		{ "worker_priority x;", "\"worker_priority\" directive invalid number" },
		{ "worker_priority -;", "\"worker_priority\" directive invalid number" },
		{ "worker_priority --1;", "\"worker_priority\" directive invalid number" },
		{ "worker_cpu_affinity 012;", "invalid character \"2\" in \"worker_cpu_affinity\"" },
		{ "worker_cpu_affinity auto 1 1;",
		  "invalid number of arguments in \"worker_cpu_affinity\" directive" },
		{ "worker_cpu_affinity auto 000;", "no CPU in \"worker_cpu_affinity\"" },
		{ "worker_rlimit_nofile x;", "\"worker_rlimit_nofile\" directive invalid number" },
		{ "worker_rlimit_core 1t;", "\"worker_rlimit_core\" directive invalid value" },
		{ "worker_shutdown_timeout 1M;", "\"worker_shutdown_timeout\" directive invalid value" },
		{ "daemon 1;", "invalid value \"1\" in \"daemon\" directive, it must be \"on\" or \"off\"" },
		{ "debug_points go;", "invalid value \"go\"" },
		{ "timer_resolution 1y;", "\"timer_resolution\" directive invalid value" },
		{ "user;", "invalid number of arguments in \"user\" directive" },
		{ "user a b c;", "invalid number of arguments in \"user\" directive" },
		{ "thread_pool a;", "invalid number of arguments in \"thread_pool\" directive" },
		{ "thread_pool a b;", "\"thread_pool\" must have \"threads\" parameter" },
		{ "thread_pool a max_queue=1;", "\"thread_pool\" must have \"threads\" parameter" },
		{ "thread_pool a threads=0;", "invalid threads value \"threads=0\"" },
		{ "thread_pool a threads=x;", "invalid threads value \"threads=x\"" },
		{ "thread_pool a threads=1 max_queue=x;", "invalid max_queue value \"max_queue=x\"" },
		{ "thread_pool a threads=1; thread_pool a threads=1;", "duplicate thread pool \"a\"" },
		{ "events {}", "\"events\" directive is duplicate" },
		{ "load_module x;", "\"load_module\" directive is specified too late" },
		{ "worker_connections 1;", "\"worker_connections\" directive is not allowed here" },
		{ "mail { user a; }", "\"user\" directive is not allowed here" },
	};
	struct trial t;
	char text[256], want[256];

	(void)state;
	machine(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "events {} %s", cases[i].line);
		snprintf(want, sizeof(want), "%s:1", cases[i].want);
		assert_faults(&t, text, want);
	}
	check_whole(&t, "", false, "[emerg] no \"events\" section in configuration\n");
	check_whole(&t, "events {}", true, "");
	trial_done(&t);
}

static void too_many_cpus(void **state)
{
	struct trial t;
	char text[CPU_SETSIZE + 64] = "events {} worker_cpu_affinity ";

	(void)state;
	machine(&t);
	memset(text + strlen(text), '1', CPU_SETSIZE + 1);
	strcat(text, ";");
	assert_faults(&t, text, "\"worker_cpu_affinity\" supports up to 1024 CPUs only:1");
	trial_done(&t);
}

static void accepted_without_effect(void **state)
{
	struct trial t;

	(void)state;
	machine(&t);
	load_line(&t, "lock_file x; timer_resolution 100ms; debug_points stop; pcre_jit on; quic_bpf off;\n"
		      "thread_pool default threads=32 max_queue=65536; thread_pool b threads=1 other=2;\n"
		      "ssl_object_cache_inheritable off; google_perftools_profiles x;");
	assert_string_equal(
		trial_load(&t,
			   "events { use epoll; multi_accept on; accept_mutex off; accept_mutex_delay 1s;\n"
			   "worker_aio_requests 1; epoll_events 2; }"),
		"");
	assert_string_equal(trial_load(&t, "events {} ssl_engine x;"),
			    "[warn] \"ssl_engine\" is ignored, OpenSSL has providers instead of engines in "
			    "/c/main.conf:1\n");
	assert_string_equal(trial_load(&t, "load_module modules/ngx_mail_module.so; load_module b.so;\n"
					   "events {}\nhttp { server { listen 80; } }\nstream { }"),
			    "[notice] \"load_module\" directive has no use here, skipped in /c/main.conf:1\n"
			    "[notice] \"load_module\" directive has no use here, skipped in /c/main.conf:1\n"
			    "[notice] \"http\" block is not for a mail proxy, skipped in /c/main.conf:3\n"
			    "[notice] \"stream\" block is not for a mail proxy, skipped in /c/main.conf:4\n");
	trial_done(&t);
}

static void events(void **state)
{
	struct trial t;
	const struct network_list *n;
	struct addr client = { .family = AF_UNSPEC };

	(void)state;
	machine(&t);
	bundle_put(t.world, BUNDLE_HOST, STR("two.test"),
		   STR("192.0.2.7\0"
		       "2001:db8::7\0"));
	assert_string_equal(trial_load(&t, "events { worker_connections 1024; debug_connection 10.0.0.0/8; "
					   "debug_connection ::1;\n"
					   "debug_connection unix:; debug_connection two.test; }"),
			    "");
	assert_int_equal(events_settings(t.conf)->worker_connections, 1024);
	n = &events_settings(t.conf)->debug_connection;
	assert_int_equal(n->len, 5);
	assert_true(addr_parse_ip(STR("10.255.0.1"), &client));
	assert_true(network_has(&n->at[0], &client));
	assert_true(addr_parse_ip(STR("192.0.2.7"), &client));
	assert_true(network_has(&n->at[3], &client));
	assert_true(addr_parse_ip(STR("192.0.2.8"), &client));
	for (size_t i = 0; i < n->len; i++)
		assert_false(network_has(&n->at[i], &client));
	assert_true(addr_parse_ip(STR("2001:db8::7"), &client));
	assert_true(network_has(&n->at[4], &client));
	assert_string_equal(trial_load(&t, "events { debug_connection 10.0.0.1/8; }"),
			    "[warn] low address bits of 10.0.0.1/8 are meaningless in /c/main.conf:1\n");
	assert_faults(&t, "events { debug_connection all; }", "host not found in debug_connection \"all\":1");
	assert_faults(&t, "events { debug_connection 10.0.0.0/33; }",
		      "host not found in debug_connection \"10.0.0.0/33\":1");
	assert_faults(&t, "events { use kqueue; }", "invalid event type \"kqueue\":1");
	assert_faults(&t, "events { use poll; }", "invalid event type \"poll\":1");
	assert_faults(&t, "events { worker_connections x; }", "invalid number \"x\":1");
	assert_faults(&t, "events { accept_mutex_delay 1M; }",
		      "\"accept_mutex_delay\" directive invalid value:1");
	assert_faults(&t, "events {\ndaemon on; }", "\"daemon\" directive is not allowed here:2");
	trial_done(&t);
}

static void more_connections_than_files(void **state)
{
	struct trial t;

	(void)state;
	machine(&t);
	check_whole(&t, "events { worker_connections 1025; }", true,
		    "[warn] 1025 worker_connections exceed open file resource limit: 1024\n");
	check_whole(&t, "worker_rlimit_nofile 1025; events { worker_connections 1025; }", true, "");
	check_whole(&t, "worker_rlimit_nofile 2000; events { worker_connections 2001; }", true,
		    "[warn] 2001 worker_connections exceed open file resource limit: 2000\n");
	check_whole(&t, "worker_rlimit_nofile 10; events { worker_connections 1024; }", true, "");
	trial_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	 cmocka_unit_test(values),
		cmocka_unit_test(users),	 cmocka_unit_test(users_of_this_machine),
		cmocka_unit_test(affinity),	 cmocka_unit_test(refusals),
		cmocka_unit_test(too_many_cpus), cmocka_unit_test(accepted_without_effect),
		cmocka_unit_test(events),	 cmocka_unit_test(more_connections_than_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
