/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates for tests; see pki.h. What the library refuses to make is a broken test, so everything is
 * asserted. */
#include "pki.h"

#include "unit.h"
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

static void set_time(ASN1_TIME *to, const char *text)
{
	assert_int_equal(ASN1_TIME_set_string(to, text), 1);
}

static void add_extension(X509 *cert, int kind, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void add_name(X509_NAME *name, const char *kind, const char *value)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, kind, MBSTRING_UTF8, (const unsigned char *)value,
						    -1, -1, 0),
			 1);
}

struct card card_make(const char *common_name, const struct card_wish *wish)
{
	struct card c = { .cert = X509_new(), .key = wish->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256") };
	X509_NAME *name = X509_NAME_new();

	assert_non_null(c.key);
	X509_set_version(c.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), wish->serial != 0 ? wish->serial : 4660);
	set_time(X509_getm_notBefore(c.cert), "20190101000000Z");
	set_time(X509_getm_notAfter(c.cert), wish->expired ? "20200101000000Z" : "20990101000000Z");
	if (wish->organisation != NULL)
		add_name(name, "O", wish->organisation);
	add_name(name, "CN", common_name);
	X509_set_subject_name(c.cert, name);
	X509_NAME_free(name);
	X509_set_issuer_name(c.cert, X509_get_subject_name(wish->by != NULL ? wish->by->cert : c.cert));
	X509_set_pubkey(c.cert, c.key);
	add_extension(c.cert, NID_basic_constraints,
		      wish->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (wish->alt != NULL)
		add_extension(c.cert, NID_subject_alt_name, wish->alt);
	assert_true(X509_sign(c.cert, wish->by != NULL ? wish->by->key : c.key, EVP_sha256()) > 0);
	return c;
}

void card_drop(struct card *c)
{
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
	*c = (struct card){ .cert = NULL };
}

/* What was written into a memory BIO. The texts of a test program are few and stay until it ends. */
static struct str text_of(BIO *bio)
{
	static struct text {
		struct text *before;
		char at[];
	} * last;
	char *at;
	long len = BIO_get_mem_data(bio, &at);
	struct text *text = calloc(1, sizeof(*text) + (size_t)len + 1);

	assert_true(len > 0);
	text->before = last;
	last = text;
	memcpy(text->at, at, (size_t)len);
	BIO_free(bio);
	return str_of(text->at);
}

struct str card_pem(const struct card *c)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, c->cert), 1);
	return text_of(bio);
}

struct str card_key_pem(const struct card *c)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL), 1);
	return text_of(bio);
}

struct str card_key_pem_locked(const struct card *c, const char *phrase)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PrivateKey(bio, c->key, EVP_aes_128_cbc(),
						  (const unsigned char *)phrase, (int)strlen(phrase), NULL,
						  NULL),
			 1);
	return text_of(bio);
}

struct str pem_join(struct str a, struct str b)
{
	BIO *bio = BIO_new(BIO_s_mem());

	BIO_write(bio, a.at, (int)a.len);
	BIO_write(bio, b.at, (int)b.len);
	return text_of(bio);
}

struct str card_crl(const struct card *authority, const struct card *revoked)
{
	X509_CRL *list = X509_CRL_new();
	ASN1_TIME *then = ASN1_TIME_new();
	BIO *bio = BIO_new(BIO_s_mem());

	X509_CRL_set_version(list, 1);
	X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->cert));
	set_time(then, "20190101000000Z");
	X509_CRL_set1_lastUpdate(list, then);
	if (revoked != NULL) {
		X509_REVOKED *one = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(one, X509_get_serialNumber(revoked->cert));
		X509_REVOKED_set_revocationDate(one, then);
		X509_CRL_add0_revoked(list, one);
	}
	set_time(then, "20990101000000Z");
	X509_CRL_set1_nextUpdate(list, then);
	ASN1_TIME_free(then);
	assert_true(X509_CRL_sign(list, authority->key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(bio, list), 1);
	X509_CRL_free(list);
	return text_of(bio);
}
