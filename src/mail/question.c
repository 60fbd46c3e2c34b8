/* SPDX-License-Identifier: BSD-2-Clause */
/* What TLS and the PROXY header tell about the client: may its certificate pass, and what the authentication
 * source hears of it all. */
#include "mail/session_private.h"

#include "base/text.h"

static struct str ip_text(struct session *s, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	return arena_str(s->pre->arena, str_of(addr_ip_text(a, text)));
}

static void add_certificate(struct session *s, struct auth_tls *to)
{
	struct tls_certificate cert;

	if (!tls_client_certificate(&s->client, s->pre->arena, &cert))
		return;
	to->subject = cert.subject;
	to->issuer = cert.issuer;
	to->serial = cert.serial;
	to->fingerprint = cert.fingerprint;
	if (s->at->auth != NULL && auth_wants_certificate(s->at->auth))
		to->certificate = cert.pem;
}

static struct str verify_text(struct session *s, const struct tls_facts *facts)
{
	if (s->at->verify == TLS_VERIFY_OFF)
		return (struct str){ NULL, 0 };
	if (!facts->certificate)
		return STR("NONE");
	if (facts->verify_code == 0)
		return STR("SUCCESS");
	return arena_format(s->pre->arena, "FAILED:%s", facts->verify_text);
}

const struct auth_tls *session_tls(struct session *s)
{
	struct auth_tls *to = &s->pre->tls;
	struct tls_facts facts;

	if (to->on || s->client.tls == NULL)
		return to;
	to->on = true;
	tls_facts(&s->client, &facts);
	to->protocol = arena_str(s->pre->arena, facts.protocol);
	to->cipher = arena_str(s->pre->arena, facts.cipher);
	to->verify = verify_text(s, &facts);
	if (s->at->verify != TLS_VERIFY_OFF)
		add_certificate(s, to);
	return to;
}

void question_prepare(struct session *s, auth_done_fn *done)
{
	struct prelogin *p = s->pre;
	struct auth_request *q = &p->question;
	const struct proxyhdr *h = &p->header;

	*q = (struct auth_request){
		.login = &p->login, .protocol = s->at->protocol->name, .done = done, .owner = s
	};
	q->vars = &p->vars;
	q->client_ip = p->front_stage.client_ip;
	q->client_port = s->client_addr.port;
	q->server_ip = p->front_stage.server_ip;
	q->server_port = p->front_stage.server_port;
	q->session_id = session_id(s);
	q->client_host = p->front_stage.client_host;
	q->placed = s->at->backend->settings->pass != NULL;
	q->needs_secret = s->at->protocol->needs_secret(s->at->protocol_settings, &p->login);
	if (h->has_addresses) {
		q->proxy_addr = ip_text(s, &h->source);
		q->proxy_port = h->source.port;
		q->proxy_server_addr = ip_text(s, &h->destination);
		q->proxy_server_port = h->destination.port;
	}
	q->tls = *session_tls(s);
}

bool certificate_passes(struct session *s, enum news *why)
{
	struct tls_facts facts;

	tls_facts(&s->client, &facts);
	if (facts.certificate && !facts.verified) {
		session_log(s, LOG_INFO, "client SSL certificate verify error: (%ld:%s)", facts.verify_code,
			    facts.verify_text);
		tls_forget_session(&s->client);
		*why = NEWS_BAD_CERTIFICATE;
		return false;
	}
	if (!facts.certificate && s->at->verify == TLS_VERIFY_ON) {
		session_log(s, LOG_INFO, "client sent no required SSL certificate");
		tls_forget_session(&s->client);
		*why = NEWS_NO_CERTIFICATE;
		return false;
	}
	return true;
}

/* An `at` of NULL says that nothing was said, and stays. */
static struct str keep(struct session *s, struct str text)
{
	return text.at != NULL ? arena_str(s->pre->arena, text) : text;
}

void question_admitted(struct session *s, const struct auth_answer *a)
{
	struct login *l = &s->pre->login;
	struct approach *w = &s->pre->approach;

	session_new_approach(s);
	w->admitted = true;
	if (a->cause != NULL)
		session_log(s, a->level, "%s", a->cause);
	if (a->user.at != NULL)
		buf_set(&l->user, a->user);
	if (a->secret.at != NULL) {
		w->lent = !str_eq(a->secret, buf_text(&l->secret));
		buf_set(&l->secret, a->secret);
	}
	l->back_method = a->back_method;
	s->server_addr = a->server;
	w->target = keep(s, a->target);
	w->port = a->port;
	w->tls = a->tls;
	w->tls_name = keep(s, a->tls_name);
	w->master = keep(s, a->master);
}

void question_denied(struct session *s, const struct auth_answer *a)
{
	struct refusal *r = &s->pre->login.refusal;

	session_note(s, "client login failed", a->message);
	buf_set(&r->text, a->message);
	buf_set(&r->code, a->error_code);
	buf_set(&r->sasl, a->error_sasl);
	r->final = a->wait_ms == 0;
}
