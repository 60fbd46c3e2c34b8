/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys that seal session tickets.
 *
 * Without files the keys lie in shared memory, so that a client may come back to any worker. Whoever finds
 * the current one old makes the next; the one before stays good until no ticket sealed with it can be. Keys
 * that have served their time are overwritten, for whoever learns a key can read every session that it
 * sealed. Time is the monotonic clock, which all processes share.
 *
 * A ticket is bound to its server block by the session-id context inside of it, which the library compares
 * after opening it.
 */
#include "net/tls_inside.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <string.h>

/* A new key at least this often unless sessions last longer; no session of TLS 1.3 lasts longer than a week.
 */
enum { AN_HOUR_S = 3600, A_WEEK_S = 7 * 24 * AN_HOUR_S };

/* --- keys in shared memory ------------------------------------------------------------------------- */

void tls_tickets_init(struct tls_tickets *t)
{
	lock_init(&t->lock);
}

/* A dead holder may have left half a key: then neither is good any more. */
static void lock(struct tls_tickets *t)
{
	if (!lock_take(&t->lock))
		return;
	mem_wipe(t->keys, sizeof(t->keys));
	t->since_s = t->until_s = 0;
}

void tls_tickets_reach(struct tls_tickets *t, uint64_t session_s)
{
	lock(t);
	if (session_s > t->longest_s)
		t->longest_s = session_s < A_WEEK_S ? session_s : A_WEEK_S;
	lock_give(&t->lock);
}

static uint64_t period(const struct tls_tickets *t)
{
	return t->longest_s > AN_HOUR_S ? t->longest_s : AN_HOUR_S;
}

static void make_key(struct tls_ticket_key *key)
{
	random_bytes(key->name, sizeof(key->name));
	random_bytes(key->mac, sizeof(key->mac));
	random_bytes(key->cipher, sizeof(key->cipher));
	key->secret = TLS_TICKET_SECRET;
}

/* See to it that the first key is young enough to encrypt with, and that no key is too old to decrypt with: a
 * key seals for one period, and what it sealed last lives for the longest session. */
static void rotate(struct tls_tickets *t, uint64_t now_s)
{
	uint64_t seals_until = t->since_s + period(t), opens_until = seals_until + t->longest_s;

	if (now_s >= t->until_s)
		mem_wipe(&t->keys[1], sizeof(t->keys[1]));
	if (t->since_s != 0 && now_s < seals_until)
		return;
	if (t->since_s != 0 && now_s < opens_until) {
		t->keys[1] = t->keys[0];
		t->until_s = opens_until;
	}
	make_key(&t->keys[0]);
	t->since_s = now_s;
}

void tls_tickets_current(struct tls_tickets *t, uint64_t now_s, struct tls_ticket_key *key)
{
	lock(t);
	rotate(t, now_s);
	*key = t->keys[0];
	lock_give(&t->lock);
}

static const struct tls_ticket_key *key_named(const struct tls_ticket_key *keys, size_t len,
					      const uint8_t *name)
{
	for (size_t i = 0; i < len; i++)
		if (keys[i].secret != 0 && memcmp(keys[i].name, name, TLS_TICKET_NAME) == 0)
			return &keys[i];
	return NULL;
}

bool tls_tickets_find(struct tls_tickets *t, uint64_t now_s, const uint8_t name[static TLS_TICKET_NAME],
		      struct tls_ticket_key *key, bool *current)
{
	const struct tls_ticket_key *found;

	lock(t);
	rotate(t, now_s);
	found = key_named(t->keys, 2, name);
	if (found != NULL)
		*key = *found;
	*current = found == &t->keys[0];
	lock_give(&t->lock);
	return found != NULL;
}

/* --- keys from files ------------------------------------------------------------------------------- */

/* The peer's layout: name, then AES-128 key and MAC key of 16 bytes, or MAC key and AES-256 key of 32. */
bool tls_ticket_key_read(struct str content, struct tls_ticket_key *key)
{
	const char *mac, *cipher;

	if (content.len != 48 && content.len != 80)
		return false;
	*key = (struct tls_ticket_key){ .secret = content.len == 48 ? 16 : 32 };
	mac = content.at + (content.len == 48 ? 32 : 16);
	cipher = content.at + (content.len == 48 ? 16 : 48);
	memcpy(key->name, content.at, TLS_TICKET_NAME);
	memcpy(key->mac, mac, key->secret);
	memcpy(key->cipher, cipher, key->secret);
	return true;
}

/* --- sealing --------------------------------------------------------------------------------------- */

/* Never 0, which means that there is no key. */
static uint64_t now(void)
{
	return clock_ms() / 1000 + 1;
}

static void seal_key(const struct tls_context *t, struct tls_ticket_key *key)
{
	if (t->ticket_keys_len != 0)
		*key = t->ticket_keys[0];
	else
		tls_tickets_current(t->shared->tickets, now(), key);
}

static bool open_key(const struct tls_context *t, const uint8_t *name, struct tls_ticket_key *key,
		     bool *current)
{
	const struct tls_ticket_key *found;

	if (t->ticket_keys_len == 0)
		return tls_tickets_find(t->shared->tickets, now(), name, key, current);
	found = key_named(t->ticket_keys, t->ticket_keys_len, name);
	*current = found == t->ticket_keys;
	if (found != NULL)
		*key = *found;
	return found != NULL;
}

static bool use_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, key->secret),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static bool use_key(const struct tls_context *t, struct tls_ticket_key *key, unsigned char *iv,
		    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	const EVP_CIPHER *aes = key->secret == 16 ? t->shared->aes128 : t->shared->aes256;

	return EVP_CipherInit_ex2(cipher, aes, key->cipher, iv, sealing, NULL) == 1 && use_mac(mac, key);
}

/*
 * The library's wish. Its answers: 1 to go on, 0 without the key, 2 to go on and issue a new ticket, -1 on
 * failure. Clients of TLS 1.3 use a ticket once (RFC 8446 C.4), so they always need a new one.
 */
static int serve(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		 int sealing)
{
	const struct tls_context *t = tls_context_of(SSL_get_SSL_CTX(ssl));
	struct tls_ticket_key key;
	bool current = true, good;

	if (sealing) {
		seal_key(t, &key);
		memcpy(name, key.name, TLS_TICKET_NAME);
		random_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(t->shared->aes256));
	} else if (!open_key(t, name, &key, &current)) {
		return 0;
	}
	good = use_key(t, &key, iv, cipher, mac, sealing);
	mem_wipe(&key, sizeof(key));
	if (!good)
		return -1;
	return sealing || (current && SSL_version(ssl) != TLS1_3_VERSION) ? 1 : 2;
}

void tls_tickets_serve(struct ssl_ctx_st *ssl)
{
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, serve);
}
