/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a database or directory tells about a user, and what a client says that is put into a filter or DN.
 *
 * An escaped value holds nothing that is special there, and every third byte of an escape is where it
 * belongs; a route that was put together from a row is one line.
 */
#include "helpers/ldap_text.h"
#include "helpers/row.h"
#include "helpers/text.h"

#include "base/must.h"
#include "base/text.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void escaped(struct str in)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	ldap_put_filter(&b, in);
	for (size_t i = 0; !b.full && i < b.len; i++) {
		must(b.at[i] != '\0' && strchr("*(),+\"<>;= #", b.at[i]) == NULL && b.at[i] > 0);
		if (b.at[i] == '\\')
			i += 2;
	}
	buf_done(&b);
	helper_is_utf8(in);
}

static void row(struct str in)
{
	static const char *const NAMES[] = { "host", "port", "enabled", "ssl", "login", "message" };
	struct arena *home = arena_new(256);
	struct row r = { 0 };

	for (size_t i = 0; i < 6; i++)
		must(row_set(&r, str_of(NAMES[i]), str_cut(&in, '|')));
	if (row_complete(&r, home) == NULL)
		must(has_no_controls(r.user.route) && is_line_safe(r.message));
	arena_free(home);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };

	escaped(in);
	row(in);
	return 0;
}
