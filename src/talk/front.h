/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fronts of all protocols have in common: verbs as tables, one gate before every credential, the
 * SASL exchange, counting of mistakes and commands, and what is said when something has happened. A protocol
 * brings its manner: the words.
 *
 * A mistake is a command that cannot be read, or a response that no mechanism can mean; it counts towards
 * max_errors. A command that is merely out of place or switched off is answered in the same words and does
 * not count.
 */
#pragma once
#include "conf/conf.h"
#include "talk/dialog.h"

struct front;

enum { ARGS_MAX = 11 };

/* A command's arguments. */
struct args {
	struct str line; /* the command as typed, verb and all, without blanks at its end */
	struct str rest; /* what stands behind the verb and one blank */
	struct str at[ARGS_MAX];
	size_t len;
	unsigned quoted; /* bit n: at[n] stood in quotes, and escapes are still in it (IMAP) */
};

enum verb_flag {
	VERB_CREDENTIALS = 1, /* refused in the clear with `starttls only` */
	VERB_WHOLE = 2,	      /* its arguments are not cut into words: `rest` is all */
};

struct verb {
	struct str name; /* NULL ends a table */
	enum want (*run)(struct front *f, const struct args *args);
	unsigned flags;
};

/* Begins the settings of every protocol. */
struct front_settings {
	unsigned methods; /* enum sasl_method, or'ed: those that are announced */
	struct strs capabilities;
	uint64_t client_buffer;
};

/* What a client is told whose server did not let it in. */
struct excuse {
	const char *code; /* SMTP's; "" elsewhere */
	const char *text;
};

/* No such name and secret; not this account; not now. */
enum { EXCUSE_DENIED, EXCUSE_FORBIDDEN, EXCUSE_UNAVAILABLE, EXCUSES };

struct manner {
	const struct state *command; /* where a dialog rests between commands */
	const char *challenge;	     /* before a challenge: "+ " */
	const char *invalid;	     /* for reply(): "-ERR invalid command" */
	const char *welcome;	     /* for reply(), after login; NULL: the server's own answer */
	const char *const *
		farewells; /* by news: a whole line, after which the connection ends; NULL where it is none */
	size_t args_max;
	/* Append one finished reply line. */
	void (*reply)(struct front *f, const char *text);
	/* The words for a server's refusal, for deny(): a table of EXCUSES. */
	const struct excuse *(*excuses)(const struct front *f);
	/* Append the reply to a refused login. */
	void (*deny)(struct front *f, const struct refusal *r);
	/* Forget what was said before TLS and is not in the login's own fields. NULL: nothing is. */
	void (*restart)(struct front *f);
	/* Will bytes follow this refused line that must not be taken for commands? NULL: never. */
	bool (*drags)(struct str line);
};

/* Begins the struct of every front. */
struct front {
	struct dialog dialog;
	struct sasl_exchange sasl;
	unsigned mistakes, commands;
};

static inline struct front *front_of(struct dialog *d)
{
	return (struct front *)(void *)d;
}

static inline const struct front_settings *front_settings(const struct front *f)
{
	return f->dialog.stage->settings;
}

/* For dialog_ops. */
enum want front_told(struct dialog *d, enum news what, struct str text);

extern const struct state front_unopened;

/* Reply, and stay in the state in which the dialog is. */
enum want front_reply(struct front *f, const char *text);

/* Count one command before it is read: false, with the last reply said, when it was one too many. */
bool front_counts(struct front *f);

/* Find the verb at the front of `rest`, which moves behind it and one blank. NULL if unknown. */
const struct verb *verb_take(const struct verb *table, struct str *rest);

/* Cut `rest` into words. False when there are more than `most`. */
bool args_words(struct args *args, size_t most);

/* Read `line` as one command of `table` and run it: for protocols whose commands are lines of words. A NUL in
 * it is for the verbs to refuse, a CR is not. */
enum want front_command(struct front *f, const struct verb *table, struct str line);

/* Run a verb whose arguments have been read, if the gate for credentials lets it through. */
enum want front_run(struct front *f, const struct verb *v, const struct args *args);

/* Refuse a command that is out of place; the dialog rests. */
enum want front_invalid(struct front *f);

/* Refuse a line that makes no sense: count it, and close when it was the last one allowed, or HTTP, or drags
 * bytes behind it. */
enum want front_mistake(struct front *f, struct str line);

/* A command is longer than allowed: refuse it and close. */
enum want front_too_long(struct front *f);

/* Is TLS to be had now? (STARTTLS allowed) And must it come first, before credentials or mail? */
bool front_offers_tls(const struct front *f);
bool front_needs_tls(const struct front *f);

/* A new attempt: nothing of the last one may go along. */
void front_begin_login(struct front *f, enum sasl_method method);

/* AUTH or AUTHENTICATE with a mechanism and perhaps an initial response. */
enum want front_authenticate(struct front *f, const struct args *args);

/* The mechanisms that may be announced now: none while TLS must come first. */
unsigned front_methods(const struct front *f);

/* Is this word among the capabilities that are announced? */
bool front_has_capability(const struct front *f, struct str word);

/* Append "TEXT" and the line's end. */
void front_put_line(struct front *f, struct str text);

/* Append text for the client that came from elsewhere: CR, LF and NUL cannot pass. */
void front_put_foreign(struct front *f, struct str text);
