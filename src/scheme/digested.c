/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schemes of one round: the password itself, a digest of it, a digest of it with salt behind it (the salt
 * then stands behind the digest). Fast, so a stolen file of these is soon guessed; they are here since such
 * files exist.
 */
#include "base/digest.h"
#include "base/mem.h"
#include "scheme/kinds.h"

enum { SALT = 16, DIGEST_MAX = SHA512_SIZE };

static const char *check_clear(const struct scheme *s, struct str bytes)
{
	(void)s;
	if (bytes.len == 0)
		return "password is empty";
	return str_has(bytes, '\0') ? "password holds a NUL" : NULL;
}

static enum scheme_result verify_clear(const struct scheme *s, struct str bytes, struct str password)
{
	(void)s;
	return str_eq_secret(bytes, password) ? SCHEME_MATCH : SCHEME_MISMATCH;
}

static bool make_clear(const struct scheme *s, struct str password, struct buf *to)
{
	(void)s;
	buf_put(to, password);
	return true;
}

static const char *check_digested(const struct scheme *s, struct str bytes)
{
	return bytes.len != s->size ? "password hash has the wrong length for its scheme" : NULL;
}

static const char *check_salted(const struct scheme *s, struct str bytes)
{
	return bytes.len <= s->size ? "password hash is too short for its scheme" : NULL;
}

static void digest_with(const struct scheme *s, struct str password, struct str salt, uint8_t *to)
{
	struct buf both;

	buf_init(&both, password.len + salt.len);
	buf_put(&both, password);
	buf_put(&both, salt);
	s->digest(buf_text(&both), to);
	buf_done(&both);
}

/* Without salt it is the same with an empty one. */
static enum scheme_result verify_salted(const struct scheme *s, struct str bytes, struct str password)
{
	uint8_t got[DIGEST_MAX];
	bool same;

	digest_with(s, password, str_skip(bytes, s->size), got);
	same = str_eq_secret((struct str){ bytes.at, s->size }, (struct str){ (char *)got, s->size });
	mem_wipe(got, sizeof(got));
	return same ? SCHEME_MATCH : SCHEME_MISMATCH;
}

static bool make_salted(const struct scheme *s, struct str password, struct buf *to)
{
	uint8_t made[DIGEST_MAX];
	char salt[SALT];

	random_bytes(salt, sizeof(salt));
	digest_with(s, password, (struct str){ salt, sizeof(salt) }, made);
	buf_put(to, (struct str){ (char *)made, s->size });
	buf_put(to, (struct str){ salt, sizeof(salt) });
	mem_wipe(made, sizeof(made));
	return true;
}

const struct scheme_kind scheme_clear = { false, check_clear, verify_clear, make_clear };
const struct scheme_kind scheme_digested = { true, check_digested, verify_salted, NULL };
const struct scheme_kind scheme_salted = { true, check_salted, verify_salted, make_salted };
