/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts of the real TLS library for tests that are otherwise built with the fake link; see secrets.h. */
#include "net/secrets.h"
#include "net/tls_side.h"

static struct site site;
static struct tls_context *server, client;

static void make(void)
{
	struct card_wish usual = { .by = NULL };
	struct card card;

	if (server != NULL)
		return;
	card = card_make("mail.example.org", &usual);
	site_init(&site, 0);
	site_file(&site, "/etc/cert.pem", card_pem(&card));
	site_file(&site, "/etc/key.pem", card_key_pem(&card));
	site_load(&site, "server { ssl_certificate cert.pem; ssl_certificate_key key.pem; }");
	card_drop(&card);
	assert_string_equal(site.said, "");
	server = site_context(&site, 0);
	assert_non_null(server);
}

/* One that checks nothing, and otherwise behaves as a server's: half records count, buffers move, FINs are
 * ends. */
struct tls_context *secrets_client(void)
{
	make();
	if (client.ssl != NULL)
		return &client;
	client = (struct tls_context){ .ssl = SSL_CTX_new(TLS_client_method()), .shared = site.shared };
	assert_non_null(client.ssl);
	SSL_CTX_set_mode(client.ssl, (long)SSL_CTX_get_mode(server->ssl));
	SSL_CTX_set_options(client.ssl, SSL_CTX_get_options(server->ssl));
	SSL_CTX_set_read_ahead(client.ssl, 1);
	return &client;
}

struct tls_context *secrets_server(void)
{
	make();
	return server;
}

void secrets_done(void)
{
	if (server == NULL)
		return;
	SSL_CTX_free(client.ssl);
	client.ssl = NULL;
	tls_context_free(server);
	server = NULL;
	site_done(&site);
}
