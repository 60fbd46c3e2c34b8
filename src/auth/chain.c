/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources one after the other, in the order of the file.
 *
 *	yes			ends the chain
 *	no			ends it too: a source that knows the user has the last word about him
 *	unknown			the next source is asked; behind the last one it is a no
 *	temporarily unable	the login gets the temporary error: the source might have known the user, so
 *neither "wrong password" nor another source's yes would be true. With auth_next_source the next one is asked
 *all the same, and only when nobody knows the user it is an error
 *
 * Nobody can tell an unknown user from a wrong password: both hear the same words, at the same time. The time
 * of a refusal is counted from the question on (auth_failure_delay), so it does not show how far the chain
 *was gone through, or whether a hash was computed.
 *
 * A method that none of the sources can verify is a fault of the configuration, not a wrong password.
 *
 * A lone source that keeps its own pace, auth_http as it has always been, is asked directly.
 */
#include "auth/chain.h"

#include "auth/cache.h"
#include "auth/kind.h"
#include "base/mem.h"
#include "base/must.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chain {
	struct auth_source base;
	const struct auth_conf *conf;
	struct loop *loop;
	size_t len;
	struct auth_source *links[];
};

/* A question on its way along the chain. */
struct chain_question {
	struct auth_request inner; /* the question as the links see it */
	struct auth_request *outer;
	struct chain *chain;
	size_t at; /* the link that is asked */
	uint64_t began_ms;
	struct task unheard; /* no link can be asked: the answer must not come from inside */
	char *trouble;	     /* why the first link that was unable was so */
	enum log_level trouble_level;
	bool trouble_down; /* its source_down */
	bool asked;	   /* some link can verify the method */
};

static void chain_ask(struct auth_source *s, struct auth_request *r), chain_cancel(struct auth_request *r);
static void chain_free(struct auth_source *s);
static bool chain_wants_certificate(const struct auth_source *s);

static const struct auth_kind CHAIN = { .name = "chain",
					.methods = ~0u,
					.ask = chain_ask,
					.cancel = chain_cancel,
					.free = chain_free,
					.wants_certificate = chain_wants_certificate };

/* --- for the rest of the house --- */

bool auth_configured(const struct scope *server)
{
	const struct auth_kind *kinds[AUTH_SOURCES_MOST];
	const struct scope *from;

	return auth_sources(server, &from, kinds) != 0;
}

bool auth_is_http_alone(const struct scope *server)
{
	const struct auth_kind *kinds[AUTH_SOURCES_MOST];
	const struct scope *from;

	return auth_sources(server, &from, kinds) == 1 && kinds[0]->keeps_pace;
}

static struct auth_source *chain_new(const struct auth_tools *tools, const struct scope *server,
				     const struct auth_kind *const *kinds, size_t len)
{
	struct chain *c = arena_take(tools->home, sizeof(*c) + len * sizeof(c->links[0]));

	c->base.kind = &CHAIN;
	c->conf = auth_conf(server);
	c->loop = tools->loop;
	for (size_t i = 0; i < len; i++)
		c->links[c->len++] = kinds[i]->make(tools, server);
	return &c->base;
}

struct auth_source *auth_source_new(const struct auth_tools *tools, const struct scope *server)
{
	const struct auth_kind *kinds[AUTH_SOURCES_MOST];
	const struct scope *from;
	size_t len = auth_sources(server, &from, kinds);

	must(len != 0);
	if (len == 1 && kinds[0]->keeps_pace)
		return auth_cache_new(tools, server, kinds[0]->make(tools, server));
	return auth_cache_new(tools, server, chain_new(tools, server, kinds, len));
}

void auth_source_free(struct auth_source *s)
{
	if (s != NULL && s->kind->free != NULL)
		s->kind->free(s);
}

bool auth_wants_certificate(const struct auth_source *s)
{
	return s->kind->wants_certificate != NULL && s->kind->wants_certificate(s);
}

void auth_ask(struct auth_source *s, struct auth_request *r)
{
	must(r->state == NULL);
	r->source = s;
	s->kind->ask(s, r);
}

void auth_cancel(struct auth_request *r)
{
	if (r->state != NULL)
		r->source->kind->cancel(r);
}

/* --- the end of a question --- */

static struct auth_request *release(struct chain_question *q)
{
	struct auth_request *r = q->outer;

	r->state = NULL;
	loop_cancel(q->chain->loop, &q->unheard);
	free(q->trouble);
	free(q);
	return r;
}

static void tell(struct chain_question *q, const struct auth_answer *a)
{
	struct auth_request *r = release(q);

	r->done(r, a);
}

/* Never 0, which would end the connection. */
uint64_t auth_pace(uint64_t delay_ms, uint64_t began_ms, uint64_t now_ms)
{
	uint64_t gone = now_ms - began_ms;

	return gone < delay_ms ? delay_ms - gone : 1;
}

static void deny(struct chain_question *q, struct auth_answer a, bool keeps_pace)
{
	static const struct str WORDS[] = { [AUTH_FAILURE_CREDENTIALS] = LIT(AUTH_FAILED_TEXT),
					    [AUTH_FAILURE_DISABLED] = LIT("Account is disabled"),
					    [AUTH_FAILURE_EXPIRED] = LIT("Password has expired"),
					    [AUTH_FAILURE_FORBIDDEN] =
						    LIT("Login is not allowed from here") };
	const struct chain *c = q->chain;

	if (a.message.at == NULL)
		a.message = WORDS[a.failure];
	if (!keeps_pace) {
		a.wait_ms = auth_pace(c->conf->failure_delay_ms, q->began_ms, loop_now(c->loop));
		a.paced = true;
	}
	tell(q, &a);
}

static void tell_broken(struct chain_question *q, enum log_level level, bool source_down, const char *cause)
{
	struct auth_answer a = { AUTH_ANSWER_INIT, .verdict = AUTH_BROKEN, .level = level,
				 .source_down = source_down, .cause = cause };

	tell(q, &a);
}

static void nobody_can_verify(struct chain_question *q)
{
	char cause[128];

	snprintf(cause, sizeof(cause), "none of the auth sources can verify %s",
		 sasl_auth_method(q->outer->login->method));
	tell_broken(q, LOG_ERROR, false, cause);
}

/* Behind the last link. */
static void nobody_knows(struct chain_question *q)
{
	struct auth_answer a = { AUTH_ANSWER_INIT, .verdict = AUTH_DENIED };
	char *trouble = q->trouble;

	if (!q->asked) {
		nobody_can_verify(q);
		return;
	}
	if (trouble == NULL) {
		deny(q, a, false);
		return;
	}
	q->trouble = NULL;
	tell_broken(q, q->trouble_level, q->trouble_down, trouble);
	free(trouble);
}

/* Can what the client sent be sent to the mail server? Not a digest; and EXTERNAL sends no secret at all. */
static bool is_reusable(enum sasl_method method)
{
	return (method & (SASL_PLAIN | SASL_LOGIN | SASL_XOAUTH2 | SASL_OAUTHBEARER)) != 0;
}

static void admit(struct chain_question *q, const struct auth_answer *a)
{
	enum sasl_method method = q->outer->login->method;
	char cause[128];

	if (!q->outer->needs_secret || a->secret.at != NULL || is_reusable(method)) {
		tell(q, a);
		return;
	}
	snprintf(cause, sizeof(cause),
		 "auth source %s has no password for the mail server, and %s brings none",
		 q->chain->links[q->at]->kind->name, sasl_auth_method(method));
	tell_broken(q, LOG_ERROR, false, cause);
}

/* --- from link to link --- */

/* Ask the next link that can verify the method. False when there is none. */
static bool ask_next(struct chain_question *q)
{
	const struct chain *c = q->chain;

	while (q->at < c->len && !(c->links[q->at]->kind->methods & q->inner.login->method))
		q->at++;
	if (q->at == c->len)
		return false;
	q->asked = true;
	auth_ask(c->links[q->at], &q->inner);
	return true;
}

static void go_on(struct chain_question *q)
{
	q->at++;
	if (!ask_next(q))
		nobody_knows(q);
}

static void unable(struct chain_question *q, const struct auth_answer *a)
{
	if (!q->chain->conf->next_when_unable) {
		tell(q, a);
		return;
	}
	if (q->trouble == NULL) {
		q->trouble = mem_new(strlen(a->cause) + 1);
		strcpy(q->trouble, a->cause);
		q->trouble_level = a->level;
		q->trouble_down = a->source_down;
	}
	go_on(q);
}

static void answered(struct auth_request *inner, const struct auth_answer *a)
{
	struct chain_question *q = inner->owner;

	switch (a->verdict) {
	case AUTH_OK:
		admit(q, a);
		return;
	case AUTH_DENIED:
		deny(q, *a, q->chain->links[q->at]->kind->keeps_pace);
		return;
	case AUTH_WAIT:
		tell(q, a);
		return;
	case AUTH_BROKEN:
		unable(q, a);
		return;
	case AUTH_UNKNOWN:
		go_on(q);
		return;
	}
}

static void unheard(struct task *k)
{
	nobody_knows(CONTAINER(k, struct chain_question, unheard));
}

static void chain_ask(struct auth_source *s, struct auth_request *r)
{
	struct chain *c = (struct chain *)s;
	struct chain_question *q = mem_new(sizeof(*q));

	q->inner = *r;
	q->inner.done = answered;
	q->inner.owner = q;
	q->outer = r;
	q->chain = c;
	q->began_ms = loop_now(c->loop);
	q->unheard.fn = unheard;
	r->state = q;
	if (!ask_next(q))
		loop_later(c->loop, &q->unheard);
}

static void chain_cancel(struct auth_request *r)
{
	struct chain_question *q = r->state;

	auth_cancel(&q->inner);
	release(q);
}

static void chain_free(struct auth_source *s)
{
	struct chain *c = (struct chain *)s;

	for (size_t i = 0; i < c->len; i++)
		auth_source_free(c->links[i]);
}

static bool chain_wants_certificate(const struct auth_source *s)
{
	const struct chain *c = (const struct chain *)s;
	bool wants = false;

	for (size_t i = 0; i < c->len; i++)
		wants |= auth_wants_certificate(c->links[i]);
	return wants;
}
