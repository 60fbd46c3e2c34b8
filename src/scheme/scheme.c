/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of schemes, and how "{NAME.ENCODING}text" becomes a row of it and bytes; see scheme.h.
 *
 * Left out, since they are weaker than what they stand beside and bound to one mechanism: {CRAM-MD5},
 * {DIGEST-MD5}, {OTP}, {PLAIN-MD4}, {NTLM}, {RPA}.
 */
#include "scheme/scheme.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "scheme/kinds.h"
#include <stdlib.h>
#include <string.h>

/* The first is the default. Several names of one thing stand together. */
static const struct scheme schemes[] = {
	{ "CRYPT", &scheme_crypt, "$y$", NULL, 0 },
	{ "ARGON2ID", &scheme_argon2, "argon2id", NULL, 0 },
	{ "ARGON2I", &scheme_argon2, "argon2i", NULL, 0 },
	{ "SHA512-CRYPT", &scheme_crypt, "$6$", NULL, 0 },
	{ "SHA256-CRYPT", &scheme_crypt, "$5$", NULL, 0 },
	{ "BLF-CRYPT", &scheme_crypt, "$2b$", NULL, 0 },
	{ "MD5-CRYPT", &scheme_crypt, NULL, NULL, 0 },
	{ "DES-CRYPT", &scheme_crypt, NULL, NULL, 0 },
	{ "PBKDF2", &scheme_pbkdf2, "", NULL, 0 },
	{ "SCRAM-SHA-256", &scheme_scram, "", digest_sha256, SHA256_SIZE },
	{ "SSHA512", &scheme_salted, "", digest_sha512, SHA512_SIZE },
	{ "SSHA256", &scheme_salted, "", digest_sha256, SHA256_SIZE },
	{ "SSHA", &scheme_salted, NULL, digest_sha1, SHA1_SIZE },
	{ "SMD5", &scheme_salted, NULL, digest_md5, MD5_SIZE },
	{ "SHA512", &scheme_digested, NULL, digest_sha512, SHA512_SIZE },
	{ "SHA256", &scheme_digested, NULL, digest_sha256, SHA256_SIZE },
	{ "SHA1", &scheme_digested, NULL, digest_sha1, SHA1_SIZE },
	{ "SHA", &scheme_digested, NULL, digest_sha1, SHA1_SIZE },
	{ "LDAP-MD5", &scheme_digested, NULL, digest_md5, MD5_SIZE },
	{ "PLAIN-MD5", &scheme_digested, NULL, digest_md5, MD5_SIZE },
	{ "PLAIN", &scheme_clear, "", NULL, 0 },
	{ "CLEAR", &scheme_clear, NULL, NULL, 0 },
	{ "CLEARTEXT", &scheme_clear, NULL, NULL, 0 },
};

enum { SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

/* Of the default's cost: yescrypt with 16 MiB. Nobody's password, and its result is thrown away. */
static const char nobody[] = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$JYWNmRl1u6PsovnjfPnFChTRB4QnMbUxQUedP3soNJB";

/* A stored text taken apart. */
struct hash {
	const struct scheme *scheme;
	struct buf bytes;
};

char *scheme_text(struct str s)
{
	char *text = mem_new(s.len + 1);

	if (s.len != 0)
		memcpy(text, s.at, s.len);
	return text;
}

void scheme_text_free(char *text)
{
	mem_wipe(text, strlen(text));
	free(text);
}

static const struct scheme *find(struct str name)
{
	for (size_t i = 0; i < SCHEMES; i++)
		if (str_same(name, str_of(schemes[i].name)))
			return &schemes[i];
	return NULL;
}

/* {MD5} is three things, as in Dovecot: what crypt makes, or the digest in hex or base64. A bare
 * "$argon2id$…" is what argon2's own tools print. */
static const struct scheme *find_for(struct str name, struct str text)
{
	if (str_same(name, STR("MD5")))
		name = str_starts(text, STR("$1$")) ? STR("MD5-CRYPT") : STR("PLAIN-MD5");
	if (str_same(name, STR("CRYPT")) && str_starts(text, STR("$argon2")))
		name = str_starts(text, STR("$argon2i$")) ? STR("ARGON2I") : STR("ARGON2ID");
	return find(name);
}

static bool hex_get(struct buf *to, struct str text)
{
	static const char digits[] = "0123456789abcdef";

	if (text.len % 2 != 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char low = text.at[i] >= 'A' && text.at[i] <= 'F' ? (char)(text.at[i] + ('a' - 'A'))
								  : text.at[i];
		const char *digit = low != '\0' ? strchr(digits, low) : NULL;

		if (digit == NULL)
			return false;
		if (i % 2 == 0)
			buf_put_byte(to, (char)((digit - digits) << 4));
		else
			to->at[to->len - 1] = (char)(to->at[to->len - 1] | (digit - digits));
	}
	return true;
}

/* A digest's length tells hex from base64 where no suffix does, as in Dovecot. */
static bool decode(const struct scheme *s, struct str encoding, struct str text, struct buf *to)
{
	if (str_same(encoding, STR("HEX")))
		return hex_get(to, text);
	if (str_same(encoding, STR("B64")) || str_same(encoding, STR("BASE64")))
		return base64_get(to, text);
	if (encoding.len != 0)
		return false;
	if (s->kind == &scheme_digested && text.len == 2 * s->size)
		return hex_get(to, text);
	if (s->kind->binary)
		return base64_get(to, text);
	buf_put(to, text);
	return !to->full;
}

/* Take a stored text apart. Whatever comes back, h->bytes wants buf_done. */
static const char *open_hash(struct str stored, struct hash *h)
{
	struct str name = STR("CRYPT"), encoding = name;

	buf_init(&h->bytes, SCHEME_STORED_MAX);
	if (stored.len > SCHEME_STORED_MAX)
		return "password hash is too long";
	if (str_has(stored, '\0'))
		return "password hash holds a NUL";
	if (stored.len != 0 && stored.at[0] == '{') {
		stored = str_skip(stored, 1);
		if (!str_has(stored, '}'))
			return "password hash lacks the \"}\" behind its scheme";
		encoding = str_cut(&stored, '}');
		name = str_cut(&encoding, '.');
	} else {
		encoding = STR("");
	}
	h->scheme = find_for(name, stored);
	if (h->scheme == NULL)
		return "password scheme is unknown";
	if (!decode(h->scheme, encoding, stored, &h->bytes))
		return "password hash is not encoded as its scheme wants";
	return h->scheme->kind->check(h->scheme, buf_text(&h->bytes));
}

/* passwd(5): no password is right. */
static bool locked(struct str stored)
{
	return stored.len == 0 || stored.at[0] == '!' || stored.at[0] == '*';
}

const char *scheme_complaint(struct str stored)
{
	struct hash h;
	const char *complaint;

	if (locked(stored))
		return NULL;
	complaint = open_hash(stored, &h);
	buf_done(&h.bytes);
	return complaint;
}

/* The empty password is right for nobody, whatever was stored. */
static bool usable(struct str password)
{
	return password.len != 0 && password.len <= SCHEME_PASSWORD_MAX && !str_has(password, '\0');
}

enum scheme_result scheme_verify(struct str stored, struct str password)
{
	enum scheme_result result = SCHEME_UNKNOWN;
	struct hash h;

	if (locked(stored)) {
		scheme_dummy(STR(""), password);
		return SCHEME_MISMATCH;
	}
	if (open_hash(stored, &h) == NULL)
		result = usable(password) ? h.scheme->kind->verify(h.scheme, buf_text(&h.bytes), password)
					  : SCHEME_MISMATCH;
	buf_done(&h.bytes);
	return result;
}

void scheme_dummy(struct str like, struct str password)
{
	if (locked(like) || scheme_complaint(like) != NULL)
		like = STR(nobody);
	scheme_verify(like, password);
}

bool scheme_plain(struct str stored, struct buf *to)
{
	struct hash h;
	bool plain = !locked(stored) && open_hash(stored, &h) == NULL && h.scheme->kind == &scheme_clear;

	buf_clear(to);
	if (plain)
		buf_put(to, buf_text(&h.bytes));
	if (!locked(stored))
		buf_done(&h.bytes);
	return plain && !to->full;
}

static void answer(enum scheme_digest kind, struct str salt, struct str password, uint8_t to[static MD5_SIZE])
{
	struct buf both;

	if (kind == SCHEME_CRAM_MD5) {
		hmac_md5(password, salt, to);
		return;
	}
	buf_init(&both, salt.len + password.len);
	buf_put(&both, salt);
	buf_put(&both, password);
	digest_md5(buf_text(&both), to);
	buf_done(&both);
}

enum scheme_result scheme_verify_digest(struct str stored, enum scheme_digest kind, struct str salt,
					struct str digest)
{
	uint8_t want[MD5_SIZE];
	struct buf password, heard;
	enum scheme_result result = SCHEME_UNKNOWN;

	buf_init(&password, SCHEME_STORED_MAX);
	buf_init(&heard, MD5_SIZE);
	if (scheme_plain(stored, &password)) {
		answer(kind, salt, buf_text(&password), want);
		result = hex_get(&heard, digest) && str_eq_secret(buf_text(&heard),
								  (struct str){ (char *)want, MD5_SIZE })
				 ? SCHEME_MATCH
				 : SCHEME_MISMATCH;
		mem_wipe(want, sizeof(want));
	}
	buf_done(&password);
	buf_done(&heard);
	return result;
}

/* "{NAME}" and the text; what was made must be what can be tried, so it is checked. */
static bool make(const struct scheme *s, struct str password, struct buf *to)
{
	struct buf bytes, text;
	bool good;

	buf_init(&bytes, SCHEME_STORED_MAX);
	buf_init(&text, SCHEME_STORED_MAX);
	buf_format(&text, "{%s}", s->name);
	good = s->kind->make(s, password, &bytes);
	if (s->kind->binary)
		base64_put(&text, buf_text(&bytes));
	else
		buf_put(&text, buf_text(&bytes));
	good = good && !bytes.full && !text.full && scheme_complaint(buf_text(&text)) == NULL;
	if (good)
		buf_put(to, buf_text(&text));
	buf_done(&bytes);
	buf_done(&text);
	return good && !to->full;
}

bool scheme_make(const char *scheme, struct str password, struct buf *to, const char **complaint)
{
	const struct scheme *s = scheme != NULL ? find(str_of(scheme)) : &schemes[0];

	*complaint = NULL;
	if (s == NULL || s->how == NULL)
		*complaint = s == NULL ? "there is no such password scheme"
				       : "this scheme is too weak for new passwords";
	else if (!usable(password))
		*complaint = "the password is empty, too long, or holds a NUL";
	else if (!make(s, password, to))
		*complaint = "the library for this scheme is missing, or takes no such password";
	return *complaint == NULL;
}

void scheme_names(struct buf *to)
{
	for (size_t i = 0; i < SCHEMES; i++)
		if (schemes[i].how != NULL)
			buf_format(to, "%s%s", i != 0 ? ", " : "", schemes[i].name);
}
