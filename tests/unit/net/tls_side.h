/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two sides of a TLS conversation in one process: a configuration with our contexts on one end of a
 * socket pair, the library's own client on the other.
 */
#pragma once
#include "net/tls_inside.h"

#include "conf/conf.h"
#include "pki.h"
#include "unit.h"

/* A configuration in a world where only what is put there exists. Files lie in /etc. */
struct site {
	struct bundle *bundle;
	struct conf *conf; /* NULL: at fault */
	struct tls_shared *shared;
	bool borrowed;	 /* shared is another's */
	char said[8192]; /* faults and warnings, each ended by LF */
};

/* Begin with one of these; then put files; then load. `cache` bytes are shared. */
void site_init(struct site *s, size_t cache);

/* As after a reload: a new world, but the shared memory of the old one. */
void site_init_after(struct site *s, const struct site *before);
void site_file(struct site *s, const char *path, struct str content);

/* Load what stands inside of mail { }. */
void site_load(struct site *s, const char *mail);
void site_done(struct site *s);

/* The nth server, from 0. */
const struct scope *site_server(const struct site *s, int nth);

/* A context for it that speaks the protocol "imap"; NULL if it is at fault. */
struct tls_context *site_context(struct site *s, int nth);

/* Our link, as a stream has it, and a client on the other end. Both sockets do not block. */
struct pair {
	struct stream ours; /* nothing but .tls */
	SSL_CTX *about;	    /* what the client is like; may be changed before pair_client */
	SSL *theirs;
	int fd[2];	  /* ours, theirs */
	int their_reason; /* SSL_R_… of the client's failure to shake hands; 0: none */
};

void pair_open(struct pair *p, struct tls_context *context);

/* Make the client: SNI and ALPN (as in the extension, or NULL), and a session to resume, or NULL. */
struct pair_wish {
	const char *sni;
	const char *alpn;
	SSL_SESSION *resume;
	const struct card *card;
	int version; /* e.g. TLS1_2_VERSION; 0: any */
};

void pair_client(struct pair *p, const struct pair_wish *wish);
void pair_close(struct pair *p);

/* Let both shake hands until neither has anything to do: how it ended on our side. */
enum tls_progress pair_shake(struct pair *p);

/* Open, make the client, shake. */
enum tls_progress pair_meet(struct pair *p, struct tls_context *context, const struct pair_wish *wish);

/* Bytes from us to the client or back, waiting for nothing: how many came. */
size_t pair_say(struct pair *p, struct str what, char *to, size_t room);
size_t pair_hear(struct pair *p, struct str what, char *to, size_t room);

/* What the client may resume later, with the ticket that we sent; to be freed. */
SSL_SESSION *pair_session(struct pair *p);

/* Why our side failed. */
const char *pair_failure(struct pair *p, enum log_level *level);
