/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts one behind the other, each with its length, so that no two lists of facts read the same; hashed. */
#include "auth/cache_key.h"

#include "base/mem.h"
#include "vars/vars.h"
#include <string.h>

enum { FACTS_MOST = 1 << 20 };

bool cache_may_keep(enum sasl_method method)
{
	return (method & (SASL_CRAM_MD5 | SASL_APOP)) == 0;
}

static void put(struct buf *to, struct str fact)
{
	uint32_t len = fact.at != NULL ? (uint32_t)fact.len : UINT32_MAX;

	buf_put(to, (struct str){ (const char *)&len, sizeof(len) });
	if (fact.at != NULL)
		buf_put(to, fact);
}

static void put_number(struct buf *to, uint64_t number)
{
	put(to, (struct str){ (const char *)&number, sizeof(number) });
}

static void put_client(struct buf *to, const struct auth_request *r)
{
	put(to, r->client_ip);
	put(to, r->client_host);
	put(to, r->proxy_addr);
}

static void put_server(struct buf *to, const struct auth_request *r)
{
	put(to, r->server_ip);
	put_number(to, r->server_port);
	put(to, r->proxy_server_addr);
	put_number(to, r->proxy_server_port);
}

/* Of what templates can tell, the name in SNI alone is not in the request itself. */
static void put_tls(struct buf *to, const struct auth_request *r)
{
	struct str name = { NULL, 0 };

	put_number(to, r->tls.on);
	put(to, r->tls.protocol);
	put(to, r->tls.cipher);
	if (r->vars == NULL || !r->vars->fact(r->vars, VAR_SSL_SERVER_NAME, &name))
		name.at = NULL;
	put(to, name);
}

/* A certificate is as good as a password, so it always counts. */
static void put_certificate(struct buf *to, const struct auth_tls *t)
{
	put(to, t->verify);
	put(to, t->subject);
	put(to, t->issuer);
	put(to, t->serial);
	put(to, t->fingerprint);
	put(to, t->certificate);
}

static void put_envelope(struct buf *to, const struct login *l)
{
	put(to, buf_text(&l->helo));
	put(to, buf_text(&l->mail));
	put(to, buf_text(&l->rcpt));
}

static void put_facts(struct buf *to, struct str server, const struct auth_request *r, unsigned ignore)
{
	const struct login *l = r->login;

	put(to, server);
	put(to, str_of(r->protocol));
	put_number(to, l->method);
	put(to, buf_text(&l->user));
	put_number(to, r->needs_secret);
	put_certificate(to, &r->tls);
	put_number(to, ignore);
	if (!(ignore & CACHE_IGNORE_CLIENT))
		put_client(to, r);
	if (!(ignore & CACHE_IGNORE_SERVER))
		put_server(to, r);
	if (!(ignore & CACHE_IGNORE_TLS))
		put_tls(to, r);
	if (!(ignore & CACHE_IGNORE_ENVELOPE) || l->method == SASL_NONE)
		put_envelope(to, l);
}

static struct str label(const char *text)
{
	return (struct str){ text, strlen(text) + 1 };
}

void cache_key(const uint8_t key[static SHA256_SIZE], struct str server, const struct auth_request *r,
	       unsigned ignore, struct cache_id *id, uint8_t seal[static SEAL_KEY])
{
	struct str k = { (const char *)key, SHA256_SIZE };
	uint8_t hash[SHA256_SIZE];
	struct buf text;

	buf_init(&text, FACTS_MOST);
	buf_put(&text, label("facts"));
	put_facts(&text, server, r, ignore);
	hmac_sha256(k, buf_text(&text), hash);
	memcpy(id->question, hash, CACHE_ID);
	put(&text, buf_text(&r->login->secret));
	hmac_sha256(k, buf_text(&text), hash);
	memcpy(id->asked, hash, CACHE_ID);
	/* what too long facts hash to would be the same for all of them */
	if (text.full)
		random_bytes(id, sizeof(*id));
	buf_wipe(&text);
	buf_put(&text, label("seal"));
	buf_put(&text, (struct str){ (const char *)hash, sizeof(hash) });
	hmac_sha256(k, buf_text(&text), seal);
	id->user = cache_user(key, buf_text(&r->login->user));
	mem_wipe(hash, sizeof(hash));
	buf_done(&text);
}

uint64_t cache_user(const uint8_t key[static SHA256_SIZE], struct str user)
{
	uint8_t hash[SHA256_SIZE];
	uint64_t short_hash;
	struct buf text;

	buf_init(&text, FACTS_MOST);
	buf_put(&text, label("user"));
	for (size_t i = 0; i < user.len; i++) {
		char c = user.at[i];

		buf_put_byte(&text, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	hmac_sha256((struct str){ (const char *)key, SHA256_SIZE }, buf_text(&text), hash);
	memcpy(&short_hash, hash, sizeof(short_hash));
	buf_done(&text);
	return short_hash;
}
