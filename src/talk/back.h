/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the backs of all protocols have in common: saying a command, collecting the reply, and giving up in
 * one of two ways.
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

/* The reply collected is a refusal in good form. */
enum want back_refused(struct dialog *d);

/* It is nothing that this protocol knows here. */
enum want back_nonsense(struct dialog *d);

/* XOAUTH2 or OAUTHBEARER when the auth server asked for it; 0 for the protocol's usual way. */
enum sasl_method back_oauth(const struct dialog *d);

/* Append the OAuth message in base64 and the line's end, and hear the reply in `next`. */
enum want back_say_oauth(struct dialog *d, const struct state *next);
