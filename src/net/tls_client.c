/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts of clients: what a family of directives means to the TLS library. Files and ciphers are the same
 * business as a server's and are left to the same functions; what differs is who verifies whom.
 *
 * Without a file of authorities the system's are taken: from where SSL_CERT_FILE says, or the library's own
 * place, or where distributions put them. They come through the bundle like every file, so workers have what
 * the master saw when it loaded the configuration.
 */
#include "net/tls_client.h"

#include "net/tls_client_inside.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

/* --- the system's authorities ---------------------------------------------------------------------- */

static const char *const PLACES[] = {
	NULL, /* the library's own */
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

static bool ask_for(struct conf *c, const char *place, struct str *content)
{
	int error;

	return bundle_ask(conf_bundle(c), BUNDLE_FILE, str_of(place), content, &error) && content->len != 0;
}

/* Where they are, or NULL. */
static const char *system_trust(struct conf *c, struct str *content)
{
	const char *place = getenv(X509_get_default_cert_file_env());

	if (place != NULL && place[0] != '\0')
		return ask_for(c, place, content) ? place : NULL;
	for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
		place = PLACES[i] != NULL ? PLACES[i] : X509_get_default_cert_file();
		if (ask_for(c, place, content))
			return place;
	}
	return NULL;
}

static bool no_trust(struct conf *c, const struct tls_client_use *use)
{
	const char *place = getenv(X509_get_default_cert_file_env());

	return conf_fault_at(c, scope_file(use->at), scope_line(use->at),
			     "no authorities to verify certificates of %s servers against: there are none in "
			     "\"%s\"; name a file with \"%s_trusted_certificate\", install the system's "
			     "(ca-certificates), or do without by \"%s_verify off\"",
			     use->peer, place != NULL ? place : PLACES[1], use->family, use->family);
}

/* --- whom to trust --------------------------------------------------------------------------------- */

static void add_content(struct conf *c, const struct tls_word *word, struct buf *to)
{
	uint8_t digest[SHA256_SIZE];
	struct str content = STR("");

	if (word->text.len != 0)
		tls_read(c, word->text, &content);
	digest_sha256(content, digest);
	buf_put(to, (struct str){ (const char *)digest, sizeof(digest) });
}

/* Authorities and revocation lists, unless another context has read the same. */
static bool take_trust(struct conf *c, struct tls_context *t, const struct tls_settings *s)
{
	uint8_t digest[SHA256_SIZE];
	struct buf about;
	bool found;

	buf_init(&about, 2 * SHA256_SIZE);
	add_content(c, &s->trusted_ca, &about);
	add_content(c, &s->crl, &about);
	digest_sha256(buf_text(&about), digest);
	buf_done(&about);
	found = tls_trust_find(t, digest);
	if (!found && !tls_take_authorities(c, t->ssl, s))
		return false;
	if (!found)
		tls_trust_note(t, digest);
	t->client->trusts = true;
	return true;
}

static bool set_trust(struct conf *c, struct tls_context *t, struct tls_settings *s,
		      const struct tls_client_use *use)
{
	struct str content;
	const char *place;

	if (s->trusted_ca.text.len == 0) {
		place = system_trust(c, &content);
		if (place == NULL)
			return !use->needed || no_trust(c, use);
		if (!use->needed && s->crl.text.len == 0) {
			t->client->late = content;
			return true;
		}
		s->trusted_ca = (struct tls_word){ .text = str_of(place),
						   .file = scope_file(use->at),
						   .line = scope_line(use->at) };
	}
	return take_trust(c, t, s);
}

/* --- a context ------------------------------------------------------------------------------------- */

/* The options as the functions know them that serve both sides. */
static struct tls_settings settings_of(const struct tls_client_options *o)
{
	return (struct tls_settings){ .certificates = o->certificate,
				      .keys = o->key,
				      .password_file = o->password_file,
				      .trusted_ca = o->trusted_ca,
				      .crl = o->crl };
}

static bool has_key(struct conf *c, const struct tls_client_options *o, const struct tls_client_use *use)
{
	const struct tls_word *cert;

	if (o->certificate.len == 0 || o->key.len != 0)
		return true;
	cert = &o->certificate.at[0];
	return conf_fault_at(c, cert->file, cert->line,
			     "no \"%s_certificate_key\" is defined for certificate \"%.*s\"", use->family,
			     STR_ARG(tls_shown(cert->text)));
}

static bool set_verification(struct conf *c, struct tls_context *t, const struct tls_client_options *o,
			     struct tls_settings *s, const struct tls_client_use *use)
{
	if (!o->verify)
		return true;
	tls_verify_serve(t->ssl);
	SSL_CTX_set_verify_depth(t->ssl, o->verify_depth < INT32_MAX ? (int)o->verify_depth : INT32_MAX);
	return set_trust(c, t, s, use);
}

static void set_reuse(struct tls_context *t)
{
	if (t->client->reuse) {
		tls_visits_serve(t->ssl);
		return;
	}
	SSL_CTX_set_session_cache_mode(t->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(t->ssl, SSL_OP_NO_TICKET);
}

static bool furnish(struct conf *c, struct tls_context *t, const struct tls_client_options *o,
		    const struct tls_client_use *use)
{
	struct tls_settings s = settings_of(o);

	tls_set_versions(t->ssl, o->protocols);
	tls_set_manners(t->ssl);
	set_reuse(t);
	return tls_set_ciphers(c, t->ssl, &o->ciphers) && has_key(c, o, use) &&
	       tls_take_certificates(c, t->ssl, &s) && set_verification(c, t, o, &s, use) &&
	       tls_take_commands(c, t->ssl, &o->commands);
}

struct tls_context *tls_client_context_from(struct conf *c, const struct tls_client_options *options,
					    const struct tls_client_use *use, struct tls_shared *shared)
{
	struct tls_context *t = tls_context_new(TLS_client_method(), shared);

	t->client = arena_take(t->home, sizeof(*t->client));
	*t->client = (struct tls_client){ .family = use->family,
					  .peer = use->peer,
					  .verify = options->verify,
					  .sends_name = options->sends_name,
					  .reuse = options->reuse };
	ERR_clear_error();
	if (furnish(c, t, options, use))
		return t;
	tls_context_free(t);
	return NULL;
}

void tls_client_free(struct tls_context *t)
{
	tls_visits_free(t->client);
	tls_trust_leave(t);
}
