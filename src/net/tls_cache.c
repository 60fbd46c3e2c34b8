/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared session cache: what clients without tickets resume, in memory common to all workers.
 *
 * Sessions lie one behind the other in a ring; a new one overwrites the oldest, so there is nothing to
 * allocate, to age or to compact. A position counts bytes since the beginning: an entry is there as long as
 * the head is less than a ring ahead of it. Each bucket of the table holds the position of its newest entry,
 * each entry that of the one before in its bucket; a chain ends where it leaves the ring. The numbers of
 * sessions are random and our own, so their first bytes serve as hash.
 *
 * Entries begin at multiples of eight and lie in one piece; at the end of the ring a gap is left when the
 * next one does not fit.
 */
#include "net/tls_inside.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include <openssl/ssl.h>
#include <string.h>

struct entry {
	uint64_t before; /* position of the next older one in the bucket */
	uint64_t until_s;
	uint32_t len; /* of the session, which follows; 0: dropped */
	uint8_t id_len;
	uint8_t id[TLS_ID_MAX];
	char session[];
};

enum { BUCKETS_MIN = 64, BYTES_A_SESSION = 256, NONE = 0 };

/* --- layout ---------------------------------------------------------------------------------------- */

static uint64_t power_below(uint64_t n)
{
	uint64_t p = 1;

	while (p <= n / 2)
		p *= 2;
	return p;
}

static uint64_t buckets_for(size_t bytes)
{
	uint64_t n = power_below(bytes / BYTES_A_SESSION);

	return bytes == 0 ? 0 : n < BUCKETS_MIN ? BUCKETS_MIN : n;
}

/* The ring has all the bytes that were asked for, at least one largest session's, and the buckets come on
 * top. */
static uint64_t ring_for(size_t bytes)
{
	enum { RING_MIN = 2 * TLS_SESSION_MAX };

	return bytes == 0 ? 0 : bytes < RING_MIN ? RING_MIN : bytes / 8 * 8;
}

size_t tls_cache_size(size_t bytes)
{
	return sizeof(struct tls_cache) + buckets_for(bytes) * sizeof(uint64_t) + ring_for(bytes);
}

/* Positions begin one ring further on, so that 0 is in no ring. */
static void clear(struct tls_cache *c)
{
	memset(c->memory, 0, c->buckets * sizeof(uint64_t) + c->ring_size);
	c->head = c->ring_size;
}

void tls_cache_init(struct tls_cache *c, size_t bytes)
{
	lock_init(&c->lock);
	c->buckets = buckets_for(bytes);
	c->ring_size = ring_for(bytes);
	c->head = c->ring_size;
}

static struct entry *entry_at(struct tls_cache *c, uint64_t position)
{
	return (void *)((char *)(c->memory + c->buckets) + position % c->ring_size);
}

static bool is_there(const struct tls_cache *c, uint64_t position)
{
	return position != NONE && position + c->ring_size >= c->head;
}

static uint64_t *bucket_of(struct tls_cache *c, struct str id)
{
	uint64_t hash = 0;

	memcpy(&hash, id.at, id.len < sizeof(hash) ? id.len : sizeof(hash));
	return &c->memory[hash & (c->buckets - 1)];
}

static void lock(struct tls_cache *c)
{
	if (lock_take(&c->lock))
		clear(c);
}

/* --- the three things to be done ------------------------------------------------------------------- */

/* Make room at the head: its position. */
static uint64_t reserve(struct tls_cache *c, size_t size)
{
	uint64_t at = c->head, rest = c->ring_size - at % c->ring_size;

	if (rest < size)
		at += rest;
	c->head = at + (size + 7) / 8 * 8;
	return at;
}

static struct entry *find(struct tls_cache *c, struct str id)
{
	for (uint64_t at = *bucket_of(c, id); is_there(c, at); at = entry_at(c, at)->before) {
		struct entry *e = entry_at(c, at);

		if (str_eq((struct str){ (const char *)e->id, e->id_len }, id))
			return e->len != 0 ? e : NULL;
	}
	return NULL;
}

void tls_cache_put(struct tls_cache *c, struct str id, struct str session, uint64_t until_s)
{
	uint64_t *bucket, at;
	struct entry *e;

	if (c->buckets == 0 || id.len == 0 || id.len > TLS_ID_MAX || session.len == 0 ||
	    session.len > TLS_SESSION_MAX)
		return;
	lock(c);
	at = reserve(c, sizeof(*e) + session.len);
	bucket = bucket_of(c, id);
	e = entry_at(c, at);
	*e = (struct entry){
		.before = *bucket, .until_s = until_s, .len = (uint32_t)session.len, .id_len = (uint8_t)id.len
	};
	memcpy(e->id, id.at, id.len);
	memcpy(e->session, session.at, session.len);
	*bucket = at;
	lock_give(&c->lock);
}

size_t tls_cache_get(struct tls_cache *c, struct str id, uint64_t now_s, char to[static TLS_SESSION_MAX])
{
	const struct entry *e;
	size_t len = 0;

	if (c->buckets == 0 || id.len == 0 || id.len > TLS_ID_MAX)
		return 0;
	lock(c);
	e = find(c, id);
	if (e != NULL && now_s < e->until_s) {
		len = e->len;
		memcpy(to, e->session, len);
	}
	lock_give(&c->lock);
	return len;
}

void tls_cache_drop(struct tls_cache *c, struct str id)
{
	struct entry *e;

	if (c->buckets == 0 || id.len == 0 || id.len > TLS_ID_MAX)
		return;
	lock(c);
	e = find(c, id);
	if (e != NULL) {
		mem_wipe(e->session, e->len);
		e->len = 0;
	}
	lock_give(&c->lock);
}

/* --- for the library ------------------------------------------------------------------------------- */

static uint64_t now(void)
{
	return clock_ms() / 1000;
}

static struct str id_of(const SSL_SESSION *session)
{
	unsigned len;
	const unsigned char *id = SSL_SESSION_get_id(session, &len);

	return (struct str){ (const char *)id, len };
}

/* Sessions of TLS 1.3 come by here too, but with tickets it is the client who keeps them. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
	const struct tls_context *t = tls_context_of(SSL_get_SSL_CTX(ssl));
	unsigned char text[TLS_SESSION_MAX], *end = text;
	int len;

	if (SSL_version(ssl) == TLS1_3_VERSION && !(SSL_get_options(ssl) & SSL_OP_NO_TICKET))
		return 0;
	len = i2d_SSL_SESSION(session, NULL);
	if (len <= 0 || len > TLS_SESSION_MAX)
		return 0;
	i2d_SSL_SESSION(session, &end);
	tls_cache_put(t->shared->cache, id_of(session), (struct str){ (const char *)text, (size_t)len },
		      now() + t->timeout_s);
	mem_wipe(text, (size_t)len);
	return 0;
}

static SSL_SESSION *fetch(SSL *ssl, const unsigned char *id, int len, int *copy)
{
	const struct tls_context *t = tls_context_of(SSL_get_SSL_CTX(ssl));
	char text[TLS_SESSION_MAX];
	const unsigned char *at = (const unsigned char *)text;
	SSL_SESSION *session = NULL;
	size_t n;

	*copy = 0;
	n = tls_cache_get(t->shared->cache, (struct str){ (const char *)id, (size_t)len }, now(), text);
	if (n != 0)
		session = d2i_SSL_SESSION(NULL, &at, (long)n);
	mem_wipe(text, n);
	return session;
}

static void forget(SSL_CTX *ssl, SSL_SESSION *session)
{
	tls_cache_drop(tls_context_of(ssl)->shared->cache, id_of(session));
}

void tls_cache_serve(struct ssl_ctx_st *ssl)
{
	SSL_CTX_sess_set_new_cb(ssl, keep);
	SSL_CTX_sess_set_get_cb(ssl, fetch);
	SSL_CTX_sess_set_remove_cb(ssl, forget);
}
