/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a login to its server: see approach.c and reach.c. Seen by the session's own files only. */
#pragma once
#include "mail/backend.h"
#include "net/tls_client.h"
#include "talk/dialog.h"
#include "upstream/upstream.h"

struct session;

/* How a login finds its server: what was named, and how far it has come; reach.c's. */
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
	bool repeated;	  /* a server has seen the secret before the one being tried */
	bool spoke;	  /* the server has greeted */
	enum want wanted; /* what the back wants once its `out` is flushed */
};

/* reach.c: where proxy_pass sends this login; at NULL, with a line in the log, when it does not. */
struct str session_default_target(struct session *s);

/* reach.c: the auth source has said yes: find the way to the mail server and log in there. */
void session_reach(struct session *s);

/* approach.c: may failures be told as they are, or must they be in the words of the proxy that we replace? */
bool session_is_modern(const struct session *s);

/* approach.c: the way begins anew, for the client's next login; this server is tried next. */
void session_new_approach(struct session *s);
void session_take_peer(struct session *s, const struct peer *peer);

/* approach.c: about the server being tried. NULL: there is no name that it could have. */
enum proxy_tls session_tls_mode(const struct session *s);
const char *session_tls_name(struct session *s);
bool session_shows_certificate(const struct session *s);

/* approach.c: as whom to log in: proxy_login, once for each login; proxy_user, for the server being tried. */
void session_rewrite_login(struct session *s);
bool session_take_master(struct session *s);

/* approach.c: the server has let the client in. */
void session_keep_place(struct session *s);
