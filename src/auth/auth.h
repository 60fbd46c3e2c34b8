/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question, one answer: who is this, and which server holds the mailbox?
 *
 * A question is answered exactly once or cancelled, and never from inside auth_ask. Whoever answers (the
 * auth_http client now, a chain of sources later) reads the request's spans only until it has answered.
 */
#pragma once
#include "base/addr.h"
#include "base/log.h"
#include "conf/conf.h"
#include "loop/loop.h"
#include "talk/login.h"

enum auth_verdict {
	AUTH_OK,     /* server, user and secret say where and how to log in */
	AUTH_DENIED, /* `message` is for the client, after wait_ms; 0: send and close */
	AUTH_WAIT,   /* ask again after wait_ms */
	AUTH_BROKEN, /* the source failed: temporary error; `cause` is for the log */
};

struct auth_answer {
	enum auth_verdict verdict;
	struct str message; /* AUTH_DENIED */
	/* AUTH_DENIED, at NULL when not given. Auth-Error-Code replaces SMTP's "535 5.7.0" and is a refusal;
	 * Auth-Error-SASL is base64 for the client before the refusal. */
	struct str error_code, error_sasl;
	uint64_t wait_ms; /* AUTH_WAIT: at least a second. Never more than ten minutes */
	struct addr server;
	struct str user, secret;      /* replacements; at NULL: keep what the client said */
	enum sasl_method back_method; /* Auth-Method in the answer: xoauth2 or oauthbearer; else 0 */
	enum log_level level;	      /* AUTH_BROKEN: of the cause */
	/* AUTH_BROKEN: what the log says, safe to print: "auth http server 127.0.0.1:9000 timed out" */
	const char *cause;
};

/* What a source is told about TLS and a certificate; `on` false: plain connection, all else empty. */
struct auth_tls {
	bool on;
	struct str protocol, cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	struct str verify;	     /* SUCCESS, FAILED:reason, NONE; at NULL when none is asked for */
	struct str subject, issuer, serial, fingerprint; /* at NULL without a certificate */
	struct str certificate; /* PEM; at NULL without one, or when it is not to be passed on */
};

struct auth_request;
typedef void auth_done_fn(struct auth_request *r, const struct auth_answer *answer);

struct auth_request {
	const struct login *login;
	const char *protocol; /* "imap" */
	struct str client_ip;
	struct str client_host;			  /* at NULL but for SMTP */
	struct str proxy_addr, proxy_server_addr; /* from a PROXY header; at NULL without */
	uint16_t proxy_port, proxy_server_port;
	struct auth_tls tls;
	/* The mail server will want a password: the answer brings one where the client's is no use there. */
	bool needs_secret;
	auth_done_fn *done;
	void *owner;
	void *state; /* the source's, while it works; NULL before and after */
};

/* A loaded source, made from one server block's settings; lives as long as its generation. */
struct auth_source;

/* The module with auth_http and the directives that begin with that name. */
extern const struct module auth_http_module;

/* Does this scope have a source? */
bool auth_configured(const struct scope *server);

/* Make the source for a server block. Sources with equal address share their kept connections by `pool`. */
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
