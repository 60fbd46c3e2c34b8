/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question, one answer: who is this, and which server holds the mailbox?
 *
 * A question is answered exactly once or cancelled, and never from inside auth_ask. Whoever answers (the auth_http client now, a chain of sources later)
 * reads the request's spans only until it has answered.
 */
#pragma once
#include "base/addr.h"
#include "base/log.h"
#include "conf/conf.h"
#include "loop/loop.h"
#include "talk/login.h"

enum auth_verdict {
	AUTH_OK,			/* server, user and secret say where and how to log in */
	AUTH_DENIED,			/* message is for the client; wait_ms before it is sent, 0: send and close */
	AUTH_WAIT,			/* ask again after wait_ms */
	AUTH_BROKEN,			/* the source failed: temporary error; `cause` is for the log */
};

struct auth_answer {
	enum auth_verdict verdict;
	struct str message;		/* AUTH_DENIED */
	struct str error_code;		/* Auth-Error-Code: replaces "535 5.7.0" in SMTP; at NULL when not given */
	struct str error_sasl;		/* Auth-Error-SASL: base64 for the client before the refusal; at NULL when not given */
	uint64_t wait_ms;
	struct addr server;
	struct str user, secret;	/* replacements; at NULL: keep what the client said */
	enum sasl_method back_method;	/* Auth-Method in the answer: xoauth2, oauthbearer; 0 otherwise */
	enum log_level level;		/* AUTH_BROKEN: of the cause */
	const char *cause;		/* AUTH_BROKEN: complete text for the log, safe to print: "auth http server 127.0.0.1:9000 timed out" */
};

/* What a source is told about a certificate and TLS; `on` false: plain connection, all else empty. */
struct auth_tls {
	bool on;
	struct str protocol, cipher;	/* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	struct str verify;		/* SUCCESS, FAILED:reason, NONE; at NULL when certificates are not asked for */
	struct str subject, issuer, serial, fingerprint;	/* at NULL without a certificate */
	struct str certificate;		/* PEM; at NULL when there is none or it is not to be passed on */
};

struct auth_request;
typedef void auth_done_fn(struct auth_request *r, const struct auth_answer *answer);

struct auth_request {
	const struct login *login;
	const char *protocol;		/* "imap" */
	struct str client_ip;
	struct str client_host;		/* at NULL but for SMTP */
	struct str proxy_addr, proxy_server_addr;	/* from a PROXY header; at NULL without */
	uint16_t proxy_port, proxy_server_port;
	struct auth_tls tls;
	auth_done_fn *done;
	void *owner;
	void *state;			/* the source's, while it works */
};

/* A loaded source, made from one server block's settings; lives as long as its generation. */
struct auth_source;

/* The module with auth_http, auth_http_timeout, auth_http_header, auth_http_pass_client_cert. */
extern const struct module auth_http_module;

/* Does this scope have a source? */
bool auth_configured(const struct scope *server);

/* Make the source for a server block. Sources with equal address share their kept connections through `pool`. */
struct auth_pool;
struct auth_pool *auth_pool_new(struct loop *l);
void auth_pool_free(struct auth_pool *p);

/* Close the idle connections; when a generation ends or the worker goes. */
void auth_pool_flush(struct auth_pool *p);
struct auth_source *auth_source_new(struct auth_pool *pool, const struct scope *server, struct arena *home);

/* Does the source want the client's certificate (auth_http_pass_client_cert)? */
bool auth_wants_certificate(const struct auth_source *s);

/* Ask. r->done comes once, later. */
void auth_ask(struct auth_source *s, struct auth_request *r);

/* Never mind: r->done will not come. Allowed for a request that is not under way. */
void auth_cancel(struct auth_request *r);
