/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of a Dovecot that lies: whatever it says, spans of an answer lie in the line or in the struct, what
 * is for the log is printable, and a yes never comes out of a FAIL.
 */
#include "auth/dovecot_wire.h"

#include "base/must.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static void look(struct str s, const char *from, size_t len)
{
	if (s.at != NULL)
		must(s.at >= from && s.at + s.len <= from + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size != 0 ? size : 1);
	bool fail = size >= 4 && memcmp(data, "FAIL", 4) == 0;
	struct dovecot_line to;
	const struct auth_answer *a = &to.answer;

	if (size != 0)
		memcpy(line, data, size);
	dovecot_read_line(line, size, &to);
	look(a->user, line, size);
	look(a->secret, line, size);
	look(a->master, line, size);
	look(a->message, line, size);
	look(a->target, to.target, sizeof(to.target));
	must(has_no_controls(a->target));
	must(!fail || to.word == DOVECOT_BAD || a->verdict != AUTH_OK);
	must(a->verdict != AUTH_BROKEN || a->cause != NULL);
	free(line);
	return 0;
}
