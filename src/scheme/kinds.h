/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of schemes, each in its own file; inside src/scheme only. A kind is three functions over the
 * decoded text; a scheme is a name, a kind, and what tells it from others of its kind. */
#pragma once
#include "scheme/scheme.h"

struct scheme;

struct scheme_kind {
	bool binary; /* the text is base64 or hex of bytes */
	/* Why these bytes cannot be tried; NULL when they can. Looks at every cost. */
	const char *(*check)(const struct scheme *s, struct str bytes);
	/* Try; `bytes` passed the check, and the password has no NUL and a bounded length. */
	enum scheme_result (*verify)(const struct scheme *s, struct str bytes, struct str password);
	/* Append what check() takes; binary bytes are encoded by the caller. */
	bool (*make)(const struct scheme *s, struct str password, struct buf *to);
};

typedef void scheme_digest_fn(struct str bytes, uint8_t *to);

struct scheme {
	const char *name;
	const struct scheme_kind *kind;
	const char *how;	  /* crypt: prefix for crypt_gensalt; argon2: its name; NULL: none is made */
	scheme_digest_fn *digest; /* digests, SCRAM: its hash */
	size_t size;		  /* digests: of the hash */
};

extern const struct scheme_kind scheme_crypt, scheme_argon2, scheme_digested, scheme_salted, scheme_pbkdf2,
	scheme_scram, scheme_clear;

/* A span with a NUL behind it for libraries that want one, on the heap; wipe and free with scheme_text_free.
 */
char *scheme_text(struct str s);
void scheme_text_free(char *text);
