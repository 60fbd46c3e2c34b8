/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver; see resolve.h. The messages are dns.c's, and resolve_carrier.c brings them to the servers and
 * back.
 *
 * A lookup is one question with all who wait for its answer; for addresses it is two queries (A and AAAA),
 * and both must be in. Once answered it stays for as long as the answer is good. Answers are handed out in a
 * task at the end of the turn, so no callback ever comes from inside the asking call.
 */
#include "net/resolve.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "net/dns.h"
#include "net/resolve_carrier.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS = 1024,
	KEPT_MAX = 4096,      /* answers */
	NOT_FOUND_MS = 10000, /* how long it is believed that there is no answer … */
	FAILED_MS = 2000,     /* … or that there is none now */
	TTL_MOST_S = 86400,
};

enum kind { OF_NAME, OF_ADDRESS };

struct part {
	struct lookup *lookup;
	enum dns_type type;
};

struct lookup {
	struct resolver *resolver;
	struct lookup *next;		/* in its bucket */
	struct lookup *younger, **line; /* among the answered ones; line != NULL: is there */
	struct lookup *next_done;	/* among those to be handed out */
	struct resolve_query *waiting;
	struct part parts[2];
	unsigned open; /* parts that are not answered */
	enum kind kind;
	enum resolve_status status;
	bool failed; /* a part has no answer now, but may have one later */
	bool done;   /* is to be handed out */
	uint64_t until_ms;
	uint32_t ttl_s;
	struct addr *addrs;
	size_t addrs_len;
	struct buf name; /* of the answer */
	size_t key_len;
	char key[]; /* lower case */
};

struct resolver {
	struct loop *loop;
	struct carrier *carrier;
	uint64_t valid_ms;
	bool no_ipv4, no_ipv6;
	uint64_t seed;
	struct lookup *buckets[BUCKETS];
	struct lookup *oldest, **youngest;
	size_t kept;
	struct lookup *done;
	struct lookup *bad; /* for questions that cannot be asked */
	struct task hand_out;
	bool handing_out;
};

/* --- words ----------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	unsigned number;
} STATUSES[] = {
	[RESOLVE_OK] = { "Success", 0 },
	[RESOLVE_FORMAT] = { "Format error", 1 },
	[RESOLVE_SERVFAIL] = { "Server failure", 2 },
	[RESOLVE_NOT_FOUND] = { "Host not found", 3 },
	[RESOLVE_UNIMPLEMENTED] = { "Unimplemented", 4 },
	[RESOLVE_REFUSED] = { "Operation refused", 5 },
	[RESOLVE_TIMEOUT] = { "Operation timed out", ETIMEDOUT },
	[RESOLVE_BAD_NAME] = { "Invalid host name", EINVAL },
};

const char *resolve_status_text(enum resolve_status status)
{
	return STATUSES[status].text;
}

unsigned resolve_status_number(enum resolve_status status)
{
	return STATUSES[status].number;
}

static enum resolve_status status_of_rcode(unsigned rcode)
{
	return rcode <= RESOLVE_REFUSED ? (enum resolve_status)rcode : RESOLVE_SERVFAIL;
}

/* --- lookups --------------------------------------------------------------------------------------- */

static struct lookup **bucket_of(struct resolver *r, enum kind kind, struct str key)
{
	uint64_t hash = r->seed ^ (uint64_t)kind;

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (uint8_t)key.at[i]) * 0x100000001b3;
	return &r->buckets[(hash ^ hash >> 32) % BUCKETS];
}

static struct str key_of(const struct lookup *k)
{
	return (struct str){ k->key, k->key_len };
}

static struct lookup *lookup_new(struct resolver *r, enum kind kind, struct str key)
{
	struct lookup *k = mem_new(sizeof(*k) + key.len), **bucket = bucket_of(r, kind, key);

	*k = (struct lookup){
		.resolver = r, .next = *bucket, .kind = kind, .ttl_s = TTL_MOST_S, .key_len = key.len
	};
	memcpy(k->key, key.at, key.len);
	buf_init(&k->name, 4 * DNS_NAME_MAX);
	*bucket = k;
	return k;
}

static void lookup_free(struct lookup *k)
{
	must(k->waiting == NULL);
	buf_done(&k->name);
	free(k->addrs);
	free(k);
}

static void leave_line(struct lookup *k)
{
	struct resolver *r = k->resolver;

	if (k->line == NULL)
		return;
	*k->line = k->younger;
	if (k->younger != NULL)
		k->younger->line = k->line;
	else
		r->youngest = k->line;
	k->line = NULL;
	r->kept--;
}

static void join_line(struct lookup *k)
{
	struct resolver *r = k->resolver;

	k->line = r->youngest;
	*r->youngest = k;
	r->youngest = &k->younger;
	r->kept++;
}

static void forget(struct lookup *k)
{
	struct lookup **at = bucket_of(k->resolver, k->kind, key_of(k));

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	leave_line(k);
	lookup_free(k);
}

static bool is_good(const struct lookup *k)
{
	return loop_now(k->resolver->loop) < k->until_ms;
}

/* The oldest answers make room for new ones; before that, those go that are out of date at the head of the
 * line. */
static void sweep(struct resolver *r)
{
	struct lookup *k;

	while ((k = r->oldest) != NULL && !k->done && (!is_good(k) || r->kept > KEPT_MAX))
		forget(k);
}

static struct lookup *find(struct resolver *r, enum kind kind, struct str key)
{
	struct lookup *k = *bucket_of(r, kind, key);

	while (k != NULL && (k->kind != kind || !str_eq(key_of(k), key)))
		k = k->next;
	return k;
}

static void to_be_handed_out(struct lookup *k)
{
	struct resolver *r = k->resolver;

	if (k->done)
		return;
	k->done = true;
	k->next_done = r->done;
	r->done = k;
	loop_later(r->loop, &r->hand_out);
}

/* --- answers --------------------------------------------------------------------------------------- */

static enum resolve_status take_name(struct lookup *k, const struct dns_answer *a)
{
	struct str name = { a->name, a->name_len };

	if (!a->has_name)
		return RESOLVE_NOT_FOUND;
	if (a->name_is_host)
		buf_put(&k->name, name);
	else
		visible_put(&k->name, name, DNS_NAME_MAX);
	return a->name_is_host ? RESOLVE_OK : RESOLVE_BAD_NAME;
}

static enum resolve_status take_addrs(struct lookup *k, const struct dns_answer *a)
{
	size_t n = a->addrs_len;

	if (n == 0)
		return RESOLVE_NOT_FOUND;
	k->addrs = mem_resize(k->addrs, (k->addrs_len + n) * sizeof(*k->addrs));
	memcpy(k->addrs + k->addrs_len, a->addrs, n * sizeof(*k->addrs));
	k->addrs_len += n;
	return RESOLVE_OK;
}

static enum resolve_status take(struct lookup *k, enum dns_type type, struct str message)
{
	struct dns_answer a;

	if (!dns_read(message, key_of(k), type, &a))
		return RESOLVE_FORMAT;
	if (a.rcode != 0)
		return status_of_rcode(a.rcode);
	if (a.ttl_s < k->ttl_s)
		k->ttl_s = a.ttl_s;
	return k->kind == OF_ADDRESS ? take_name(k, &a) : take_addrs(k, &a);
}

/* One part has an answer, the other perhaps not: an address is better than none, and a failure is more than
 * nothing. */
static void add_status(struct lookup *k, enum resolve_status status)
{
	if (status != RESOLVE_OK && status != RESOLVE_NOT_FOUND && status != RESOLVE_BAD_NAME)
		k->failed = true;
	if (k->addrs_len != 0)
		k->status = RESOLVE_OK;
	else if (k->status == RESOLVE_OK || k->status == RESOLVE_NOT_FOUND)
		k->status = status;
}

static uint64_t good_for(const struct lookup *k)
{
	if (k->failed)
		return FAILED_MS;
	if (k->status == RESOLVE_NOT_FOUND)
		return NOT_FOUND_MS;
	return k->resolver->valid_ms != 0 ? k->resolver->valid_ms : (uint64_t)k->ttl_s * 1000;
}

static void answered(void *arg, enum resolve_status status, struct str message)
{
	struct part *p = arg;
	struct lookup *k = p->lookup;

	add_status(k, status == RESOLVE_OK ? take(k, p->type, message) : status);
	if (--k->open != 0)
		return;
	k->until_ms = loop_now(k->resolver->loop) + good_for(k);
	join_line(k);
	to_be_handed_out(k);
}

static void hand_to(struct resolve_query *q, const struct resolve_answer *answer)
{
	resolve_cancel(q);
	q->fn(q, answer);
}

/* To those who wait now; who asks again from inside his callback waits for the next turn. */
static void hand_out_one(struct lookup *k)
{
	struct resolve_query *batch = k->waiting;
	struct resolve_answer answer = {
		.status = k->status, .name = buf_text(&k->name), .addrs = k->addrs, .addrs_len = k->addrs_len
	};
	uint64_t now = loop_now(k->resolver->loop);

	answer.good_ms = k->until_ms > now ? k->until_ms - now : 0;
	k->waiting = NULL;
	if (batch != NULL)
		batch->link = &batch;
	while (batch != NULL)
		hand_to(batch, &answer);
}

static void hand_out(struct task *t)
{
	struct resolver *r = CONTAINER(t, struct resolver, hand_out);
	struct lookup *done = r->done;

	r->done = NULL;
	r->handing_out = true;
	while (done != NULL) {
		struct lookup *k = done;

		done = k->next_done;
		k->done = false;
		hand_out_one(k);
	}
	r->handing_out = false;
	sweep(r);
}

/* --- asking ---------------------------------------------------------------------------------------- */

static void timed_out(struct timer *t)
{
	struct resolve_query *q = CONTAINER(t, struct resolve_query, limit);

	hand_to(q, &(struct resolve_answer){ .status = RESOLVE_TIMEOUT });
}

static void wait_for(struct lookup *k, struct resolve_query *q)
{
	q->next = k->waiting;
	q->link = &k->waiting;
	if (q->next != NULL)
		q->next->link = &q->next;
	k->waiting = q;
}

static void send_part(struct part *p)
{
	struct lookup *k = p->lookup;
	struct buf query;
	uint16_t id;

	random_bytes(&id, sizeof(id));
	buf_init(&query, DNS_QUESTION_MAX);
	dns_ask(&query, id, key_of(k), p->type);
	carrier_send(k->resolver->carrier, buf_text(&query), answered, p);
	buf_done(&query);
}

/* A query may fail at once, so all are counted before the first is sent. */
static void send_all(struct lookup *k, const enum dns_type *types, unsigned len)
{
	k->open = len;
	for (unsigned i = 0; i < len; i++)
		k->parts[i] = (struct part){ .lookup = k, .type = types[i] };
	for (unsigned i = 0; i < len; i++)
		send_part(&k->parts[i]);
}

static void begin(struct lookup *k)
{
	static const enum dns_type NAME[] = { DNS_PTR }, ADDRESSES[] = { DNS_A, DNS_AAAA };
	const struct resolver *r = k->resolver;

	if (k->kind == OF_ADDRESS)
		send_all(k, NAME, 1);
	else
		send_all(k, ADDRESSES + r->no_ipv4, 2u - r->no_ipv4 - r->no_ipv6);
}

static void ask_for(struct resolver *r, struct resolve_query *q, struct lookup *k, uint64_t limit_ms,
		    resolve_fn *fn)
{
	must(q->link == NULL);
	*q = (struct resolve_query){ .fn = fn, .limit = { .fn = timed_out } };
	wait_for(k, q);
	loop_arm(r->loop, &q->limit, limit_ms);
}

/* An answer that is out of date is asked for anew, unless it is being handed out just now. */
static void ask(struct resolver *r, struct resolve_query *q, enum kind kind, struct str key,
		uint64_t limit_ms, resolve_fn *fn)
{
	struct lookup *k = find(r, kind, key);

	if (k != NULL && k->open == 0 && !is_good(k) && !k->done && !r->handing_out) {
		forget(k);
		k = NULL;
	}
	if (k != NULL) {
		ask_for(r, q, k, limit_ms, fn);
		if (k->open == 0)
			to_be_handed_out(k);
		return;
	}
	k = lookup_new(r, kind, key);
	ask_for(r, q, k, limit_ms, fn);
	begin(k);
}

void resolve_ptr(struct resolver *r, struct resolve_query *q, const struct addr *a, uint64_t limit_ms,
		 resolve_fn *fn)
{
	struct buf name;

	buf_init(&name, DNS_NAME_MAX);
	dns_reverse_put(&name, a);
	ask(r, q, OF_ADDRESS, buf_text(&name), limit_ms, fn);
	buf_done(&name);
}

void resolve_host(struct resolver *r, struct resolve_query *q, struct str name, uint64_t limit_ms,
		  resolve_fn *fn)
{
	char key[DNS_NAME_MAX];

	if (!dns_is_host(name)) {
		ask_for(r, q, r->bad, limit_ms, fn);
		to_be_handed_out(r->bad);
		return;
	}
	for (size_t i = 0; i < name.len; i++)
		key[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i]);
	ask(r, q, OF_NAME, (struct str){ key, name.len }, limit_ms, fn);
}

void resolve_cancel(struct resolve_query *q)
{
	if (q->link == NULL)
		return;
	*q->link = q->next;
	if (q->next != NULL)
		q->next->link = q->link;
	q->link = NULL;
	loop_disarm(&q->limit);
}

/* --- beginning and end ----------------------------------------------------------------------------- */

struct resolver *resolver_new(struct loop *l, const struct resolver_options *o)
{
	struct resolver *r = mem_new(sizeof(*r));

	*r = (struct resolver){ .loop = l,
				.valid_ms = o->valid_ms,
				.no_ipv4 = o->no_ipv4,
				.no_ipv6 = o->no_ipv6,
				.hand_out = { .fn = hand_out } };
	must(!(o->no_ipv4 && o->no_ipv6));
	random_bytes(&r->seed, sizeof(r->seed));
	r->youngest = &r->oldest;
	r->bad = lookup_new(r, OF_NAME, STR(""));
	r->bad->status = RESOLVE_BAD_NAME;
	r->carrier = carrier_new(l, o->servers, o->servers_len);
	return r;
}

void resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	must(!r->handing_out);
	carrier_free(r->carrier);
	for (size_t i = 0; i < BUCKETS; i++)
		while (r->buckets[i] != NULL)
			forget(r->buckets[i]);
	loop_cancel(r->loop, &r->hand_out);
	free(r);
}
