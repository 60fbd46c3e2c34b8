/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups of mail servers: `upstream NAME { … }`, and nameless groups for the addresses and host names that a
 * configuration or an authentication source gives. A login walks through a group on a route: it asks for one
 * server after the other, says how each did, and keeps its place at the one where it stays.
 *
 * What is known about a server (who is there, how it did, when it may be tried) is shared by all workers and
 * outlives reloads; the lists of servers belong to one generation in one worker.
 */
#pragma once
#include "base/addr.h"
#include "base/log.h"
#include "conf/conf.h"
#include "loop/loop.h"
#include <sys/types.h>

struct resolver;
struct tls_shared;
struct upstream_group;
struct upstream_server;
struct upstream_shared;
struct upstreams;
struct vars;
struct peer_place;

/* upstream { server, least_conn, hash, random, … }; a struct in each upstream scope. */
extern const struct module upstream_module;

/* --- while a configuration is loaded ------------------------------------------------------------------- */

/*
 * Look up the host names of all upstream{} blocks through the bundle, unless a resolver will do it at run
 * time, and make what active checks need for TLS. Once for each configuration, behind its checks. False after
 * conf_fault_at. Whatever it said, upstream_unload gives it back, before the configuration goes.
 */
bool upstream_load(struct conf *c, bool with_resolver, struct tls_shared *tls);
void upstream_unload(struct conf *c);

/*
 * Can `target` (without variables) be routed to? An upstream of this configuration, an address, or a host
 * name: that is looked up through the bundle unless a resolver will do it. False after a fault about file and
 * line that names what is near.
 */
bool upstream_check_target(struct conf *c, struct str target, bool with_resolver, const char *file,
			   unsigned line);

/* --- for all processes --------------------------------------------------------------------------------- */

/* Memory for what workers share; made once, before the first fork. Never NULL. */
struct upstream_shared *upstream_shared_new(void);

/* NULL is allowed. The memory goes with the last process. */
void upstream_shared_free(struct upstream_shared *s);

/* The master: this process has died; its sessions are gone from the servers, its checks are for others. */
void upstream_shared_left(struct upstream_shared *s, pid_t pid);

/* --- for one generation in one worker ------------------------------------------------------------------ */

/*
 * All groups of the configuration. `resolver` may be NULL: then host names are those that the configuration
 * looked up. All that is given must outlive it; `shared` counts this process from now on.
 */
struct upstreams *upstreams_new(struct conf *c, struct loop *l, struct resolver *resolver,
				struct upstream_shared *shared, const struct log *log);

/* All routes must be closed; places that sessions keep stay good. NULL is allowed. */
void upstreams_free(struct upstreams *u);

/* Is there an upstream{} of this name? */
bool upstream_defined(const struct upstreams *u, struct str name);

/* The scope of the upstream{} that `target` names; NULL: it names none. Lives as long as the configuration.
 */
const struct scope *upstream_scope(const struct upstreams *u, struct str target);

/* --- for one login ------------------------------------------------------------------------------------- */

/* A server to try. What it points at lives until its route is closed. */
struct peer {
	struct addr addr;
	struct str name; /* as configured, with the port: "imap1.example.org:143"; for the log */
	struct str host; /* without the port and brackets: what its certificate must name; empty for unix: */
	const struct scope *scope; /* of the upstream{}; NULL for a nameless group */
};

struct route;

/* `peer` NULL: no server is left; route->complaint says why. */
typedef void route_fn(struct route *r, const struct peer *peer);

enum {
	ROUTE_TRIES_MAX = 32, /* servers for one login */
	ROUTE_COMPLAINT_MAX = 256,
	ROUTE_TARGET_MAX = 320, /* bytes of a target; longer ones are none */
};

enum route_outcome {
	ROUTE_GOOD,    /* the server does its work: the login is through, or refused for its credentials */
	ROUTE_FAILED,  /* counts for max_fails */
	ROUTE_NEUTRAL, /* tells nothing about the server */
};

enum route_state {
	ROUTE_CLOSED,
	ROUTE_ASKED,	  /* its task will look for a server */
	ROUTE_UNRESOLVED, /* waits for names */
	ROUTE_QUEUED,	  /* waits for its turn */
	ROUTE_TURN,	  /* that has come: its task will look for a server */
	ROUTE_ANSWERED,
};

/* Embedded in who asks; zeroed before the first use. All but `complaint` and `fn` are the route's own. */
struct route {
	char complaint[ROUTE_COMPLAINT_MAX]; /* printable; with a NULL peer, why: for the log */
	route_fn *fn;
	struct upstreams *upstreams;
	struct upstream_group *group;
	struct upstream_server *server; /* handed out last */
	struct peer_place *place;	/* there; NULL: given up or kept */
	struct route *next, **link;	/* in the list of those that wait */
	struct task task;
	struct peer peer;
	uint64_t hash;	/* of the key */
	uint64_t trial; /* the server handed out last was out of service, and is on trial; 0: it was not */
	uint32_t tried[ROUTE_TRIES_MAX];
	unsigned tried_len;
	enum route_state state;
	bool told; /* the outcome at `server` */
};

/*
 * Find the group that `target` means: the name of an upstream{}, else an address or a host name, with a port
 * or with `default_port`, or "unix:PATH"; any bytes are allowed. Then ask for its first server. `key` is what
 * users are told apart by where the group hashes and says no other, or `vars` is NULL. Neither of the
 * three is looked at later. The answer comes by `fn`, once, never from inside; or never after route_close.
 */
void route_open(struct route *r, struct upstreams *u, struct str target, uint16_t default_port,
		struct str key, const struct vars *vars, route_fn *fn);

/* Leave the server handed out last for the next one, which comes by fn. No server comes twice. */
void route_next(struct route *r);

/*
 * How the server handed out last did; only the first word about it counts, and none is neutral. `why` stands
 * in the log when ROUTE_FAILED takes it out of service; printable, NULL is allowed.
 */
void route_outcome(struct route *r, enum route_outcome outcome, const char *why);

/* The session stays where it is: its place, which route_close leaves alone. For peer_leave. */
struct peer_place *route_keep(struct route *r);

/* Done with it, at any time. A zeroed or closed route is allowed. */
void route_close(struct route *r);

/* The session that kept it has ended. NULL is allowed. */
void peer_leave(struct peer_place *place);
