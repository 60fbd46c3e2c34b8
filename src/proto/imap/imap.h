/* SPDX-License-Identifier: BSD-2-Clause */
/* IMAP before login (RFC 9051): what the folder offers, and the settings that its two dialogs read. */
#pragma once
#include "talk/front.h"
#include "talk/protocol.h"

extern const struct protocol imap_protocol;

extern const struct dialog_ops imap_front, imap_back;
