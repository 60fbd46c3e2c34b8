/* SPDX-License-Identifier: BSD-2-Clause */
/* The program's entrance: what the command line asks for. */
#include "conf/conf.h"
#include "main/core.h"
#include "main/load.h"
#include "main/logfiles.h"
#include "main/master.h"
#include "main/modules.h"
#include "main/pidfile.h"
#include "proc/title.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void say(void *to, enum log_level level, const char *text)
{
	const struct options *o = to;

	if (level <= LOG_WARN || !o->quiet)
		fprintf(stderr, "postern: [%s] %s\n", log_level_names[level], text);
}

static struct loader loader_of(const struct options *o)
{
	return (struct loader){ .options = o, .say = say, .to = (void *)o };
}

static int help(const struct options *o)
{
	struct buf text;
	bool known = true;

	if (o->help[0] == '\0') {
		options_help();
		return 0;
	}
	buf_init(&text, 1 << 20);
	if (strcmp(o->help, "directives.md") == 0)
		manual_markdown(modules, &text);
	else if (strcmp(o->help, "directives") == 0)
		manual_text(modules, STR(""), &text);
	else
		known = manual_text(modules, str_of(o->help), &text);
	fwrite(buf_text(&text).at, 1, buf_text(&text).len, known ? stdout : stderr);
	buf_done(&text);
	return known ? 0 : 1;
}

static void dump_file(void *to, struct str key, struct str content)
{
	(void)to;
	printf("# configuration file %.*s:\n%.*s\n", STR_ARG(key), STR_ARG(content));
}

static void syntax_ok(void *to)
{
	const struct options *o = to;

	if (!o->quiet)
		fprintf(stderr, "postern: the configuration file %s syntax is ok\n", o->conf_file);
}

/* -t: everything but sockets is tried. -T shows what was read, too. */
static int test(const struct options *o)
{
	struct loader loader = loader_of(o);
	struct generation *g;
	bool good;

	loader.read = syntax_ok;
	g = load_recorded(&loader);
	good = g != NULL && logfiles_open(g, &loader);
	if (!good)
		fprintf(stderr, "postern: configuration file %s test failed\n", o->conf_file);
	else if (!o->quiet)
		fprintf(stderr, "postern: configuration file %s test is successful\n", o->conf_file);
	if (good && o->dump)
		bundle_each(g->bundle, BUNDLE_CONF, dump_file, NULL);
	generation_free(g);
	return good ? 0 : 1;
}

static int signal_number(const char *word)
{
	if (strcmp(word, "stop") == 0)
		return SIGTERM;
	if (strcmp(word, "quit") == 0)
		return SIGQUIT;
	return strcmp(word, "reopen") == 0 ? SIGUSR1 : SIGHUP;
}

/* -s: the configuration tells where the pid file is. */
static int send_signal(const struct options *o)
{
	struct loader loader = loader_of(o);
	struct generation *g = load_recorded(&loader);
	int number = signal_number(o->signal);
	pid_t pid = 0;
	int status = 1;

	if (g != NULL)
		pid = pidfile_read(core_settings(g->conf)->pid.at);
	if (pid != 0)
		status = kill(pid, number) != 0;
	if (pid != 0 && status != 0)
		fprintf(stderr, "postern: [alert] kill(%d, %d) failed (%d: %s)\n", pid, number, errno,
			strerror(errno));
	generation_free(g);
	return status;
}

static int obey(const struct options *o)
{
	if (o->help != NULL)
		return help(o);
	if (o->build)
		options_build();
	else if (o->version)
		options_version();
	if (o->version)
		return 0;
	if (o->test)
		return test(o);
	return o->signal != NULL ? send_signal(o) : master_run(o);
}

int main(int argc, char **argv)
{
	struct options o;
	int status = 1;

	argv = title_init(argc, argv);
	if (options_read(&o, argc, argv))
		status = obey(&o);
	options_done(&o);
	return status;
}
