/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificate compression with a library that cannot: OpenSSL before 3.2. */
#include "net/tls_inside.h"

bool tls_compress_certificates(struct ssl_ctx_st *ssl, bool on)
{
	(void)ssl;
	return !on;
}
