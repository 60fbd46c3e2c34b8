/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stored password texts as an operator, an import or a stranger's file may have them: password, LF, stored
 * text. Nothing that passes the check may cost much, so real schemes are cut to what is cheap here: those
 * with memory or many rounds are only looked at.
 */
#include "base/must.h"
#include "scheme/scheme.h"

static bool cheap(struct str stored)
{
	return str_starts_same(stored, STR("{S")) && !str_starts_same(stored, STR("{SCRAM")) &&
	       !str_has(stored, '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str stored = { (const char *)data, size }, password = str_cut(&stored, '\n');
	const char *complaint = scheme_complaint(stored);
	struct buf plain;

	buf_init(&plain, SCHEME_STORED_MAX);
	if (scheme_plain(stored, &plain)) {
		must(complaint == NULL && plain.len != 0);
		must(scheme_verify(stored, buf_text(&plain)) == SCHEME_MATCH);
	} else if (complaint != NULL) {
		must(scheme_verify(stored, password) == SCHEME_UNKNOWN);
	} else if (cheap(stored)) {
		must(scheme_verify(stored, password) != SCHEME_UNKNOWN);
	}
	must(scheme_verify_digest(stored, SCHEME_APOP, STR("<1@x>"), password) != SCHEME_MATCH);
	must(scheme_verify_digest(stored, SCHEME_CRAM_MD5, STR("<1@x>"), password) != SCHEME_MATCH);
	buf_done(&plain);
	return 0;
}
