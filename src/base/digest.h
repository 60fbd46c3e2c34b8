/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests and random bytes; with net/tls the only door to OpenSSL. */
#pragma once
#include "base/str.h"

enum { MD5_SIZE = 16, SHA1_SIZE = 20, SHA256_SIZE = 32, SHA512_SIZE = 64 };

void digest_md5(struct str bytes, uint8_t to[static MD5_SIZE]);
void digest_sha1(struct str bytes, uint8_t to[static SHA1_SIZE]);
void digest_sha256(struct str bytes, uint8_t to[static SHA256_SIZE]);
void digest_sha512(struct str bytes, uint8_t to[static SHA512_SIZE]);
void hmac_md5(struct str key, struct str bytes, uint8_t to[static MD5_SIZE]);
void hmac_sha256(struct str key, struct str bytes, uint8_t to[static SHA256_SIZE]);

/* PBKDF2 of RFC 8018 section 5.2 with HMAC of the named digest, as long as that. What many rounds cost is the
 * caller's to bound; `rounds` is at least 1. */
void pbkdf2_sha1(struct str password, struct str salt, unsigned rounds, uint8_t to[static SHA1_SIZE]);
void pbkdf2_sha256(struct str password, struct str salt, unsigned rounds, uint8_t to[static SHA256_SIZE]);

/* Bytes from the system's cryptographic generator. Never fails: aborts when the system has none. */
void random_bytes(void *to, size_t size);
