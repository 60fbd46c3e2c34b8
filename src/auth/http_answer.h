/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the header fields of a response to a verdict. Fails closed: what does not clearly say yes says no,
 * and what makes no sense is broken.
 */
#pragma once
#include "auth/auth.h"
#include "auth/http_response.h"

/* Between two questions about one login there is at least a second, and no client waits longer than ten
 * minutes for an answer (RFC 5321 section 4.5.3.2). */
enum { AUTH_WAIT_LEAST_MS = 1000, AUTH_WAIT_MOST_MS = 600 * 1000 };

/*
 * Read the verdict of a complete head. `server` is the source's address as text, for the log; a broken
 * answer's text is put into `cause`, which must be empty. The answer's spans point into the head.
 */
void http_answer_read(struct auth_answer *a, const struct http_response *h, const struct auth_request *r,
		      const char *server, struct buf *cause);

/* Does a complete head say by its status alone that the server is unable: 5xx, and no Auth-Status? */
bool http_answer_is_unable(const struct http_response *h);

/* Fill in an AUTH_BROKEN answer whose text stands in `cause`. */
void http_answer_broken(struct auth_answer *a, enum log_level level, struct buf *cause);
