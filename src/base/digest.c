/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests and random bytes by OpenSSL; see digest.h. A digest that the library lacks is an installation that
 * cannot work. */
#include "base/digest.h"

#include "base/must.h"
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static void digest(const EVP_MD *how, struct str bytes, uint8_t *to)
{
	must(EVP_Digest(bytes.at, bytes.len, to, NULL, how, NULL) == 1);
}

void digest_md5(struct str bytes, uint8_t to[static MD5_SIZE])
{
	digest(EVP_md5(), bytes, to);
}

void digest_sha1(struct str bytes, uint8_t to[static SHA1_SIZE])
{
	digest(EVP_sha1(), bytes, to);
}

void digest_sha256(struct str bytes, uint8_t to[static SHA256_SIZE])
{
	digest(EVP_sha256(), bytes, to);
}

void digest_sha512(struct str bytes, uint8_t to[static SHA512_SIZE])
{
	digest(EVP_sha512(), bytes, to);
}

static void hmac(const EVP_MD *how, struct str key, struct str bytes, uint8_t *to)
{
	const unsigned char *at = (const unsigned char *)(bytes.len != 0 ? bytes.at : "");

	must(key.len <= INT_MAX);
	must(HMAC(how, key.len != 0 ? key.at : "", (int)key.len, at, bytes.len, to, NULL) != NULL);
}

void hmac_md5(struct str key, struct str bytes, uint8_t to[static MD5_SIZE])
{
	hmac(EVP_md5(), key, bytes, to);
}

void hmac_sha256(struct str key, struct str bytes, uint8_t to[static SHA256_SIZE])
{
	hmac(EVP_sha256(), key, bytes, to);
}

static void pbkdf2(const EVP_MD *how, struct str password, struct str salt, unsigned rounds, uint8_t *to)
{
	const unsigned char *grain = (const unsigned char *)(salt.len != 0 ? salt.at : "");

	must(password.len <= INT_MAX && salt.len <= INT_MAX && rounds > 0 && rounds <= INT_MAX);
	must(PKCS5_PBKDF2_HMAC(password.len != 0 ? password.at : "", (int)password.len, grain, (int)salt.len,
			       (int)rounds, how, EVP_MD_get_size(how), to) == 1);
}

void pbkdf2_sha1(struct str password, struct str salt, unsigned rounds, uint8_t to[static SHA1_SIZE])
{
	pbkdf2(EVP_sha1(), password, salt, rounds, to);
}

void pbkdf2_sha256(struct str password, struct str salt, unsigned rounds, uint8_t to[static SHA256_SIZE])
{
	pbkdf2(EVP_sha256(), password, salt, rounds, to);
}

void random_bytes(void *to, size_t size)
{
	must(size <= INT_MAX && RAND_bytes(to, (int)size) == 1);
}
