/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways of writing bytes as text that cannot be misread by who reads it next: base64, hex, percent encoding, xtext, and the
 * quoting that keeps a hostile name from forging a log line.
 */
#pragma once
#include "base/buf.h"

/* RFC 4648 section 4, with padding. */
void base64_put(struct buf *to, struct str bytes);

/* Strict but for missing padding, as clients send it: decoding fails on a foreign character, on bytes behind the padding, on a length
 * that no encoding has. The result is appended; nothing is, on failure. "=" alone is the empty string (RFC 4954 section 4). */
bool base64_get(struct buf *to, struct str text);

/* Lower-case hex. */
void hex_put(struct buf *to, struct str bytes);

/* How auth_http headers carry names and passwords: bytes 0x00 to 0x1F, space and '%' become %XX, all others stay. */
void percent_put(struct buf *to, struct str bytes);

/* xtext of RFC 3461 section 4, as XCLIENT wants it. */
void xtext_put(struct buf *to, struct str bytes);

/* For log lines, without surrounding quotes: '"', '\', and everything outside 0x20 to 0x7E becomes \xNN. At most `most`
 * bytes of input are shown, then "...". */
void visible_put(struct buf *to, struct str bytes, size_t most);

/* No CR, LF or NUL in it: may stand in a line protocol. */
bool is_line_safe(struct str s);

/* No byte below 0x20 and no 0x7F. */
bool has_no_controls(struct str s);
