/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server block says about its auth_http server. */
#pragma once
#include "conf/conf.h"

/* auth_http, taken apart. */
struct http_url {
	const struct addr *addrs; /* all of the host's; lives as long as the configuration */
	size_t addrs_len;	  /* 0: auth_http was not given */
	struct str host;	  /* as it stands in Host: */
	struct str uri;
};

struct http_conf {
	struct http_url url;
	uint64_t timeout_ms;
	struct strs headers; /* name, value, name, value, … */
	bool pass_client_cert;
	uint64_t keepalive;
};

/* The settings of a mail or server scope. */
const struct http_conf *http_conf(const struct scope *s);
