/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives of the auth_http client.
 *
 * The URL is read as the proxy we replace reads it: `http://` may be left out, what stands before the first
 * '/' or '?' is the place, and host names are looked up when the configuration is loaded. All their
 * addresses are kept.
 *
 * The request line and the configured headers go out as they stand here, so whatever could end a line is
 * refused at this edge.
 */
#include "auth/http_conf.h"

#include "auth/auth.h"
#include "base/text.h"
#include <string.h>

enum { ADDRS_MOST = 16 };

static directive_set_fn servers_set, header_set;
static bool http_check(struct conf *c, struct scope *in, void *settings);

#define FIELD(member) .offset = offsetof(struct http_conf, member)
#define BOTH	      .where = IN_MAIL | IN_SERVER

static const struct directive ROWS[] = {
	{ .name = "auth_http",
	  BOTH,
	  .min = 1,
	  .flags = CONF_REPEATS | CONF_UNLIMITED,
	  .slot = SLOT_CUSTOM,
	  FIELD(servers),
	  .size = sizeof(struct http_servers),
	  .set = servers_set,
	  .args = "[http://|https://]host[:port][/uri] | unix:path[:uri] …",
	  .help = "The HTTP server that is asked who a client is and where the mailbox lives. Where several "
		  "are "
		  "named, or a host has several addresses, the next is asked when connecting to one fails. "
		  "Host names are looked up when the configuration is loaded, and again by their TTL where "
		  "there is a resolver." },
	{ .name = "auth_http_timeout",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  FIELD(timeout_ms),
	  .preset = "60s",
	  .args = "time",
	  .help = "How long one question may take, from connecting to the last header of the answer." },
	{ .name = "auth_http_header",
	  BOTH,
	  .min = 2,
	  .max = 2,
	  .flags = CONF_REPEATS,
	  .slot = SLOT_LIST,
	  FIELD(headers),
	  .set = header_set,
	  .args = "name value",
	  .help = "A header that is added to every question, such as a secret that proves who is asking. "
		  "The value may hold variables; a $ before anything but a known name is a $." },
	{ .name = "auth_http_pass_client_cert",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_FLAG,
	  FIELD(pass_client_cert),
	  .preset = "off",
	  .args = "on | off",
	  .help = "Whether the client's certificate goes to the auth server, in PEM form: Auth-SSL-Cert." },
	{ .name = "auth_http_keepalive",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_NUMBER,
	  FIELD(keepalive),
	  .preset = "32",
	  .most = 1024,
	  .args = "number",
	  .help = "How many idle connections to an address of the auth server each worker keeps for the "
		  "next question. With 0 every question has a connection of its own and is asked in "
		  "HTTP/1.0, for servers that serve one connection at a time." },
	{ .name = "auth_http_extra_headers",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_FLAG,
	  FIELD(extra_headers),
	  .preset = "off",
	  .args = "on | off",
	  .help = "Whether questions have the headers Client-Port, Server-Addr, Server-Port and Session-ID "
		  "too; the last is the session's name in our log and in that of the mail server." },
	TLS_CLIENT_ROWS("auth_http_ssl", IN_MAIL | IN_SERVER, struct http_conf),
	{ .name = NULL }
};

const struct module auth_http_module = {
	.name = "auth_http",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct http_conf),
	.directives = ROWS,
	.check = http_check,
};

const struct http_conf *http_conf(const struct scope *s)
{
	return scope_settings(s, &auth_http_module);
}

/* Part "unix:PATH:URI" at the colon behind the path, anything else at the first '/' or '?'. */
static struct str cut_place(struct str *rest)
{
	struct str unix_word = STR("unix:"), all = *rest;
	size_t n;

	if (str_starts_same(all, unix_word)) {
		n = unix_word.len + str_index(str_skip(all, unix_word.len), ':');
		*rest = str_skip(all, n + 1);
	} else {
		size_t query = str_index(all, '?');

		n = str_index(all, '/');
		n = query < n ? query : n;
		*rest = str_skip(all, n);
	}
	return (struct str){ all.at, n };
}

/* Host: has the name as typed, IPv6 in its brackets, without a port. */
static struct str host_of(struct str place)
{
	if (str_starts_same(place, STR("unix:")))
		return STR("localhost");
	if (str_starts(place, STR("[")))
		place.len = str_index(place, ']') + 1;
	else
		place.len = str_index(place, ':');
	return place;
}

/* A request line has no room for blanks, and none of the servers wants controls: blanks are encoded,
 * controls refused. */
static bool read_uri(struct conf *c, struct str text, struct str *uri)
{
	struct buf b;

	if (!has_no_controls(text))
		return false;
	buf_init_in(&b, conf_arena(c), 3 * text.len + 1);
	if (!str_starts(text, STR("/")))
		buf_put_byte(&b, '/');
	while (text.len != 0) {
		bool blank = str_has(text, ' ');

		buf_put(&b, str_cut(&text, ' '));
		if (blank)
			buf_put(&b, STR("%20"));
	}
	*uri = buf_text(&b);
	return true;
}

/* The host of a place as a certificate has it, without brackets. */
static const char *name_of(struct conf *c, struct str host)
{
	if (str_starts(host, STR("[")))
		host = (struct str){ host.at + 1, host.len - 2 };
	return arena_str(conf_arena(c), host).at;
}

static const char *read_url(struct conf *c, struct str text, struct http_server_conf *to)
{
	struct addr *addrs = arena_take(conf_arena(c), ADDRS_MOST * sizeof(*addrs)), ip;
	struct str rest = text, place = cut_place(&rest);
	const char *fault = conf_addresses(c, place, to->tls ? 443 : 80, addrs, ADDRS_MOST, &to->addrs_len);

	if (fault != NULL)
		return fault;
	if (!has_no_controls(place))
		return "invalid host";
	to->addrs = addrs;
	to->host = host_of(place);
	to->name = name_of(c, to->host);
	to->port = addrs[0].port;
	to->by_name = addrs[0].family != AF_UNIX && !addr_parse_ip(str_of(to->name), &ip);
	return read_uri(c, rest, &to->uri) ? NULL : "invalid URI";
}

static bool server_set(struct conf *c, struct str text, struct http_server_conf *to)
{
	const char *fault;

	to->tls = str_starts(text, STR("https://"));
	if (to->tls || str_starts(text, STR("http://")))
		text = str_skip(text, to->tls ? 8 : 7);
	fault = read_url(c, text, to);
	if (fault != NULL)
		return conf_fault(c, "%s in auth_http \"%.*s\"", fault, STR_ARG(text));
	return true;
}

static bool servers_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct http_server_conf *servers = arena_take(conf_arena(c), (w->len - 1) * sizeof(*servers));
	struct http_conf *h = settings;

	(void)d;
	for (size_t i = 1; i < w->len; i++)
		if (!server_set(c, w->at[i], &servers[i - 1]))
			return false;
	h->servers = (struct http_servers){ servers, w->len - 1 };
	return true;
}

struct tls_context *http_tls_context(struct conf *c, const struct scope *at, struct tls_shared *shared)
{
	struct tls_client_use use = { "auth_http_ssl", "auth http server", at, true };

	return tls_client_context_from(c, &http_conf(at)->options, &use, shared);
}

/* What cannot work is told when the configuration is loaded. */
static bool http_check(struct conf *c, struct scope *in, void *settings)
{
	const struct http_conf *h = settings;
	struct tls_context *trial;
	bool tls = false;

	for (size_t i = 0; i < h->servers.len; i++)
		tls = tls || h->servers.at[i].tls;
	if (!tls)
		return true;
	trial = http_tls_context(c, in, NULL);
	tls_context_free(trial);
	return trial != NULL;
}

/* What RFC 9110 section 5.6.2 calls a token. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s.at[i]) != NULL)
			return false;
	return s.len != 0;
}

static bool header_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)d;
	(void)settings;
	if (!is_token(w->at[1]))
		return conf_fault(c, "invalid header name \"%.*s\"", STR_ARG(w->at[1]));
	if (!is_line_safe(w->at[2]))
		return conf_fault(c, "invalid value of header \"%.*s\"", STR_ARG(w->at[1]));
	return true;
}
