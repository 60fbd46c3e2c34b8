/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values in filters and DNs; see ldap_text.h. Both notations let any byte be written as a backslash and two
 * hex digits, so one rule serves both: what is not known to be harmless is written so. That covers what is
 * special only at the beginning or end of a DN's value, too.
 */
#include "helpers/ldap_text.h"

#include <string.h>

static bool is_harmless(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-_.@", c) != NULL);
}

static void put(struct buf *to, struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (is_harmless(value.at[i]))
			buf_put_byte(to, value.at[i]);
		else
			buf_format(to, "\\%02x", (unsigned char)value.at[i]);
	}
}

void ldap_put_filter(struct buf *to, struct str value)
{
	put(to, value);
}

void ldap_put_dn(struct buf *to, struct str value)
{
	put(to, value);
}
