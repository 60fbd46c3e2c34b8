/* SPDX-License-Identifier: BSD-2-Clause */
/* Sealing by OpenSSL; see seal.h. The nonce is random, hence the bound on how often a key may serve. */
#include "base/seal.h"

#include "base/digest.h"
#include "base/must.h"
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

static const unsigned char *bytes_of(struct str s)
{
	return (const unsigned char *)(s.len != 0 ? s.at : "");
}

void seal_put(const uint8_t key[static SEAL_KEY], struct str bytes, char *to)
{
	unsigned char *nonce = (unsigned char *)to, *text = nonce + SEAL_NONCE, *tag = text + bytes.len;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len = 0;

	must(c != NULL && bytes.len <= INT_MAX);
	random_bytes(nonce, SEAL_NONCE);
	must(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1);
	must(EVP_EncryptUpdate(c, text, &len, bytes_of(bytes), (int)bytes.len) == 1);
	must(EVP_EncryptFinal_ex(c, tag, &len) == 1 && len == 0);
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, SEAL_TAG, tag) == 1);
	EVP_CIPHER_CTX_free(c);
}

bool seal_open(const uint8_t key[static SEAL_KEY], struct str sealed, char *to)
{
	unsigned char tag[SEAL_TAG], none[16];
	EVP_CIPHER_CTX *c;
	size_t text_len;
	int len = 0;
	bool good;

	if (sealed.len < SEAL_MORE || sealed.len > INT_MAX)
		return false;
	text_len = sealed.len - SEAL_MORE;
	memcpy(tag, sealed.at + sealed.len - SEAL_TAG, SEAL_TAG);
	c = EVP_CIPHER_CTX_new();
	must(c != NULL);
	must(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, bytes_of(sealed)) == 1);
	must(EVP_DecryptUpdate(c, (unsigned char *)to, &len, bytes_of(sealed) + SEAL_NONCE, (int)text_len) ==
	     1);
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, SEAL_TAG, tag) == 1);
	good = EVP_DecryptFinal_ex(c, none, &len) == 1;
	EVP_CIPHER_CTX_free(c);
	return good;
}
