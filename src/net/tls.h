/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS: the directives ssl_*, and contexts made from them. With base/digest.c the only files that see OpenSSL
 * are net/tls*.c.
 *
 * A context belongs to one generation. What must outlive it and be common to all workers (ticket keys, the
 * shared session cache) lies in a tls_shared, which the master makes before it forks.
 */
#pragma once
#include "base/log.h"
#include "conf/conf.h"
#include "net/stream.h"

struct tls_context;
struct tls_shared;

/* ssl_certificate … ssl_conf_command; a struct in each mail and server scope. */
extern const struct module tls_module;

/* Memory shared by all processes forked afterwards: ticket keys, and a session cache of `bytes` (0: none). A
 * later configuration makes do with it, however much it asks for. NULL with errno on failure. */
struct tls_shared *tls_shared_new(size_t bytes);
void tls_shared_free(struct tls_shared *s);

/* Are there certificates, and a key for each? `mode` names the directive that wants TLS ("listen ... ssl",
 * "starttls"), and file and line its place. False after conf_fault. */
bool tls_require(struct conf *c, const struct scope *server, const char *mode, const char *file,
		 unsigned line);

/*
 * The server context for a server block; certificates and keys come through the bundle. NULL after
 * conf_fault. `alpn` is a NULL-terminated list of accepted names, the first being preferred. Server blocks
 * never share sessions or tickets. Without `shared` the context can be made and freed, but serves nobody.
 */
struct tls_context *tls_server_context(struct conf *c, const struct scope *server, const char *const *alpn,
				       struct tls_shared *shared);

/* No stream may use it any more. NULL is allowed. */
void tls_context_free(struct tls_context *t);

/*
 * Several server blocks on one address, told apart by SNI: `names` (one per context; may begin with "*.",
 * which stands for one label or more) decide, the longest first; the first context is the default. Returns a
 * context for the listening address, to be freed before those it was given.
 */
struct tls_context *tls_by_name(struct tls_context *const *contexts, const struct str *names, size_t len);

enum tls_verify_mode { TLS_VERIFY_OFF, TLS_VERIFY_ON, TLS_VERIFY_OPTIONAL, TLS_VERIFY_OPTIONAL_NO_CA };
enum tls_verify_mode tls_verify_mode(const struct scope *server);

/* What became of a handshake. Spans live until the next call or the stream's end. */
struct tls_facts {
	struct str protocol, cipher; /* "TLSv1.3" */
	struct str server_name;	     /* SNI as sent, empty if none: any bytes but NUL */
	struct str alpn;
	bool resumed;
	bool certificate; /* the client showed one */
	bool verified;	  /* … it verifies, or only its issuer is unknown and that is allowed */
	long verify_code;
	const char *verify_text; /* OpenSSL's, for "FAILED:…" and the log */
};
void tls_facts(const struct stream *s, struct tls_facts *facts);

/* For the PROXY header: how the certificate that we showed is signed ("RSA-SHA256"), and its key
 * ("RSA2048"). Empty if we showed none. Spans live as long as the context. */
void tls_own_certificate(const struct stream *s, struct str *sig_alg, struct str *key_alg);

/* Which of the contexts given to tls_by_name served this stream; the only one otherwise. */
const struct tls_context *tls_chosen(const struct stream *s);

/* Details of the client's certificate into `home`; false without one. */
struct tls_certificate {
	struct str subject, issuer;	/* RFC 2253, printable ASCII */
	struct str serial, fingerprint; /* hex, the first upper case; SHA-1, lower case */
	struct str common_name;		/* UTF-8, as it stands there: may hold any byte */
	struct str pem;
};
bool tls_client_certificate(const struct stream *s, struct arena *home, struct tls_certificate *cert);

/* The login is over: what is read from now on holds no secret of ours, and is no longer wiped after reading;
 * and it may be bulk, so that several records are received at once. */
void tls_settle(const struct stream *s);

/* Forget the session so that it cannot be resumed (bad or missing certificate). A ticket that is out stays
 * good for the same certificate, or lack of one. */
void tls_forget_session(const struct stream *s);

/* Why the handshake, a read or a write failed, and how loud it is: what peers cause is LOG_INFO, what is our
 * own fault LOG_CRIT. */
enum log_level tls_failure(const struct stream *s, struct buf *to);
