/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What crypt(3) makes; the door of libcrypt. Each method writes its cost into its text in its own way, and
 * some take any number: "$6$rounds=999999999$" would hold a helper for minutes. So a method is tried only
 * when its row here has read the cost and found it bounded; a method without a row is unknown.
 *
 * Costs come as rounds, as a power of two, or as memory (yescrypt, scrypt). Limits are set so that a try ends
 * within a few seconds on an old machine.
 */
#include "base/mem.h"
#include "scheme/kinds.h"
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

enum { BCRYPT_COST_MAX = 15, BCRYPT_COST = 10, SHA_ROUNDS = 100000 };

static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char malformed[] = "password hash is malformed";
static const char expensive[] = "password hash costs too much: see docs/authentication.md for the limits";

typedef const char *cost_fn(struct str behind); /* what stands behind the prefix; NULL: cheap enough */

static const char *bounded(struct str number)
{
	uint64_t rounds;

	if (!str_number(number, UINT32_MAX, &rounds))
		return malformed;
	return rounds > SCHEME_ROUNDS_MAX ? expensive : NULL;
}

static const char *cost_fixed(struct str behind)
{
	(void)behind;
	return NULL;
}

/* SHA-crypt, and sunmd5 behind "$md5,": "rounds=N$…", or none for the method's own few thousand. */
static const char *cost_rounds(struct str behind)
{
	return str_starts(behind, STR("rounds="))
		       ? bounded(str_cut(&(struct str){ behind.at + 7, behind.len - 7 }, '$'))
		       : NULL;
}

/* sha1crypt: "N$…" */
static const char *cost_number(struct str behind)
{
	return bounded(str_cut(&behind, '$'));
}

/* bcrypt: two digits, a power of two */
static const char *cost_power(struct str behind)
{
	uint64_t power;

	if (behind.len < 3 || behind.at[2] != '$' || !str_number((struct str){ behind.at, 2 }, 99, &power))
		return malformed;
	return power > BCRYPT_COST_MAX ? expensive : NULL;
}

/* The value of one character of crypt's alphabet; -1 for others. */
static int value(char c)
{
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

/* yescrypt: three characters: flavour, log2 N - 1, r - 1. More of them stand for threads, time and ROM, which
 * nothing makes by default; those are not tried. */
static const char *cost_yescrypt(struct str behind)
{
	struct str parameters = str_cut(&behind, '$');
	int power, blocks;

	if (parameters.len != 3)
		return expensive;
	power = value(parameters.at[1]);
	blocks = value(parameters.at[2]);
	if (power < 0 || blocks < 0)
		return malformed;
	if (power > 30 || (UINT64_C(256) << power) * (uint64_t)(blocks + 1) > SCHEME_MEMORY_MAX)
		return expensive;
	return NULL;
}

/* Characters as a number, the first the lowest; UINT64_MAX when one is none. */
static uint64_t little(struct str s)
{
	uint64_t number = 0;

	for (size_t i = s.len; i-- > 0;) {
		int v = value(s.at[i]);

		if (v < 0)
			return UINT64_MAX;
		number = number << 6 | (uint64_t)v;
	}
	return number;
}

/* scrypt: log2 N in one character, r and p in five each */
static const char *cost_scrypt(struct str behind)
{
	uint64_t r, p;
	int power;

	if (behind.len < 11)
		return malformed;
	power = value(behind.at[0]);
	r = little((struct str){ behind.at + 1, 5 });
	p = little((struct str){ behind.at + 6, 5 });
	if (power < 0 || r == UINT64_MAX || p == UINT64_MAX)
		return malformed;
	if (power > 30 || r > 64 || p > 16 || (UINT64_C(128) << power) * r * p > SCHEME_MEMORY_MAX)
		return expensive;
	return NULL;
}

/* BSDi: rounds in four characters */
static const char *cost_bsdi(struct str behind)
{
	uint64_t rounds = behind.len >= 4 ? little((struct str){ behind.at, 4 }) : UINT64_MAX;

	if (rounds == UINT64_MAX)
		return malformed;
	return rounds > SCHEME_ROUNDS_MAX ? expensive : NULL;
}

/* The oldest one: thirteen characters. */
static const char *cost_des(struct str behind)
{
	for (size_t i = 0; i < behind.len; i++)
		if (value(behind.at[i]) < 0)
			return malformed;
	return behind.len == 13 ? NULL : malformed;
}

static const struct method {
	const char *prefix;
	cost_fn *cost;
} methods[] = {
	{ "$y$", cost_yescrypt },  { "$gy$", cost_yescrypt }, { "$7$", cost_scrypt },
	{ "$6$", cost_rounds },	   { "$5$", cost_rounds },    { "$2b$", cost_power },
	{ "$2y$", cost_power },	   { "$2a$", cost_power },    { "$2x$", cost_power },
	{ "$1$", cost_fixed },	   { "$md5,", cost_rounds },  { "$md5$", cost_fixed },
	{ "$sha1$", cost_number }, { "$3$", cost_fixed },     { "$sm3$", cost_rounds },
	{ "_", cost_bsdi },
};

static const char *check(const struct scheme *s, struct str bytes)
{
	(void)s;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (str_starts(bytes, str_of(methods[i].prefix)))
			return methods[i].cost(str_skip(bytes, strlen(methods[i].prefix)));
	if (str_starts(bytes, STR("$")))
		return "password hash is of a method that crypt does not know";
	return cost_des(bytes);
}

/* crypt_rn gives NULL for what it does not understand, and for passwords beyond its 512 bytes. */
static enum scheme_result verify(const struct scheme *s, struct str bytes, struct str password)
{
	struct crypt_data *data = mem_new(sizeof(*data));
	char *setting = scheme_text(bytes), *phrase = scheme_text(password);
	const char *made = crypt_rn(phrase, setting, data, (int)sizeof(*data));
	enum scheme_result result = SCHEME_UNKNOWN;

	(void)s;
	if (made != NULL)
		result = str_eq_secret(str_of(made), bytes) ? SCHEME_MATCH : SCHEME_MISMATCH;
	else if (password.len >= CRYPT_MAX_PASSPHRASE_SIZE)
		result = SCHEME_MISMATCH;
	mem_wipe(data, sizeof(*data));
	free(data);
	scheme_text_free(setting);
	scheme_text_free(phrase);
	return result;
}

static unsigned long count_for(const char *prefix)
{
	if (strcmp(prefix, "$2b$") == 0)
		return BCRYPT_COST;
	return strcmp(prefix, "$y$") == 0 ? 0 : SHA_ROUNDS;
}

/* Salt comes from the system's generator, which crypt_gensalt asks itself. */
static bool make(const struct scheme *s, struct str password, struct buf *to)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data;
	char *phrase;
	const char *made;

	if (crypt_gensalt_rn(s->how, count_for(s->how), NULL, 0, setting, (int)sizeof(setting)) == NULL)
		return false;
	data = mem_new(sizeof(*data));
	phrase = scheme_text(password);
	made = crypt_rn(phrase, setting, data, (int)sizeof(*data));
	if (made != NULL)
		buf_put(to, str_of(made));
	mem_wipe(data, sizeof(*data));
	free(data);
	scheme_text_free(phrase);
	return made != NULL;
}

const struct scheme_kind scheme_crypt = { false, check, verify, make };
