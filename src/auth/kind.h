/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a kind of authentication source is to the chain that asks it: a constant with functions. Only sources,
 * the chain and the list of kinds see this.
 */
#pragma once
#include "auth/auth.h"

struct helper_order; /* auth/pipe.h */

struct auth_kind {
	const char *name;      /* for the log: "sqlite" */
	const char *directive; /* a scope that has it has a source of this kind: "auth_sqlite" */
	const struct module *module;
	/* enum sasl_method, or'ed: what it can verify. It is not asked about others; they count as unknown.
	 */
	unsigned methods;
	/* Says itself how long a refusal is held back: auth_failure_delay is not for it. */
	bool keeps_pace;

	/* Make the source from a scope's settings, in tools->home or on the heap. */
	struct auth_source *(*make)(const struct auth_tools *tools, const struct scope *server);

	/* As auth_ask; r->state != NULL until the answer. Nothing of `r` is touched once its `done` was
	 * called. */
	void (*ask)(struct auth_source *s, struct auth_request *r);

	/* As auth_cancel, of a question that is under way; clears r->state. */
	void (*cancel)(struct auth_request *r);
	void (*free)(struct auth_source *s);			/* NULL: nothing but memory of tools->home */
	bool (*wants_certificate)(const struct auth_source *s); /* NULL: no */

	/* For kinds that live in helper processes: how these are started; NULL: it has none. */
	bool (*helper)(const struct scope *server, struct helper_order *order);
};

/* What each source's struct begins with. */
struct auth_source {
	const struct auth_kind *kind;
};

/* All kinds, ended by NULL; main/modules.c writes the list, tests write their own. */
extern const struct auth_kind *const auth_kinds[];

/* http.c */
extern const struct auth_kind auth_http_kind;

/* dovecot.c */
extern const struct auth_kind auth_dovecot_kind;
extern const struct module auth_dovecot_module;

enum { AUTH_SOURCES_MOST = 16 };

/*
 * The scope whose sources a server block asks (its own if it has any, else the nearest outside), and their
 * kinds in the order of the file. Returns how many; 0 and NULL when there are none.
 */
size_t auth_sources(const struct scope *server, const struct scope **from,
		    const struct auth_kind *kinds[static AUTH_SOURCES_MOST]);
