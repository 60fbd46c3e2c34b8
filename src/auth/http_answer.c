/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verdicts; see http_answer.h.
 *
 * The order of the checks and the texts are those of the proxy we replace, with one exception: there an
 * answer without Auth-Status, or in SMTP with an empty one, lets the client in. Here it is a fault of the
 * server.
 *
 * That proxy knows addresses alone. Here Auth-Server may be anything that proxy_pass may be (the name of an
 * upstream, a host, unix:PATH), then Auth-Port may be missing; and both may, where proxy_pass says where to.
 */
#include "auth/http_answer.h"

#include "base/text.h"

enum { SHOWN_MOST = 128, TARGET_MOST = 320 };

void http_answer_broken(struct auth_answer *a, enum log_level level, struct buf *cause)
{
	buf_put_byte(cause, '\0');
	*a = (struct auth_answer){
		AUTH_ANSWER_INIT,
		.verdict = AUTH_BROKEN,
		.level = level,
		.cause = cause->full ? "auth http server failed" : cause->at,
	};
}

static void broken(struct auth_answer *a, const char *server, const char *what, struct buf *cause)
{
	buf_format(cause, "auth http server %s %s", server, what);
	http_answer_broken(a, LOG_ERROR, cause);
}

static void broken_value(struct auth_answer *a, const char *server, const char *what, struct str value,
			 struct buf *cause)
{
	buf_format(cause, "auth http server %s %s:\"", server, what);
	visible_put(cause, value, SHOWN_MOST);
	buf_put_byte(cause, '"');
	http_answer_broken(a, LOG_ERROR, cause);
}

/* Auth-Wait in milliseconds; what is no number counts as none. */
static uint64_t wait_of(const struct http_response *h)
{
	uint64_t seconds;

	if (!str_number(http_response_field(h, FIELD_WAIT), INT64_MAX, &seconds))
		return 0;
	return seconds < AUTH_WAIT_MOST_MS / 1000 ? seconds * 1000 : AUTH_WAIT_MOST_MS;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "535 5.7.8": only a code that refuses, or a mistake in the server would tell a client that it is logged
 * in. */
static bool is_refusal_code(struct str code)
{
	return code.len >= 3 && (code.at[0] == '4' || code.at[0] == '5') && is_digit(code.at[1]) &&
	       is_digit(code.at[2]) && (code.len == 3 || code.at[3] == ' ') && has_no_controls(code);
}

static bool is_base64(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !is_digit(c) && c != '+' && c != '/' && c != '=')
			return false;
	}
	return text.len != 0;
}

static void denied(struct auth_answer *a, const struct http_response *h)
{
	struct str code = http_response_field(h, FIELD_ERROR_CODE);
	struct str sasl = http_response_field(h, FIELD_ERROR_SASL);

	a->verdict = AUTH_DENIED;
	a->message = http_response_field(h, FIELD_REFUSAL);
	a->wait_ms = wait_of(h);
	if (is_refusal_code(code))
		a->error_code = code;
	if (is_base64(sasl))
		a->error_sasl = sasl;
}

static void must_wait(struct auth_answer *a, const struct http_response *h)
{
	uint64_t ms = wait_of(h);

	a->verdict = AUTH_WAIT;
	a->wait_ms = ms > AUTH_WAIT_LEAST_MS ? ms : AUTH_WAIT_LEAST_MS;
}

/* Can what the client sent be sent to the mail server? Not a digest; and EXTERNAL sends no secret at all. */
static bool is_reusable(enum sasl_method method)
{
	return (method & (SASL_PLAIN | SASL_LOGIN | SASL_XOAUTH2 | SASL_OAUTHBEARER)) != 0;
}

static enum sasl_method back_method(const struct http_response *h)
{
	struct str method = http_response_field(h, FIELD_METHOD);

	if (str_same(method, STR("xoauth2")))
		return SASL_XOAUTH2;
	return str_same(method, STR("oauthbearer")) ? SASL_OAUTHBEARER : 0;
}

/* Auth-Cache-TTL in milliseconds, when it is a number. */
static uint64_t cache_of(const struct http_response *h)
{
	uint64_t seconds;

	if (!str_number(http_response_field(h, FIELD_CACHE), UINT32_MAX, &seconds))
		return AUTH_CACHE_AS_CONFIGURED;
	return seconds * 1000;
}

static void granted(struct auth_answer *a, const struct http_response *h)
{
	a->verdict = AUTH_OK;
	a->user = http_response_field(h, FIELD_USER);
	a->secret = http_response_field(h, FIELD_PASS);
	a->master = http_response_field(h, FIELD_MASTER);
	a->tls_name = http_response_field(h, FIELD_TLS_NAME);
	a->back_method = back_method(h);
}

/* "off", "on" or "starttls", as enum proxy_tls and one more; 0 when nothing is said. False on any other word:
 * a server that asked for TLS must not get none. */
static bool read_tls(const struct http_response *h, unsigned *tls)
{
	static const struct str WORDS[] = { LIT(""), LIT("off"), LIT("on"), LIT("starttls") };
	struct str word = http_response_field(h, FIELD_TLS);

	for (unsigned i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++) {
		if (str_same(word, WORDS[i])) {
			*tls = i;
			return true;
		}
	}
	return false;
}

/* Digits and dots alone: meant as an address. */
static bool is_dotted(struct str host)
{
	for (size_t i = 0; i < host.len; i++)
		if (!is_digit(host.at[i]) && host.at[i] != '.')
			return false;
	return host.len != 0;
}

/* May it be a target? What it is will be seen by who goes there; here it must be one word of ASCII. */
static bool is_target(struct str host)
{
	struct addr a;

	for (size_t i = 0; i < host.len; i++)
		if (host.at[i] <= ' ' || host.at[i] >= 0x7f || host.at[i] == '"' || host.at[i] == '\\')
			return false;
	return host.len <= TARGET_MOST && (!is_dotted(host) || addr_parse_ip(host, &a));
}

/* Not an address: whoever goes there will find out what it is. */
static void name_target(struct auth_answer *a, struct str host, uint16_t port)
{
	if (host.len != 0)
		a->target = host;
	a->port = port;
}

/* It said OK: is everything there that a login needs? */
static void place(struct auth_answer *a, const struct http_response *h, const struct auth_request *r,
		  const char *server, struct buf *cause)
{
	struct str host = http_response_field(h, FIELD_SERVER), port = http_response_field(h, FIELD_PORT);
	bool has_secret = http_response_field(h, FIELD_PASS).at != NULL || is_reusable(r->login->method);
	bool has_port = port.len != 0;
	uint64_t number = 0;

	if (host.len == 0 && (has_port || !r->placed))
		broken(a, server, "did not send server or port", cause);
	else if (r->needs_secret && !has_secret)
		broken(a, server, "did not send password", cause);
	else if (!is_target(host))
		broken_value(a, server, "sent invalid server address", host, cause);
	else if (has_port && (!str_number(port, UINT16_MAX, &number) || number == 0))
		broken_value(a, server, "sent invalid server port", port, cause);
	else if (!read_tls(h, &a->tls))
		broken_value(a, server, "sent invalid Auth-TLS", http_response_field(h, FIELD_TLS), cause);
	else if (!addr_parse_ip(host, &a->server))
		name_target(a, host, (uint16_t)number);
	else if (!has_port)
		broken(a, server, "did not send server or port", cause);
	else
		a->server.port = (uint16_t)number;
	if (a->verdict != AUTH_BROKEN)
		granted(a, h);
}

/* Most often somebody else's page came: its status tells more than what is missing in it. */
static void silent(struct auth_answer *a, const struct http_response *h, const char *server,
		   struct buf *cause)
{
	buf_format(cause, "auth http server %s did not send Auth-Status", server);
	if (h->status != 200 && h->status != 0)
		buf_format(cause, " (HTTP status %u)", h->status);
	http_answer_broken(a, LOG_ERROR, cause);
}

bool http_answer_is_unable(const struct http_response *h)
{
	bool says = http_response_field(h, FIELD_REFUSAL).at != NULL || h->said_nothing || h->said_wait ||
		    h->said_ok;

	return h->status >= 500 && h->status <= 599 && !says;
}

void http_answer_read(struct auth_answer *a, const struct http_response *h, const struct auth_request *r,
		      const char *server, struct buf *cause)
{
	*a = (struct auth_answer){ .cache_ms = cache_of(h) };
	if (http_response_field(h, FIELD_REFUSAL).at != NULL)
		denied(a, h);
	else if (h->said_nothing)
		broken(a, server, "sent an empty Auth-Status", cause);
	else if (h->said_wait)
		must_wait(a, h);
	else if (h->said_ok)
		place(a, h, r, server, cause);
	else
		silent(a, h, server, cause);
}
