/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading; see load.h. The worker takes the file's name and -g from the same command line, so only answers
 * travel. */
#include "main/load.h"

#include "main/core.h"
#include "main/modules.h"
#include "main/staff.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void load_say(const struct loader *l, enum log_level level, const char *format, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	l->say(l->to, level, text);
}

static struct generation *load(const struct loader *l, struct bundle *bundle)
{
	struct conf_source source = {
		.modules = modules,
		.bundle = bundle,
		.file = l->options->conf_file,
		.prefix = l->options->prefix,
		.globals = l->options->globals,
		.say = l->say,
		.to = l->to,
	};
	struct conf *conf = conf_load(&source);
	struct generation *g = NULL;

	if (conf == NULL)
		bundle_free(bundle);
	else
		g = generation_new(conf, bundle, l->shared);
	if (g != NULL && l->read != NULL)
		l->read(l->to);
	if (g != NULL && !core_complete(conf)) {
		generation_free(g);
		g = NULL;
	}
	return g;
}

struct generation *load_recorded(const struct loader *l)
{
	struct bundle *bundle = bundle_record();
	struct generation *g;

	if (l->options->error_log != NULL)
		bundle_note(bundle, STR("error_log"), str_of(l->options->error_log));
	g = load(l, bundle);
	if (g == NULL || staff_can_serve(g, l))
		return g;
	generation_free(g);
	return NULL;
}

struct generation *load_replayed(const struct loader *l, int memfd)
{
	struct bundle *bundle = bundle_replay(memfd);

	if (bundle == NULL) {
		load_say(l, LOG_EMERG, "cannot read the configuration bundle (%d: %s)", errno,
			 strerror(errno));
		return NULL;
	}
	return load(l, bundle);
}
