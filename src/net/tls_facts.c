/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a TLS connection, for the authentication server, the log and the PROXY header, in the
 * forms of the peer.
 *
 * Names in certificates are the client's own words: where they are text they go through the library's RFC
 * 2253 writer, which escapes everything that is not printable ASCII.
 */
#include "net/tls_inside.h"

#include "base/digest.h"
#include "base/text.h"
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

static SSL *ssl_of(const struct stream *s)
{
	return s->tls->ssl;
}

/* --- the connection -------------------------------------------------------------------------------- */

/* The client is who he says, but we do not know who vouches for him. */
static bool only_issuer_unknown(long code)
{
	return code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

void tls_facts(const struct stream *s, struct tls_facts *facts)
{
	SSL *ssl = ssl_of(s);
	const unsigned char *alpn;
	unsigned alpn_len;
	long code = SSL_get_verify_result(ssl);

	SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
	*facts = (struct tls_facts){
		.protocol = str_of(SSL_get_version(ssl)),
		.cipher = str_of(SSL_get_cipher_name(ssl)),
		.server_name = str_of(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)),
		.alpn = { (const char *)alpn, alpn_len },
		.resumed = SSL_session_reused(ssl) == 1,
		.certificate = SSL_get0_peer_certificate(ssl) != NULL,
		.verify_code = code,
		.verify_text = X509_verify_cert_error_string(code),
	};
	facts->verified = facts->certificate &&
			  (code == X509_V_OK || (s->tls->context->verify == TLS_VERIFY_OPTIONAL_NO_CA &&
						 only_issuer_unknown(code)));
}

const struct tls_context *tls_chosen(const struct stream *s)
{
	return s->tls->context;
}

void tls_settle(const struct stream *s)
{
	if (s->tls == NULL)
		return;
	SSL_clear_options(ssl_of(s), SSL_OP_CLEANSE_PLAINTEXT);
	SSL_set_default_read_buffer_len(ssl_of(s), TLS_BULK);
}

void tls_forget_session(const struct stream *s)
{
	SSL *ssl = ssl_of(s);

	SSL_CTX_remove_session(SSL_get_SSL_CTX(ssl), SSL_get0_session(ssl));
}

enum log_level tls_failure(const struct stream *s, struct buf *to)
{
	buf_put(to, str_of(s->tls->failure));
	return s->tls->failure != NULL ? s->tls->level : LOG_INFO;
}

/* --- our certificate ------------------------------------------------------------------------------- */

static struct str key_text(const EVP_PKEY *key, struct arena *home)
{
	int kind = EVP_PKEY_get_base_id(key);

	if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC)
		return str_of(OBJ_nid2sn(kind));
	return arena_format(home, "%s%d", kind == EVP_PKEY_RSA ? "RSA" : "EC", EVP_PKEY_get_bits(key));
}

void tls_note_own(struct tls_context *t)
{
	long more = SSL_CTX_set_current_cert(t->ssl, SSL_CERT_SET_FIRST);

	for (; more == 1 && t->own_len < TLS_OWN_MAX;
	     more = SSL_CTX_set_current_cert(t->ssl, SSL_CERT_SET_NEXT)) {
		const X509 *cert = SSL_CTX_get0_certificate(t->ssl);

		t->own[t->own_len++] = (struct tls_own){
			.certificate = cert,
			.sig_alg = str_of(OBJ_nid2sn(X509_get_signature_nid(cert))),
			.key_alg = key_text(X509_get0_pubkey(cert), t->home),
		};
	}
}

void tls_own_certificate(const struct stream *s, struct str *sig_alg, struct str *key_alg)
{
	const struct tls_context *t = s->tls->context;
	const X509 *shown = SSL_get_certificate(ssl_of(s));

	*sig_alg = *key_alg = STR("");
	for (size_t i = 0; i < t->own_len; i++) {
		if (t->own[i].certificate != shown)
			continue;
		*sig_alg = t->own[i].sig_alg;
		*key_alg = t->own[i].key_alg;
	}
}

/* --- the client's certificate ---------------------------------------------------------------------- */

/* What was written into a memory BIO, which is freed. */
static struct str take_text(BIO *bio, struct arena *home)
{
	char *at;
	long len = BIO_get_mem_data(bio, &at);
	struct str text = arena_str(home, (struct str){ at, len > 0 ? (size_t)len : 0 });

	BIO_free(bio);
	return text;
}

static struct str name_text(const X509_NAME *name, struct arena *home)
{
	BIO *bio = BIO_new(BIO_s_mem());

	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
	return take_text(bio, home);
}

static struct str pem_text(X509 *cert, struct arena *home)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, cert);
	return take_text(bio, home);
}

/* Two digits for each byte, "00" for none, a minus before what should not be negative. */
static struct str serial_text(const ASN1_INTEGER *serial, struct arena *home)
{
	static const char DIGITS[] = "0123456789ABCDEF";
	const unsigned char *at = ASN1_STRING_get0_data(serial);
	size_t len = (size_t)ASN1_STRING_length(serial);
	struct buf text;

	buf_init_in(&text, home, 2 * len + 3);
	if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		buf_put_byte(&text, '-');
	if (len == 0)
		buf_put(&text, STR("00"));
	for (size_t i = 0; i < len; i++) {
		buf_put_byte(&text, DIGITS[at[i] >> 4]);
		buf_put_byte(&text, DIGITS[at[i] & 15]);
	}
	return buf_text(&text);
}

static struct str fingerprint_text(const X509 *cert, struct arena *home)
{
	uint8_t digest[SHA1_SIZE];
	unsigned len = sizeof(digest);
	struct buf text;

	buf_init_in(&text, home, 2 * SHA1_SIZE);
	if (X509_digest(cert, EVP_sha1(), digest, &len) == 1)
		hex_put(&text, (struct str){ (const char *)digest, len });
	return buf_text(&text);
}

/* The first common name; there should be one at most. */
static struct str common_name(const X509_NAME *name, struct arena *home)
{
	int i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *utf8;
	struct str text = STR("");
	int len;

	if (i < 0)
		return text;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));
	if (len < 0)
		return text;
	text = arena_str(home, (struct str){ (const char *)utf8, (size_t)len });
	OPENSSL_free(utf8);
	return text;
}

bool tls_client_certificate(const struct stream *s, struct arena *home, struct tls_certificate *to)
{
	X509 *cert = SSL_get0_peer_certificate(ssl_of(s));

	if (cert == NULL)
		return false;
	*to = (struct tls_certificate){
		.subject = name_text(X509_get_subject_name(cert), home),
		.issuer = name_text(X509_get_issuer_name(cert), home),
		.serial = serial_text(X509_get0_serialNumber(cert), home),
		.fingerprint = fingerprint_text(cert, home),
		.common_name = common_name(X509_get_subject_name(cert), home),
		.pem = pem_text(cert, home),
	};
	return true;
}
