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

void random_bytes(void *to, size_t size)
{
	must(size <= INT_MAX && RAND_bytes(to, (int)size) == 1);
}
