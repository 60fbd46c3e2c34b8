/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Authorities that several contexts trust, kept once for each process. Those of a system are a hundred and
 * more, take a megabyte and some hundredths of a second to read, and are the same for every server block and
 * every generation.
 */
#include "net/tls_client_inside.h"

#include "base/mem.h"
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct tls_trust {
	struct tls_trust *next;
	X509_STORE *store;
	size_t users;
	uint8_t digest[SHA256_SIZE];
};

bool tls_trust_find(const struct tls_context *t, const uint8_t digest[static SHA256_SIZE])
{
	struct tls_trust *found = t->shared != NULL ? t->shared->trusts : NULL;

	while (found != NULL && memcmp(found->digest, digest, SHA256_SIZE) != 0)
		found = found->next;
	if (found == NULL)
		return false;
	found->users++;
	t->client->trust = found;
	SSL_CTX_set1_cert_store(t->ssl, found->store);
	return true;
}

void tls_trust_note(const struct tls_context *t, const uint8_t digest[static SHA256_SIZE])
{
	struct tls_trust *made;

	if (t->shared == NULL)
		return;
	made = mem_new(sizeof(*made));
	*made = (struct tls_trust){ .next = t->shared->trusts,
				    .store = SSL_CTX_get_cert_store(t->ssl),
				    .users = 1 };
	memcpy(made->digest, digest, SHA256_SIZE);
	X509_STORE_up_ref(made->store);
	t->shared->trusts = t->client->trust = made;
}

void tls_trust_leave(const struct tls_context *t)
{
	struct tls_trust *trust = t->client->trust, **at;

	if (trust == NULL || --trust->users != 0)
		return;
	at = &t->shared->trusts;
	while (*at != trust)
		at = &(*at)->next;
	*at = trust->next;
	X509_STORE_free(trust->store);
	free(trust);
}
