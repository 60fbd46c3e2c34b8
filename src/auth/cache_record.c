/* SPDX-License-Identifier: BSD-2-Clause */
/* Records: numbers of fixed size, then texts with their length; a length of 65535 is "not given". */
#include "auth/cache_record.h"

#include <string.h>

enum { ABSENT = UINT16_MAX };

struct numbers {
	uint64_t wait_ms;
	uint32_t verdict, failure, back_method, tls;
	uint16_t port, family, addr_port;
	uint8_t paced, ip[16];
};

/* The texts of an answer, in order. */
static const size_t TEXTS[] = {
	offsetof(struct auth_answer, message),	  offsetof(struct auth_answer, error_code),
	offsetof(struct auth_answer, error_sasl), offsetof(struct auth_answer, target),
	offsetof(struct auth_answer, tls_name),	  offsetof(struct auth_answer, user),
	offsetof(struct auth_answer, secret),	  offsetof(struct auth_answer, master),
};

static struct str *text_of(struct auth_answer *a, size_t i)
{
	return (struct str *)(void *)((char *)a + TEXTS[i]);
}

static bool put(struct buf *to, struct str text)
{
	uint16_t len = text.at == NULL ? ABSENT : (uint16_t)text.len;

	if (text.len >= ABSENT)
		return false;
	buf_put(to, (struct str){ (const char *)&len, sizeof(len) });
	if (text.at != NULL)
		buf_put(to, text);
	return true;
}

bool cache_record_write(const struct auth_answer *a, struct buf *to)
{
	struct auth_answer copy = *a;
	struct str path = { NULL, 0 };
	struct numbers n;
	bool fits = true;

	memset(&n, 0, sizeof(n));
	n.wait_ms = a->wait_ms;
	n.verdict = a->verdict;
	n.failure = a->failure;
	n.back_method = a->back_method;
	n.tls = a->tls;
	n.port = a->port;
	n.family = a->server.family;
	n.addr_port = a->server.port;
	n.paced = a->paced;
	if (a->server.family != AF_UNIX)
		memcpy(n.ip, a->server.ip6, sizeof(n.ip));
	else if (a->server.path != NULL)
		path = (struct str){ a->server.path, strlen(a->server.path) + 1 };
	buf_put(to, (struct str){ (const char *)&n, sizeof(n) });
	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
		fits &= put(to, *text_of(&copy, i));
	return put(to, path) && fits && !to->full;
}

static bool take(struct str *from, void *to, size_t size)
{
	if (from->len < size)
		return false;
	memcpy(to, from->at, size);
	*from = str_skip(*from, size);
	return true;
}

static bool take_text(struct str *from, struct str *text)
{
	uint16_t len;

	*text = (struct str){ NULL, 0 };
	if (!take(from, &len, sizeof(len)))
		return false;
	if (len == ABSENT)
		return true;
	if (from->len < len)
		return false;
	*text = (struct str){ from->at, len };
	*from = str_skip(*from, len);
	return true;
}

static bool read_numbers(struct str *from, struct auth_answer *a)
{
	struct numbers n;

	if (!take(from, &n, sizeof(n)) || n.verdict > AUTH_DENIED || n.failure > AUTH_FAILURE_FORBIDDEN)
		return false;
	if (n.family != AF_UNSPEC && n.family != AF_INET && n.family != AF_INET6 && n.family != AF_UNIX)
		return false;
	*a = (struct auth_answer){ AUTH_ANSWER_INIT, .verdict = n.verdict, .failure = n.failure };
	a->wait_ms = n.wait_ms;
	a->back_method = n.back_method;
	a->tls = n.tls;
	a->port = n.port;
	a->paced = n.paced != 0;
	a->server.family = n.family;
	a->server.port = n.addr_port;
	memcpy(a->server.ip6, n.ip, sizeof(n.ip));
	return true;
}

bool cache_record_read(struct str record, struct auth_answer *a)
{
	struct str path;

	if (!read_numbers(&record, a))
		return false;
	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
		if (!take_text(&record, text_of(a, i)))
			return false;
	if (!take_text(&record, &path) || record.len != 0)
		return false;
	if (a->server.family != AF_UNIX)
		return path.at == NULL;
	if (path.len != 0 && memchr(path.at, '\0', path.len) != path.at + path.len - 1)
		return false;
	a->server.path = path.len != 0 ? path.at : NULL;
	return true;
}
