/* SPDX-License-Identifier: BSD-2-Clause */
/* The dialogs of active checks that stop before a login: see visit.c. Private to this folder. */
#pragma once
#include "talk/dialog.h"

/* Hear the greeting of a server of this protocol ("imap", "pop3", "smtp"), take leave. NULL: there is no such
 * protocol. WANT_RELAY: all is well; WANT_GIVE_UP: see `complaint`. */
const struct dialog_ops *visit_greeting(struct str protocol);

/* The same, and ask what it can in between. */
const struct dialog_ops *visit_capability(struct str protocol);
