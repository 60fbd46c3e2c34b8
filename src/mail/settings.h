/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives of mail{} and server{} that belong to no protocol: listen, names, limits, access, what the
 * relay may do.
 */
#pragma once
#include "conf/conf.h"
#include "net/listen.h"
#include "net/resolve.h"
#include "talk/protocol.h"

/* One address of one `listen`. */
struct endpoint {
	struct addr addr;
	bool tls;	   /* `ssl` */
	bool proxy_header; /* `proxy_protocol` */
	bool bind;	   /* a socket of its own, even beside a wildcard */
	struct listen_options options;
	struct scope *server;
	const char *file; /* where the directive stands */
	unsigned line;
	struct endpoint *next;
};

struct access_rule {
	struct network who;
	bool allow;
	struct access_rule *next;
};

struct trusted_network {
	struct network who;
	struct trusted_network *next;
};

struct mail_settings {
	const struct protocol *protocol;
	struct strs server_names; /* the first is ours in greetings; all of them choose by SNI */
	uint64_t timeout_ms;
	uint64_t max_errors, max_commands;
	unsigned starttls;		   /* enum starttls */
	struct resolver_options *resolver; /* NULL: off */
	uint64_t resolver_timeout_ms;
	bool proxy;
	uint64_t proxy_buffer;
	bool proxy_pass_error_message;
	uint64_t proxy_timeout_ms;
	struct trusted_network *real_ip_from;
	struct access_rule *access; /* first match wins; no match: allowed */
	struct endpoint *endpoints; /* of this server, in the file's order */
};

extern const struct module mail_module;

/* The settings of a mail or server scope. */
struct mail_settings *mail_settings(const struct scope *s);

/* May this client come in? */
bool access_allows(const struct access_rule *rules, const struct addr *client);
bool network_trusted(const struct trusted_network *list, const struct addr *peer);

/* The `set` of listen; in listen_conf.c. */
bool listen_set(struct conf *c, const struct directive *d, const struct words *w, void *settings);
