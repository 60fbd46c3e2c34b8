/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways of writing bytes as text that cannot be misread by who reads it next: base64, hex, percent encoding,
 * xtext, and the quoting that keeps a hostile name from forging a log line. All append, and none of them may
 * be given bytes that lie in the buffer itself.
 */
#pragma once
#include "base/buf.h"

/* RFC 4648 section 4, with padding. */
void base64_put(struct buf *to, struct str bytes);

/*
 * Decode. It fails, and appends nothing, on a foreign character (so blanks and line ends too), on anything
 * behind the padding, on more padding than makes up four characters, on a length that no encoding has, and
 * when `to` is full.
 *
 * Lenient where clients are careless and nothing can be misread: padding may be missing, wholly or in part,
 * and the bits of the last character that no byte takes may be anything (RFC 4648 section 3.5 leaves that to
 * us; encoded texts are never compared or passed on, so a second spelling of the same bytes serves nobody).
 * "=" alone is the empty string, as RFC 4954 section 4 writes an empty initial response.
 */
bool base64_get(struct buf *to, struct str text);

/* Lower-case hex. */
void hex_put(struct buf *to, struct str bytes);

/* How auth_http headers carry names and passwords: bytes 0x00 to 0x1F, space and '%' become %XX, all others
 * stay. */
void percent_put(struct buf *to, struct str bytes);

/* xtext of RFC 3461 section 4, as XCLIENT wants it: blanks, controls, '+', '=', and bytes from 0x7F on become
 * +XX. */
void xtext_put(struct buf *to, struct str bytes);

/* For log lines, without surrounding quotes: '"', '\', and everything outside 0x20 to 0x7E becomes \xNN
 * (upper-case hex). At most `most` bytes of input are shown, then "...". */
void visible_put(struct buf *to, struct str bytes, size_t most);

/* No CR, LF or NUL in it: may stand in a line protocol. */
bool is_line_safe(struct str s);

/* No byte below 0x20 and no 0x7F. */
bool has_no_controls(struct str s);
