/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Argon2 (RFC 9106), in the text that its reference library writes:
 * "$argon2id$v=19$m=65536,t=3,p=1$SALT$HASH". The door of libargon2, which would allocate whatever m says: so
 * m, t and p are read and bounded here first.
 */
#include "base/digest.h"
#include "scheme/kinds.h"
#include <argon2.h>
#include <string.h>

enum { LANES_MAX = 16, MAKE_MEMORY = 65536, MAKE_TIME = 3, SALT = 16, KEY = 32, ENCODED_MAX = 256 };

/* Kibibytes, and kibibytes times passes: what decides about memory, and about time. */
#define MEMORY_MAX (SCHEME_MEMORY_MAX >> 10)
#define WORK_MAX   (8 * MEMORY_MAX)

static const char malformed[] = "password hash is malformed";

/* "x=N" up to the next `end`. */
static bool number(struct str *text, char name, char end, uint64_t *to)
{
	struct str field = str_cut(text, end);

	return field.len > 2 && field.at[0] == name && field.at[1] == '=' &&
	       str_number(str_skip(field, 2), UINT32_MAX, to);
}

/* The version may be missing: 1.0, before there was one. */
static const char *check(const struct scheme *s, struct str bytes)
{
	uint64_t version, memory, passes, lanes;
	struct str empty = str_cut(&bytes, '$'), name = str_cut(&bytes, '$');

	if (empty.len != 0 || !str_eq(name, str_of(s->how)))
		return malformed;
	if (str_starts(bytes, STR("v=")) && !number(&bytes, 'v', '$', &version))
		return malformed;
	if (!number(&bytes, 'm', ',', &memory) || !number(&bytes, 't', ',', &passes) ||
	    !number(&bytes, 'p', '$', &lanes))
		return malformed;
	if (memory > MEMORY_MAX || memory * passes > WORK_MAX || lanes > LANES_MAX)
		return "password hash costs too much: see docs/authentication.md for the limits";
	return NULL;
}

static argon2_type type_of(const struct scheme *s)
{
	return strcmp(s->how, "argon2i") == 0 ? Argon2_i : Argon2_id;
}

static enum scheme_result verify(const struct scheme *s, struct str bytes, struct str password)
{
	char *encoded = scheme_text(bytes);
	int code = argon2_verify(encoded, password.len != 0 ? password.at : "", password.len, type_of(s));

	scheme_text_free(encoded);
	if (code == ARGON2_OK)
		return SCHEME_MATCH;
	return code == ARGON2_VERIFY_MISMATCH ? SCHEME_MISMATCH : SCHEME_UNKNOWN;
}

static bool make(const struct scheme *s, struct str password, struct buf *to)
{
	char encoded[ENCODED_MAX];
	uint8_t salt[SALT];
	int code;

	random_bytes(salt, sizeof(salt));
	code = argon2_hash(MAKE_TIME, MAKE_MEMORY, 1, password.len != 0 ? password.at : "", password.len,
			   salt, sizeof(salt), NULL, KEY, encoded, sizeof(encoded), type_of(s),
			   ARGON2_VERSION_NUMBER);
	if (code == ARGON2_OK)
		buf_put(to, str_of(encoded));
	return code == ARGON2_OK;
}

const struct scheme_kind scheme_argon2 = { false, check, verify, make };
