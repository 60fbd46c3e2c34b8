/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SASL mechanisms (RFC 4422), both sides, once for all protocols: bytes in, bytes out.
 *
 * The server side here never decides: it collects what the client says into fields for the question to the
 * authentication source. Names and secrets with CR, LF or NUL are refused at this edge, since no line
 * protocol can carry them; so are empty names, and an identity to act for that is not the one that logs in,
 * since no question could carry both.
 */
#pragma once
#include "base/buf.h"

/* Values are bits, in the order in which they are announced. */
enum sasl_method {
	SASL_PLAIN = 1,
	SASL_LOGIN = 2, /* asked of the auth server as "plain" */
	SASL_CRAM_MD5 = 4,
	SASL_EXTERNAL = 8,
	SASL_XOAUTH2 = 16,
	SASL_OAUTHBEARER = 32,
	SASL_APOP = 64,	 /* POP3's own (RFC 1939 section 7); not a SASL mechanism, but the same question */
	SASL_NONE = 128, /* SMTP without authentication */
};

struct sasl_mechanism; /* one per name */

/* What one exchange fills; the buffers are the caller's and stay so. */
struct sasl_fields {
	struct buf *user, *secret, *salt;
};

enum sasl_step {
	SASL_MORE,    /* send `challenge` in base64 and let the client answer */
	SASL_DONE,    /* the fields are filled */
	SASL_REFUSED, /* cancelled, or nonsense: then `complaint` says which */
};

struct sasl_exchange {
	const struct sasl_mechanism *mechanism;
	struct sasl_fields fields;
	unsigned heard;	      /* responses so far */
	struct str challenge; /* with SASL_MORE: what to send, not yet in base64; may be empty */
	const char
		*complaint; /* static text for the log: "client sent invalid login in AUTH PLAIN command" */
};

/* Find by name, any case ("CRAM-MD5"). NULL if unknown. APOP and NONE are not found. */
const struct sasl_mechanism *sasl_find(struct str name);
enum sasl_method sasl_method(const struct sasl_mechanism *m);

/* The words of a capability list: for each bit of `methods`, in order, `before` + name + `after` is appended.
 */
void sasl_announce(struct buf *to, unsigned methods, const char *before, const char *after);

/* What the auth server is told as Auth-Method: "plain" for LOGIN too, "cram-md5", "apop", "external", "none",
 * "xoauth2", … */
const char *sasl_auth_method(enum sasl_method m);

/*
 * Begin. Clears the fields; CRAM-MD5 makes a new salt, "<random.time@name>", from `server_name`. `initial` is
 * the client's initial response as typed (base64), or an `at` of NULL for none.
 */
enum sasl_step sasl_begin(struct sasl_exchange *x, const struct sasl_mechanism *m, struct sasl_fields f,
			  struct str server_name, struct str initial);

/* The client's next response as typed (base64; "*" cancels). */
enum sasl_step sasl_hear(struct sasl_exchange *x, struct str response);

/* "<random.time@name>" with 128 bits of randomness in decimal, for APOP and CRAM-MD5. */
void sasl_make_salt(struct buf *to, struct str server_name);

/* May a client say this as its name, or its password? Not empty (the name only), no CR, LF or NUL. */
bool sasl_good_user(struct str user);
bool sasl_good_secret(struct str secret);

/* What a client answers to the error challenge of XOAUTH2 or OAUTHBEARER before it gets its refusal, as sent
 * (base64). */
struct str sasl_dummy(enum sasl_method m);

/*
 * Client side: append the base64 of the one message of PLAIN, EXTERNAL, XOAUTH2 or OAUTHBEARER towards a
 * server. `master` logs in and acts for `user`, in PLAIN (RFC 4616: authcid and authzid); empty: the user
 * itself.
 */
void sasl_say(struct buf *to, enum sasl_method m, struct str master, struct str user, struct str secret);

/* The same mechanism's name as it stands behind AUTH or AUTHENTICATE. */
struct str sasl_name(enum sasl_method m);
