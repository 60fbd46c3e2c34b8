/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line. Flags may be bundled (-tq) and a value may stand in the same word (-c/etc/postern.conf),
 * as operators of nginx type them. getopt would read that too, but the words of its complaints are not those
 * that scripts know.
 */
#include "main/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An option that takes a value: its letter, where the value goes, and how its lack is complained of. */
struct valued {
	char letter;
	size_t offset;
	const char *wants;
};

static const struct valued VALUED[] = { { 'c', offsetof(struct options, conf_file), "file name" },
					{ 'p', offsetof(struct options, prefix), "directory name" },
					{ 'e', offsetof(struct options, error_log), "file name" },
					{ 'g', offsetof(struct options, globals), "parameter" },
					{ 's', offsetof(struct options, signal), "parameter" },
					{ 0, 0, NULL } };

static const char HELP[] =
	"Usage: postern [-?hvVtTq] [-s signal] [-p prefix]\n"
	"               [-e filename] [-c filename] [-g directives]\n"
	"\n"
	"Options:\n"
	"  -?,-h         : this help\n"
	"  -h NAME       : explain a directive; -h directives explains all\n"
	"  -v            : show version and exit\n"
	"  -V            : show version and configure options then exit\n"
	"  -t            : test configuration and exit\n"
	"  -T            : test configuration, dump it and exit\n"
	"  -q            : suppress non-error messages during configuration testing\n"
	"  -s signal     : send signal to a master process: stop, quit, reopen, reload\n"
	"  -p prefix     : set prefix path (default: " POSTERN_PREFIX ")\n"
	"  -e filename   : set error log file (default: " POSTERN_ERROR_LOG ", \"stderr\" is allowed)\n"
	"  -c filename   : set configuration file (default: " POSTERN_CONF ")\n"
	"  -g directives : set global directives out of configuration file\n";

void options_help(void)
{
	options_version();
	fputs(HELP, stderr);
}

void options_version(void)
{
	fputs("postern version: postern/" POSTERN_VERSION "\n", stderr);
}

void options_build(void)
{
	options_version();
	fprintf(stderr,
		"built by %s %s\nbuilt with %s\nTLS SNI support enabled\nconfigure arguments: --prefix=%s "
		"--conf-path=%s "
		"--error-log-path=%s\n",
		POSTERN_COMPILER, __VERSION__, POSTERN_LIBRARIES, POSTERN_PREFIX, POSTERN_CONF,
		POSTERN_ERROR_LOG);
}

static bool set_flag(struct options *o, char letter)
{
	switch (letter) {
	case '?':
	case 'h':
		o->help = "";
		return true;
	case 'v':
		o->version = true;
		return true;
	case 'V':
		o->version = o->build = true;
		return true;
	case 't':
		o->test = true;
		return true;
	case 'T':
		o->test = o->dump = true;
		return true;
	case 'q':
		o->quiet = true;
		return true;
	default:
		fprintf(stderr, "postern: invalid option: \"%c\"\n", letter);
		return false;
	}
}

static const struct valued *valued_find(char letter)
{
	for (const struct valued *v = VALUED; v->letter != 0; v++)
		if (v->letter == letter)
			return v;
	return NULL;
}

/* One word of the command line; *i is moved when its value is the next word. */
static bool read_word(struct options *o, int argc, char **argv, int *i)
{
	const char *p = argv[*i];

	if (*p++ != '-') {
		fprintf(stderr, "postern: invalid option: \"%s\"\n", argv[*i]);
		return false;
	}
	for (; *p != '\0'; p++) {
		const struct valued *v = valued_find(*p);

		if (v == NULL) {
			if (!set_flag(o, *p))
				return false;
			continue;
		}
		if (p[1] == '\0' && *i + 1 >= argc) {
			fprintf(stderr, "postern: option \"-%c\" requires %s\n", v->letter, v->wants);
			return false;
		}
		*(const char **)(void *)((char *)o + v->offset) = p[1] != '\0' ? p + 1 : argv[++*i];
		return true;
	}
	return true;
}

/* A prefix ends in a slash, and a relative one is meant from here. */
static bool settle_paths(struct options *o)
{
	char here[4096];

	if (o->prefix[0] != '/') {
		if (getcwd(here, sizeof(here)) == NULL) {
			perror("postern: [emerg] getcwd() failed");
			return false;
		}
		o->prefix = arena_format(o->home, "%s/%s", here, o->prefix).at;
	}
	if (o->prefix[strlen(o->prefix) - 1] != '/')
		o->prefix = arena_format(o->home, "%s/", o->prefix).at;
	if (o->conf_file[0] != '/')
		o->conf_file = arena_format(o->home, "%s%s", o->prefix, o->conf_file).at;
	return true;
}

static bool known_signal(const char *word)
{
	return strcmp(word, "stop") == 0 || strcmp(word, "quit") == 0 || strcmp(word, "reopen") == 0 ||
	       strcmp(word, "reload") == 0;
}

bool options_read(struct options *o, int argc, char **argv)
{
	*o = (struct options){ .conf_file = POSTERN_CONF, .prefix = POSTERN_PREFIX, .argv = argv };
	o->home = arena_new(256);
	for (int i = 1; i < argc; i++) {
		/* a word behind -h asks about that directive */
		if (o->help != NULL && argv[i][0] != '-')
			o->help = argv[i];
		else if (!read_word(o, argc, argv, &i))
			return false;
	}
	if (o->signal != NULL && !known_signal(o->signal)) {
		fprintf(stderr, "postern: invalid option: \"-s %s\"\n", o->signal);
		return false;
	}
	return settle_paths(o);
}

void options_done(struct options *o)
{
	arena_free(o->home);
}
