/* SPDX-License-Identifier: BSD-2-Clause */
/* Values inside of LDAP's own notations, so that no byte of a value can be part of the notation. */
#pragma once
#include "base/buf.h"

/* A value in a search filter (RFC 4515 section 3): whatever is no letter, digit or harmless sign is \XX. */
void ldap_put_filter(struct buf *to, struct str value);

/* A value in a DN (RFC 4514 section 2.4), in the same way. */
void ldap_put_dn(struct buf *to, struct str value);
