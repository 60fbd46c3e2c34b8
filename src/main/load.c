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

/* Room for TLS sessions, in memory that costs nothing until it is used: workers keep it over reloads, so it
 * does not follow the first configuration. */
enum { TLS_SESSIONS_SIZE = 32 << 20 };

void load_share(struct loader *l)
{
	l->shared = tls_shared_new(TLS_SESSIONS_SIZE);
	l->upstream_shared = upstream_shared_new();
	l->auth_shared = auth_shared_new();
	if (l->auth_shared == NULL)
		load_say(l, LOG_WARN, "mmap() for auth_cache failed (%d: %s), nothing is cached", errno,
			 strerror(errno));
}

void load_unshare(struct loader *l)
{
	tls_shared_free(l->shared);
	upstream_shared_free(l->upstream_shared);
	auth_shared_free(l->auth_shared);
}

void load_say(const struct loader *l, enum log_level level, const char *format, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	l->say(l->to, level, text);
}

/* While only testing nobody has made the memory for zones. */
static bool claim_zones(const struct loader *l, const struct generation *g)
{
	bool good = true;

	for (const struct server *s = g->servers; s != NULL; s = s->next)
		good &= auth_cache_claim(g->conf, l->auth_shared, s->scope);
	return good;
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
	if (g != NULL && l->auth_shared != NULL && !claim_zones(l, g)) {
		generation_free(g);
		return NULL;
	}
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
