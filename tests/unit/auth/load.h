/* SPDX-License-Identifier: BSD-2-Clause */
/* Configurations for tests: text in, scope of the first server out, in a world where nothing but what is
 * put there exists. The test defines auth_kinds. */
#pragma once
#include "auth/kind.h"

#include "unit.h"
#include <string.h>

static const struct directive ROOMS[] = {
	{ .name = "mail", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_MAIL },
	{ .name = "server", .where = IN_MAIL, .flags = CONF_BLOCK | CONF_REPEATS, .opens = IN_SERVER },
	{ .name = NULL }
};

static const struct module ROOMS_MODULE = {
	.name = "rooms", .places = IN_MAIL | IN_SERVER, .size = sizeof(int), .directives = ROOMS
};

struct loaded {
	struct bundle *bundle;
	struct conf *conf; /* NULL: at fault */
	char said[4096];   /* faults and warnings, each ended by LF */
};

static void load_hear(void *to, enum log_level level, const char *text)
{
	struct loaded *l = to;
	size_t len = strlen(l->said);

	(void)level;
	snprintf(l->said + len, sizeof(l->said) - len, "%s\n", text);
}

static void load(struct loaded *l, const char *text)
{
	const struct module *modules[AUTH_SOURCES_MOST + 4] = { &ROOMS_MODULE, &auth_module,
								&auth_cache_module };
	struct conf_source source = {
		.modules = modules, .file = "/etc/t.conf", .prefix = "/etc/", .say = load_hear, .to = l
	};

	for (size_t i = 0; auth_kinds[i] != NULL; i++)
		modules[3 + i] = auth_kinds[i]->module;
	*l = (struct loaded){ .bundle = bundle_record() };
	bundle_put(l->bundle, BUNDLE_CONF, STR("/etc/t.conf"), str_of(text));
	bundle_put(l->bundle, BUNDLE_HOST, STR("auth.test"),
		   STR("192.0.2.1\0"
		       "2001:db8::1\0"
		       "192.0.2.2\0"));
	bundle_put(l->bundle, BUNDLE_HOST, STR("two.test"),
		   STR("127.0.0.2\0"
		       "127.0.0.1\0"));
	source.bundle = l->bundle;
	l->conf = conf_load(&source);
}

static void unload(struct loaded *l)
{
	conf_free(l->conf);
	bundle_free(l->bundle);
}

/* The nth server of the mail block. */
static struct scope *load_server(const struct loaded *l, int nth)
{
	struct scope *s = scope_first(scope_first(conf_top(l->conf), IN_MAIL), IN_SERVER);

	while (nth-- > 0)
		s = scope_next(s);
	return s;
}
