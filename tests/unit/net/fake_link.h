/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link that behaves as one of the TLS library does, but for the secrecy: a handshake of one byte each
 * way, records that are given out whole or in parts, records that must be offered again, a key update that
 * makes a read wait for room. What would be hard to provoke from the real library is easy here, and what
 * stream.c owes a link is checked.
 *
 * On the wire: 'H', then records of a type byte, a length byte and the payload: 'd' data, 'u' please send a
 * 'k' record before you give me more, 'k' nothing, 'e' close_notify.
 */
#pragma once
#include "net/tls_link.h"

struct fake_link_counts {
	unsigned flushes, shuts;
};

/* Of all links in the process; set to zero at will. */
extern struct fake_link_counts fake_link_counts;

enum { FAKE_RECORD_MAX = 100 };
