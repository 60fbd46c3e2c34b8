/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups at work, as the files of this folder see them: a group has an origin for each `server` line, an
 * origin a server for each of its addresses. Private to this folder.
 */
#pragma once
#include "net/resolve.h"
#include "upstream/conf.h"
#include "upstream/health.h"
#include "upstream/upstream.h"

enum {
	GROUP_BUCKETS = 256,
	GROUPS_MAX = 1024, /* of one worker and generation; the one that was not used longest makes room */
};

struct upstream_server {
	struct origin *origin;
	struct addr addr;
	struct str text; /* of the address, for the log; a NUL stands behind it */
	uint8_t key[SHARED_KEY];
	uint64_t identity;	      /* for hashing */
	uint32_t id;		      /* no other server of this worker ever has the same */
	unsigned users;		      /* routes that point here */
	bool dropped;		      /* its address is no more: the last user frees it */
	struct upstream_server *next; /* in its origin */

	/* of one choice, while memory is locked */
	struct shared_entry *entry; /* outside of that: where it was */
	bool eligible;
	uint64_t weight, active, wait_ms;
};

struct origin {
	struct upstream_group *group;
	const struct server_conf *conf;
	struct str name; /* with the port */
	uint16_t port;
	struct upstream_server *servers;
	/* of host names that a resolver knows */
	bool by_name;
	bool answered; /* at least once */
	bool stale;    /* the answer has served its time, and nobody asked for another yet */
	bool asking;
	bool awaited; /* a login asked for it, and the answer is to come */
	bool used;    /* by logins since it was asked for */
	enum resolve_status status;
	struct resolve_query query;
	struct timer refresh;
};

struct routes {
	struct route *first, **end;
	size_t len;
};

struct upstream_group {
	struct upstreams *upstreams;
	struct arena *home;
	const struct group_conf *conf;
	const struct scope *scope; /* NULL: nameless */
	struct str name;	   /* of the upstream{}, or the target without its port; any letters' case */
	uint16_t port;		   /* what is used where a server has none; 0: all have */
	struct origin *origins;
	size_t origins_len;
	unsigned pins;				/* routes and checks: it stays */
	struct routes unresolved;		/* wait for names */
	struct routes queue;			/* wait for login_rate */
	struct timer turn;			/* when the next of these may go */
	struct upstream_group *next;		/* in its bucket */
	struct upstream_group *younger, **line; /* by use */
};

struct upstreams {
	struct conf *conf;
	struct loop *loop;
	struct resolver *resolver;
	struct upstream_shared *shared;
	const struct log *log;
	struct upstream_group *buckets[GROUP_BUCKETS], *oldest, **youngest;
	size_t groups_len;
	uint32_t last_id;
	struct checker *checkers;
	uint64_t chance; /* state of what `random` throws */
};

/* Visit the servers of a group: begin with NULL; NULL at the end. */
struct upstream_server *group_next(const struct upstream_group *g, const struct upstream_server *s);

/* --- group.c ------------------------------------------------------------------------------------------- */

/* The group for a target, made if need be. NULL after writing why not into `complaint`. */
struct upstream_group *group_find(struct upstreams *u, struct str target, uint16_t default_port,
				  char complaint[static ROUTE_COMPLAINT_MAX]);

/* The group of an upstream{}. */
struct upstream_group *group_of_scope(struct upstreams *u, const struct scope *scope, uint16_t default_port);

struct upstream_server *server_new(struct origin *o, const struct addr *a);

/* Its address is no more, or its group. */
void server_drop(struct upstream_server *s);

/* A route points at it, or does no more. */
void server_use(struct upstream_server *s);
void server_release(struct upstream_server *s);

/* 64 bits that tell texts apart. */
uint64_t hash_text(struct str text, uint64_t seed);

/* --- names.c ------------------------------------------------------------------------------------------- */

/* The addresses that the configuration knows, or none yet. */
void origin_begin(struct origin *o);
void origin_end(struct origin *o);

/* A login comes along: have names looked up that are unknown or out of date. */
void names_use(struct upstream_group *g);

/* Must a login wait for names? Where it is hashed it waits for all of them. */
bool names_pending(const struct upstream_group *g);

/* Is there any name that may bring further servers? */
bool names_awaited(const struct upstream_group *g);

/* One that has no address, and why: for the complaint. NULL if there is none. */
const struct origin *names_missing(const struct upstream_group *g);

/* --- choose.c ------------------------------------------------------------------------------------------ */

enum choice_result {
	CHOICE_MADE,
	CHOICE_WAIT, /* there are servers, but it is too early for one more login */
	CHOICE_NONE,
};

struct choice_made {
	struct upstream_server *server;
	struct peer_place *place;
	uint64_t trial;	  /* of health_try */
	uint64_t wait_ms; /* of CHOICE_WAIT */
	const char *why;  /* of CHOICE_NONE; static */
};

/* The next server for a login, with its place there. */
enum choice_result choose(struct upstream_group *g, const struct route *r, uint64_t now_ms,
			  struct choice_made *made);

/* --- routes of a group: route.c ------------------------------------------------------------------------ */

void routes_init(struct routes *q);

/* Names have come: those that waited for them look again. */
void routes_resolved(struct upstream_group *g);

/* It is time for the first in the queue. */
void routes_turn(struct timer *t);
