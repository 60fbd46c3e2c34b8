/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a users file: what is read can be written, and is then read the same. */
#include "base/must.h"
#include "store/user.h"

static void check_same(const struct user *a, const struct user *b)
{
	must(str_eq(a->name, b->name) && str_eq(a->route, b->route) && str_eq(a->login, b->login));
	must(str_eq(a->secret, b->secret) && str_eq(a->networks, b->networks));
	must(str_eq(a->protocols, b->protocols) && str_eq(a->comment, b->comment));
	must(a->disabled == b->disabled && a->tls == b->tls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *home = arena_new(256);
	struct str line = { (const char *)data, size };
	struct addr client = { .family = AF_INET, .ip4 = { 192, 0, 2, 1 } };
	struct user u, again;
	struct buf to;

	buf_init(&to, 4 * USER_LINE_MAX);
	if (user_read(line, &u, home) == NULL) {
		user_allows_network(&u, &client);
		user_allows_protocol(&u, STR("imap"));
		user_write(&u, &to);
		if (size < USER_LINE_MAX / 2) {
			must(!to.full && user_read((struct str){ to.at, to.len - 1 }, &again, home) == NULL);
			check_same(&u, &again);
		}
	}
	buf_done(&to);
	arena_free(home);
	return 0;
}
