/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificate compression (RFC 8879) with a library that can: OpenSSL 3.2 and later. The certificates are
 * compressed once, here, and never while a client waits; those of clients are not accepted compressed, for
 * unpacking is work that a stranger could order.
 */
#include "net/tls_inside.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

bool tls_compress_certificates(struct ssl_ctx_st *ssl, bool on)
{
	bool done = on && SSL_CTX_compress_certs(ssl, 0) == 1;

	/* a library without any algorithm says so in its queue, where nobody must find it later */
	ERR_clear_error();
	SSL_CTX_set_options(ssl, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION |
					 (done ? 0 : SSL_OP_NO_TX_CERTIFICATE_COMPRESSION));
	return done || !on;
}
