/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of an HTTP response; see http_response.h.
 *
 * Every byte is looked at once, when it comes, so a server that sends nonsense is found out at its first
 * wrong byte and one that sends byte by byte costs no more than another. Fields are taken when their line is
 * complete.
 */
#include "auth/http_response.h"

#include <string.h>

typedef void take_fn(struct http_response *r, enum http_field field, struct str value);
static take_fn keep, take_status, take_length, take_coding, take_connection;

static const struct known {
	struct str name;
	take_fn *take;
	enum http_field field;
} KNOWN[] = {
	{ LIT("Auth-Status"), take_status, FIELD_REFUSAL },
	{ LIT("Auth-Server"), keep, FIELD_SERVER },
	{ LIT("Auth-Port"), keep, FIELD_PORT },
	{ LIT("Auth-User"), keep, FIELD_USER },
	{ LIT("Auth-Pass"), keep, FIELD_PASS },
	{ LIT("Auth-Wait"), keep, FIELD_WAIT },
	{ LIT("Auth-Error-Code"), keep, FIELD_ERROR_CODE },
	{ LIT("Auth-Error-SASL"), keep, FIELD_ERROR_SASL },
	{ LIT("Auth-Method"), keep, FIELD_METHOD },
	{ LIT("Auth-TLS"), keep, FIELD_TLS },
	{ LIT("Auth-TLS-Name"), keep, FIELD_TLS_NAME },
	{ LIT("Auth-Master-User"), keep, FIELD_MASTER },
	{ LIT("Auth-Cache-TTL"), keep, FIELD_CACHE },
	{ LIT("Content-Length"), take_length, 0 },
	{ LIT("Transfer-Encoding"), take_coding, 0 },
	{ LIT("Connection"), take_connection, 0 },
};

static void keep(struct http_response *r, enum http_field field, struct str value)
{
	r->fields[field] = (struct http_span){ true, (size_t)(value.at - r->head.at), value.len };
}

/* A refusal stays one whatever other Auth-Status follows: who contradicts himself lets nobody in. */
static void take_status(struct http_response *r, enum http_field field, struct str value)
{
	if (value.len == 0)
		r->said_nothing = true;
	else if (str_eq(value, STR("OK")))
		r->said_ok = true;
	else if (str_eq(value, STR("WAIT")))
		r->said_wait = true;
	else
		keep(r, field, value);
}

static void take_length(struct http_response *r, enum http_field field, struct str value)
{
	(void)field;
	r->lengths++;
	if (!str_number(value, UINT32_MAX, &r->length))
		r->length = UINT64_MAX;
}

static void take_coding(struct http_response *r, enum http_field field, struct str value)
{
	(void)field;
	r->codings++;
	r->chunked = str_same(value, STR("chunked"));
}

static void take_connection(struct http_response *r, enum http_field field, struct str value)
{
	(void)field;
	while (value.len != 0) {
		struct str option = str_trim(str_cut(&value, ','));

		if (str_same(option, STR("close")))
			r->closes = true;
		else if (str_same(option, STR("keep-alive")))
			r->stays = true;
	}
}

static void read_field(struct http_response *r, struct str name, struct str value)
{
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		if (str_same(name, KNOWN[i].name)) {
			KNOWN[i].take(r, KNOWN[i].field, value);
			return;
		}
	}
}

/* "HTTP/1.1 200 …" (RFC 9112 section 4). What makes no sense here is forgiven, but such a connection is
 * not used again. */
static void read_status(struct http_response *r, struct str line)
{
	struct str version = str_cut(&line, ' ');
	uint64_t status;

	if (!str_number(str_cut(&line, ' '), 999, &status) || status < 100)
		return;
	r->status = (unsigned)status;
	r->version_11 = str_eq(version, STR("HTTP/1.1"));
}

static void begin_again(struct http_response *r)
{
	size_t next = r->line;

	*r = (struct http_response){ .head = r->head, .start = next, .line = next, .seen = r->seen };
}

/* The LF of a line is here. */
static enum http_outcome end_line(struct http_response *r)
{
	struct str line = { r->head.at + r->line, r->seen - r->line };
	struct str value = { r->head.at + r->seen, 0 };
	size_t name_len;

	if (line.len != 0 && line.at[line.len - 1] == '\r')
		line.len--;
	r->line = r->seen + 1;
	if (r->part == PART_STATUS) {
		read_status(r, line);
	} else if (line.len != 0) {
		name_len = r->part == PART_VALUE ? r->name_len : line.len;
		if (r->part == PART_VALUE)
			value = str_trim(str_skip(line, name_len + 1));
		read_field(r, (struct str){ line.at, name_len }, value);
	} else if (r->status >= 100 && r->status < 200 && r->status != 101) {
		begin_again(r);
	} else {
		return HTTP_DONE;
	}
	r->part = PART_NAME;
	return HTTP_MORE;
}

static bool letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Is the byte at r->seen the '/' that makes a first line the status line? */
static bool is_status_slash(const struct http_response *r)
{
	return r->line == r->start && r->seen - r->line == 4 && memcmp(r->head.at + r->line, "HTTP/", 5) == 0;
}

static enum http_outcome hear_byte(struct http_response *r)
{
	size_t column = r->seen - r->line;
	char c = r->head.at[r->seen];

	if (c == '\n')
		return end_line(r);
	if (c == '\0' || (column != 0 && r->head.at[r->seen - 1] == '\r'))
		return r->part == PART_STATUS ? HTTP_BAD_START : HTTP_BAD_FIELD;
	if (r->part != PART_NAME || c == '\r')
		return HTTP_MORE;
	if (c == ':' && column != 0) {
		r->part = PART_VALUE;
		r->name_len = column;
	} else if (is_status_slash(r)) {
		r->part = PART_STATUS;
	} else if (!letter_or_digit(c) && (c != '-' || column == 0)) {
		return HTTP_BAD_FIELD;
	}
	return HTTP_MORE;
}

enum http_outcome http_response_read(struct http_response *r, struct str head)
{
	enum http_outcome outcome = HTTP_MORE;

	r->head = head;
	while (outcome == HTTP_MORE && r->seen < head.len) {
		outcome = hear_byte(r);
		r->seen++;
	}
	return outcome;
}

struct str http_response_field(const struct http_response *r, enum http_field field)
{
	const struct http_span *s = &r->fields[field];

	return s->given ? (struct str){ r->head.at + s->at, s->len } : (struct str){ NULL, 0 };
}
