/* SPDX-License-Identifier: BSD-2-Clause */
/* The ID command; see identity.h. */
#include "proto/imap/identity.h"
#include "proto/imap/syntax.h"

#include "base/text.h"

/* RFC 2971 section 3.3. */
enum { PAIRS_MAX = 30, KEY_MAX = 30, VALUE_MAX = 1024, NAME_MAX = 255, SESSION_MAX = 64 };

/* ---- what the client says ---- */

/* Can it go on: a key that is not ours to say, a value that one line holds? */
static bool is_fit(struct str key, struct str value)
{
	return key.len != 0 && key.len <= KEY_MAX && value.len <= VALUE_MAX && imap_quotable(key) &&
	       imap_quotable(value) && has_no_controls(key) && has_no_controls(value) &&
	       !str_starts_same(str_trim(key), STR("x-"));
}

static bool take_string(struct str *rest, struct buf *to)
{
	buf_clear(to);
	while (rest->len != 0 && rest->at[0] == ' ')
		*rest = str_skip(*rest, 1);
	return imap_take_string(rest, to) && !to->full;
}

/* The pairs up to the closing parenthesis. */
static bool read_pairs(struct str rest, struct buf *key, struct buf *value, struct buf *to)
{
	for (int pairs = 0; !str_eq(str_trim(rest), STR(")")); pairs++) {
		if (pairs == PAIRS_MAX || !take_string(&rest, key) || !take_string(&rest, value))
			return false;
		if (!is_fit(buf_text(key), buf_text(value)))
			continue;
		buf_put_byte(to, ' ');
		imap_put_quoted(to, buf_text(key));
		buf_put_byte(to, ' ');
		imap_put_quoted(to, buf_text(value));
	}
	return true;
}

void imap_keep_id(struct str list, struct buf *to)
{
	struct buf key, value;

	buf_clear(to);
	list = str_trim(list);
	if (!str_starts(list, STR("(")))
		return;
	buf_init(&key, list.len);
	buf_init(&value, list.len);
	if (!read_pairs(str_skip(list, 1), &key, &value, to) || to->full)
		buf_clear(to);
	buf_done(&key);
	buf_done(&value);
}

/* ---- what the server hears ---- */

/* Words of others that do not fit are left out. */
static void put_field(struct buf *to, const char *key, struct str value)
{
	if (value.len == 0 || !imap_quotable(value) || !has_no_controls(value))
		return;
	buf_format(to, " \"%s\" ", key);
	imap_put_quoted(to, value);
}

static void put_number(struct buf *to, const char *key, unsigned value)
{
	if (value != 0)
		buf_format(to, " \"%s\" \"%u\"", key, value);
}

static bool is_ip(struct str address)
{
	return !str_starts(address, STR("unix:"));
}

static void put_address(struct buf *to, const char *key, struct str address)
{
	if (is_ip(address))
		put_field(to, key, address);
}

/* Without "x-multiplex": a server that knows it would turn the stream into framed channels. */
static void put_dovecot(struct buf *to, const struct stage *s)
{
	if (s->session_id.len <= SESSION_MAX)
		put_field(to, "x-session-id", s->session_id);
	put_address(to, "x-originating-ip", s->client_ip);
	put_number(to, "x-originating-port", s->client_port);
	put_address(to, "x-connected-ip", s->server_ip);
	put_number(to, "x-connected-port", s->server_port);
	put_number(to, "x-proxy-ttl", s->ttl);
	put_field(to, "x-client-transport", s->client_secure ? STR("TLS") : STR("insecure"));
	if (s->asked_name.len <= NAME_MAX)
		put_field(to, "x-connected-name", s->asked_name);
}

static void put_zimbra(struct buf *to, const struct stage *s)
{
	put_address(to, "X-ORIGINATING-IP", s->client_ip);
	if (s->server_ip.len != 0 && is_ip(s->server_ip))
		buf_format(to, " \"X-VIA\" \"%.*s(postern)\"", STR_ARG(s->server_ip));
}

void imap_put_id(struct dialog *d, bool zimbra)
{
	struct buf fields;

	buf_init(&fields, d->out->most);
	buf_put(&fields, buf_text(&d->login->id));
	(zimbra ? put_zimbra : put_dovecot)(&fields, d->stage);
	if (fields.len != 0) {
		buf_put(d->out, STR("ID ("));
		buf_put(d->out, str_skip(buf_text(&fields), 1));
		buf_put(d->out, STR(")\r\n"));
	} else {
		buf_put(d->out, STR("ID NIL\r\n"));
	}
	d->out->full |= fields.full;
	buf_done(&fields);
}
