/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of TLS as a client know of each other: net/tls_client.c, tls_trust.c, tls_verify.c,
 * tls_visits.c; and tls_link.c, which calls upon them. */
#pragma once
#include "base/digest.h"
#include "net/tls_inside.h"

struct tls_trust;

/* --- tls_client.c: the client's side --- */

struct tls_visit;

/* What a client's context has besides. */
struct tls_client {
	const char *family, *peer;
	bool verify, sends_name, reuse;
	bool trusts;	 /* there are authorities */
	struct str late; /* authorities in PEM that are not looked at yet */
	struct tls_trust *trust;
	struct tls_visit *visits; /* the latest first */
	uint32_t visits_made;
};

void tls_client_free(struct tls_context *t);

/* --- tls_trust.c: authorities, shared by contexts --- */

/* Have a context trust the authorities that this digest is of, if another of this process has them at hand.
 */
bool tls_trust_find(const struct tls_context *t, const uint8_t digest[static SHA256_SIZE]);

/* What the context trusts is what this digest is of: others may have it too. */
void tls_trust_note(const struct tls_context *t, const uint8_t digest[static SHA256_SIZE]);
void tls_trust_leave(const struct tls_context *t);

/* --- tls_verify.c: the server's certificate --- */

/* Have the library's verdict told to the link that it works for, in words. */
void tls_verify_serve(struct ssl_ctx_st *ssl);

/* Whom a link's client expects. False when that cannot be: the link then knows why. */
bool tls_expect(struct tls_link *t, const char *name);

/* --- tls_visits.c: sessions that a client may resume --- */

/* Offer the last session with this name at this link's other end, and keep those to come. */
void tls_visit(struct tls_link *t, const char *name);

/* No longer keep what was kept for this link's server. */
void tls_visit_forget(struct tls_link *t);
void tls_visits_serve(struct ssl_ctx_st *ssl);
void tls_visits_free(struct tls_client *c);
