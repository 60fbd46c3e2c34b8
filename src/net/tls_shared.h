/* SPDX-License-Identifier: BSD-2-Clause */
/* What processes share of TLS, keys of tickets and sessions, and what the links of one process share; private
 * to net/tls*.c. */
#pragma once
#include "base/lock.h"
#include "net/tls.h"

struct bio_st;
struct bio_method_st;
struct evp_cipher_st;
struct ssl_ctx_st;
struct tls_link;
struct tls_trust;

enum {
	TLS_TICKET_NAME = 16,
	TLS_TICKET_SECRET = 32,
	TLS_SESSION_MAX = 4096, /* a session larger than this (a huge client certificate) is not kept */
	TLS_ID_MAX = 32,	/* session ids */
};

struct tls_ticket_key {
	uint8_t name[TLS_TICKET_NAME];
	uint8_t mac[TLS_TICKET_SECRET], cipher[TLS_TICKET_SECRET];
	size_t secret; /* 16 or 32: how much of them counts */
};

/* Made by one process and tried by another: the lock survives the death of its holder, and what he left
 * half-done is thrown away. */
struct tls_tickets {
	pthread_mutex_t lock;
	uint64_t longest_s;	       /* life of the longest-lived session of any context so far */
	uint64_t since_s;	       /* when the first key was made; 0: there is none */
	uint64_t until_s;	       /* when the second key has served its time */
	struct tls_ticket_key keys[2]; /* the one that encrypts, and the one before it */
};

/* Sessions one behind the other in a ring, the oldest being overwritten, and found by a table of chains. */
struct tls_cache {
	pthread_mutex_t lock;
	uint64_t buckets;   /* a power of two; 0: no cache */
	uint64_t ring_size; /* bytes, a multiple of 8 */
	uint64_t head;	    /* where the next entry goes; counts bytes since the beginning */
	uint64_t memory[];  /* the buckets, then the ring */
};

struct tls_shared {
	struct tls_tickets *tickets; /* shared by processes, as is what it points at next */
	struct tls_cache *cache;
	size_t mapped; /* bytes, from `tickets` on */

	/* of this process alone */
	struct bio_method_st *method;
	struct bio_st *bio; /* the one way to sockets of all links; see tls_wire.c */
	struct evp_cipher_st *aes128, *aes256;
	struct tls_link *current; /* the link that the library works for at this moment */
	char *out;		  /* what it wrote for it and is not sent */
	size_t out_len;
	struct tls_trust *trusts; /* authorities that contexts have in common; see tls_trust.c */
};

/* --- tls_tickets.c --- */

void tls_tickets_init(struct tls_tickets *t);

/* Sessions of this length will be used: keys live so long that they serve them to their end. */
void tls_tickets_reach(struct tls_tickets *t, uint64_t session_s);

/* The key to encrypt with at `now_s`, made if it is time for a new one. */
void tls_tickets_current(struct tls_tickets *t, uint64_t now_s, struct tls_ticket_key *key);

/* The key of this name if it still serves, and whether it is the current one. */
bool tls_tickets_find(struct tls_tickets *t, uint64_t now_s, const uint8_t name[static TLS_TICKET_NAME],
		      struct tls_ticket_key *key, bool *current);

/* Read the file of a ssl_session_ticket_key. False unless it has 48 or 80 bytes. */
bool tls_ticket_key_read(struct str content, struct tls_ticket_key *key);

/* Have a context seal its tickets with its own keys or else those in shared memory. */
void tls_tickets_serve(struct ssl_ctx_st *ssl);

/* --- tls_cache.c --- */

/* How much memory a cache of `bytes` takes, and to make it there. */
size_t tls_cache_size(size_t bytes);
void tls_cache_init(struct tls_cache *c, size_t bytes);

/* Keep a session until `until_s`. */
void tls_cache_put(struct tls_cache *c, struct str id, struct str session, uint64_t until_s);

/* Copy a session that is still good at `now_s`: its length, 0 if there is none. */
size_t tls_cache_get(struct tls_cache *c, struct str id, uint64_t now_s, char to[static TLS_SESSION_MAX]);
void tls_cache_drop(struct tls_cache *c, struct str id);

/* Have a context keep its sessions there. */
void tls_cache_serve(struct ssl_ctx_st *ssl);
