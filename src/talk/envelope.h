/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP's envelope: the address inside of a MAIL or RCPT command. */
#pragma once
#include "base/str.h"

/*
 * The bare address of a command as typed, "MAIL FROM:<ann@example.org> SIZE=1": what stands between the angle
 * brackets, without a source route ("@a,@b:", RFC 5321 appendix C), quoted strings as they are. Without
 * brackets the first word behind the colon. Empty for "<>", and where there is none. Lies in `command`.
 */
struct str envelope_address(struct str command);
