/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration with `say TEXT` and `loose TEXT` in mail{} and server{}, a session whose facts a test sets,
 * and what the texts are filled to.
 */
#pragma once
#include "trial.h"
#include "vars/vars.h"

struct filled {
	struct trial trial;
	struct vars vars;
	struct str facts[VARS_LEN]; /* at NULL: there is none */
	struct addr client;
	struct buf notes; /* each ended by LF */
};

void filled_init(struct filled *f);
void filled_done(struct filled *f);

/* Load the text between "mail {" and "}"; nothing may be at fault. */
void filled_load(struct filled *f, const char *text);

/* What `say`, and `loose`, in mail{} are filled to now. */
struct str filled_say(struct filled *f);
struct str filled_loose(struct filled *f);
const struct template *filled_template(struct filled *f);

/* The same with one fact set before. */
struct str filled_with(struct filled *f, enum var which, const char *fact);

/* Faults are as assert_faults says, of the text between "mail {" and "}" on line 1. */
#define assert_mail_faults(f, text, want) assert_faults(&(f)->trial, "mail {" text "}", want)
