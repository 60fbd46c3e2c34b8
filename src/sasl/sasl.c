/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mechanisms as a table, and one exchange; see sasl.h.
 *
 * A response is decoded straight into the field that will keep it, so that no second copy of a secret is ever
 * made: mechanisms whose one message holds both name and secret decode it into `secret`, copy the name out,
 * and cut `secret` down to what is left.
 */
#include "sasl/sasl.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/must.h"
#include "base/text.h"
#include "sasl/oauth.h"
#include <inttypes.h>
#include <string.h>

typedef enum sasl_step hear_fn(struct sasl_exchange *x, struct str response);
typedef void say_fn(struct buf *to, struct str user, struct str secret); /* not yet in base64 */

struct sasl_mechanism {
	struct str name;
	enum sasl_method method;
	const char *auth_method;
	struct str challenge; /* the first; CRAM-MD5's is its salt */
	hear_fn *hear;
	say_fn *say; /* NULL: never spoken towards servers */
	struct str dummy;
	const char *bad_base64, *bad_user, *bad_secret;
};

static hear_fn hear_plain, hear_login, hear_cram, hear_external, hear_oauth;
static say_fn say_plain, say_external;

#define COMPLAINTS(name, secret)                                                      \
	.bad_base64 = "client sent invalid base64 encoding in AUTH " name " command", \
	.bad_user = "client sent invalid login in AUTH " name " command",             \
	.bad_secret = "client sent invalid " secret " in AUTH " name " command"

static const struct sasl_mechanism MECHANISMS[] = {
	{ LIT("PLAIN"), SASL_PLAIN, "plain", LIT(""), hear_plain, say_plain, LIT(""),
	  COMPLAINTS("PLAIN", "password") },
	{ LIT("LOGIN"), SASL_LOGIN, "plain", LIT("Username:"), hear_login, NULL, LIT(""),
	  COMPLAINTS("LOGIN", "password") },
	{ LIT("CRAM-MD5"), SASL_CRAM_MD5, "cram-md5", LIT(""), hear_cram, NULL, LIT(""),
	  COMPLAINTS("CRAM-MD5", "CRAM-MD5 hash") },
	{ LIT("EXTERNAL"), SASL_EXTERNAL, "external", LIT("Username:"), hear_external, say_external, LIT(""),
	  COMPLAINTS("EXTERNAL", "login") },
	{ LIT("XOAUTH2"), SASL_XOAUTH2, "xoauth2", LIT(""), hear_oauth, oauth_put_xoauth2, LIT(""),
	  COMPLAINTS("XOAUTH2", "token") },
	{ LIT("OAUTHBEARER"), SASL_OAUTHBEARER, "oauthbearer", LIT(""), hear_oauth, oauth_put_bearer,
	  LIT("AQ=="), COMPLAINTS("OAUTHBEARER", "token") },
	/* not to be found by name, since no client may ask for them in AUTH */
	{ { NULL, 0 }, SASL_APOP, "apop", LIT(""), NULL, NULL, LIT(""), NULL, NULL, NULL },
	{ { NULL, 0 }, SASL_NONE, "none", LIT(""), NULL, NULL, LIT(""), NULL, NULL, NULL },
};

enum { MECHANISMS_LEN = sizeof(MECHANISMS) / sizeof(*MECHANISMS), MD5_HEX = 32 };

const struct sasl_mechanism *sasl_find(struct str name)
{
	for (size_t i = 0; i < MECHANISMS_LEN; i++)
		if (MECHANISMS[i].name.at != NULL && str_same(MECHANISMS[i].name, name))
			return &MECHANISMS[i];
	return NULL;
}

static const struct sasl_mechanism *by_method(enum sasl_method m)
{
	for (size_t i = 0; i < MECHANISMS_LEN; i++)
		if (MECHANISMS[i].method == m)
			return &MECHANISMS[i];
	return &MECHANISMS[0];
}

enum sasl_method sasl_method(const struct sasl_mechanism *m)
{
	return m->method;
}

struct str sasl_name(enum sasl_method m)
{
	return by_method(m)->name;
}

const char *sasl_auth_method(enum sasl_method m)
{
	return by_method(m)->auth_method;
}

struct str sasl_dummy(enum sasl_method m)
{
	return by_method(m)->dummy;
}

void sasl_announce(struct buf *to, unsigned methods, const char *before, const char *after)
{
	for (size_t i = 0; i < MECHANISMS_LEN; i++) {
		const struct sasl_mechanism *m = &MECHANISMS[i];

		if ((methods & m->method) == 0 || m->name.at == NULL)
			continue;
		buf_put(to, str_of(before));
		buf_put(to, m->name);
		buf_put(to, str_of(after));
	}
}

bool sasl_good_user(struct str user)
{
	return user.len != 0 && is_line_safe(user);
}

bool sasl_good_secret(struct str secret)
{
	return is_line_safe(secret);
}

void sasl_make_salt(struct buf *to, struct str server_name)
{
	uint64_t random[2];

	random_bytes(random, sizeof(random));
	buf_clear(to);
	buf_format(to, "<%" PRIu64 "%" PRIu64 ".%" PRIu64 "@%.*s>", random[0], random[1], clock_wall(),
		   STR_ARG(server_name));
}

/* Fields of an exchange that came to nothing must not be taken for a client's name and secret later. */
static enum sasl_step refuse(struct sasl_exchange *x, const char *complaint)
{
	buf_wipe(x->fields.user);
	buf_wipe(x->fields.secret);
	x->complaint = complaint;
	return SASL_REFUSED;
}

static enum sasl_step challenge(struct sasl_exchange *x, struct str text)
{
	x->challenge = text;
	return SASL_MORE;
}

enum sasl_step sasl_begin(struct sasl_exchange *x, const struct sasl_mechanism *m, struct sasl_fields f,
			  struct str server_name, struct str initial)
{
	*x = (struct sasl_exchange){ .mechanism = m, .fields = f };
	buf_wipe(f.user);
	buf_wipe(f.secret);
	buf_clear(f.salt);
	if (m->method == SASL_CRAM_MD5) {
		/* the challenge comes first by nature: RFC 2195 knows no initial response */
		if (initial.at != NULL)
			return refuse(x, NULL);
		sasl_make_salt(f.salt, server_name);
		return challenge(x, buf_text(f.salt));
	}
	return initial.at != NULL ? sasl_hear(x, initial) : challenge(x, m->challenge);
}

enum sasl_step sasl_hear(struct sasl_exchange *x, struct str response)
{
	if (str_eq(response, STR("*")))
		return refuse(x, NULL);
	x->heard++;
	return x->mechanism->hear(x, response);
}

static bool decode(struct buf *to, struct str response)
{
	buf_wipe(to);
	return base64_get(to, response);
}

/* Leave only `part` of what is in the buffer. */
static void keep(struct buf *b, struct str part)
{
	if (part.len != 0)
		memmove(b->at, part.at, part.len);
	b->len = part.len;
}

/* The one message has been read: name into its field, the secret is a part of what lies in its own. */
static enum sasl_step finish(struct sasl_exchange *x, struct str user, struct str secret)
{
	if (!sasl_good_user(user))
		return refuse(x, x->mechanism->bad_user);
	if (!sasl_good_secret(secret))
		return refuse(x, x->mechanism->bad_secret);
	buf_set(x->fields.user, user);
	keep(x->fields.secret, secret);
	return SASL_DONE;
}

/* RFC 4616: [authzid] NUL authcid NUL passwd. Clients such as neomutt repeat the authcid as authzid. */
static enum sasl_step hear_plain(struct sasl_exchange *x, struct str response)
{
	struct str rest, authzid, user;

	if (!decode(x->fields.secret, response))
		return refuse(x, x->mechanism->bad_base64);
	rest = buf_text(x->fields.secret);
	if (!str_has(rest, '\0'))
		return refuse(x, x->mechanism->bad_user);
	authzid = str_cut(&rest, '\0');
	if (!str_has(rest, '\0'))
		return refuse(x, x->mechanism->bad_secret);
	user = str_cut(&rest, '\0');
	if (authzid.len != 0 && !str_eq(authzid, user))
		return refuse(x, x->mechanism->bad_user);
	return finish(x, user, rest);
}

/* A name that is refused is refused behind the password, so that nobody learns which names are. */
static enum sasl_step hear_login(struct sasl_exchange *x, struct str response)
{
	bool first = x->heard == 1;

	if (!decode(first ? x->fields.user : x->fields.secret, response))
		return refuse(x, x->mechanism->bad_base64);
	if (first)
		return challenge(x, STR("Password:"));
	if (!sasl_good_user(buf_text(x->fields.user)))
		return refuse(x, x->mechanism->bad_user);
	return sasl_good_secret(buf_text(x->fields.secret)) ? SASL_DONE : refuse(x, x->mechanism->bad_secret);
}

/* RFC 2195: name, blank, digest in hex; whether the digest is right, or one at all, is the auth server's
 * affair. */
static enum sasl_step hear_cram(struct sasl_exchange *x, struct str response)
{
	struct str digest, user;

	if (!decode(x->fields.secret, response))
		return refuse(x, x->mechanism->bad_base64);
	digest = buf_text(x->fields.secret);
	user = str_cut(&digest, ' ');
	if (digest.len != MD5_HEX)
		return refuse(x, x->mechanism->bad_secret);
	return finish(x, user, digest);
}

/* RFC 4422 appendix A: an empty name asks for the one of the certificate. Whether there is a certificate is
 * the auth server's affair. */
static enum sasl_step hear_external(struct sasl_exchange *x, struct str response)
{
	if (!decode(x->fields.user, response))
		return refuse(x, x->mechanism->bad_base64);
	if (!is_line_safe(buf_text(x->fields.user)))
		return refuse(x, x->mechanism->bad_user);
	return SASL_DONE;
}

static enum sasl_step hear_oauth(struct sasl_exchange *x, struct str response)
{
	bool bearer = x->mechanism->method == SASL_OAUTHBEARER;
	enum oauth_fault fault;
	struct str token;

	if (!decode(x->fields.secret, response))
		return refuse(x, x->mechanism->bad_base64);
	fault = (bearer ? oauth_read_bearer : oauth_read_xoauth2)(buf_text(x->fields.secret), x->fields.user,
								  &token);
	if (fault == OAUTH_BAD_USER || !sasl_good_user(buf_text(x->fields.user)))
		return refuse(x, x->mechanism->bad_user);
	if (fault == OAUTH_BAD_TOKEN || !sasl_good_secret(token))
		return refuse(x, x->mechanism->bad_secret);
	keep(x->fields.secret, token);
	return SASL_DONE;
}

static void say_plain(struct buf *to, struct str user, struct str secret)
{
	buf_put_byte(to, '\0');
	buf_put(to, user);
	buf_put_byte(to, '\0');
	buf_put(to, secret);
}

static void say_external(struct buf *to, struct str user, struct str secret)
{
	(void)secret;
	buf_put(to, user);
}

void sasl_say(struct buf *to, enum sasl_method m, struct str master, struct str user, struct str secret)
{
	say_fn *say = by_method(m)->say;
	bool acts = m == SASL_PLAIN && master.len != 0;
	struct buf message;

	must(say != NULL);
	buf_init(&message, to->most);
	if (acts)
		buf_put(&message, user);
	say(&message, acts ? master : user, secret);
	to->full |= message.full;
	base64_put(to, buf_text(&message));
	buf_done(&message);
}
