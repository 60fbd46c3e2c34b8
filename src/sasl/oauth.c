/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XOAUTH2 and OAUTHBEARER; see oauth.h.
 *
 * Both are a head that names the user, then pairs that end in 0x01 each, then one more 0x01. Only the pair
 * `auth` counts; the host and port that OAUTHBEARER may carry say nothing that a proxy does not know better.
 */
#include "sasl/oauth.h"

#define END '\x01'

/* Cut one pair that ends in 0x01; unlike str_cut, a missing end is a failure. */
static bool cut_pair(struct str *rest, struct str *pair)
{
	if (!str_has(*rest, END))
		return false;
	*pair = str_cut(rest, END);
	return true;
}

/* The token of the first "auth=Bearer T" among the pairs, which an empty one must end. */
static bool find_token(struct str pairs, struct str *token)
{
	const struct str key = STR("auth=Bearer ");
	struct str pair;

	*token = STR("");
	while (cut_pair(&pairs, &pair)) {
		if (pair.len == 0)
			return pairs.len == 0 && token->len != 0;
		if (token->len == 0 && str_starts_same(pair, key))
			*token = str_trim(str_skip(pair, key.len));
	}
	return false;
}

/* A saslname of RFC 5801 section 4: ',' and '=' are written =2C and =3D. */
static bool decode_name(struct str name, struct buf *user)
{
	while (name.len != 0) {
		if (str_starts_same(name, STR("=2C")))
			buf_put_byte(user, ',');
		else if (str_starts_same(name, STR("=3D")))
			buf_put_byte(user, '=');
		else if (name.at[0] == '=')
			return false;
		else
			buf_put_byte(user, name.at[0]);
		name = str_skip(name, name.at[0] == '=' ? 3 : 1);
	}
	return true;
}

enum oauth_fault oauth_read_xoauth2(struct str message, struct buf *user, struct str *token)
{
	const struct str key = STR("user=");
	struct str head;

	buf_clear(user);
	if (!cut_pair(&message, &head) || !str_starts_same(head, key) || head.len == key.len)
		return OAUTH_BAD_USER;
	buf_put(user, str_skip(head, key.len));
	return find_token(message, token) ? OAUTH_GOOD : OAUTH_BAD_TOKEN;
}

enum oauth_fault oauth_read_bearer(struct str message, struct buf *user, struct str *token)
{
	struct str head, binding, name;

	buf_clear(user);
	if (!cut_pair(&message, &head))
		return OAUTH_BAD_USER;
	binding = str_cut(&head, ',');
	name = str_cut(&head, ',');
	/* "p=…" would bind to a channel, which no bearer token can do */
	if ((!str_same(binding, STR("n")) && !str_same(binding, STR("y"))) || head.len != 0 ||
	    !str_starts_same(name, STR("a=")))
		return OAUTH_BAD_USER;
	if (name.len == 2 || !decode_name(str_skip(name, 2), user))
		return OAUTH_BAD_USER;
	return find_token(message, token) ? OAUTH_GOOD : OAUTH_BAD_TOKEN;
}

static void put_token(struct buf *to, struct str token)
{
	buf_put_byte(to, END);
	buf_put(to, STR("auth=Bearer "));
	buf_put(to, token);
	buf_put_byte(to, END);
	buf_put_byte(to, END);
}

void oauth_put_xoauth2(struct buf *to, struct str user, struct str token)
{
	buf_put(to, STR("user="));
	buf_put(to, user);
	put_token(to, token);
}

void oauth_put_bearer(struct buf *to, struct str user, struct str token)
{
	buf_put(to, STR("n,a="));
	for (size_t i = 0; i < user.len; i++) {
		if (user.at[i] == ',')
			buf_put(to, STR("=2C"));
		else if (user.at[i] == '=')
			buf_put(to, STR("=3D"));
		else
			buf_put_byte(to, user.at[i]);
	}
	buf_put_byte(to, ',');
	put_token(to, token);
}
