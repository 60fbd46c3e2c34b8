/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files net/tls*.c know of each other and nobody else does. OpenSSL's types stand here by their tags
 * only, so that this header, too, does without the library's.
 */
#pragma once
#include "net/tls.h"
#include "net/tls_link.h"
#include "net/tls_shared.h"
#include "net/tls_words.h"

struct ssl_ctx_st;
struct ssl_method_st;
struct ssl_st;
struct x509_st;

/* --- tls_conf.c: the directives --- */

/* ssl_session_cache. Without builtin and shared: `none`, which promises reuse and forgets, or `off`. */
struct tls_cache_choice {
	bool off;
	bool builtin, shared;
	uint64_t builtin_sessions;
	uint64_t shared_bytes;
	struct str shared_name;
};

enum { TLS_SSLV2 = 1, TLS_SSLV3 = 2, TLS_1_0 = 4, TLS_1_1 = 8, TLS_1_2 = 16, TLS_1_3 = 32 };

struct tls_settings {
	struct tls_words certificates, keys, ticket_keys;
	struct tls_words commands; /* name, value, name, value … */
	struct tls_word password_file, dhparam, client_ca, trusted_ca, crl, ciphers, curves;
	struct tls_cache_choice cache;
	unsigned protocols; /* TLS_… */
	unsigned verify;    /* enum tls_verify_mode */
	uint64_t verify_depth, timeout_s;
	bool prefer_server_ciphers, tickets, certificate_compression;
};

const struct tls_settings *tls_settings(const struct scope *s);

/* --- tls_error.c: the library's complaints as text --- */

/* " (SSL: error:… error:…)" from the library's queue, which is empty afterwards; nothing when it was. Returns
 * LOG_CRIT if they speak of our own trouble, LOG_INFO if of what a peer did. */
enum log_level tls_reasons_put(struct buf *to);

/* A word as it may be shown: what stands behind "data:" is left out, for it may be a secret key. */
struct str tls_shown(struct str word);

/* conf_fault_at about a word, with what the library has to say behind it. Always returns false. */
bool tls_fault(struct conf *c, const struct tls_word *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- tls_files.c: what stands in files, into a context. False after a fault --- */

bool tls_take_certificates(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_settings *settings);
bool tls_take_authorities(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_settings *settings);
bool tls_take_dhparam(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_word *file);

/* Trust the authorities in a text, as far as they can be read: how many there were. */
int tls_trust_text(struct ssl_ctx_st *ssl, struct str pem);

/* The content of a file named by a directive, or what stands behind "data:". NULL, or why not, in static or
 * the configuration's memory. */
const char *tls_read(struct conf *c, struct str name, struct str *content);

/* --- tls_compress*.c --- */

/* Compress certificates (RFC 8879) with what the library offers, or see to it that it does not. False when
 * it cannot compress at all. */
bool tls_compress_certificates(struct ssl_ctx_st *ssl, bool on);

/* FLIGHT: plaintext that one write takes. BULK: received at once in a relay, into memory that is given back
 * when all of it was decrypted; six records, and less than the 128 KiB from which on the allocator asks the
 * kernel for pages each time. */
enum { TLS_FLIGHT = 64 * 1024, TLS_BULK = 100 * 1024 };

/* --- tls_context.c --- */

struct tls_client;
struct tls_named;

/* One of a context's certificates, by the library's pointer. */
struct tls_own {
	const struct x509_st *certificate;
	struct str sig_alg, key_alg;
};

enum { TLS_OWN_MAX = 8 };

struct tls_context {
	struct arena *home;	/* of all of it, this struct too */
	struct ssl_ctx_st *ssl; /* NULL in one made by tls_by_name */
	struct tls_shared *shared;
	enum tls_verify_mode verify;
	uint64_t timeout_s;
	struct tls_ticket_key *ticket_keys; /* from files; none: those in shared memory */
	size_t ticket_keys_len;
	struct tls_own own[TLS_OWN_MAX];
	size_t own_len;
	struct str alpn;	 /* the names as they stand in the extension, each behind its length */
	struct tls_named *names; /* sorted, for tls_by_name */
	size_t names_len;
	const struct tls_context *fallback; /* for a name that is not among them */
	struct tls_client *client;	    /* NULL in a server's */
};

/* The context that an SSL_CTX belongs to. */
struct tls_context *tls_context_of(const struct ssl_ctx_st *ssl);

/* What contexts of both sides are made of. The latter two are false after a fault. */
struct tls_context *tls_context_new(const struct ssl_method_st *side, struct tls_shared *shared);
void tls_set_versions(struct ssl_ctx_st *ssl, unsigned protocols);
void tls_set_manners(struct ssl_ctx_st *ssl);
bool tls_set_ciphers(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_word *ciphers);
bool tls_take_commands(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_words *words);

/* --- tls_facts.c --- */

/* Note of each certificate of a context what tls_own_certificate will tell. */
void tls_note_own(struct tls_context *t);

/* --- tls_names.c --- */

/* The context for a name that a client asked for, or the fallback. */
const struct tls_context *tls_named(const struct tls_context *t, struct str name);

/* The host name in a server_name extension (RFC 6066 section 3); empty if there is none. */
struct str tls_name_in(struct str extension);

/* Have the library ask for the context as soon as it has the name. */
void tls_names_serve(struct ssl_ctx_st *ssl);

/* --- tls_wire.c, tls_link.c --- */

/* What a link needs only while the name that decides its context is not known. */
struct tls_opening {
	const struct tls_context *names; /* from tls_by_name */
	const struct tls_context *wish;	 /* found and not yet obeyed */
	struct buf heard;		 /* what came so far, to be told again to another context's session */
	size_t told;
};

enum {
	TLS_EMPTY = 1, /* the socket is known to hold nothing */
	TLS_LAST = 2,  /* its end is here, so a short receive proves nothing */
	TLS_HELD = 4,  /* `kept` was not refused by the socket but held back */
	TLS_OWED = 8,  /* the last write took one byte more than it said */
	TLS_EOF = 16,
	TLS_DEAD = 32, /* after a failure the library must not be called again */
	TLS_MUTE = 64, /* the socket takes nothing any more, but may still give */
};

struct tls_link {
	struct ssl_st *ssl;
	const struct tls_context *context;
	struct tls_opening *opening; /* NULL once the context is settled */
	char *kept;		     /* encrypted bytes to be sent before all others */
	uint32_t kept_len;
	uint32_t flags;
	int fd;
	int error;     /* errno of the last failure of the socket */
	char *failure; /* text for the log, NULL while all is well */
	enum log_level level;
	uint32_t visit; /* of a client: where its session is kept; 0: nowhere */
};

/* Say why a link fails, unless that was said before. */
void tls_blame(struct tls_link *t, enum log_level level, struct str why);

/* Make and drop what all links of a process share. */
bool tls_wire_init(struct tls_shared *s);
void tls_wire_done(struct tls_shared *s);

/* From here on the library works for `t`. */
void tls_wire_begin(struct tls_link *t);

/* Send what the socket refused before: false if that does not go, because it is full or (t->error) broken. */
bool tls_wire_push(struct tls_link *t);

/* Send what the library wrote since; what the socket refuses is kept. False as above. */
bool tls_wire_send(struct tls_link *t, int flags);

/* Keep all of it for the next write. */
void tls_wire_hold(struct tls_link *t);
