/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lexical side of IMAP (RFC 9051 section 4): tags, atoms, quoted strings, literals. Both dialogs use it.
 *
 * A command as collected is its first line, and for each literal CRLF, the announced bytes, and the line that
 * goes on behind them.
 */
#pragma once
#include "talk/front.h"

struct imap_literal {
	size_t size; /* a number beyond all bounds becomes a very large one */
	bool waits;  /* {n}: the client waits for a go-ahead. {n+}: the bytes come anyway (RFC 7888) */
};

enum imap_read { IMAP_WHOLE, IMAP_WRONG, IMAP_LITERAL };

/* Take the tag and the blanks behind it off the front of `rest`. False when there is none. */
bool imap_tag(struct str *rest, struct str *tag);

/*
 * Read all of args->rest as at most `most` arguments. IMAP_LITERAL: everything so far is sound, and the last
 * line announces `due`. Quoted arguments keep their escapes and are marked in args->quoted.
 */
enum imap_read imap_args(struct args *args, size_t most, struct imap_literal *due);

/* Does the line end in {n} or {n+}, where a string may begin? */
bool imap_announces(struct str line, struct imap_literal *due);

/* Does the line end as {n+} does, however little else of it makes sense? Whoever refuses it must expect the
 * bytes. */
bool imap_drags(struct str line);

/* Append argument `i` as it is meant, escapes resolved. */
void imap_put_arg(struct buf *to, const struct args *args, size_t i);

/* Take one nstring off the front of `rest` and append it to `to` as it is meant, NIL as nothing. False when
 * there is none. */
bool imap_take_string(struct str *rest, struct buf *to);

/* May this stand in a quoted string? 7 bits, no CR, LF, NUL. */
bool imap_quotable(struct str s);

/* Append it as a quoted string. */
void imap_put_quoted(struct buf *to, struct str s);
