/* SPDX-License-Identifier: BSD-2-Clause */
/* What an upstream{} block says; private to this folder. */
#pragma once
#include "conf/conf.h"
#include "upstream/target.h"
#include "vars/vars.h"

enum method { METHOD_ROUND_ROBIN, METHOD_LEAST_CONN, METHOD_HASH, METHOD_RANDOM, METHOD_RANDOM_TWO };

/* A `server` line, or the one server of a nameless group. */
struct server_conf {
	struct str text; /* as written */
	struct target target;
	struct addr *addrs; /* known from the configuration, with the port or 0; none: to be resolved */
	size_t addrs_len;
	uint64_t weight, max_conns, max_fails; /* 0: no limit */
	uint64_t fail_timeout_ms, slow_start_ms;
	uint64_t login_every_us; /* login_rate; 0: none */
	bool backup, down;
	const char *file;
	unsigned line;
	struct server_conf *next;
};

enum check_type { CHECK_NONE, CHECK_CONNECT, CHECK_TLS, CHECK_GREETING, CHECK_CAPABILITY, CHECK_LOGIN };

struct protocol;
struct tls_context;

struct check_conf {
	enum check_type type;
	uint64_t interval_ms, timeout_ms, fails, rises;
	struct str protocol;	       /* its name; empty for those that need none */
	const struct protocol *speaks; /* the same; NULL: none */
	struct str user, password, password_file;
	struct tls_context *tls; /* NULL: in the clear */
	bool tls_first;		 /* from the first byte on, not by STARTTLS */
	const char *file;
	unsigned line;
};

struct group_conf {
	struct server_conf *servers; /* in the file's order */
	enum method method;
	const char *method_file; /* where it stands; line 0: nowhere */
	unsigned method_line;
	const struct template *hash_key; /* of METHOD_HASH */
	struct check_conf check;
};

/* The settings of an upstream scope, and its name. */
struct group_conf *group_conf(const struct scope *s);
struct str group_name(const struct scope *s);

/* The upstream scope of this name; NULL if there is none. */
struct scope *group_scope(struct conf *c, struct str name);

/* What stands in a server line when only its address is given. */
void server_conf_init(struct server_conf *s);

/* Does a port have to be given from outside? */
bool server_conf_wants_port(const struct server_conf *s);
