/* SPDX-License-Identifier: BSD-2-Clause */
/* See scene.h. */
#include "scene.h"

#include "net/tls_client.h"
#include "talk/protocol.h"
#include "vars/vars.h"
#include <string.h>
#include <sys/mman.h>

uint64_t scene_now_ms = 1000000;
struct resolver *scene_resolver;

uint64_t __wrap_clock_ms(void);

uint64_t __wrap_clock_ms(void)
{
	return scene_now_ms;
}

/* As much of a protocol as checks look at. */
static const struct protocol IMAP = { .module = { .name = "imap" }, .name = "imap", .ports = { 143, 993 } };

const struct protocol *const protocols[] = { &IMAP, NULL };

static const struct directive ROOMS[] = {
	{ .name = "mail", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_MAIL },
	/* a server{}, whose name the rows of upstream{} have */
	{ .name = "site", .where = IN_MAIL, .flags = CONF_BLOCK | CONF_REPEATS, .opens = IN_SERVER },
	{ .name = NULL }
};

static const struct module ROOMS_MODULE = {
	.name = "rooms", .places = IN_MAIL, .size = sizeof(int), .directives = ROOMS
};

static void hear(void *to, enum log_level level, const char *text)
{
	struct scene *s = to;
	size_t len = strlen(s->said);

	(void)level;
	snprintf(s->said + len, sizeof(s->said) - len, "%s\n", text);
}

void scene_load(struct scene *s, const char *text)
{
	const struct module *modules[] = { &ROOMS_MODULE, &vars_module, &upstream_module, &proxy_tls_module,
					   NULL };
	struct conf_source source = {
		.modules = modules, .file = "/etc/t.conf", .prefix = "/etc/", .say = hear, .to = s
	};
	size_t room = strlen(text) + 16;
	char *all = malloc(room);

	snprintf(all, room, "mail { %s }", text);
	*s = (struct scene){ .bundle = bundle_record() };
	bundle_put(s->bundle, BUNDLE_CONF, STR("/etc/t.conf"), str_of(all));
	bundle_put(s->bundle, BUNDLE_FILE, STR("/secret"), STR("secret\n"));
	bundle_put(s->bundle, BUNDLE_HOST, STR("one.test"), STR("10.1.0.1\0"));
	bundle_put(s->bundle, BUNDLE_HOST, STR("two.test"),
		   STR("10.2.0.1\0"
		       "2001:db8::2\0"));
	source.bundle = s->bundle;
	s->conf = conf_load(&source);
	free(all);
}

void scene_unload(struct scene *s)
{
	if (s->conf != NULL)
		upstream_unload(s->conf);
	conf_free(s->conf);
	bundle_free(s->bundle);
}

void scene_open_again(struct scene *s, const char *text, struct upstream_shared *shared)
{
	scene_load(s, text);
	assert_string_equal(s->said, "");
	assert_true(upstream_load(s->conf, scene_resolver != NULL, s->tls));
	s->loop = loop_new();
	s->log_fd = memfd_create("log", 0);
	s->sink = log_sink_file(s->log_fd, LOG_DEBUG);
	s->log = (struct log){ .level = LOG_DEBUG, .sinks_len = 1, .sinks = &s->sink };
	s->shared = shared;
	s->upstreams = upstreams_new(s->conf, s->loop, scene_resolver, s->shared, &s->log);
}

void scene_open(struct scene *s, const char *text)
{
	scene_open_again(s, text, upstream_shared_new());
}

void scene_close(struct scene *s)
{
	upstreams_free(s->upstreams);
	upstream_shared_free(s->shared);
	loop_free(s->loop);
	log_sink_free(s->sink);
	close(s->log_fd);
	scene_unload(s);
}

/* Tasks that wait for other tasks are done after so many turns. */
enum { TURNS = 4 };

static void turn(struct scene *s)
{
	for (int i = 0; i < TURNS; i++)
		loop_turn(s->loop, 0);
}

void scene_pass(struct scene *s, uint64_t ms)
{
	scene_now_ms += ms;
	turn(s);
}

const char *scene_log(struct scene *s)
{
	char raw[8192], *line, *rest = raw;
	ssize_t got = pread(s->log_fd, raw, sizeof(raw) - 1, 0);

	assert_true(got >= 0);
	raw[got] = '\0';
	s->logged[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		size_t len = strlen(s->logged);
		int level_len = (int)(strchr(line, ']') + 1 - strchr(line, '['));

		snprintf(s->logged + len, sizeof(s->logged) - len, "%.*s %s\n", level_len, strchr(line, '['),
			 strstr(line, ": ") + 2);
	}
	assert_int_equal(ftruncate(s->log_fd, 0), 0);
	assert_int_equal(lseek(s->log_fd, 0, SEEK_SET), 0);
	return s->logged;
}

static void answered(struct route *r, const struct peer *peer)
{
	struct walk *w = CONTAINER(r, struct walk, route);

	w->answers++;
	w->at[0] = '\0';
	w->name[0] = '\0';
	if (peer == NULL)
		return;
	addr_text(&peer->addr, w->at);
	snprintf(w->name, sizeof(w->name), "%.*s", STR_ARG(peer->name));
}

const char *walk_open(struct walk *w, struct scene *s, const char *target, const char *key)
{
	*w = (struct walk){ .at = "?" };
	route_open(&w->route, s->upstreams, str_of(target), 143, str_of(key), NULL, answered);
	assert_int_equal(w->answers, 0);
	turn(s);
	return w->at;
}

const char *walk_next(struct walk *w, struct scene *s)
{
	unsigned before = w->answers;

	strcpy(w->at, "?");
	route_next(&w->route);
	assert_int_equal(w->answers, before);
	turn(s);
	return w->at;
}

const char *walk_once(struct walk *w, struct scene *s, const char *target, const char *key,
		      enum route_outcome outcome)
{
	walk_open(w, s, target, key);
	route_outcome(&w->route, outcome, "test");
	route_close(&w->route);
	return w->at;
}
