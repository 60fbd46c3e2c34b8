/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies of auth servers' answers; see http_response.h. Nobody wants their content: they are passed over, so
 * that the connection can carry the next question (RFC 9112 sections 6 and 7). Where two readings are
 * possible the connection is given up instead.
 */
#include "auth/http_response.h"

/* Chunks and nothing but chunks: with a length beside it, or from HTTP/1.0, it is faulty (section 6.1). */
static bool is_chunked(const struct http_response *r)
{
	return r->chunked && r->codings == 1 && r->lengths == 0 && r->version_11;
}

static enum http_framing framing(const struct http_response *r)
{
	if (r->closes || (!r->version_11 && !r->stays))
		return HTTP_UNTIL_CLOSE;
	if (r->status == 204 || r->status == 304)
		return HTTP_EMPTY;
	if (r->codings != 0)
		return is_chunked(r) ? HTTP_CHUNKED : HTTP_UNTIL_CLOSE;
	return r->lengths == 1 && r->length <= HTTP_BODY_MOST ? HTTP_LENGTH : HTTP_UNTIL_CLOSE;
}

void http_body_begin(struct http_body *b, const struct http_response *r)
{
	*b = (struct http_body){ .framing = framing(r) };
	if (b->framing == HTTP_LENGTH)
		b->left = r->length;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_outcome end_size(struct http_body *b)
{
	b->part = b->left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
	b->digits = 0;
	return HTTP_MORE;
}

/* "1a3\r\n", perhaps with an extension: "1a3;name=value\r\n". */
static enum http_outcome hear_size(struct http_body *b, char c)
{
	int digit = hex_value(c);

	if (digit >= 0 && b->digits < 8) {
		b->left = b->left * 16 + (unsigned)digit;
		b->digits++;
		return HTTP_MORE;
	}
	if (b->digits == 0 || digit >= 0)
		return HTTP_BAD_BODY;
	if (c == '\n')
		return end_size(b);
	if (c != '\r' && c != ';' && c != ' ' && c != '\t')
		return HTTP_BAD_BODY;
	b->part = CHUNK_EXTENSION;
	return HTTP_MORE;
}

/* The line end behind a chunk's data. */
static enum http_outcome hear_end(struct http_body *b, char c)
{
	if (c == '\n')
		b->part = CHUNK_SIZE;
	return c == '\n' || c == '\r' ? HTTP_MORE : HTTP_BAD_BODY;
}

/* Trailer fields up to an empty line. */
static enum http_outcome hear_trailer(struct http_body *b, char c)
{
	if (c == '\n' && b->left == 0)
		return HTTP_DONE;
	if (c == '\n')
		b->left = 0;
	else if (c != '\r')
		b->left++;
	return HTTP_MORE;
}

static enum http_outcome hear_chunked(struct http_body *b, char c)
{
	switch (b->part) {
	case CHUNK_SIZE:
		return hear_size(b, c);
	case CHUNK_EXTENSION:
		return c == '\n' ? end_size(b) : HTTP_MORE;
	case CHUNK_DATA:
		if (--b->left == 0)
			b->part = CHUNK_END;
		return HTTP_MORE;
	case CHUNK_END:
		return hear_end(b, c);
	case CHUNK_TRAILER:
		return hear_trailer(b, c);
	}
	return HTTP_BAD_BODY;
}

static enum http_outcome read_chunked(struct http_body *b, struct str *bytes)
{
	enum http_outcome outcome = HTTP_MORE;

	while (outcome == HTTP_MORE && bytes->len != 0) {
		if (++b->total > HTTP_BODY_MOST)
			return HTTP_BAD_BODY;
		outcome = hear_chunked(b, bytes->at[0]);
		*bytes = str_skip(*bytes, 1);
	}
	return outcome;
}

static enum http_outcome read_length(struct http_body *b, struct str *bytes)
{
	size_t n = bytes->len < b->left ? bytes->len : (size_t)b->left;

	*bytes = str_skip(*bytes, n);
	b->left -= n;
	return b->left == 0 ? HTTP_DONE : HTTP_MORE;
}

static enum http_outcome read_until_close(struct http_body *b, struct str *bytes)
{
	b->total += bytes->len;
	*bytes = str_skip(*bytes, bytes->len);
	return b->total > HTTP_BODY_MOST ? HTTP_BAD_BODY : HTTP_MORE;
}

enum http_outcome http_body_read(struct http_body *b, struct str *bytes)
{
	switch (b->framing) {
	case HTTP_LENGTH:
		return read_length(b, bytes);
	case HTTP_CHUNKED:
		return read_chunked(b, bytes);
	case HTTP_UNTIL_CLOSE:
		return read_until_close(b, bytes);
	case HTTP_EMPTY:
		break;
	}
	return HTTP_DONE;
}
