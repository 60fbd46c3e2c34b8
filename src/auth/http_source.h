/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The servers of one auth_http directive as a worker asks them: their addresses, now, and how a connection to
 * each is secured.
 *
 * All addresses of all servers stand in one row of places, in the order of the configuration; a question
 * begins at the place that answered last and goes around.
 */
#pragma once
#include "auth/http_conf.h"
#include "auth/http_request.h"
#include "auth/kind.h"
#include "net/resolve.h"

struct http_source;

struct http_server {
	const struct http_server_conf *conf;
	struct http_source *source;
	struct http_frame frame;
	const char *name;   /* to expect in its certificate; NULL: plain */
	struct addr *addrs; /* as configured, or newer; on the heap when newer */
	size_t addrs_len;
	bool newer;
	uint64_t fresh_until; /* in loop time: until then nobody is asked for its addresses */
	struct resolve_query query;
};

struct http_source {
	struct auth_source base;
	struct auth_pool *pool;
	const struct http_conf *conf;
	struct loop *loop;
	struct resolver *resolver; /* NULL: addresses stay as configured */
	struct tls_context *tls;   /* NULL: no server wants it */
	struct http_server *servers;
	size_t servers_len;
	size_t good;	  /* the place that answered last */
	uint64_t answers; /* that have come */
};

/* Where a question may be asked. */
struct http_place {
	const struct http_server *server;
	const struct addr *addr;
};

/* Fill in a zeroed source, from the settings of a server block. */
void http_source_init(struct http_source *s, const struct auth_tools *tools, const struct scope *server);

/* Give back what is not in the generation's arena. Its connections must be closed. */
void http_source_done(struct http_source *s);

/* How many places there are now, at least one; and the nth of them, counted around. */
size_t http_places(const struct http_source *s);
struct http_place http_place(const struct http_source *s, size_t n);

/* A question is about to be asked: see whether host names have other addresses by now. What comes of it
 * serves later questions. */
void http_source_refresh(struct http_source *s);
