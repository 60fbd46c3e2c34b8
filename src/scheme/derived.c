/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schemes on PBKDF2, as Dovecot writes them:
 *
 *     {PBKDF2}$1$SALT$ROUNDS$HEX                 HMAC-SHA1; the salt is the text itself
 *     {SCRAM-SHA-256}ROUNDS,SALT,STORED,SERVER   RFC 5802 and 7677; salt and both keys in base64
 *
 * A password is tried against SCRAM keys by making them again. ServerKey is compared too: a line with a wrong
 * one was not written by who knew the password.
 */
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "scheme/kinds.h"

enum { SALT = 16, SALT_MAX = 256, PBKDF2_ROUNDS = 600000, SCRAM_ROUNDS = 15000 };

static const char malformed[] = "password hash is malformed";
static const char too_many[] = "password hash asks for more than 2000000 rounds";

struct pbkdf2 {
	struct str salt, hex;
	uint64_t rounds;
};

static const char *read_pbkdf2(struct str text, struct pbkdf2 *p)
{
	struct str version, rounds;

	if (!str_starts(text, STR("$")))
		return malformed;
	text = str_skip(text, 1);
	version = str_cut(&text, '$');
	p->salt = str_cut(&text, '$');
	rounds = str_cut(&text, '$');
	p->hex = text;
	if (!str_eq(version, STR("1")) || p->salt.len > SALT_MAX || p->hex.len != 2 * SHA1_SIZE ||
	    !str_number(rounds, UINT32_MAX, &p->rounds) || p->rounds == 0)
		return malformed;
	return p->rounds > SCHEME_ROUNDS_MAX ? too_many : NULL;
}

static const char *check_pbkdf2(const struct scheme *s, struct str bytes)
{
	struct pbkdf2 p;

	(void)s;
	return read_pbkdf2(bytes, &p);
}

static void put_pbkdf2(struct buf *hex, const struct pbkdf2 *p, struct str password)
{
	uint8_t key[SHA1_SIZE];

	pbkdf2_sha1(password, p->salt, (unsigned)p->rounds, key);
	hex_put(hex, (struct str){ (char *)key, sizeof(key) });
	mem_wipe(key, sizeof(key));
}

static enum scheme_result verify_pbkdf2(const struct scheme *s, struct str bytes, struct str password)
{
	struct pbkdf2 p;
	struct buf hex;
	bool same;

	(void)s;
	if (read_pbkdf2(bytes, &p) != NULL)
		return SCHEME_UNKNOWN;
	buf_init(&hex, 2 * SHA1_SIZE);
	put_pbkdf2(&hex, &p, password);
	same = str_eq_secret(buf_text(&hex), p.hex);
	buf_done(&hex);
	return same ? SCHEME_MATCH : SCHEME_MISMATCH;
}

static bool make_pbkdf2(const struct scheme *s, struct str password, struct buf *to)
{
	struct pbkdf2 p = { .rounds = PBKDF2_ROUNDS };
	char grain[SALT];
	struct buf salt;

	(void)s;
	random_bytes(grain, sizeof(grain));
	buf_init(&salt, 2 * SALT);
	hex_put(&salt, (struct str){ grain, sizeof(grain) });
	p.salt = buf_text(&salt);
	buf_format(to, "$1$%.*s$%u$", STR_ARG(p.salt), (unsigned)p.rounds);
	put_pbkdf2(to, &p, password);
	buf_done(&salt);
	return true;
}

const struct scheme_kind scheme_pbkdf2 = { false, check_pbkdf2, verify_pbkdf2, make_pbkdf2 };

struct scram {
	uint64_t rounds;
	char salt[SALT_MAX];
	size_t salt_len;
	uint8_t keys[2 * SHA256_SIZE]; /* StoredKey, ServerKey */
};

/* One field of base64 into `to`; its length, or 0 when it is malformed or too long. */
static size_t read_field(struct str *text, char *to, size_t most)
{
	struct buf bytes;
	size_t len = 0;

	buf_init(&bytes, most);
	if (base64_get(&bytes, str_cut(text, ',')))
		len = bytes.len;
	for (size_t i = 0; i < len; i++)
		to[i] = bytes.at[i];
	buf_done(&bytes);
	return len;
}

static const char *read_scram(struct str text, struct scram *k)
{
	struct str rounds = str_cut(&text, ',');

	if (!str_number(rounds, UINT32_MAX, &k->rounds) || k->rounds == 0)
		return malformed;
	k->salt_len = read_field(&text, k->salt, SALT_MAX);
	if (k->salt_len == 0 || read_field(&text, (char *)k->keys, SHA256_SIZE) != SHA256_SIZE ||
	    read_field(&text, (char *)k->keys + SHA256_SIZE, SHA256_SIZE) != SHA256_SIZE || text.len != 0)
		return malformed;
	return k->rounds > SCHEME_ROUNDS_MAX ? too_many : NULL;
}

static const char *check_scram(const struct scheme *s, struct str bytes)
{
	struct scram k;

	(void)s;
	return read_scram(bytes, &k);
}

/* RFC 5802 section 3: StoredKey := H(HMAC(SaltedPassword, "Client Key")), ServerKey := HMAC(…, "Server Key").
 * The password is taken as it is, without SASLprep, as Dovecot does. */
static void derive(struct scram *k, struct str password)
{
	uint8_t salted[SHA256_SIZE], client[SHA256_SIZE];
	struct str key = { (char *)salted, sizeof(salted) };

	pbkdf2_sha256(password, (struct str){ k->salt, k->salt_len }, (unsigned)k->rounds, salted);
	hmac_sha256(key, STR("Client Key"), client);
	digest_sha256((struct str){ (char *)client, sizeof(client) }, k->keys);
	hmac_sha256(key, STR("Server Key"), k->keys + SHA256_SIZE);
	mem_wipe(salted, sizeof(salted));
	mem_wipe(client, sizeof(client));
}

static enum scheme_result verify_scram(const struct scheme *s, struct str bytes, struct str password)
{
	struct scram stored, made;
	bool same;

	(void)s;
	if (read_scram(bytes, &stored) != NULL)
		return SCHEME_UNKNOWN;
	made = stored;
	derive(&made, password);
	same = str_eq_secret((struct str){ (char *)stored.keys, sizeof(stored.keys) },
			     (struct str){ (char *)made.keys, sizeof(made.keys) });
	mem_wipe(&made, sizeof(made));
	mem_wipe(&stored, sizeof(stored));
	return same ? SCHEME_MATCH : SCHEME_MISMATCH;
}

static bool make_scram(const struct scheme *s, struct str password, struct buf *to)
{
	struct scram k = { .rounds = SCRAM_ROUNDS, .salt_len = SALT };

	(void)s;
	random_bytes(k.salt, SALT);
	derive(&k, password);
	buf_format(to, "%u,", (unsigned)k.rounds);
	base64_put(to, (struct str){ k.salt, k.salt_len });
	buf_put_byte(to, ',');
	base64_put(to, (struct str){ (char *)k.keys, SHA256_SIZE });
	buf_put_byte(to, ',');
	base64_put(to, (struct str){ (char *)k.keys + SHA256_SIZE, SHA256_SIZE });
	mem_wipe(&k, sizeof(k));
	return true;
}

const struct scheme_kind scheme_scram = { false, check_scram, verify_scram, make_scram };
