/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of an auth server: the first two bytes say where the rest is cut in two and what kind of question
 * it answers.
 *
 * Read whole and read in two pieces must come to the same end, spans must lie inside, a verdict must be one
 * that its fields allow, and what is said for the log must be safe to print.
 */
#include "auth/http_answer.h"

#include "base/must.h"
#include <stdlib.h>
#include <string.h>

struct reading {
	struct http_response head;
	enum http_outcome outcome;
	enum http_outcome body;
	size_t over; /* bytes behind the body */
};

static char *copy(struct str s)
{
	char *at = malloc(s.len != 0 ? s.len : 1);

	if (s.len != 0)
		memcpy(at, s.at, s.len);
	return at;
}

/* Read the head and then the body; the first piece of both ends at `cut`, in memory that ends there too. */
static void read_in_two(struct reading *r, struct str all, size_t cut)
{
	struct str first = { copy((struct str){ all.at, cut }), cut }, rest;
	struct http_body body;

	memset(r, 0, sizeof(*r));
	r->outcome = http_response_read(&r->head, first);
	if (r->outcome == HTTP_MORE)
		r->outcome = http_response_read(&r->head, all);
	free((void *)(uintptr_t)first.at);
	r->head.head = all;
	if (r->outcome != HTTP_DONE)
		return;
	must(r->head.seen <= all.len);
	http_body_begin(&body, &r->head);
	rest = str_skip(all, r->head.seen);
	first = (struct str){ rest.at, cut > r->head.seen ? cut - r->head.seen : 0 };
	rest = str_skip(rest, first.len);
	r->body = http_body_read(&body, &first);
	if (r->body == HTTP_MORE)
		r->body = http_body_read(&body, &rest);
	r->over = first.len + rest.len;
}

static bool is_inside(struct str s, const char *at, size_t len)
{
	return s.at >= at && s.len <= len && (size_t)(s.at - at) <= len - s.len;
}

static void same(const struct reading *a, const struct reading *b)
{
	must(a->outcome == b->outcome);
	must(a->head.seen == b->head.seen);
	if (a->outcome != HTTP_DONE)
		return;
	must(a->head.status == b->head.status);
	must(a->body == b->body);
	must(a->over == b->over);
	for (int i = 0; i < HTTP_FIELDS; i++) {
		struct str one = http_response_field(&a->head, (enum http_field)i);
		struct str two = http_response_field(&b->head, (enum http_field)i);

		must((one.at == NULL) == (two.at == NULL) && str_eq(one, two));
		must(one.at == NULL || is_inside(one, a->head.head.at, a->head.seen));
		must(!str_has(one, '\n') && !str_has(one, '\r') && !str_has(one, '\0'));
	}
}

static void judge(const struct http_response *h, unsigned kind)
{
	struct login login = { .method = (enum sasl_method)(1u << (kind % 8)) };
	struct auth_request r = { .login = &login, .needs_secret = kind & 8 };
	struct auth_answer a;
	struct buf cause;

	buf_init(&cause, 2048);
	http_answer_read(&a, h, &r, "192.0.2.1:80", &cause);
	must(a.wait_ms <= AUTH_WAIT_MOST_MS);
	if (a.verdict == AUTH_OK)
		must(h->said_ok && !h->said_wait && !h->said_nothing && !h->fields[FIELD_REFUSAL].given &&
		     a.server.family != AF_UNSPEC && a.server.port != 0);
	if (a.verdict == AUTH_DENIED)
		must(a.message.len != 0);
	if (a.verdict == AUTH_WAIT)
		must(a.wait_ms >= AUTH_WAIT_LEAST_MS);
	if (a.verdict == AUTH_BROKEN)
		for (const char *p = a.cause; *p != '\0'; p++)
			must(*p >= ' ' && *p < 0x7f);
	buf_done(&cause);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole, parts;
	struct str all;

	if (size < 2)
		return 0;
	all = (struct str){ copy((struct str){ (const char *)data + 2, size - 2 }), size - 2 };
	read_in_two(&whole, all, all.len);
	read_in_two(&parts, all, all.len != 0 ? data[0] * all.len / 256 : 0);
	same(&whole, &parts);
	if (whole.outcome == HTTP_DONE)
		judge(&whole.head, data[1]);
	free((void *)(uintptr_t)all.at);
	return 0;
}
