/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's host name for protocols that pass it on: the name that its address points to, if that name
 * points back to the address (RFC 1912 section 2.1). A name that does not is somebody else's claim.
 */
#include "mail/session_private.h"

static const struct str UNAVAILABLE = LIT("[UNAVAILABLE]");
static const struct str TEMPORARILY = LIT("[TEMPUNAVAIL]");

static void finish(struct session *s, struct str host)
{
	s->pre->front_stage.client_host = host;
	s->pre->identified(s);
}

static struct session *session_of(struct resolve_query *q)
{
	return CONTAINER(q, struct prelogin, name_query)->session;
}

/* A client without a name is no error: it is said at info, so that it does not fill the log. */
static void failed(struct session *s, struct str what, enum resolve_status status)
{
	session_log(s, status == RESOLVE_NOT_FOUND ? LOG_INFO : LOG_ERROR,
		    "%.*s could not be resolved (%u: %s)", STR_ARG(what), resolve_status_number(status),
		    resolve_status_text(status));
	finish(s, status == RESOLVE_NOT_FOUND ? UNAVAILABLE : TEMPORARILY);
}

static void got_addresses(struct resolve_query *q, const struct resolve_answer *answer)
{
	struct session *s = session_of(q);
	struct str name = s->pre->client_name;

	if (answer->status != RESOLVE_OK) {
		failed(s, arena_format(s->pre->arena, "\"%.*s\"", STR_ARG(name)), answer->status);
		return;
	}
	for (size_t i = 0; i < answer->addrs_len; i++) {
		if (addr_same_ip(&answer->addrs[i], &s->client_addr)) {
			finish(s, name);
			return;
		}
	}
	finish(s, UNAVAILABLE);
}

/* Names are compared without case; auth servers and logs see one spelling. */
static struct str lower_case(struct arena *home, struct str name)
{
	char *at = arena_take(home, name.len + 1);

	for (size_t i = 0; i < name.len; i++)
		at[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] - 'A' + 'a' : name.at[i]);
	return (struct str){ at, name.len };
}

static void got_name(struct resolve_query *q, const struct resolve_answer *answer)
{
	struct session *s = session_of(q);
	struct prelogin *p = s->pre;
	char ip[ADDR_TEXT_MAX];

	if (answer->status == RESOLVE_BAD_NAME) {
		session_log(s, LOG_ERROR, "%s resolved to invalid host name",
			    addr_ip_text(&s->client_addr, ip));
		finish(s, TEMPORARILY);
		return;
	}
	if (answer->status != RESOLVE_OK) {
		failed(s, str_of(addr_ip_text(&s->client_addr, ip)), answer->status);
		return;
	}
	p->client_name = lower_case(p->arena, answer->name);
	p->naming = "in resolving client hostname";
	resolve_host(s->at->resolver, q, p->client_name, s->at->settings->resolver_timeout_ms, got_addresses);
}

void identify_client(struct session *s)
{
	struct prelogin *p = s->pre;

	if (!s->at->protocol->wants_client_host)
		finish(s, (struct str){ NULL, 0 });
	else if (s->at->resolver == NULL)
		finish(s, UNAVAILABLE);
	else if (s->client_addr.family == AF_UNIX)
		finish(s, TEMPORARILY);
	else
		resolve_ptr(s->at->resolver, &p->name_query, &s->client_addr,
			    s->at->settings->resolver_timeout_ms, got_name);
}
