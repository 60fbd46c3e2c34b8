/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern-auth-ldap: search and bind, or direct bind.
 *
 * A bind with a name and an empty password is "unauthenticated" (RFC 4513 section 5.1.2): a directory may
 * answer it with success without having looked at anything. So an empty password never gets there.
 *
 * One connection is kept. Before a search it is bound as bind_dn, unless the last thing that happened was
 * that; the user's bind takes its place. When a kept connection fails, the question is asked once more on a
 * new one.
 */
#include "helpers/ldap_text.h"
#include "helpers/row.h"
#include "helpers/text.h"

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URLS_MAX = 16, ATTRIBUTES_MAX = 32, FAULT_MAX = 512 };

static struct {
	const char *urls[URLS_MAX];
	size_t urls_len, url; /* the one that worked last */
	char *attributes[ATTRIBUTES_MAX + 1];
	struct str fields[ATTRIBUTES_MAX];
	size_t attributes_len;
	const char *bind_dn, *bind_password, *ca;
	struct helper_pattern base, filter, direct;
	bool ssl_verify, starttls, base_varies;
	int scope;
	uint64_t timeout_ms, connect_timeout_ms;
	LDAP *connection;
	bool ready; /* bound as bind_dn */
	char fault[FAULT_MAX];
} own;

/* ---- settings ---- */

static void take_lists(const struct helper_settings *s)
{
	while (own.urls_len < URLS_MAX && helper_text(s, "url", own.urls_len).at != NULL) {
		own.urls[own.urls_len] = helper_text(s, "url", own.urls_len).at;
		own.urls_len++;
	}
	while (own.attributes_len < ATTRIBUTES_MAX) {
		size_t n = own.attributes_len;

		if (helper_text(s, "attribute", n).at == NULL)
			break;
		own.attributes[n] = (char *)helper_text(s, "attribute", n).at;
		own.fields[n] = helper_text(s, "field", n);
		own.attributes_len++;
	}
	/* none is asked for by the name that stands for that */
	if (own.attributes_len == 0)
		own.attributes[0] = (char *)LDAP_NO_ATTRS;
}

static const char *open_settings(const struct helper_settings *s)
{
	static const int SCOPES[] = { LDAP_SCOPE_BASE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_SUBTREE };
	const char *fault = helper_pattern(s, "base", &own.base);

	for (size_t i = 0; i < own.base.pattern.len; i++)
		own.base_varies |= own.base.pattern.at[i].value >= 0;
	take_lists(s);
	own.bind_dn = helper_text(s, "bind_dn", 0).at;
	own.bind_password = helper_text(s, "bind_password", 0).at;
	own.ca = helper_text(s, "ca", 0).at;
	own.ssl_verify = helper_number(s, "ssl_verify", 1) != 0;
	own.starttls = helper_number(s, "starttls", 0) != 0;
	own.scope = SCOPES[helper_number(s, "scope", 2) % 3];
	own.timeout_ms = s->timeout_ms;
	own.connect_timeout_ms = helper_number(s, "connect_timeout_ms", 2000);
	if (fault == NULL)
		fault = helper_pattern(s, "filter", &own.filter);
	return fault != NULL ? fault : helper_pattern(s, "direct", &own.direct);
}

/* ---- connecting ---- */

static void disconnect(void)
{
	if (own.connection != NULL)
		ldap_unbind_ext_s(own.connection, NULL, NULL);
	own.connection = NULL;
	own.ready = false;
}

/* "starting TLS: Connect error (certificate verify failed); cure" */
static bool fail(const char *doing, int error, const char *cure)
{
	char *more = NULL;

	if (own.connection != NULL)
		ldap_get_option(own.connection, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	snprintf(own.fault, sizeof(own.fault), "%s: %s%s%s%s%s", doing, ldap_err2string(error),
		 more != NULL && more[0] != '\0' ? " (" : "", more != NULL ? more : "",
		 more != NULL && more[0] != '\0' ? ")" : "", cure);
	ldap_memfree(more);
	return false;
}

static void set_limits(LDAP *l)
{
	struct timeval connecting = { (time_t)(own.connect_timeout_ms / 1000),
				      (suseconds_t)(own.connect_timeout_ms % 1000 * 1000) };
	uint64_t most = own.timeout_ms * 4 / 5;
	struct timeval working = { (time_t)(most / 1000), (suseconds_t)(most % 1000 * 1000) };

	ldap_set_option(l, LDAP_OPT_NETWORK_TIMEOUT, &connecting);
	ldap_set_option(l, LDAP_OPT_TIMEOUT, &working);
}

static void set_tls(LDAP *l)
{
	int demand = own.ssl_verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER, client = 0;
	const char *ca = own.ca != NULL ? own.ca : "/etc/ssl/certs/ca-certificates.crt";

	ldap_set_option(l, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
	ldap_set_option(l, LDAP_OPT_X_TLS_CACERTFILE, ca);
	ldap_set_option(l, LDAP_OPT_X_TLS_NEWCTX, &client);
}

static bool connect_to(const char *url)
{
	int version = LDAP_VERSION3;
	int error = ldap_initialize(&own.connection, url);

	if (error != LDAP_SUCCESS)
		return fail("connecting", error, "; check url");
	ldap_set_option(own.connection, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(own.connection, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	set_limits(own.connection);
	set_tls(own.connection);
	if (own.starttls && strncmp(url, "ldap://", 7) == 0) {
		error = ldap_start_tls_s(own.connection, NULL, NULL);
		if (error != LDAP_SUCCESS)
			return fail("starting TLS", error, "");
	}
	return true;
}

static int bind_as(const char *dn, struct str password)
{
	struct berval secret = { password.len, (char *)password.at };

	return ldap_sasl_bind_s(own.connection, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}

/* Bound for a search; anonymous without bind_dn. */
static bool be_ready(void)
{
	int error;

	if (own.ready)
		return true;
	error = own.bind_dn != NULL ? bind_as(own.bind_dn, str_of(own.bind_password))
				    : bind_as(NULL, STR(""));
	own.ready = error == LDAP_SUCCESS;
	if (own.ready)
		return true;
	return fail("binding as bind_dn", error,
		    error == LDAP_INVALID_CREDENTIALS ? "; check bind_dn and bind_password_file" : "");
}

/* ---- the entry ---- */

static void take_attributes(LDAPMessage *entry, struct row *row, struct arena *home)
{
	for (size_t i = 0; i < own.attributes_len; i++) {
		struct berval **values = ldap_get_values_len(own.connection, entry, own.attributes[i]);

		if (values == NULL)
			continue;
		if (values[0] != NULL)
			row_set(row, own.fields[i],
				arena_str(home, (struct str){ values[0]->bv_val, values[0]->bv_len }));
		ldap_value_free_len(values);
	}
}

enum found { FOUND, NOT_FOUND, FAILED };

static enum found take_entry(LDAPMessage *result, const char **dn, struct row *row, struct arena *home)
{
	LDAPMessage *entry = ldap_first_entry(own.connection, result);
	char *name;

	if (entry == NULL)
		return NOT_FOUND;
	if (ldap_next_entry(own.connection, entry) != NULL) {
		snprintf(own.fault, sizeof(own.fault), "more than one entry matches a user; mend the filter");
		return FAILED;
	}
	name = ldap_get_dn(own.connection, entry);
	if (name == NULL)
		return NOT_FOUND;
	*dn = arena_str(home, str_of(name)).at;
	ldap_memfree(name);
	take_attributes(entry, row, home);
	return FOUND;
}

static enum found search(const char *base, int scope, const char *filter, const char **dn, struct row *row,
			 struct arena *home)
{
	LDAPMessage *result = NULL;
	enum found found = FAILED;
	int error = ldap_search_ext_s(own.connection, base, scope, filter, own.attributes, 0, NULL, NULL,
				      NULL, 2, &result);

	if (error == LDAP_SUCCESS || error == LDAP_SIZELIMIT_EXCEEDED)
		found = take_entry(result, dn, row, home);
	else if (own.base_varies && (error == LDAP_NO_SUCH_OBJECT || error == LDAP_INVALID_DN_SYNTAX))
		found = NOT_FOUND; /* who made that base up is nobody */
	else
		fail("searching", error,
		     error == LDAP_NO_SUCH_OBJECT ? "; check base"
		     : error == LDAP_FILTER_ERROR ? "; check filter"
						  : "");
	ldap_msgfree(result);
	return found;
}

/* ---- answers ---- */

/* What a bind says about the user; others are trouble. */
static const struct refusal {
	int error;
	enum pipe_failure failure;
} REFUSALS[] = {
	{ LDAP_INVALID_CREDENTIALS, PIPE_CREDENTIALS },
	{ LDAP_INAPPROPRIATE_AUTH, PIPE_CREDENTIALS },
	{ LDAP_NO_SUCH_OBJECT, PIPE_CREDENTIALS },
	{ LDAP_INVALID_DN_SYNTAX, PIPE_CREDENTIALS },
};

/* A directory that will not let a user in says so by an error that has many other causes: what these words do
 * not explain is trouble. */
static const char *const DISABLED_WORDS[] = { "account inactivated", "account is disabled",
					      "account disabled", "account locked", "account is locked" };

static bool is_disabled(int error)
{
	char *more = NULL;
	bool disabled = false;

	if (error != LDAP_UNWILLING_TO_PERFORM && error != LDAP_CONSTRAINT_VIOLATION)
		return false;
	ldap_get_option(own.connection, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	for (size_t i = 0; more != NULL && i < sizeof(DISABLED_WORDS) / sizeof(DISABLED_WORDS[0]); i++)
		disabled |= strcasestr(more, DISABLED_WORDS[i]) != NULL;
	ldap_memfree(more);
	return disabled;
}

/* The user's own bind. True when the answer is known or the password right; false when the connection is of
 * no use. */
static bool try_password(const char *dn, struct str password, struct pipe_answer *a)
{
	int error;

	own.ready = false;
	error = bind_as(dn, password);
	a->verdict = error == LDAP_SUCCESS ? PIPE_OK : 0;
	for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++)
		if (REFUSALS[i].error == error)
			helper_denied(a, REFUSALS[i].failure);
	if (is_disabled(error))
		helper_denied(a, PIPE_DISABLED);
	return a->verdict != 0 || fail("binding as the user", error, "");
}

static void judge(struct row *row, const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	struct addr client = { .family = AF_UNIX };
	const char *fault = row_complete(row, home);

	addr_parse_ip(q->client_ip, &client);
	if (fault != NULL) {
		helper_broken(a, home, "the user's entry has %s; mend it in the directory", fault);
		return;
	}
	if (row->user.disabled)
		helper_denied(a, PIPE_DISABLED);
	else if (!user_allows_network(&row->user, &client) || !user_allows_protocol(&row->user, q->protocol))
		helper_denied(a, PIPE_FORBIDDEN);
	if (a->verdict == PIPE_OK) {
		a->user = row->user.login.len != 0 ? row->user.login : (struct str){ NULL, 0 };
		a->secret = row->user.secret.len != 0 ? row->user.secret : (struct str){ NULL, 0 };
		a->target = row->user.route.len != 0 ? row->user.route : (struct str){ NULL, 0 };
		a->tls = row->user.tls;
	}
	row_add(row, a);
}

static bool ask_direct(const struct pipe_question *q, struct pipe_answer *a, struct row *row,
		       struct arena *home)
{
	const char *dn = helper_join_by(&own.direct, q, home, ldap_put_dn).at;

	if (!try_password(dn, q->secret, a))
		return false;
	if (a->verdict != PIPE_OK || own.attributes_len == 0)
		return true;
	return search(dn, LDAP_SCOPE_BASE, "(objectClass=*)", &dn, row, home) != FAILED;
}

static bool ask_search(const struct pipe_question *q, struct pipe_answer *a, struct row *row,
		       struct arena *home)
{
	const char *base = helper_join_by(&own.base, q, home, ldap_put_dn).at;
	const char *filter = helper_join_by(&own.filter, q, home, ldap_put_filter).at, *dn = NULL;
	enum found found;

	if (!be_ready())
		return false;
	found = search(base, own.scope, filter, &dn, row, home);
	if (found == FOUND)
		return try_password(dn, q->secret, a);
	a->verdict = PIPE_UNKNOWN;
	return found == NOT_FOUND;
}

static bool ask(const struct pipe_question *q, struct pipe_answer *a, struct row *row, struct arena *home)
{
	*row = (struct row){ 0 };
	return own.direct.given ? ask_direct(q, a, row, home) : ask_search(q, a, row, home);
}

/* A connection is known to work only when something has been asked over it, so each server is given the
 * question: a kept connection first, then all, beginning with the one that worked last. */
static bool ask_somebody(const struct pipe_question *q, struct pipe_answer *a, struct row *row,
			 struct arena *home)
{
	size_t first = own.url;

	if (own.connection != NULL && ask(q, a, row, home))
		return true;
	for (size_t i = 0; i < own.urls_len; i++) {
		disconnect();
		own.url = (first + i) % own.urls_len;
		if (connect_to(own.urls[own.url]) && ask(q, a, row, home))
			return true;
	}
	return false;
}

static bool are_texts(const struct pipe_question *q)
{
	for (uint64_t i = 0; i < q->values_len; i++)
		if (!helper_is_utf8(q->values[i]) || !helper_is_c_string(q->values[i]) ||
		    q->values[i].len == 0)
			return false;
	return true;
}

static void answer(const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	struct row row;

	if (q->secret.len == 0) {
		helper_denied(a, PIPE_CREDENTIALS);
	} else if (!are_texts(q)) {
		a->verdict = PIPE_UNKNOWN;
	} else if (!ask_somebody(q, a, &row, home)) {
		disconnect();
		helper_broken(a, home, "%s: %s", own.urls[own.url], own.fault);
	} else if (a->verdict == PIPE_OK) {
		judge(&row, q, a, home);
	}
}

static const struct helper_program PROGRAM = { "ldap", open_settings, answer, disconnect };

/* What the system's ldap.conf or an environment says is not what the configuration says. */
int main(void)
{
	setenv("LDAPNOINIT", "1", 1);
	return helper_main(&PROGRAM);
}
