/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variables: what is known about a session, by name; texts that hold them; and `map` and `geo`, which make
 * new ones out of those that there are.
 *
 * A text with variables is compiled when the configuration is read (template_new) and filled for a session
 * when it is needed (template_fill). Values are asked for only then, so a variable that nobody uses costs
 * nothing. Nothing is remembered between two fillings: a login may change what a variable says.
 *
 * Values come from clients. They may hold any byte, CR, LF and NUL included, wherever the session lets such
 * bytes into a fact (a password-less login name by SASL, a certificate's subject). Whoever puts a filled text
 * into a line protocol, a header or a path checks it there (is_line_safe, has_no_controls of base/text.h),
 * and whoever logs it uses visible_put.
 */
#pragma once
#include "base/addr.h"
#include "conf/conf.h"

/* What a session can tell, in the order of the names in vars.c. */
enum var {
	VAR_LOGIN,	  /* as the client said it, or as the authentication source replaced it */
	VAR_LOGIN_LOCAL,  /* before the last '@'; all of it when there is none */
	VAR_LOGIN_DOMAIN, /* behind the last '@', in lower case; empty when there is none */
	VAR_LOGIN_LOWER,  /* the whole login in lower case */
	VAR_LOGIN_ATTEMPT,
	VAR_PROTOCOL, /* imap, pop3, smtp, lmtp */
	VAR_REMOTE_ADDR,
	VAR_REMOTE_PORT,
	VAR_REMOTE_HOST, /* verified by DNS, where that is asked (SMTP) */
	VAR_SERVER_ADDR, /* the proxy's own address that the client reached */
	VAR_SERVER_PORT,
	VAR_SERVER_NAME,
	VAR_SSL,	     /* "on", or empty in the clear */
	VAR_SSL_SERVER_NAME, /* SNI */
	VAR_SSL_PROTOCOL,
	VAR_SSL_CIPHER,
	VAR_SSL_CLIENT_VERIFY, /* SUCCESS, FAILED:reason, NONE; empty when no certificate is asked for */
	VAR_SSL_CLIENT_S_DN,
	VAR_SSL_CLIENT_I_DN,
	VAR_SSL_CLIENT_SERIAL,
	VAR_SSL_CLIENT_FINGERPRINT,
	VAR_SMTP_HELO,
	VAR_SMTP_FROM,	      /* the bare address */
	VAR_SMTP_FROM_DOMAIN, /* in lower case */
	VAR_SMTP_RCPT,
	VAR_SMTP_RCPT_DOMAIN,
	VAR_AUTH_METHOD, /* plain, login, cram-md5, … none */
	VAR_SESSION_ID,
	VAR_CONNECTION, /* the number behind '*' in the log */
	VAR_PROXY_PROTOCOL_ADDR,
	VAR_PROXY_PROTOCOL_PORT,
	VAR_PROXY_PROTOCOL_SERVER_ADDR,
	VAR_PROXY_PROTOCOL_SERVER_PORT,
	VAR_HOSTNAME,	   /* of this machine */
	VAR_UPSTREAM_ADDR, /* empty before a server is chosen */
	VARS_LEN
};

/* The longest value of a variable or text. What is longer becomes empty as a whole, and is noted: half a name
 * would be another name. */
enum { VALUE_MAX = 4096 };

/*
 * The facts of one session, asked for one by one. Embedded in whoever knows them.
 *
 * `fact` gives the value in bytes that live as long as `home`; false: there is none, which reads as empty.
 * The parts of an address and what is in lower case are made here: VAR_LOGIN_LOCAL, _DOMAIN, _LOWER and
 * VAR_SMTP_*_DOMAIN are never asked for.
 */
struct vars {
	struct arena *home; /* of what template_fill makes */
	bool (*fact)(const struct vars *v, enum var which, struct str *to);
	const struct addr *client; /* for geo without a variable; NULL: VAR_REMOTE_ADDR is read */
	/* Hears that something became empty, in words that are safe to print. May be NULL. */
	void (*note)(const struct vars *v, const char *what);
};

/* A text with variables, compiled; lives as long as the configuration. */
struct template;

/*
 * Compile `text`, in which $name and ${name} are variables, for the directive that is being read. NULL after
 * conf_fault. A name that nobody knows is a fault too, but told only when all has been read, for a map may
 * stand behind its use.
 */
const struct template *template_new(struct conf *c, struct str text);

/* The same for directives whose values were no templates in the proxy that we replace: a '$' before anything
 * but the name of a known variable is a '$'. Never a fault. */
const struct template *template_new_loose(struct conf *c, struct str text);

/* Does it hold no variable at all? Then *text is what it is always filled to. */
bool template_fixed(const struct template *t, struct str *text);

/* The text as it stands in the configuration, for log lines. */
struct str template_source(const struct template *t);

/* Fill it. The result lies in v->home or in the configuration; a variable without a value is empty. */
struct str template_fill(const struct template *t, const struct vars *v);

/* The same, appended to a buffer, without a copy in v->home. */
void template_put(const struct template *t, const struct vars *v, struct buf *to);

/* The value of one fact or part of it, as $name would be; in v->home. */
struct str vars_get(const struct vars *v, enum var which);

/* "login" for VAR_LOGIN. */
const char *var_name(enum var which);

/* For rows whose only argument is a template: SLOT_TEMPLATE(struct my_settings, member), where the member is
 * a `const struct template *`, NULL when not given. */
directive_set_fn template_set;
#define SLOT_TEMPLATE(type, member)                                                                     \
	.slot = SLOT_CUSTOM, .offset = offsetof(type, member), .size = sizeof(const struct template *), \
	.set = template_set

/* map and geo. Without it among the modules, templates know the variables above alone. */
extern const struct module vars_module;
