/* SPDX-License-Identifier: BSD-2-Clause */
/* A question as HTTP: the same headers, order and escaping as the proxy we replace. Pure: a question in,
 * bytes out. */
#pragma once
#include "auth/auth.h"
#include "auth/http_conf.h"
#include "vars/vars.h"

enum { HTTP_REQUEST_MOST = 256 * 1024 };

/* A configured header whose value, or that of its neighbour, holds a variable. */
struct http_header {
	struct str name;
	const struct template *value;
};

/* What is the same in all questions of a server block: request line and Host, and the configured headers
 * with the final empty line; when one holds a variable, all of them are `headers` instead. */
struct http_frame {
	struct str before, after;
	const struct http_header *headers;
	size_t headers_len;
	bool extra; /* the headers of auth_http_extra_headers too */
};

/* Make the frame for one of the servers in `home`. Without `c`, headers hold no variables. */
struct http_frame http_frame_make(const struct http_conf *conf, const struct http_server_conf *server,
				  struct conf *c, struct arena *home);

/*
 * Append the whole request. False when it cannot be asked: *culprit is then the header whose value holds a
 * control character, or empty when the request is longer than `to` may be.
 */
bool http_request_write(struct buf *to, const struct http_frame *frame, const struct auth_request *r,
			struct str *culprit);
