/* SPDX-License-Identifier: BSD-2-Clause */
/* The servers of an auth_http directive; see http_source.h. */
#include "auth/http_source.h"

#include "base/mem.h"
#include "net/tls_client.h"
#include <stdlib.h>
#include <string.h>

/* The resolver keeps answers by their TTL, so asking it is cheap; a name that cannot be resolved just now
 * keeps the addresses it had. */
enum { FRESH_MS = 1000, RESOLVE_MS = 30000 };

static void init_server(struct http_source *s, struct http_server *to, const struct http_server_conf *conf,
			const struct auth_tools *tools)
{
	*to = (struct http_server){ .conf = conf, .source = s };
	to->frame = http_frame_make(s->conf, conf, tools->conf, tools->home);
	to->addrs = (struct addr *)(uintptr_t)conf->addrs;
	to->addrs_len = conf->addrs_len;
	to->name = conf->tls ? conf->name : NULL;
}

void http_source_init(struct http_source *s, const struct auth_tools *tools, const struct scope *server)
{
	const struct http_conf *conf = http_conf(server);
	bool tls = false;

	s->pool = tools->pool;
	s->conf = conf;
	s->loop = tools->loop;
	s->resolver = tools->resolver;
	s->servers_len = conf->servers.len;
	s->servers = arena_take(tools->home, s->servers_len * sizeof(*s->servers));
	for (size_t i = 0; i < s->servers_len; i++) {
		init_server(s, &s->servers[i], &conf->servers.at[i], tools);
		tls = tls || conf->servers.at[i].tls;
	}
	if (tls)
		s->tls = http_tls_context(tools->conf, server, tools->tls_shared);
}

void http_source_done(struct http_source *s)
{
	for (size_t i = 0; i < s->servers_len; i++) {
		resolve_cancel(&s->servers[i].query);
		if (s->servers[i].newer)
			free(s->servers[i].addrs);
	}
	tls_context_free(s->tls);
}

size_t http_places(const struct http_source *s)
{
	size_t len = 0;

	for (size_t i = 0; i < s->servers_len; i++)
		len += s->servers[i].addrs_len;
	return len;
}

struct http_place http_place(const struct http_source *s, size_t n)
{
	const struct http_server *server = s->servers;

	n %= http_places(s);
	for (; n >= server->addrs_len; server++)
		n -= server->addrs_len;
	return (struct http_place){ server, &server->addrs[n] };
}

/* ---- names ---- */

static void resolved(struct resolve_query *q, const struct resolve_answer *a)
{
	struct http_server *server = CONTAINER(q, struct http_server, query);
	struct addr *addrs;

	if (a->status != RESOLVE_OK || a->addrs_len == 0)
		return;
	addrs = mem_array(a->addrs_len, sizeof(*addrs));
	for (size_t i = 0; i < a->addrs_len; i++) {
		addrs[i] = a->addrs[i];
		addrs[i].port = server->conf->port;
	}
	if (server->newer)
		free(server->addrs);
	server->addrs = addrs;
	server->addrs_len = a->addrs_len;
	server->newer = true;
}

void http_source_refresh(struct http_source *s)
{
	uint64_t now = loop_now(s->loop);

	if (s->resolver == NULL)
		return;
	for (size_t i = 0; i < s->servers_len; i++) {
		struct http_server *server = &s->servers[i];

		if (!server->conf->by_name || now < server->fresh_until || server->query.link != NULL)
			continue;
		server->fresh_until = now + FRESH_MS;
		resolve_host(s->resolver, &server->query, str_of(server->conf->name), RESOLVE_MS, resolved);
	}
}
