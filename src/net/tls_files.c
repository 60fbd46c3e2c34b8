/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates, keys, authorities, revocation lists and parameters: from files into a context.
 *
 * Every file comes through the configuration's bundle, so a worker that has no filesystem reads the same
 * bytes as the master did. The library is never let near the terminal: without a pass phrase in a file an
 * encrypted key is an error, not a question.
 */
#include "net/tls_inside.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <string.h>

/* A file or inline text, and how faults call it. */
struct source {
	const struct tls_word *word;
	struct str shown, content;
};

/* --- reading --------------------------------------------------------------------------------------- */

const char *tls_read(struct conf *c, struct str name, struct str *content)
{
	const char *text;
	int error;

	if (str_starts(name, STR("data:"))) {
		*content = str_skip(name, strlen("data:"));
		return NULL;
	}
	if (bundle_ask(conf_bundle(c), BUNDLE_FILE, conf_path(c, name), content, &error))
		return NULL;
	text = strerrordesc_np(error);
	return arena_format(conf_arena(c), "open() failed (%d: %s)", error,
			    text != NULL ? text : "Unknown error")
		.at;
}

static struct str shown(struct conf *c, struct str name)
{
	if (str_starts(name, STR("data:")) || str_starts(name, STR("store:")) ||
	    str_starts(name, STR("engine:")))
		return tls_shown(name);
	return conf_path(c, name);
}

static bool open_source(struct conf *c, const struct tls_word *word, const char *what, struct source *s)
{
	const char *wrong;

	*s = (struct source){ .word = word, .shown = shown(c, word->text) };
	wrong = tls_read(c, word->text, &s->content);
	if (wrong == NULL && s->content.len > INT32_MAX)
		wrong = "it is too large";
	if (wrong == NULL)
		return true;
	return tls_fault(c, word, "cannot load %s \"%.*s\": %s", what, STR_ARG(s->shown), wrong);
}

static BIO *bio_of(struct str content)
{
	return BIO_new_mem_buf(content.len != 0 ? content.at : "", (int)content.len);
}

/* Is there nothing but the end where the next PEM block might stand? */
static bool at_end_of_pem(void)
{
	unsigned long code = ERR_peek_last_error();

	if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error();
	return true;
}

/* --- pass phrases ---------------------------------------------------------------------------------- */

struct phrase {
	struct str text;
	bool asked; /* so the key is encrypted */
};

static int say_phrase(char *to, int room, int writing, void *arg)
{
	struct phrase *p = arg;

	p->asked = true;
	if (writing || p->text.len == 0 || p->text.len > (size_t)room)
		return -1;
	memcpy(to, p->text.at, p->text.len);
	return (int)p->text.len;
}

/* The next line that is not empty; false when all were tried. */
static bool next_phrase(struct str *rest, struct phrase *p)
{
	while (rest->len != 0) {
		struct str line = str_cut(rest, '\n');

		if (line.len != 0 && line.at[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			continue;
		*p = (struct phrase){ .text = line };
		return true;
	}
	return false;
}

/* --- secret keys ----------------------------------------------------------------------------------- */

typedef EVP_PKEY *key_fn(struct str from, struct phrase *p);

static EVP_PKEY *key_from_pem(struct str pem, struct phrase *p)
{
	BIO *bio = bio_of(pem);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, say_phrase, p);

	BIO_free(bio);
	return key;
}

static EVP_PKEY *first_key(OSSL_STORE_CTX *store)
{
	EVP_PKEY *key = NULL;

	while (key == NULL && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
		if (info == NULL && OSSL_STORE_error(store))
			break;
	}
	return key;
}

/* `uri` ends in a NUL. */
static EVP_PKEY *key_from_store(struct str uri, struct phrase *p)
{
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(say_phrase, 0);
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri.at, ui, p, NULL, NULL);
	EVP_PKEY *key = store != NULL ? first_key(store) : NULL;

	OSSL_STORE_close(store);
	UI_destroy_method(ui);
	return key;
}

/* Try without a pass phrase, then with each; *locked tells whether one was asked for. */
static EVP_PKEY *unlock(key_fn *from, struct str what, struct str phrases, bool *locked)
{
	struct phrase p = { .asked = false };
	EVP_PKEY *key = from(what, &p);

	*locked = p.asked;
	while (key == NULL && *locked && next_phrase(&phrases, &p)) {
		ERR_clear_error();
		key = from(what, &p);
	}
	return key;
}

static bool read_phrases(struct conf *c, const struct tls_word *file, struct str *phrases)
{
	const char *wrong;

	*phrases = STR("");
	if (file->text.len == 0)
		return true;
	wrong = tls_read(c, file->text, phrases);
	return wrong == NULL || tls_fault(c, file, "cannot load pass phrases \"%.*s\": %s",
					  STR_ARG(conf_path(c, file->text)), wrong);
}

static bool no_key(struct conf *c, const struct source *s, bool locked, bool phrases, const char *call)
{
	if (locked && !phrases) {
		ERR_clear_error();
		return tls_fault(c, s->word,
				 "cannot load certificate key \"%.*s\": it is encrypted and there is no "
				 "\"ssl_password_file\"",
				 STR_ARG(s->shown));
	}
	return tls_fault(c, s->word, "cannot load certificate key \"%.*s\": %s failed", STR_ARG(s->shown),
			 call);
}

/*
 * A key from a store is noted in the bundle, if the store gives it out, so that workers need not reach the
 * store. What it keeps to itself (a hardware module) each worker must open anew.
 */
static void note_key(struct conf *c, struct str name, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *at;
	long len;

	if (PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    (len = BIO_get_mem_data(bio, &at)) > 0)
		bundle_note(conf_bundle(c), name, (struct str){ at, (size_t)len });
	ERR_clear_error();
	BIO_free(bio);
}

static EVP_PKEY *stored_key(struct conf *c, struct source *s, struct str phrases)
{
	struct str name = s->word->text, uri = arena_str(conf_arena(c), str_skip(name, strlen("store:"))),
		   pem;
	struct phrase none = { .asked = false };
	EVP_PKEY *key;
	bool locked;
	int error;

	if (bundle_ask(conf_bundle(c), BUNDLE_FACT, name, &pem, &error))
		return key_from_pem(pem, &none);
	key = unlock(key_from_store, uri, phrases, &locked);
	if (key != NULL)
		note_key(c, name, key);
	else
		no_key(c, s, locked, phrases.len != 0, "OSSL_STORE_load()");
	return key;
}

static EVP_PKEY *load_key(struct conf *c, const struct tls_word *word, struct str phrases)
{
	struct source s = { .word = word, .shown = shown(c, word->text) };
	EVP_PKEY *key;
	bool locked;

	if (str_starts(word->text, STR("store:")))
		return stored_key(c, &s, phrases);
	if (str_starts(word->text, STR("engine:"))) {
		tls_fault(c, word,
			  "cannot load certificate key \"%.*s\": loading \"engine:...\" certificate keys is "
			  "not supported, "
			  "use \"store:...\" and a provider",
			  STR_ARG(s.shown));
		return NULL;
	}
	if (!open_source(c, word, "certificate key", &s))
		return NULL;
	key = unlock(key_from_pem, s.content, phrases, &locked);
	if (key == NULL)
		no_key(c, &s, locked, phrases.len != 0, "PEM_read_bio_PrivateKey()");
	return key;
}

/* The key of the certificate that was taken last. */
static bool take_key(struct conf *c, SSL_CTX *ssl, const struct tls_word *word, struct str phrases)
{
	EVP_PKEY *key = load_key(c, word, phrases);
	bool good;

	if (key == NULL)
		return false;
	/* the library itself minds only keys of the certificate's kind: it keeps one of each */
	good = X509_check_private_key(SSL_CTX_get0_certificate(ssl), key) == 1 &&
	       SSL_CTX_use_PrivateKey(ssl, key) == 1;
	EVP_PKEY_free(key);
	return good ||
	       tls_fault(c, word, "SSL_CTX_use_PrivateKey(\"%.*s\") failed", STR_ARG(shown(c, word->text)));
}

/* --- certificates ---------------------------------------------------------------------------------- */

/* All certificates from here to the end, in their order; NULL with the library's reasons. */
static STACK_OF(X509) * read_chain(BIO *bio)
{
	struct phrase none = { .asked = false };
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *cert;

	while ((cert = PEM_read_bio_X509(bio, NULL, say_phrase, &none)) != NULL)
		sk_X509_push(chain, cert);
	if (at_end_of_pem())
		return chain;
	sk_X509_pop_free(chain, X509_free);
	return NULL;
}

static bool use_chain(struct conf *c, SSL_CTX *ssl, const struct source *s, X509 *leaf, BIO *bio)
{
	STACK_OF(X509) * chain;

	if (SSL_CTX_use_certificate(ssl, leaf) != 1)
		return tls_fault(c, s->word, "SSL_CTX_use_certificate(\"%.*s\") failed", STR_ARG(s->shown));
	chain = read_chain(bio);
	if (chain == NULL)
		return tls_fault(c, s->word, "cannot load certificate \"%.*s\": PEM_read_bio_X509() failed",
				 STR_ARG(s->shown));
	if (SSL_CTX_set0_chain(ssl, chain) == 1)
		return true;
	sk_X509_pop_free(chain, X509_free);
	return tls_fault(c, s->word, "SSL_CTX_set0_chain(\"%.*s\") failed", STR_ARG(s->shown));
}

static bool take_certificate(struct conf *c, SSL_CTX *ssl, const struct tls_word *word)
{
	struct phrase none = { .asked = false };
	struct source s;
	X509 *leaf;
	BIO *bio;
	bool good;

	if (!open_source(c, word, "certificate", &s))
		return false;
	bio = bio_of(s.content);
	leaf = PEM_read_bio_X509_AUX(bio, NULL, say_phrase, &none);
	good = leaf != NULL ? use_chain(c, ssl, &s, leaf, bio)
			    : tls_fault(c, word,
					"cannot load certificate \"%.*s\": PEM_read_bio_X509_AUX() failed",
					STR_ARG(s.shown));
	X509_free(leaf);
	BIO_free(bio);
	return good;
}

bool tls_take_certificates(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_settings *settings)
{
	struct str phrases;

	if (!read_phrases(c, &settings->password_file, &phrases))
		return false;
	for (size_t i = 0; i < settings->certificates.len; i++)
		if (!take_certificate(c, ssl, &settings->certificates.at[i]) ||
		    !take_key(c, ssl, &settings->keys.at[i], phrases))
			return false;
	return true;
}

/* --- authorities ----------------------------------------------------------------------------------- */

static bool is_named(SSL_CTX *ssl, X509 *authority)
{
	const STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(ssl);

	for (int i = 0; i < sk_X509_NAME_num(names); i++)
		if (X509_NAME_cmp(sk_X509_NAME_value(names, i), X509_get_subject_name(authority)) == 0)
			return true;
	return false;
}

/* Trust the authorities of a file; `named`: clients are told of them. */
static bool trust(struct conf *c, SSL_CTX *ssl, const struct tls_word *word, bool named)
{
	STACK_OF(X509) * all;
	struct source s;
	BIO *bio;
	bool good = true;

	if (word->text.len == 0)
		return true;
	if (!open_source(c, word, "certificate", &s))
		return false;
	bio = bio_of(s.content);
	all = read_chain(bio);
	BIO_free(bio);
	for (int i = 0; i < sk_X509_num(all) && good; i++) {
		X509 *authority = sk_X509_value(all, i);

		good = X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), authority) == 1 &&
		       (!named || is_named(ssl, authority) || SSL_CTX_add_client_CA(ssl, authority) == 1);
	}
	if (sk_X509_num(all) <= 0 || !good)
		good = tls_fault(c, word, "cannot load certificate \"%.*s\": %s", STR_ARG(s.shown),
				 all == NULL ? "PEM_read_bio_X509() failed"
				 : good	     ? "it holds none"
					     : "it cannot be used");
	sk_X509_pop_free(all, X509_free);
	return good;
}

int tls_trust_text(struct ssl_ctx_st *ssl, struct str pem)
{
	struct phrase none = { .asked = false };
	BIO *bio = bio_of(pem);
	X509 *authority;
	int n = 0;

	while ((authority = PEM_read_bio_X509(bio, NULL, say_phrase, &none)) != NULL) {
		n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), authority) == 1;
		X509_free(authority);
	}
	BIO_free(bio);
	ERR_clear_error();
	return n;
}

static bool revoke(struct conf *c, SSL_CTX *ssl, const struct tls_word *word)
{
	struct phrase none = { .asked = false };
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	struct source s;
	X509_CRL *list;
	BIO *bio;
	int n = 0;
	bool good = true;

	if (word->text.len == 0)
		return true;
	if (!open_source(c, word, "revocation list", &s))
		return false;
	bio = bio_of(s.content);
	while (good && (list = PEM_read_bio_X509_CRL(bio, NULL, say_phrase, &none)) != NULL) {
		good = X509_STORE_add_crl(store, list) == 1;
		X509_CRL_free(list);
		n++;
	}
	BIO_free(bio);
	/* a file without any list would leave every certificate unverifiable: better said now */
	if (!good || n == 0 || !at_end_of_pem())
		return tls_fault(c, word,
				 "cannot load revocation list \"%.*s\": PEM_read_bio_X509_CRL() failed",
				 STR_ARG(s.shown));
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return true;
}

bool tls_take_authorities(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_settings *settings)
{
	return trust(c, ssl, &settings->client_ca, true) && trust(c, ssl, &settings->trusted_ca, false) &&
	       revoke(c, ssl, &settings->crl);
}

/* --- parameters ------------------------------------------------------------------------------------ */

bool tls_take_dhparam(struct conf *c, struct ssl_ctx_st *ssl, const struct tls_word *file)
{
	struct source s;
	EVP_PKEY *params;
	BIO *bio;

	if (file->text.len == 0)
		return true;
	if (!open_source(c, file, "DH parameters", &s))
		return false;
	bio = bio_of(s.content);
	params = PEM_read_bio_Parameters(bio, NULL);
	BIO_free(bio);
	if (params == NULL)
		return tls_fault(c, file,
				 "cannot load DH parameters \"%.*s\": PEM_read_bio_Parameters() failed",
				 STR_ARG(s.shown));
	if (SSL_CTX_set0_tmp_dh_pkey(ssl, params) == 1)
		return true;
	EVP_PKEY_free(params);
	return tls_fault(c, file, "SSL_CTX_set0_tmp_dh_pkey(\"%.*s\") failed", STR_ARG(s.shown));
}
