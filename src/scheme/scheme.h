/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Password schemes: what stands in a user store or passwd-like file in place of a password, and how a
 * password is tried against it.
 *
 * The form is the one that Dovecot made common: "{SCHEME}text", where SCHEME may end in .HEX, .B64 or .BASE64
 * to say how binary digests are written; a text without a scheme is what crypt(3) makes. Names of schemes are
 * read in any case.
 *
 * Trying a password costs time and memory by design, so whoever calls may block: helper processes and
 * posternctl, never an event loop. The cost stands in the stored text and is bounded here: what would take
 * more than a few seconds or SCHEME_MEMORY_MAX is not tried at all. No function keeps a password or a key
 * made of it.
 */
#pragma once
#include "base/buf.h"

enum {
	SCHEME_STORED_MAX = 1024,   /* longer texts are malformed */
	SCHEME_PASSWORD_MAX = 4096, /* longer passwords match nothing */
	SCHEME_ROUNDS_MAX = 2000000,
};

#define SCHEME_MEMORY_MAX (UINT64_C(512) << 20)

enum scheme_result {
	SCHEME_MATCH,
	SCHEME_MISMATCH,
	SCHEME_UNKNOWN, /* cannot be tried; scheme_complaint says why */
};

/* What a client proves with without showing its password. */
enum scheme_digest {
	SCHEME_CRAM_MD5, /* RFC 2195: HMAC-MD5 of the challenge, keyed by the password */
	SCHEME_APOP,	 /* RFC 1939 section 7: MD5 of challenge and password */
};

/* Try a password. An empty stored text, and one that begins with '!' or '*' as passwd(5) locks accounts,
 * matches no password. */
enum scheme_result scheme_verify(struct str stored, struct str password);

/* Why can this text not be tried: scheme unknown, malformed, cost beyond the bounds, or library not built in.
 * A static text without the stored one in it; NULL when it can be. */
const char *scheme_complaint(struct str stored);

/* {PLAIN}, {CLEAR}, {CLEARTEXT}: the password itself, in `to`, which is cleared first. False for all others.
 */
bool scheme_plain(struct str stored, struct buf *to);

/* Does `digest` (hex, as the client said it) answer `salt`? SCHEME_UNKNOWN when the password is not stored in
 * plain, so that no answer could be checked. */
enum scheme_result scheme_verify_digest(struct str stored, enum scheme_digest kind, struct str salt,
					struct str digest);

/* For a user that does not exist: take as long as a wrong password would against `like`, a stored text of
 * this source. An empty or unusable one stands for what scheme_make makes by default. */
void scheme_dummy(struct str like, struct str password);

/* Append a stored text for a password. `scheme` in any case, NULL for the default: {CRYPT} with yescrypt.
 * False, with a static text in *complaint and nothing appended, when it cannot be made. */
bool scheme_make(const char *scheme, struct str password, struct buf *to, const char **complaint);

/* Append the names that scheme_make takes, the default first: "CRYPT, ARGON2ID, …". */
void scheme_names(struct buf *to);
