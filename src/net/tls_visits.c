/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions that a client may resume: the last one with each server, by name and address, of which a context
 * remembers a few dozen and forgets the one that was longest out of use.
 *
 * A session carries the verdict on the certificate that it began with, so it is only offered under the name,
 * and with the context, for which that verdict was given; and not for long. A handshake that fails takes the
 * session with it.
 *
 * Tickets come when they come, in TLS 1.3 behind the handshake. A link therefore knows the number of its
 * server's entry, not its address in memory: by then the entry may be gone.
 */
#include "net/tls_client_inside.h"

#include "base/mem.h"
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VISITS_MAX = 64, SESSION_LIFE_S = 3600 };

struct tls_visit {
	struct tls_visit *next;
	SSL_SESSION *session; /* NULL: none yet, or no longer */
	struct addr addr;
	uint32_t number;
	char name[];
};

static void drop(struct tls_visit *v)
{
	SSL_SESSION_free(v->session);
	free(v);
}

static void drop_oldest(struct tls_client *c)
{
	struct tls_visit **at = &c->visits;
	size_t n = 0;

	while (*at != NULL && n++ < VISITS_MAX)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	drop(*at);
	*at = NULL;
}

static void put_first(struct tls_client *c, struct tls_visit *v)
{
	v->next = c->visits;
	c->visits = v;
}

/* Take an entry out of the list. */
static struct tls_visit *take(struct tls_client *c, const char *name, const struct addr *addr)
{
	struct tls_visit *found;

	for (struct tls_visit **at = &c->visits; *at != NULL; at = &(*at)->next) {
		found = *at;
		if (!addr_eq(&found->addr, addr) || strcmp(found->name, name) != 0)
			continue;
		*at = found->next;
		return found;
	}
	return NULL;
}

/* Zero is no number. */
static uint32_t next_number(struct tls_client *c)
{
	if (++c->visits_made == 0)
		c->visits_made = 1;
	return c->visits_made;
}

static struct tls_visit *visit_new(struct tls_client *c, const char *name, const struct addr *addr)
{
	size_t len = strlen(name);
	struct tls_visit *v = mem_new(sizeof(*v) + len + 1);

	v->addr = *addr;
	v->addr.path = addr->family == AF_UNIX ? NULL : v->addr.path;
	v->number = next_number(c);
	memcpy(v->name, name, len);
	return v;
}

static bool peer_of(int fd, struct addr *a)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (getpeername(fd, (struct sockaddr *)&at, &len) != 0)
		return false;
	addr_from_sockaddr(a, &at, len);
	return true;
}

static bool still_good(const SSL_SESSION *session)
{
	time_t made = (time_t)SSL_SESSION_get_time(session), age = time(NULL) - made;

	return age >= 0 && age < SESSION_LIFE_S && SSL_SESSION_is_resumable(session) == 1;
}

void tls_visit(struct tls_link *t, const char *name)
{
	struct tls_client *c = t->context->client;
	struct tls_visit *v;
	struct addr addr;

	if (!c->reuse || !peer_of(t->fd, &addr))
		return;
	name = name != NULL ? name : "";
	v = take(c, name, &addr);
	if (v == NULL)
		v = visit_new(c, name, &addr);
	put_first(c, v);
	drop_oldest(c);
	t->visit = v->number;
	if (v->session != NULL && still_good(v->session))
		SSL_set_session(t->ssl, v->session);
}

static struct tls_visit *visit_of(const struct tls_link *t)
{
	struct tls_visit *v = t->context->client->visits;

	while (v != NULL && v->number != t->visit)
		v = v->next;
	return v;
}

void tls_visit_forget(struct tls_link *t)
{
	struct tls_visit *v = visit_of(t);

	if (v == NULL)
		return;
	SSL_SESSION_free(v->session);
	v->session = NULL;
}

/* The library hands over a reference; 1 keeps it. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
	const struct tls_link *t = tls_context_of(SSL_get_SSL_CTX(ssl))->shared->current;
	struct tls_visit *v = t->visit != 0 ? visit_of(t) : NULL;

	if (v == NULL)
		return 0;
	SSL_SESSION_free(v->session);
	v->session = session;
	return 1;
}

void tls_visits_serve(struct ssl_ctx_st *ssl)
{
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ssl, keep);
}

void tls_visits_free(struct tls_client *c)
{
	struct tls_visit *v;

	while ((v = c->visits) != NULL) {
		c->visits = v->next;
		drop(v);
	}
}
