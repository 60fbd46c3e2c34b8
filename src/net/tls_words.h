/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of TLS directives with the place where they stand. Files are read only when a context is made, so
 * what is complained of then must still know its line.
 */
#pragma once
#include "conf/conf.h"

/* One word; an empty text: it was not given. */
struct tls_word {
	struct str text;
	const char *file;
	unsigned line;
};

struct tls_words {
	struct tls_word *at;
	size_t len;
};

/* `set` of a row whose SLOT_CUSTOM is a struct tls_word (its one argument), or a struct tls_words (all of its
 * arguments, behind those of lines before). */
directive_set_fn tls_set_word, tls_add_words;

/* The versions of the protocol, for a SLOT_BITS. */
extern const struct choice tls_versions[];
