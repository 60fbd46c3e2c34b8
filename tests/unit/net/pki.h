/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates made on the spot, in this process: authorities, servers, clients, revocation lists, as PEM. */
#pragma once
#include "base/str.h"
#include <openssl/ssl.h>

/* A certificate and its key; both are the holder's. */
struct card {
	X509 *cert;
	EVP_PKEY *key;
};

/* What is unusual about a certificate; zero bytes are usual. */
struct card_wish {
	const struct card *by; /* who signs; NULL: itself */
	bool authority;
	bool rsa;		  /* else ECDSA on P-256 */
	bool expired;		  /* … in 2020 */
	long serial;		  /* 0: 4660 */
	const char *organisation; /* beside the common name */
	const char *alt;	  /* alternative names: "DNS:mail.test,IP:127.0.0.1" */
};

struct card card_make(const char *common_name, const struct card_wish *wish);
void card_drop(struct card *c);

/* As PEM, in memory that lives as long as the process. */
struct str card_pem(const struct card *c);
struct str card_key_pem(const struct card *c);
struct str card_key_pem_locked(const struct card *c, const char *phrase);

/* One PEM behind the other. */
struct str pem_join(struct str a, struct str b);

/* The list of an authority that revokes one certificate, or none. */
struct str card_crl(const struct card *authority, const struct card *revoked);
