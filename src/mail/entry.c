/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PROXY headers: the one that a balancer sends in front of everything else, and the one for the mail
 * server.
 *
 * It is looked at without being taken, since the bytes behind it may be a TLS handshake that belongs to
 * somebody else; once it is whole, exactly its length is read. Its addresses replace the client's only when
 * the balancer is trusted.
 */
#include "mail/session_private.h"

#include <string.h>

static void believe(struct session *s, const struct proxyhdr *h)
{
	if (h->has_addresses && network_trusted(s->at->settings->real_ip_from, &s->client_addr))
		s->client_addr = h->source;
}

/* In the peer's words: with the version that was seen, or the first line that is no header. */
static void complain(struct session *s, struct str head)
{
	const struct proxyhdr *h = &s->pre->header;

	if (strcmp(h->complaint, PROXYHDR_VERSION) == 0)
		session_log(s, LOG_ERROR, "%s: %u", h->complaint, h->version_seen);
	else if (strcmp(h->complaint, PROXYHDR_BROKEN) == 0)
		session_log_quoted(s, LOG_ERROR, h->complaint, str_cut(&head, '\n'));
	else
		session_log(s, LOG_ERROR, "%s", h->complaint);
}

bool entry_header(struct session *s)
{
	char *scratch = loop_scratch(s->house->loop);
	ssize_t n = stream_peek(&s->client, scratch, PROXYHDR_MAX);
	struct proxyhdr *h = &s->pre->header;
	enum proxyhdr_result result = PROXYHDR_MORE;

	if (n > 0)
		result = proxyhdr_read((struct str){ scratch, (size_t)n }, h);
	if (result == PROXYHDR_OK) {
		stream_read(&s->client, scratch, h->size);
		believe(s, h);
		return true;
	}
	if (result == PROXYHDR_BAD)
		complain(s, (struct str){ scratch, (size_t)n });
	if (result == PROXYHDR_BAD || n < 0 || stream_ended(&s->client))
		session_end(s);
	return false;
}

static void tls_for_header(struct session *s, struct proxyhdr_tls *to)
{
	struct tls_certificate cert;
	struct tls_facts facts;

	to->on = s->client.tls != NULL;
	if (!to->on)
		return;
	tls_facts(&s->client, &facts);
	to->certificate = facts.certificate;
	to->verified = facts.verified;
	to->version = facts.protocol;
	to->cipher = facts.cipher;
	to->sni = facts.server_name;
	to->alpn = facts.alpn;
	if (facts.certificate && tls_client_certificate(&s->client, s->pre->arena, &cert))
		to->common_name = cert.common_name;
	tls_own_certificate(&s->client, &to->sig_alg, &to->key_alg);
}

void entry_put_header(struct session *s, struct buf *to)
{
	enum proxy_header kind = (enum proxy_header)s->pre->approach.settings->header;
	struct addr local = { 0 };
	struct proxyhdr_tls tls = { 0 };

	if (kind == PROXY_HEADER_OFF)
		return;
	session_local(s, &local);
	if (kind == PROXY_HEADER_V1) {
		proxyhdr_write_v1(to, &s->client_addr, &local);
		return;
	}
	tls_for_header(s, &tls);
	proxyhdr_write_v2(to, &s->client_addr, &local, &tls);
}
