/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the backs of all protocols have in common: saying a command, collecting the reply, choosing a
 * mechanism, and giving up in one of three ways, each with what it means (enum failure).
 *
 * A reply is kept whole in login->answer until the next command is said: what ends the login is what the
 * client or the log sees.
 */
#pragma once
#include "talk/dialog.h"

extern const struct state back_unopened;

/* For dialog_ops. Opens into `first`, the state that hears the greeting; gives up at once when the login
 * cannot stand in any line. */
enum want back_open_into(struct dialog *d, const struct state *first);
enum want back_told(struct dialog *d, enum news what, struct str text);

/* Say "VERB ARG" (without the blank when the verb is empty or ends in one) and hear the reply in `next`. */
enum want back_say(struct dialog *d, const struct state *next, const char *verb, struct str arg);

/* Forget the reply so far. */
void back_forget_reply(struct dialog *d);

/* Add a line to the reply. False, and given up, when it is none (CR or NUL inside) or too much; return
 * WANT_GIVE_UP then. */
bool back_collect(struct dialog *d, struct str line);

/* What a server wrote between us and its refusal's meaning: `name` is the code or its beginning. */
struct back_code {
	const char *name;
	enum failure means;
};

/* Look a code up, any case; the table ends in a row without a name, which says what all others mean. */
enum failure back_meaning(const struct back_code *table, struct str code);

/* The reply collected is a refusal in good form. `code` (SMTP) and `words` are kept for the client where such
 * a failure is explained best by the server. */
enum want back_refused(struct dialog *d, enum failure why, struct str code, struct str words);

/* It is nothing that this protocol knows here. */
enum want back_nonsense(struct dialog *d);

/* The server lacks what the configuration asks for: static text. */
enum want back_unfit(struct dialog *d, const char *complaint);

/* The complaint when there is no STARTTLS, and what is never done instead is going on in the clear. */
extern const char BACK_NO_STARTTLS[];

/* The handshake is done, by STARTTLS. */
void back_secured(struct dialog *d);

/*
 * XOAUTH2 or OAUTHBEARER when the login is a token; 0 for the protocol's usual way. `offered` are the methods
 * that the server lists (0: nobody knows): a token fits both, so where it lists the other one only, it is
 * that.
 */
enum sasl_method back_oauth(const struct dialog *d, unsigned offered);

/* The methods named in a list of words, each with `before` in front ("AUTH=PLAIN AUTH=LOGIN"). */
unsigned back_methods(struct str list, struct str before);

/* Append the mechanism's one message in base64. The secret counts as said. */
void back_put_message(struct dialog *d, enum sasl_method m);

/* The same with the line's end; the reply is heard in `next`. */
enum want back_say_message(struct dialog *d, const struct state *next, enum sasl_method m);

/* The secret goes out with what is said now. */
void back_expose(struct dialog *d);

/* What an OAuth server says before it refuses, in base64: the client may want to know. */
void back_keep_challenge(struct dialog *d, struct str base64);
