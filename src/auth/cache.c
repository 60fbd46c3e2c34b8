/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache as a source in front of others; see cache.h.
 *
 * An asker is a waiter: for a record that was found, whose answer comes at the end of the turn, or for a
 * flight, a question under way. Everybody who asks the same while it lasts waits for the same flight. The
 * sources see the first waiter's request; when that one is cancelled, the next waiter's is asked anew.
 *
 * What is found was sealed with a key that only the right password gives, so neither the memory of the zone
 * nor a wrong password opens it. Each answer is one of its own: a yes for a password is dropped when the
 * sources say no to it, and the newest yes of a question takes the place of the one before it. So after a
 * change of the password neither an old no bars the new one, nor does an old yes answer for it.
 *
 * Who asks and finds the sources unable is given a yes that is past its time. When they are unable to answer
 * anybody (auth_answer.source_down), everybody is given it at once for DOWN_MS: nobody else waits for the
 * same timeout. Trouble with one question says nothing about others, which a client could provoke to keep
 * what is old alive. This is known to each worker for itself.
 */
#include "auth/cache.h"

#include "auth/cache_key.h"
#include "auth/cache_record.h"
#include "auth/chain.h"
#include "auth/kind.h"
#include "base/mem.h"
#include "base/must.h"
#include <stdlib.h>
#include <string.h>

enum { TABLE = 256, DOWN_MS = 5000, CAUSE_MOST = 512 };

struct flight;

struct cache {
	struct auth_source base;
	struct auth_source *inner;
	const struct cache_conf *conf;
	const struct auth_conf *auth;
	struct cache_zone zone;
	struct loop *loop;
	struct str server; /* which block, and of which configuration */
	uint64_t down_until_ms;
	struct buf why; /* they were unable, for the log; ends in a NUL */
	struct flight *table[TABLE];
};

/* What the cache has to know of a request. */
struct asked {
	struct cache_id id;
	uint8_t seal[SEAL_KEY];
	uint64_t flushes[2]; /* of the rings, when it was asked */
};

struct waiter {
	struct auth_request *request;
	struct cache *cache;
	struct flight *flight; /* NULL: the answer is in `found` */
	struct waiter *next, **link;
	uint64_t began_ms;
	struct task tell;
	struct buf found; /* a record */
	bool stale;
};

struct flight {
	struct auth_request inner; /* of the first waiter */
	struct cache *cache;
	struct asked asked;
	struct waiter *first, **end;
	struct flight *next, **link;
};

static void cache_ask(struct auth_source *s, struct auth_request *r), cache_cancel(struct auth_request *r);
static void cache_free(struct auth_source *s);
static bool cache_wants_certificate(const struct auth_source *s);

static const struct auth_kind CACHE = { .name = "cache",
					.methods = ~0u,
					.ask = cache_ask,
					.cancel = cache_cancel,
					.free = cache_free,
					.wants_certificate = cache_wants_certificate };

/* --- life --- */

struct auth_source *auth_cache_new(const struct auth_tools *tools, const struct scope *server,
				   struct auth_source *inner)
{
	const struct cache_conf *conf = cache_conf(server);
	struct cache_zone zone;
	struct cache *c;

	if (conf->zone.bytes == 0 || tools->shared == NULL ||
	    !auth_shared_zone(tools->shared, conf->zone.name, conf->zone.bytes, &zone))
		return inner;
	c = arena_take(tools->home, sizeof(*c));
	c->base.kind = &CACHE;
	c->inner = inner;
	c->conf = conf;
	c->auth = auth_conf(server);
	c->zone = zone;
	c->loop = tools->loop;
	c->server = arena_format(tools->home, "%s:%u %.*s", scope_file(server), scope_line(server),
				 STR_ARG(tools->identity));
	buf_init_in(&c->why, tools->home, CAUSE_MOST);
	return &c->base;
}

static void cache_free(struct auth_source *s)
{
	auth_source_free(((struct cache *)s)->inner);
}

static bool cache_wants_certificate(const struct auth_source *s)
{
	return auth_wants_certificate(((const struct cache *)s)->inner);
}

/* --- records --- */

static struct cache_ring *ring_for(const struct cache *c, enum auth_verdict v)
{
	return v == AUTH_OK ? c->zone.granted : c->zone.denied;
}

/* A refusal that says that it is temporary, or that is no more than "not now" as SMTP servers say it to
 * strangers, is not kept unless the source wants it. */
static bool is_lasting(const struct auth_answer *a, enum sasl_method method)
{
	bool temporary = a->error_code.len != 0 && a->error_code.at[0] == '4';

	return a->verdict == AUTH_OK || (!temporary && method != SASL_NONE);
}

/* How long to keep it; 0: not at all. A token says nothing about its own end, so only the source can. */
static uint64_t life_of(const struct cache *c, const struct auth_answer *a, enum sasl_method method)
{
	if (a->cache_ms != AUTH_CACHE_AS_CONFIGURED)
		return a->cache_ms;
	if ((method & (SASL_XOAUTH2 | SASL_OAUTHBEARER)) || !is_lasting(a, method))
		return 0;
	return a->verdict == AUTH_OK ? c->conf->valid.ok_ms : c->conf->valid.denied_ms;
}

static void keep(struct cache *c, const struct asked *q, enum sasl_method method, const struct auth_answer *a)
{
	uint64_t ms = life_of(c, a, method), now = loop_now(c->loop);
	struct cache_life life = { now + ms, now + ms + (a->verdict == AUTH_OK ? c->conf->stale_ms : 0) };
	char sealed[CACHE_RECORD_MOST];
	struct buf text;

	/* what was true until now is not */
	cache_ring_drop(ring_for(c, a->verdict == AUTH_OK ? AUTH_DENIED : AUTH_OK), &q->id);
	buf_init(&text, CACHE_RECORD_MOST - SEAL_MORE);
	if (ms == 0 || ms > UINT64_MAX / 4 || !cache_record_write(a, &text)) {
		cache_ring_drop(ring_for(c, a->verdict), &q->id);
	} else {
		seal_put(q->seal, buf_text(&text), sealed);
		cache_ring_put(ring_for(c, a->verdict), q->flushes[a->verdict == AUTH_OK], &q->id, life,
			       (struct str){ sealed, text.len + SEAL_MORE });
	}
	buf_done(&text);
}

/* Find the record of a ring, opened, and whether it is past its time. */
static bool fetch(const struct cache *c, const struct asked *q, enum auth_verdict v, struct buf *record,
		  bool *stale)
{
	char sealed[CACHE_RECORD_MOST];
	uint64_t now = loop_now(c->loop);
	struct cache_life life;
	size_t len = cache_ring_get(ring_for(c, v), &q->id, &life, sealed);

	if (len == 0 || now >= life.stale_until_ms)
		return false;
	*stale = now >= life.until_ms;
	buf_clear(record);
	if (!seal_open(q->seal, (struct str){ sealed, len }, buf_space(record, len)))
		return false;
	buf_grew(record, len - SEAL_MORE);
	return true;
}

/* --- answering --- */

static struct auth_request *release(struct waiter *w)
{
	struct auth_request *r = w->request;

	r->state = NULL;
	if (w->flight != NULL) {
		*w->link = w->next;
		if (w->next != NULL)
			w->next->link = w->link;
		else
			w->flight->end = w->link;
	}
	loop_cancel(w->cache->loop, &w->tell);
	buf_done(&w->found);
	free(w);
	return r;
}

/* A refusal is held back as long as it would be had the source said it now. */
static void tell(struct waiter *w, struct auth_answer a)
{
	const struct cache *c = w->cache;
	struct auth_request *r;

	if (a.paced)
		a.wait_ms = auth_pace(c->auth->failure_delay_ms, w->began_ms, loop_now(c->loop));
	r = release(w);
	r->done(r, &a);
}

/* The answer of a record, with memory that lives until it was told. */
static void tell_found(struct waiter *w)
{
	struct cache *c = w->cache;
	struct buf record = w->found, cause;
	struct auth_answer a;

	buf_init(&cause, CAUSE_MOST + 64);
	buf_init(&w->found, 0);
	must(cache_record_read(buf_text(&record), &a));
	a.cached = true;
	if (w->stale) {
		buf_format(&cause, "%s; answered out of auth_cache",
			   c->why.len != 0 ? c->why.at : "no source");
		buf_put_byte(&cause, '\0');
		a.cause = cause.at;
		a.level = LOG_WARN;
	}
	tell(w, a);
	buf_done(&cause);
	buf_done(&record);
}

static void found(struct task *k)
{
	tell_found(CONTAINER(k, struct waiter, tell));
}

/* --- flights --- */

static struct flight **slot_of(struct cache *c, const struct cache_id *id)
{
	return &c->table[id->asked[0] % TABLE];
}

static struct flight *flight_find(struct cache *c, const struct cache_id *id)
{
	struct flight *f = *slot_of(c, id);

	while (f != NULL && memcmp(f->asked.id.asked, id->asked, CACHE_ID) != 0)
		f = f->next;
	return f;
}

/* From here nobody joins it. */
static void flight_unlink(struct flight *f)
{
	*f->link = f->next;
	if (f->next != NULL)
		f->next->link = f->link;
}

static void flight_free(struct flight *f)
{
	mem_wipe(&f->asked, sizeof(f->asked));
	free(f);
}

static void join(struct flight *f, struct waiter *w)
{
	w->flight = f;
	w->link = f->end;
	*f->end = w;
	f->end = &w->next;
}

static void note_failure(struct cache *c, const struct auth_answer *a)
{
	if (a->source_down)
		c->down_until_ms = loop_now(c->loop) + DOWN_MS;
	buf_clear(&c->why);
	buf_put(&c->why, (struct str){ a->cause, strlen(a->cause) + 1 });
	if (c->why.full)
		buf_clear(&c->why);
}

/* The sources were unable: is there an old answer? */
static bool has_old(struct flight *f, struct buf *record)
{
	bool stale;

	return fetch(f->cache, &f->asked, AUTH_OK, record, &stale);
}

static void answer_all(struct flight *f, const struct auth_answer *a, struct buf *record)
{
	while (f->first != NULL) {
		struct waiter *w = f->first;

		if (record->len == 0) {
			tell(w, *a);
			continue;
		}
		buf_set(&w->found, buf_text(record));
		w->stale = true;
		tell_found(w);
	}
}

static void answered(struct auth_request *inner, const struct auth_answer *a)
{
	struct flight *f = inner->owner;
	struct cache *c = f->cache;
	struct buf record;

	buf_init(&record, CACHE_RECORD_MOST);
	flight_unlink(f);
	if (a->verdict == AUTH_OK || a->verdict == AUTH_DENIED)
		keep(c, &f->asked, inner->login->method, a);
	if (a->verdict == AUTH_BROKEN) {
		note_failure(c, a);
		if (!has_old(f, &record))
			buf_clear(&record);
	} else {
		c->down_until_ms = 0;
	}
	answer_all(f, a, &record);
	buf_done(&record);
	flight_free(f);
}

/* Ask with the first waiter's request. */
static void take_off(struct flight *f)
{
	f->inner = *f->first->request;
	f->inner.done = answered;
	f->inner.owner = f;
	f->inner.state = NULL;
	auth_ask(f->cache->inner, &f->inner);
}

static void flight_new(struct cache *c, const struct asked *q, struct waiter *w)
{
	struct flight *f = mem_new(sizeof(*f)), **slot = slot_of(c, &q->id);

	f->cache = c;
	f->asked = *q;
	f->end = &f->first;
	f->next = *slot;
	f->link = slot;
	if (f->next != NULL)
		f->next->link = &f->next;
	*slot = f;
	join(f, w);
	take_off(f);
}

/* --- asking --- */

/* Is there an answer in the zone that may be given now? */
static bool look_up(const struct cache *c, const struct asked *q, struct waiter *w)
{
	bool down = loop_now(c->loop) < c->down_until_ms;

	if (fetch(c, q, AUTH_OK, &w->found, &w->stale) && (!w->stale || down))
		return true;
	buf_done(&w->found);
	w->stale = false;
	return fetch(c, q, AUTH_DENIED, &w->found, &w->stale);
}

static void cache_ask(struct auth_source *s, struct auth_request *r)
{
	struct cache *c = (struct cache *)s;
	struct waiter *w;
	struct flight *f;
	struct asked q;

	r->cached_id = (struct cache_id){ 0 };
	if (!cache_may_keep(r->login->method)) {
		auth_ask(c->inner, r);
		return;
	}
	cache_key(c->zone.key, c->server, r, c->conf->ignore, &q.id, q.seal);
	q.flushes[true] = cache_ring_flushes(c->zone.granted);
	q.flushes[false] = cache_ring_flushes(c->zone.denied);
	r->cached_id = q.id;
	w = mem_new(sizeof(*w));
	*w = (struct waiter){ .request = r, .cache = c, .began_ms = loop_now(c->loop), .tell.fn = found };
	buf_init(&w->found, CACHE_RECORD_MOST);
	r->state = w;
	f = flight_find(c, &q.id);
	if (look_up(c, &q, w))
		loop_later(c->loop, &w->tell);
	else if (f != NULL)
		join(f, w);
	else
		flight_new(c, &q, w);
	mem_wipe(&q, sizeof(q));
}

static void cache_cancel(struct auth_request *r)
{
	struct waiter *w = r->state;
	struct flight *f = w->flight;
	bool asks = f != NULL && f->first == w && f->inner.state != NULL;

	release(w);
	if (!asks)
		return;
	auth_cancel(&f->inner);
	if (f->first != NULL) {
		take_off(f);
		return;
	}
	flight_unlink(f);
	flight_free(f);
}

void auth_cache_drop(const struct auth_request *r)
{
	const struct cache *c;

	if (r->source == NULL || r->source->kind != &CACHE)
		return;
	c = (const struct cache *)r->source;
	cache_ring_drop(c->zone.granted, &r->cached_id);
	cache_ring_drop(c->zone.denied, &r->cached_id);
}
