/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server block says about its auth_http server. */
#pragma once
#include "conf/conf.h"
#include "net/tls_client.h"

/* One server of an auth_http directive, taken apart. */
struct http_server_conf {
	const struct addr *addrs; /* all of the host's, as of the load; lives as long as the configuration */
	size_t addrs_len;
	struct str host;  /* as it stands in Host: */
	const char *name; /* the host alone: what its certificate must name; "localhost" for a socket */
	uint16_t port;
	bool by_name; /* `name` can be looked up again */
	struct str uri;
	bool tls; /* https */
};

struct http_servers {
	const struct http_server_conf *at;
	size_t len; /* 0: auth_http was not given */
};

struct http_conf {
	struct http_servers servers;
	uint64_t timeout_ms;
	struct strs headers; /* name, value, name, value, … */
	bool pass_client_cert;
	bool extra_headers;
	uint64_t keepalive;
	struct tls_client_options options; /* auth_http_ssl_* */
};

/* The settings of a mail or server scope. */
const struct http_conf *http_conf(const struct scope *s);

/* A context for the https servers of this scope. NULL after conf_fault. */
struct tls_context *http_tls_context(struct conf *c, const struct scope *at, struct tls_shared *shared);
