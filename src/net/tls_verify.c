/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the server the one that was meant? The library judges; here the question is put to it, and its answer
 * into words that an operator can act upon: whose certificate it was, who vouched for it, and for what names.
 *
 * Names are checked as RFC 9525 wants it: only the alternative names count, never the common name, and a
 * wildcard stands for one whole label. An address must stand there as an address. A connection for which
 * there is nothing to check against does not begin: half a verification is none.
 */
#include "net/tls_client_inside.h"

#include "base/addr.h"
#include "base/text.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { TEXT_MAX = 1600, NAME_SHOWN = 120, NAMES_ROOM = 400, NAMES_SHOWN = 8, HOST_MAX = 255 };

/* --- what is expected ------------------------------------------------------------------------------ */

static bool refuse(struct tls_link *t, const char *why, const char *directive)
{
	const struct tls_client *c = t->context->client;
	struct buf text;

	buf_init(&text, TEXT_MAX);
	buf_format(&text, "%s SSL certificate cannot be verified: %s, see \"%s_%s\"", c->peer, why, c->family,
		   directive);
	tls_blame(t, LOG_ERROR, buf_text(&text));
	buf_done(&text);
	t->flags |= TLS_DEAD;
	return false;
}

/* The system's authorities, where nothing had foretold that they would be needed. */
static void look_for_trust(const struct tls_context *t)
{
	struct tls_client *c = t->client;
	uint8_t digest[SHA256_SIZE];

	if (c->late.len == 0)
		return;
	digest_sha256(c->late, digest);
	c->trusts = tls_trust_find(t, digest);
	if (!c->trusts && tls_trust_text(t->ssl, c->late) > 0) {
		c->trusts = true;
		tls_trust_note(t, digest);
	}
	c->late = STR("");
}

/*
 * A name that ends in a dot is the same without it, and is so in certificates. One that begins with a dot is
 * none: the library would take it for any host below.
 */
static bool host_of(const char *name, char to[static HOST_MAX + 1])
{
	size_t len = strlen(name);

	if (len != 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > HOST_MAX || name[0] == '.' || strstr(name, "..") != NULL)
		return false;
	memcpy(to, name, len);
	to[len] = '\0';
	return true;
}

static bool expect_name(struct tls_link *t, const char *name)
{
	const struct tls_client *c = t->context->client;
	char host[HOST_MAX + 1];
	struct addr a;

	if (addr_parse_ip(str_of(name), &a))
		return !c->verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), name) == 1;
	if (!host_of(name, host) || (c->sends_name && SSL_set_tlsext_host_name(t->ssl, host) != 1))
		return false;
	SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return !c->verify || SSL_set1_host(t->ssl, host) == 1;
}

bool tls_expect(struct tls_link *t, const char *name)
{
	struct tls_client *c = t->context->client;
	bool good;

	if (c->verify && name == NULL)
		return refuse(t, "there is no name to look for in it", "name");
	if (c->verify)
		look_for_trust(t->context);
	if (c->verify && !c->trusts)
		return refuse(t, "there are no authorities", "trusted_certificate");
	good = name == NULL || expect_name(t, name);
	ERR_clear_error();
	return good || refuse(t, "the name to look for in it is none", "name");
}

/* --- what was found -------------------------------------------------------------------------------- */

static void put_quoted(struct buf *to, const char *lead, struct str text)
{
	buf_format(to, "%s\"", lead);
	visible_put(to, text, NAME_SHOWN);
	buf_put_byte(to, '"');
}

static void put_name(struct buf *to, const char *lead, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at;
	long len;

	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
	len = BIO_get_mem_data(bio, &at);
	put_quoted(to, lead, (struct str){ at, len > 0 ? (size_t)len : 0 });
	BIO_free(bio);
}

static struct str bytes_of(const ASN1_STRING *s)
{
	return (struct str){ (const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s) };
}

/* A host name or address among a certificate's names; false for those of other kinds. */
static bool put_alternative(struct buf *to, const GENERAL_NAME *name)
{
	char text[ADDR_TEXT_MAX];
	struct addr a = { .family = AF_INET };
	struct str bytes;

	if (name->type == GEN_DNS) {
		visible_put(to, bytes_of(name->d.dNSName), NAME_SHOWN);
		return true;
	}
	if (name->type != GEN_IPADD)
		return false;
	bytes = bytes_of(name->d.iPAddress);
	if (bytes.len != sizeof(a.ip4) && bytes.len != sizeof(a.ip6))
		return false;
	a.family = bytes.len == sizeof(a.ip4) ? AF_INET : AF_INET6;
	memcpy(a.ip6, bytes.at, bytes.len);
	buf_put(to, str_of(addr_ip_text(&a, text)));
	return true;
}

/* The first few, as "a, b, ..."; how many were put. */
static int put_alternatives(struct buf *to, const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct buf one;
	int n = 0;

	buf_init(&one, TEXT_MAX);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && n <= NAMES_SHOWN; i++) {
		buf_clear(&one);
		if (!put_alternative(&one, sk_GENERAL_NAME_value(names, i)))
			continue;
		buf_put(to, str_of(n != 0 ? ", " : ""));
		if (n == NAMES_SHOWN || to->len + one.len > NAMES_ROOM) {
			buf_put(to, STR("..."));
			n++;
			break;
		}
		buf_put(to, buf_text(&one));
		n++;
	}
	buf_done(&one);
	GENERAL_NAMES_free(names);
	return n;
}

static void put_own_names(struct buf *to, const X509 *cert)
{
	struct buf names;

	buf_init(&names, TEXT_MAX);
	if (put_alternatives(&names, cert) != 0)
		buf_format(to, ", it is for \"%.*s\"", STR_ARG(buf_text(&names)));
	else
		put_name(to, ", it is for no host or address (the subject does not count): subject ",
			 X509_get_subject_name(cert));
	buf_done(&names);
}

static void put_wanted(struct buf *to, SSL *ssl)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
	char *ip = host == NULL ? X509_VERIFY_PARAM_get1_ip_asc(param) : NULL;

	put_quoted(to, " SSL certificate does not match ", str_of(host != NULL ? host : ip));
	OPENSSL_free(ip);
}

static void put_verdict(struct buf *to, SSL *ssl, X509_STORE_CTX *store)
{
	int code = X509_STORE_CTX_get_error(store);
	const X509 *cert = X509_STORE_CTX_get_current_cert(store);

	if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
		put_wanted(to, ssl);
		put_own_names(to, X509_STORE_CTX_get0_cert(store));
		return;
	}
	buf_format(to, " SSL certificate verify error: (%d:%s)", code, X509_verify_cert_error_string(code));
	if (cert == NULL)
		return;
	put_name(to, ", subject ", X509_get_subject_name(cert));
	put_name(to, ", issuer ", X509_get_issuer_name(cert));
}

/* The first error ends the handshake, with the alert that it deserves. */
static int judge(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_context *t = tls_context_of(SSL_get_SSL_CTX(ssl));
	struct buf text;

	if (good)
		return 1;
	buf_init(&text, TEXT_MAX);
	buf_put(&text, str_of(t->client->peer));
	put_verdict(&text, ssl, store);
	tls_blame(t->shared->current, LOG_ERROR, buf_text(&text));
	buf_done(&text);
	return 0;
}

void tls_verify_serve(struct ssl_ctx_st *ssl)
{
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, judge);
}
