/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The question as HTTP; see http_request.h.
 *
 * Names, passwords and certificates are percent-encoded. All else goes out raw, as auth servers expect, and
 * so may hold no control character: the dialogs have refused such input long before, and who finds one here
 * does not ask at all.
 */
#include "auth/http_request.h"

#include "base/text.h"

struct writer {
	struct buf *to;
	struct str culprit;
};

static void put_value(struct writer *w, struct str name, struct str value)
{
	if (w->culprit.at == NULL && !has_no_controls(value))
		w->culprit = name;
	buf_put(w->to, name);
	buf_put(w->to, STR(": "));
	buf_put(w->to, value);
	buf_put(w->to, STR("\r\n"));
}

/* Left out when there is nothing to say. */
static void put_if(struct writer *w, struct str name, struct str value)
{
	if (value.len != 0)
		put_value(w, name, value);
}

static void put_escaped(struct writer *w, struct str name, struct str value)
{
	buf_put(w->to, name);
	buf_put(w->to, STR(": "));
	percent_put(w->to, value);
	buf_put(w->to, STR("\r\n"));
}

static void put_number(struct writer *w, struct str name, unsigned number)
{
	char digits[10];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	put_value(w, name, (struct str){ digits + at, sizeof(digits) - at });
}

static void put_login(struct writer *w, const struct auth_request *r)
{
	const struct login *l = r->login;

	put_value(w, STR("Auth-Method"), str_of(sasl_auth_method(l->method)));
	put_escaped(w, STR("Auth-User"), buf_text(&l->user));
	put_escaped(w, STR("Auth-Pass"), buf_text(&l->secret));
	if (l->method == SASL_CRAM_MD5 || l->method == SASL_APOP)
		put_value(w, STR("Auth-Salt"), buf_text(&l->salt));
	put_value(w, STR("Auth-Protocol"), str_of(r->protocol));
	put_number(w, STR("Auth-Login-Attempt"), l->attempt);
}

static void put_client(struct writer *w, const struct auth_request *r)
{
	put_value(w, STR("Client-IP"), r->client_ip);
	put_if(w, STR("Client-Host"), r->client_host);
	if (r->proxy_addr.at == NULL)
		return;
	put_value(w, STR("Proxy-Protocol-Addr"), r->proxy_addr);
	put_number(w, STR("Proxy-Protocol-Port"), r->proxy_port);
	put_value(w, STR("Proxy-Protocol-Server-Addr"), r->proxy_server_addr);
	put_number(w, STR("Proxy-Protocol-Server-Port"), r->proxy_server_port);
}

/* What the proxy that we replace does not tell. */
static void put_extra(struct writer *w, const struct auth_request *r)
{
	put_number(w, STR("Client-Port"), r->client_port);
	put_if(w, STR("Server-Addr"), r->server_ip);
	put_number(w, STR("Server-Port"), r->server_port);
	put_if(w, STR("Session-ID"), r->session_id);
}

static void put_envelope(struct writer *w, const struct login *l)
{
	if (l->method != SASL_NONE)
		return;
	put_value(w, STR("Auth-SMTP-Helo"), buf_text(&l->helo));
	put_value(w, STR("Auth-SMTP-From"), buf_text(&l->mail));
	put_value(w, STR("Auth-SMTP-To"), buf_text(&l->rcpt));
}

static void put_tls(struct writer *w, const struct auth_tls *tls)
{
	if (!tls->on)
		return;
	put_value(w, STR("Auth-SSL"), STR("on"));
	put_if(w, STR("Auth-SSL-Protocol"), tls->protocol);
	put_if(w, STR("Auth-SSL-Cipher"), tls->cipher);
	put_if(w, STR("Auth-SSL-Verify"), tls->verify);
	put_if(w, STR("Auth-SSL-Subject"), tls->subject);
	put_if(w, STR("Auth-SSL-Issuer"), tls->issuer);
	put_if(w, STR("Auth-SSL-Serial"), tls->serial);
	put_if(w, STR("Auth-SSL-Fingerprint"), tls->fingerprint);
	if (tls->certificate.len != 0)
		put_escaped(w, STR("Auth-SSL-Cert"), tls->certificate);
}

/* As they stand in the configuration, but for variables: what these hold is checked as all else that comes
 * from outside. */
static void put_headers(struct writer *w, const struct http_frame *frame, const struct auth_request *r)
{
	for (size_t i = 0; i < frame->headers_len; i++) {
		const struct http_header *h = &frame->headers[i];
		struct str text = template_source(h->value);

		if (r->vars != NULL && !template_fixed(h->value, &text)) {
			put_value(w, h->name, template_fill(h->value, r->vars));
			continue;
		}
		buf_put(w->to, h->name);
		buf_put(w->to, STR(": "));
		buf_put(w->to, text);
		buf_put(w->to, STR("\r\n"));
	}
}

bool http_request_write(struct buf *to, const struct http_frame *frame, const struct auth_request *r,
			struct str *culprit)
{
	struct writer w = { .to = to };

	buf_put(to, frame->before);
	put_login(&w, r);
	put_client(&w, r);
	if (frame->extra)
		put_extra(&w, r);
	put_envelope(&w, r->login);
	put_tls(&w, &r->tls);
	put_headers(&w, frame, r);
	buf_put(to, frame->after);
	*culprit = w.culprit;
	return w.culprit.at == NULL && !to->full;
}

/* The configured headers compiled, where one of them holds a variable; else NULL. */
static const struct http_header *compile_headers(struct conf *c, struct strs words, struct arena *home)
{
	struct http_header *headers = arena_take(home, words.len / 2 * sizeof(*headers));
	bool fixed = true;
	struct str text;

	for (size_t i = 0; c != NULL && i + 1 < words.len; i += 2) {
		headers[i / 2].name = words.at[i];
		headers[i / 2].value = template_new_loose(c, words.at[i + 1]);
		fixed = template_fixed(headers[i / 2].value, &text) && fixed;
	}
	return fixed ? NULL : headers;
}

struct http_frame http_frame_make(const struct http_conf *conf, const struct http_server_conf *server,
				  struct conf *c, struct arena *home)
{
	struct http_frame frame = { 0 };
	struct buf b;

	/* without kept connections the request is, to the byte, what servers know from the proxy we
	 * replace */
	frame.before = arena_format(home, "GET %.*s HTTP/1.%d\r\nHost: %.*s\r\n", STR_ARG(server->uri),
				    conf->keepalive != 0, STR_ARG(server->host));
	buf_init_in(&b, home, SIZE_MAX / 8);
	frame.headers = compile_headers(c, conf->headers, home);
	if (frame.headers != NULL)
		frame.headers_len = conf->headers.len / 2;
	for (size_t i = 0; frame.headers == NULL && i + 1 < conf->headers.len; i += 2) {
		buf_put(&b, conf->headers.at[i]);
		buf_put(&b, STR(": "));
		buf_put(&b, conf->headers.at[i + 1]);
		buf_put(&b, STR("\r\n"));
	}
	buf_put(&b, STR("\r\n"));
	frame.after = buf_text(&b);
	frame.extra = conf->extra_headers;
	return frame;
}
