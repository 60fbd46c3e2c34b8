/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user as the SQLite store and the passwd-like file know one, and the line that writes one down. The line
 * is Dovecot's passwd-file format, so that one file serves both:
 *
 *     name:{SCHEME}hash:uid:gid:comment:home:shell:field=value field=value …
 *
 * uid, gid, home and shell are passed over. Fields: host= and port= (the route), destuser= (the name to log
 * in with at the server), pass= (the password to log in with there), allow_nets= (networks with commas
 * between them), protocols= (the same for imap, pop3, smtp), ssl= and starttls= (towards the server), nologin
 * (the account is disabled). Others, as proxy, nopassword and userdb_…, are passed over.
 */
#pragma once
#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"

enum { USER_NAME_MAX = 255, USER_LINE_MAX = 8192 };

enum user_tls { USER_TLS_AS_CONFIGURED, USER_TLS_OFF, USER_TLS_ON, USER_TLS_STARTTLS };

/* Texts at NULL (or empty) are not given. */
struct user {
	struct str name, password; /* the latter as stored, "{SCHEME}hash" */
	struct str route;	   /* upstream name, host[:port], unix:PATH */
	struct str login;	   /* name for the mail server */
	struct str secret;	   /* password for the mail server; the file only */
	struct str networks;	   /* from where he may log in: "192.0.2.0/24,2001:db8::/32" */
	struct str protocols;	   /* "imap,smtp" */
	struct str comment;
	enum user_tls tls; /* the file only */
	bool disabled;
	uint64_t created, changed; /* seconds since 1970; the store only */
};

/* What is wrong with it: a static text that names the part, or NULL. The password is not looked at. */
const char *user_complaint(const struct user *u);

/* Read a line without its end. Spans point into it, or into `home`. NULL, or what is wrong with it. */
const char *user_read(struct str line, struct user *u, struct arena *home);

/* Is it no user at all: empty, or a comment that begins with '#'? */
bool user_is_comment(struct str line);

/* Append the line, its LF included. `u` has no complaint. */
void user_write(const struct user *u, struct buf *to);

/* May he log in from there, by this protocol? Without networks or protocols he may. A list that cannot be
 * read allows nothing. */
bool user_allows_network(const struct user *u, const struct addr *client);
bool user_allows_protocol(const struct user *u, struct str protocol);
