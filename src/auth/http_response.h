/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an auth server answers, as HTTP: the head line by line, however it comes in pieces, and how long the
 * body behind it is.
 *
 * Pure: bytes in, spans out; the caller keeps the bytes. Lenient where the proxy we replace is (any status,
 * no status line at all, LF for CRLF), strict where it is (names of fields, folded lines, a bare CR), and
 * stricter about NUL.
 */
#pragma once
#include "base/str.h"

enum { HTTP_HEAD_MOST = 16384, HTTP_BODY_MOST = 65536 };

enum http_outcome {
	HTTP_MORE, /* not complete yet */
	HTTP_DONE,
	HTTP_BAD_START, /* nonsense in the status line */
	HTTP_BAD_FIELD, /* nonsense in a header line */
	HTTP_BAD_BODY,	/* nonsense in the body, or more of it than HTTP_BODY_MOST */
};

/* Header fields that are kept. Of one that is repeated the last counts. */
enum http_field {
	FIELD_REFUSAL, /* Auth-Status, when it is a text for the client */
	FIELD_SERVER,
	FIELD_PORT,
	FIELD_USER,
	FIELD_PASS,
	FIELD_WAIT,
	FIELD_ERROR_CODE,
	FIELD_ERROR_SASL,
	FIELD_METHOD,
	FIELD_TLS,
	FIELD_TLS_NAME,
	FIELD_MASTER,
	FIELD_CACHE,
	HTTP_FIELDS
};

struct http_span {
	bool given;
	size_t at, len; /* in the head: its memory may move between calls */
};

struct http_response {
	struct str head;	  /* as of the last call */
	size_t start, line, seen; /* where this head and this line begin; how far it was looked at */
	size_t name_len;
	enum { PART_NAME, PART_VALUE, PART_STATUS } part;
	unsigned status; /* 0: none that makes sense */
	bool version_11;
	bool said_ok, said_wait, said_nothing; /* Auth-Status: OK, WAIT, empty */
	struct http_span fields[HTTP_FIELDS];
	bool closes, stays;	   /* Connection: close, keep-alive */
	unsigned codings, lengths; /* how many Transfer-Encodings and Content-Lengths there were */
	bool chunked;
	uint64_t length;
};

/*
 * Look at what has come: `head` is everything since the response began. Begins with a zeroed struct. On
 * HTTP_DONE the head is the first r->seen bytes, and what follows is the body. Interim responses (1xx) are
 * passed over.
 */
enum http_outcome http_response_read(struct http_response *r, struct str head);

/* The value of a field; at NULL when there was none. Points into the last `head`. */
struct str http_response_field(const struct http_response *r, enum http_field field);

/*
 * How the end of the body is found. Until the server closes: also when it is going to close anyway, or when
 * what it says about the length contradicts itself, so only the other three leave a connection that can be
 * used again.
 */
enum http_framing { HTTP_EMPTY, HTTP_LENGTH, HTTP_CHUNKED, HTTP_UNTIL_CLOSE };

struct http_body {
	enum http_framing framing;
	enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER } part;
	uint64_t left; /* of the body or chunk; in a trailer: length of its line so far */
	unsigned digits;
	size_t total;
};

/* The body that follows a complete head. */
void http_body_begin(struct http_body *b, const struct http_response *r);

/* Pass over the body's bytes: `bytes` is moved behind them. HTTP_MORE, HTTP_DONE or HTTP_BAD_BODY. */
enum http_outcome http_body_read(struct http_body *b, struct str *bytes);
