/* SPDX-License-Identifier: BSD-2-Clause */
/* The contexts of whichever link a test is built with. */
#pragma once
#include "net/tls.h"

/* Good for as many streams as a test likes, until secrets_done. */
struct tls_context *secrets_client(void);
struct tls_context *secrets_server(void);
void secrets_done(void);
