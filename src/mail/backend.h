/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mail{}, server{} and upstream{} say about the way to the mail server: where sessions go (proxy_pass),
 * as whom they log in there, how long that may take, and when the next server is tried.
 *
 * What an upstream{} says itself is about its servers and goes before what the server{} says
 * (scope_settings_over); all else comes from the server{}.
 */
#pragma once
#include "conf/conf.h"
#include "net/tls.h"
#include "net/tls_client.h"
#include "vars/vars.h"

enum proxy_header { PROXY_HEADER_OFF, PROXY_HEADER_V1, PROXY_HEADER_V2 };

struct backend_settings {
	const struct template *pass;  /* proxy_pass; NULL: the authentication source tells */
	const struct template *login; /* proxy_login; NULL: as the client or the source said */
	uint64_t port;		      /* of servers that name none; 0: the protocol's */
	bool lower_case;
	struct str user;     /* proxy_user; empty: nobody */
	struct str password; /* of proxy_password_file; at NULL: the login's own */
	uint64_t connect_timeout_ms;
	bool next;			      /* try the next server */
	uint64_t next_tries, next_timeout_ms; /* 0: no limit */
	unsigned header;		      /* enum proxy_header */
};

extern const struct module backend_module;

/* A scope that says how servers are spoken to: a server{} or an upstream{}, ready for use. */
struct backend {
	const struct scope *scope;
	const struct backend_settings *settings;
	enum proxy_tls tls_mode;
	struct tls_context *tls;
	bool owns_tls; /* others may share it */
	struct backend *next;
};

/* The one of the two that says how TLS is spoken. `group` is the upstream{} of the server being tried, NULL
 * for none. */
struct backend *backend_of_tls(struct backend *server, struct backend *group);
