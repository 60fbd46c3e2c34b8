/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation: one loaded configuration as sessions use it. Each session holds its generation; when a newer
 * one has come and the last session is gone, it is freed.
 *
 * Master and workers make it from the same bundle with the same code, so the order of listeners and logs is
 * the same on both sides: that order is how descriptors find their place.
 */
#pragma once
#include "auth/auth.h"
#include "auth/helper_order.h"
#include "loop/loop.h"
#include "mail/backend.h"
#include "mail/settings.h"
#include "net/tls.h"
#include "upstream/upstream.h"

struct generation;
struct listener;
struct house;

/* One server{} block, ready for use. */
struct server {
	const struct mail_settings *settings;
	const struct protocol *protocol;
	const void *protocol_settings;
	struct generation *generation;
	struct tls_context *tls; /* of this block; NULL: no TLS here */
	enum tls_verify_mode verify;
	struct auth_source *auth; /* NULL: the mail server is the judge */
	struct backend *backend;
	bool modern;		   /* goes beyond the proxy that we replace: see session_is_modern */
	struct resolver *resolver; /* NULL: none */
	struct log log, debug_log; /* the second takes everything: for debug_connection */
	struct str name;	   /* the first server_name */
	const struct scope *scope;
	struct server *next;
};

/* An address that a server listens on: found by the local address of a connection. */
struct door {
	const struct endpoint *endpoint;
	struct server *server;
	struct tls_context
		*tls;	   /* of all servers that share this address, by SNI; NULL: plain until STARTTLS */
	struct str text;   /* "0.0.0.0:143", for the log */
	struct door *also; /* further servers at this very address, told apart by SNI */
	struct door *next;
};

/* A bound socket, with one door, or several when a wildcard takes in narrower addresses. */
struct listener {
	struct addr addr;
	struct listen_options options;
	struct door *doors;
	int fd; /* -1 until attached */
	struct listener *next;
};

struct generation {
	struct conf *conf;
	struct bundle *bundle;
	struct tls_shared *tls_shared;
	struct arena *arena;
	struct server *servers;
	struct backend *backends; /* of all server{} and upstream{} */
	struct listener *listeners;
	struct resolver *resolver;   /* of mail{}; NULL: none there, or not furnished */
	struct upstreams *upstreams; /* NULL until furnished */
	struct log log;		     /* of the main level */
	int *log_fds;		     /* of the log targets, in their order; NULL until attached */
	struct auth_helpers helpers; /* what its sources want of helper processes */
	uint64_t number;
	size_t sessions;     /* that live by it */
	struct house *house; /* where it grows old; NULL as long as sessions begin with it */
	struct timer late;   /* worker_shutdown_timeout: armed when no more sessions begin with it */
	struct generation *next;
};

/*
 * Take a loaded configuration apart into servers and listeners, TLS contexts included. Owns conf and bundle
 * from then on. NULL when something was at fault (conf's say has heard it).
 */
struct generation *generation_new(struct conf *conf, struct bundle *bundle, struct tls_shared *shared);

/* Workers: give servers their auth sources and resolvers, and the generation its upstreams. Of `tools`, loop,
 * home, identity and resolver are filled in. */
void generation_furnish(struct generation *g, struct loop *loop, const struct auth_tools *tools,
			struct upstream_shared *shared);

/* Close what was attached and free everything. NULL is allowed. */
void generation_free(struct generation *g);

/* logs.c: how many log targets (files, stderr, syslog servers) have to be opened for it, and the descriptors
 * for them, which it owns from then on. */
size_t generation_log_files(const struct generation *g);
void generation_attach_logs(struct generation *g, const int *fds, size_t len);

void generation_free_logs(struct generation *g);

/* `fds` are new descriptors for the log targets of `newest`: let those of `g` with the same name continue
 * there. They stay the caller's. */
void generation_reopen_logs(struct generation *g, const struct generation *newest, const int *fds);

/* The door for a connection that arrived at `l`: by its local address when there is a choice. */
const struct door *listener_door(const struct listener *l, int fd);

/* Would a connection to this address come back to us? */
bool generation_listens(const struct generation *g, const struct addr *a);

/* The one of an upstream{}. */
struct backend *generation_backend(const struct generation *g, const struct scope *upstream);

/* After a handshake with SNI: the server whose context was chosen at this door. */
struct server *door_server(const struct door *d, const struct tls_context *chosen);
