/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of crypt.c where libcrypt is not there: says so. */
#include "scheme/kinds.h"

static const char *check(const struct scheme *s, struct str bytes)
{
	(void)s;
	(void)bytes;
	return "this postern was built without libcrypt";
}

static enum scheme_result verify(const struct scheme *s, struct str bytes, struct str password)
{
	(void)s;
	(void)bytes;
	(void)password;
	return SCHEME_UNKNOWN;
}

static bool make(const struct scheme *s, struct str password, struct buf *to)
{
	(void)s;
	(void)password;
	(void)to;
	return false;
}

const struct scheme_kind scheme_crypt = { false, check, verify, make };
