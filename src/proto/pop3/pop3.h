/* SPDX-License-Identifier: BSD-2-Clause */
/* POP3 before login (RFC 1939, 2449, 5034): what the folder offers, and the settings that its two dialogs
 * read. */
#pragma once
#include "talk/front.h"
#include "talk/protocol.h"

extern const struct protocol pop3_protocol;

extern const struct dialog_ops pop3_front, pop3_back;
