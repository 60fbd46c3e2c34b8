/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans of bytes: a pointer and a length, never owning what they point at, never relying on a final NUL.
 *
 * Everything that parses untrusted bytes takes spans, so every parser can be fuzzed as it stands.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *at;
	size_t len;
};

/* LIT is for static tables, STR for expressions. */
/* clang-format off */
#define LIT(text) { (text), sizeof(text) - 1 }
/* clang-format on */
#define STR(text) ((struct str)LIT(text))

/* For printf's "%.*s"; only for text that is known to hold nothing but printable bytes. */
#define STR_ARG(s) (int)(s).len, (s).len != 0 ? (s).at : ""

/* The span of a C string; NULL gives the empty span. */
struct str str_of(const char *text);

bool str_eq(struct str a, struct str b);

/* Equal but for the case of ASCII letters. */
bool str_same(struct str a, struct str b);

bool str_starts(struct str s, struct str with);

/* Begins with, but for the case of ASCII letters. */
bool str_starts_same(struct str s, struct str with);

/* The position of the first `c`, or s.len when there is none. */
size_t str_index(struct str s, char c);

bool str_has(struct str s, char c);

/* Without the first `n` bytes (or empty). */
struct str str_skip(struct str s, size_t n);

/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/* Cut `rest` at the first `sep`: returns what stands before it and moves `rest` behind it. Without a `sep`
 * everything is returned and `rest` becomes empty. */
struct str str_cut(struct str *rest, char sep);

/* Take one line that ends in LF off the front of `rest`, without its LF or CRLF. False when none is
 * complete. */
bool str_line(struct str *rest, struct str *line);

/* Read the whole span as a decimal number of at most `most`. False on anything else (sign, blank, empty
 * span), and then *number stays as it is. */
bool str_number(struct str s, uint64_t most, uint64_t *number);

/* Compare in time that depends on the lengths only; for digests and secrets. */
bool str_eq_secret(struct str a, struct str b);
