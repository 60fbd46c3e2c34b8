/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question, one answer: who is this, and which server holds the mailbox?
 *
 * A question is answered exactly once or cancelled, and never from inside auth_ask. Whoever answers reads the
 * request's spans only until it has answered. What a source is to the chain stands in auth/kind.h.
 */
#pragma once
#include "auth/cache_ring.h"
#include "base/addr.h"
#include "base/log.h"
#include "conf/conf.h"
#include "loop/loop.h"
#include "talk/login.h"

struct vars; /* vars/vars.h: the facts of a session, asked for by name */

enum auth_verdict {
	AUTH_OK,      /* server or target, user and secret say where and how to log in */
	AUTH_DENIED,  /* `message` is for the client, after wait_ms; 0: send and close */
	AUTH_WAIT,    /* ask again after wait_ms */
	AUTH_BROKEN,  /* the source failed: temporary error; `cause` is for the log */
	AUTH_UNKNOWN, /* no user of this source; only between sources and the chain, never from auth_ask */
};

/* Why AUTH_DENIED; only for the log and for what the client is told. */
enum auth_failure {
	AUTH_FAILURE_CREDENTIALS, /* wrong, or nobody knows the user: the two are never told apart */
	AUTH_FAILURE_DISABLED,	  /* right, but the account is switched off */
	AUTH_FAILURE_EXPIRED,	  /* right, but the password has to be changed */
	AUTH_FAILURE_FORBIDDEN,	  /* right, but not from this network or for this protocol */
};

/* cache_ms when the source says nothing about it. */
#define AUTH_CACHE_AS_CONFIGURED UINT64_MAX

/* Begins with AUTH_ANSWER_INIT: a zeroed one would forbid that it is kept. */
struct auth_answer {
	enum auth_verdict verdict;
	/* AUTH_DENIED; at NULL: the usual words for `failure` */
	struct str message;
	enum auth_failure failure;
	/* AUTH_DENIED, at NULL when not given. Auth-Error-Code replaces SMTP's "535 5.7.0" and is a refusal;
	 * Auth-Error-SASL is base64 for the client before the refusal. */
	struct str error_code, error_sasl;
	uint64_t wait_ms; /* AUTH_WAIT: at least a second. Never more than ten minutes */
	/* Where to: an address; or, with AF_UNSPEC, `target`: the name of an upstream, host, host:port,
	 * unix:PATH; at NULL: where the configuration says. */
	struct addr server;
	struct str target;
	uint16_t port;		 /* of a target that names none; 0: the protocol's usual one */
	unsigned tls;		 /* towards it: 0 as configured, else 1 + an enum proxy_tls */
	struct str tls_name;	 /* the name that its certificate has to have; at NULL: as configured */
	struct str user, secret; /* replacements; at NULL: keep what the client said */
	struct str master;	 /* log in with this name, and `secret`, on behalf of the user; at NULL: no */
	enum sasl_method back_method; /* Auth-Method in the answer: xoauth2 or oauthbearer; else 0 */
	uint64_t cache_ms;    /* how long it may be kept; 0: not at all; or AUTH_CACHE_AS_CONFIGURED */
	bool cached;	      /* comes out of auth_cache: may be older than what the source says now */
	bool paced;	      /* AUTH_DENIED: wait_ms is auth_failure_delay, counted from the question */
	bool source_down;     /* AUTH_BROKEN: nobody gets an answer now, not this question alone */
	enum log_level level; /* of the cause */
	/* What the log says, safe to print: "auth http server 127.0.0.1:9000 timed out". AUTH_BROKEN has one;
	 * with AUTH_OK it tells why the answer is an old one; else NULL. */
	const char *cause;
};

#define AUTH_ANSWER_INIT .cache_ms = AUTH_CACHE_AS_CONFIGURED

/* What a source is told about TLS and a certificate; `on` false: plain connection, all else empty. */
struct auth_tls {
	bool on;
	struct str protocol, cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	struct str verify;	     /* SUCCESS, FAILED:reason, NONE; at NULL when none is asked for */
	struct str subject, issuer, serial, fingerprint; /* at NULL without a certificate */
	struct str certificate; /* PEM; at NULL without one, or when it is not to be passed on */
};

struct auth_source;
struct auth_request;
typedef void auth_done_fn(struct auth_request *r, const struct auth_answer *answer);

struct auth_request {
	const struct login *login;
	const struct vars *vars; /* for templates; NULL: there are none */
	const char *protocol;	 /* "imap" */
	struct str client_ip;
	struct str client_host; /* at NULL but for SMTP */
	struct str server_ip;	/* where the client came in; at NULL when that is no IP address */
	uint16_t client_port, server_port;
	struct str session_id;			  /* the same as in our log; at NULL: none */
	struct str proxy_addr, proxy_server_addr; /* from a PROXY header; at NULL without */
	uint16_t proxy_port, proxy_server_port;
	struct auth_tls tls;
	/* The mail server will want a password: the answer brings one where the client's is no use there. */
	bool needs_secret;
	bool placed; /* the configuration says where to: the answer need not */
	auth_done_fn *done;
	void *owner;
	struct auth_source *source; /* whom auth_ask asked last */
	struct cache_id cached_id;  /* what auth_cache found or would keep the answer by */
	void *state;		    /* the source's, while it works; NULL before and after */
};

/* The modules with the directives of the chain, of auth_cache, and with auth_http and those that begin with
 * that name. */
extern const struct module auth_module, auth_cache_module, auth_http_module;

/* Has this server block a source, of its own or from outside? */
bool auth_configured(const struct scope *server);

/* Is auth_http its only source, so that all is as with the proxy that we replace? */
bool auth_is_http_alone(const struct scope *server);

/* Connections to auth_http servers, shared by the sources of all generations of a worker. */
struct auth_pool;
struct auth_pool *auth_pool_new(struct loop *l);
void auth_pool_free(struct auth_pool *p);

/* Close the idle connections; when a generation ends or the worker goes. */
void auth_pool_flush(struct auth_pool *p);

/* What sources work with; all of it outlives them. */
struct auth_tools {
	struct loop *loop;
	struct auth_pool *pool;
	struct auth_helpers
		*helpers;	    /* the way to the helper processes (auth/pipe.h); NULL: there are none */
	const struct log *log;	    /* the server block's; NULL: none */
	struct resolver *resolver;  /* NULL: none */
	struct auth_shared *shared; /* memory for auth_cache; NULL: nothing is kept */
	struct str identity; /* of the configuration as a whole: what another one kept does not count */
	struct conf *conf;   /* the generation's */
	struct tls_shared *tls_shared;
	struct arena *home; /* the generation's */
};

/*
 * All that a server block asks: one source, or a chain of them in the order of the file. Lives as long as its
 * generation; no question may be under way when it is freed. NULL is allowed for auth_source_free.
 */
struct auth_source *auth_source_new(const struct auth_tools *tools, const struct scope *server);
void auth_source_free(struct auth_source *s);

/* Does a source want the client's certificate (auth_http_pass_client_cert)? */
bool auth_wants_certificate(const struct auth_source *s);

/* Ask. r->done comes once, later. */
void auth_ask(struct auth_source *s, struct auth_request *r);

/* Never mind: r->done will not come. Allowed for a request that is not under way. */
void auth_cancel(struct auth_request *r);

/*
 * The mail server refused what the last answer to this request said: it is not kept any longer. To be called
 * whenever a login fails for its credentials; does nothing where there is no cache.
 */
void auth_cache_drop(const struct auth_request *r);

/* Memory for the zones of auth_cache, made by the master before it forks. NULL when the system has no room
 * for it. NULL is allowed for the free. */
struct auth_shared *auth_shared_new(void);
void auth_shared_free(struct auth_shared *s);

/* Forget everything that is kept, or what belongs to one user (in any case of letters; at NULL: all): how
 * many answers. */
size_t auth_shared_flush(struct auth_shared *s, struct str user);

/* Is there room for the zone of this server block? If not, says so as a fault. `shared` may be NULL. */
bool auth_cache_claim(struct conf *c, struct auth_shared *shared, const struct scope *server);

/* The identity of a loaded configuration: a hash of its text. */
struct str auth_identity(struct conf *c, struct arena *home);
