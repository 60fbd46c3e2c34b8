/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A login on its way to a mail server: what was named, what counts for the server being tried, and what must
 * be let go when the way ends. reach.c walks it.
 */
#pragma once
#include "mail/backend.h"
#include "talk/dialog.h"
#include "upstream/upstream.h"

struct server;
struct session;

/* How a login finds its server: what was named, and how far it has come. */
struct approach {
	struct str target;   /* an upstream, host[:port], unix:PATH; at NULL: `server_addr` is all there is */
	uint16_t port;	     /* of a target without one; 0: the protocol's */
	unsigned tls;	     /* as the source wants it: 0: as configured, else 1 + enum proxy_tls */
	struct str tls_name; /* what the server's certificate must name; empty: as configured */
	struct str master;   /* as the source wants it */
	struct route route;
	const struct peer *peer;		 /* the server being tried; NULL with an address alone */
	struct backend *group;			 /* its upstream{}; NULL: none */
	const struct backend_settings *settings; /* what counts for it */
	uint64_t began_ms;
	unsigned tries;
	bool lent;	  /* the secret for the server is not the one that the client said */
	bool admitted;	  /* a source has said yes to this very login */
	bool repeated;	  /* a server has seen the secret before the one being tried */
	bool spoke;	  /* the server has greeted */
	enum want wanted; /* what the back wants once its `out` is flushed */
};

/* reach.c: where proxy_pass sends this login; at NULL, with a line in the log, when it does not. */
struct str session_default_target(struct session *s);

/* reach.c: the auth source has said yes: find the way to the mail server and log in there. */
void session_reach(struct session *s);

/* May failures be told as they are, or must they be in the words of the proxy that we replace? */
bool session_is_modern(const struct session *s);

/* The way begins anew, for the client's next login. */
void session_new_approach(struct session *s);

/* The way has come to an end before the relay: the connection is closed, and the route with its place. */
void session_leave_server(struct session *s);

/* This server is tried next. */
void session_take_peer(struct session *s, const struct peer *peer);

/* How TLS is spoken to the servers of `group` (NULL: of no upstream{}) in sessions at `server`. */
enum proxy_tls server_tls_mode(const struct server *server, const struct scope *group);

/* The same for the server being tried, as the source may want it otherwise; the name that its certificate
 * must have, NULL when there is none that it could have; and whether it is shown a certificate of ours. */
enum proxy_tls session_tls_mode(const struct session *s);
const char *session_tls_name(struct session *s);
bool session_shows_certificate(const struct session *s);

/* As whom to log in. proxy_login, once for each login: false, and logged, when no name is left. Then
 * proxy_user and proxy_password_file, for the server being tried: false when nobody has vouched for the
 * client. */
bool session_rewrite_login(struct session *s);
bool session_take_master(struct session *s);

/* The server has let the client in: the place there is the session's. */
void session_keep_place(struct session *s);
