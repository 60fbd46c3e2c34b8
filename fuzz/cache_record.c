/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of auth_cache: what is taken for one has spans inside of it, and reads the same when written again.
 */
#include "auth/cache_record.h"

#include "base/must.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct str record, struct str span)
{
	must(span.at == NULL || (span.at >= record.at && span.at + span.len <= record.at + record.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str record = { (const char *)data, size };
	struct auth_answer a, again;
	struct buf text;

	if (!cache_record_read(record, &a))
		return 0;
	inside(record, a.message);
	inside(record, a.user);
	inside(record, a.secret);
	buf_init(&text, 2 * size + 64);
	must(cache_record_write(&a, &text));
	must(cache_record_read(buf_text(&text), &again));
	must(str_eq(a.secret, again.secret) && str_eq(a.target, again.target) && a.verdict == again.verdict);
	must(addr_eq(&a.server, &again.server));
	buf_done(&text);
	return 0;
}
