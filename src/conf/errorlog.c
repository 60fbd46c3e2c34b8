/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error_log directive; see errorlog.h.
 *
 * The parameters of syslog stand in one word, "syslog:server=A,facility=F,…", and are checked from left to
 * right with the words of the peer's complaints. `severity` is checked and has no effect on an error log,
 * whose lines carry their own level.
 */
#include "conf/errorlog.h"

#include <string.h>

enum { SYSLOG_PORT = 514, FACILITY_LOCAL7 = 23, TAG_MAX = 32 };

struct settings {
	struct log_uses uses;
	struct log_output *outputs; /* of the whole configuration; in the outermost scope only */
	size_t outputs_len;
};

/* A syslog destination being read, and which parameters were there. */
struct syslog {
	struct log_output to;
	bool server, facility, severity, tag;
};

typedef bool parameter_fn(struct conf *c, struct syslog *s, struct str value);

static directive_set_fn error_log_set;
static void error_log_preset(struct conf *c, struct scope *in, void *settings);
static parameter_fn set_server, set_facility, set_severity, set_tag;

/* clang-format off */
static const struct directive ROWS[] = {
	{ .name = "error_log", .where = IN_MAIN | IN_MAIL | IN_SERVER,
	  .min = 1, .flags = CONF_UNLIMITED | CONF_REPEATS, .slot = SLOT_CUSTOM,
	  .offset = offsetof(struct settings, uses), .size = sizeof(struct log_uses),
	  .set = error_log_set, .preset_fn = error_log_preset,
	  .args = "file | stderr | "
		  "syslog:server=address[,facility=name][,severity=name][,tag=name][,nohostname] [level | "
		  "debug_part …]",
	  .help = "Where lines of a level (debug, info, notice, warn, error, crit, alert, emerg) and graver "
		  "ones go; error when none is given. debug_core, debug_alloc, debug_mutex, debug_event, "
		  "debug_http, debug_mail and debug_stream are parts of debug. Several at one place all get "
		  "their lines; those of an inner block replace the outer ones. A relative file begins at "
		  "the prefix. A syslog server is host[:port] or unix:path, the facility local7 and the tag "
		  "nginx when none is given. By default the file of the option -e, else logs/error.log, "
		  "with level error." },
	{ .name = NULL }
};
/* clang-format on */

const struct module error_log_module = {
	.name = "error log",
	.places = IN_MAIN | IN_MAIL | IN_SERVER,
	.size = sizeof(struct settings),
	.directives = ROWS,
};

static const char *const DEBUG_WORDS[] = { "debug_core", "debug_alloc", "debug_mutex",	"debug_event",
					   "debug_http", "debug_mail",	"debug_stream", NULL };

static const char *const FACILITIES[] = { "kern",     "user",	"mail",	  "daemon", "auth",
					  "intern",   "lpr",	"news",	  "uucp",   "clock",
					  "authpriv", "ftp",	"ntp",	  "audit",  "alert",
					  "cron",     "local0", "local1", "local2", "local3",
					  "local4",   "local5", "local6", "local7", NULL };

/* Severities of syslog have the same names and order. */
#define LEVELS (log_level_names + 1)

static const struct parameter {
	struct str name; /* with its '=' */
	parameter_fn *set;
} PARAMETERS[] = {
	{ LIT("server="), set_server },
	{ LIT("facility="), set_facility },
	{ LIT("severity="), set_severity },
	{ LIT("tag="), set_tag },
};

/* The position of a word in a table ended by NULL. */
static bool position(const char *const *table, struct str word, unsigned *at)
{
	for (unsigned i = 0; table[i] != NULL; i++) {
		if (str_eq(word, str_of(table[i]))) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* Remember that a parameter was there; it may be there once. */
static bool first_time(struct conf *c, bool *there, const char *name)
{
	if (*there)
		return conf_fault(c, "duplicate syslog \"%s\"", name);
	*there = true;
	return true;
}

static bool set_server(struct conf *c, struct syslog *s, struct str value)
{
	const char *wrong;
	size_t len;

	if (!first_time(c, &s->server, "server"))
		return false;
	wrong = conf_addresses(c, value, SYSLOG_PORT, &s->to.server, 1, &len);
	if (wrong != NULL)
		return conf_fault(c, "%s in syslog server \"%.*s\"", wrong, STR_ARG(value));
	return true;
}

static bool set_facility(struct conf *c, struct syslog *s, struct str value)
{
	if (!first_time(c, &s->facility, "facility"))
		return false;
	if (!position(FACILITIES, value, &s->to.facility))
		return conf_fault(c, "unknown syslog facility \"%.*s\"", STR_ARG(value));
	return true;
}

static bool set_severity(struct conf *c, struct syslog *s, struct str value)
{
	unsigned unused;

	if (!first_time(c, &s->severity, "severity"))
		return false;
	if (!position(LEVELS, value, &unused))
		return conf_fault(c, "unknown syslog severity \"%.*s\"", STR_ARG(value));
	return true;
}

static bool is_tag_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool set_tag(struct conf *c, struct syslog *s, struct str value)
{
	if (!first_time(c, &s->tag, "tag"))
		return false;
	if (value.len > TAG_MAX)
		return conf_fault(c, "syslog tag length exceeds %d", TAG_MAX);
	for (size_t i = 0; i < value.len; i++)
		if (!is_tag_byte(value.at[i]))
			return conf_fault(c, "syslog \"tag\" only allows alphanumeric characters and "
					     "underscore");
	s->to.tag = value;
	return true;
}

static bool read_parameter(struct conf *c, struct syslog *s, struct str word)
{
	for (size_t i = 0; i < sizeof(PARAMETERS) / sizeof(PARAMETERS[0]); i++)
		if (str_starts(word, PARAMETERS[i].name))
			return PARAMETERS[i].set(c, s, str_skip(word, PARAMETERS[i].name.len));
	if (!str_eq(word, STR("nohostname")))
		return conf_fault(c, "unknown syslog parameter \"%.*s\"", STR_ARG(word));
	s->to.nohostname = true;
	return true;
}

/* A comma at the end announces one more parameter, which is empty and so not known. */
static bool read_syslog(struct conf *c, struct str text, struct log_output *to)
{
	/* The tag is the peer's: whoever sorts its lines by the tag finds ours in the same place. */
	struct syslog s = {
		.to = { .kind = LOG_TO_SYSLOG, .facility = FACILITY_LOCAL7, .tag = STR("nginx") },
	};
	bool more = true;

	while (more) {
		more = str_has(text, ',');
		if (!read_parameter(c, &s, str_cut(&text, ',')))
			return false;
	}
	if (!s.server)
		return conf_fault(c, "no syslog server specified");
	*to = s.to;
	return true;
}

static bool read_output(struct conf *c, struct str text, struct log_output *to)
{
	if (str_starts(text, STR("syslog:")))
		return read_syslog(c, str_skip(text, 7), to);
	if (str_starts(text, STR("memory:")))
		return conf_fault(c, "nginx was built without debug support");
	if (text.len == 0 || str_eq(text, STR("stderr")))
		*to = (struct log_output){ .kind = LOG_TO_STDERR };
	else
		*to = (struct log_output){ .kind = LOG_TO_FILE, .path = conf_prefix_path(c, text) };
	return true;
}

/* A level may be named once; words for parts may follow one another, but not a level. */
static bool read_level(struct conf *c, struct str word, struct log_use *use)
{
	unsigned at;

	if (position(LEVELS, word, &at)) {
		if (use->level != 0)
			return conf_fault(c, "duplicate log level \"%.*s\"", STR_ARG(word));
		use->level = (enum log_level)(at + 1);
		use->debug = use->level == LOG_DEBUG ? DEBUG_ALL : 0;
		return true;
	}
	if (!position(DEBUG_WORDS, word, &at) || (use->level != 0 && use->debug == 0) ||
	    use->debug == DEBUG_ALL)
		return conf_fault(c, "invalid log level \"%.*s\"", STR_ARG(word));
	use->level = LOG_DEBUG;
	use->debug |= 1u << at;
	return true;
}

static bool read_levels(struct conf *c, const struct words *w, struct log_use *use)
{
	for (size_t i = 2; i < w->len; i++)
		if (!read_level(c, w->at[i], use))
			return false;
	if (use->level == 0)
		use->level = LOG_ERROR;
	return true;
}

static bool same_output(const struct log_output *a, const struct log_output *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == LOG_TO_FILE)
		return str_eq(a->path, b->path);
	if (a->kind == LOG_TO_STDERR)
		return true;
	return addr_eq(&a->server, &b->server) && a->facility == b->facility && str_eq(a->tag, b->tag) &&
	       a->nohostname == b->nohostname;
}

/* The list with room for one more. */
static void *grown(struct arena *home, const void *list, size_t len, size_t each)
{
	void *more = arena_take(home, (len + 1) * each);

	if (len != 0)
		memcpy(more, list, len * each);
	return more;
}

/* The number of an output, a new one if nobody named it before. */
static size_t number_of(struct conf *c, const struct log_output *o)
{
	struct settings *top = scope_settings(conf_top(c), &error_log_module);

	for (size_t i = 0; i < top->outputs_len; i++)
		if (same_output(&top->outputs[i], o))
			return i;
	top->outputs = grown(conf_arena(c), top->outputs, top->outputs_len, sizeof(*o));
	top->outputs[top->outputs_len] = *o;
	return top->outputs_len++;
}

static void add_use(struct conf *c, struct settings *s, const struct log_use *use)
{
	struct log_use *at = grown(conf_arena(c), s->uses.at, s->uses.len, sizeof(*at));

	at[s->uses.len] = *use;
	s->uses = (struct log_uses){ at, s->uses.len + 1 };
}

static bool error_log_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct log_output output;
	struct log_use use = { 0 };

	(void)d;
	if (!read_output(c, w->at[1], &output) || !read_levels(c, w, &use))
		return false;
	use.output = number_of(c, &output);
	add_use(c, settings, &use);
	return true;
}

static void error_log_preset(struct conf *c, struct scope *in, void *settings)
{
	struct log_output output = { .kind = LOG_TO_STDERR };
	struct str file;
	int error;

	(void)in;
	if (!bundle_ask(conf_bundle(c), BUNDLE_FACT, STR("error_log"), &file, &error))
		file = STR("logs/error.log");
	if (!str_eq(file, STR("stderr")))
		output = (struct log_output){ .kind = LOG_TO_FILE, .path = conf_prefix_path(c, file) };
	add_use(c, settings, &(struct log_use){ .output = number_of(c, &output), .level = LOG_ERROR });
}

struct log_uses error_log_uses(const struct scope *s)
{
	const struct settings *own = scope_settings(s, &error_log_module);

	return own->uses;
}

const struct log_output *error_log_outputs(struct conf *c, size_t *len)
{
	const struct settings *top = scope_settings(conf_top(c), &error_log_module);

	*len = top->outputs_len;
	return top->outputs;
}
