/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the control socket: each has exactly one answer, of one line, that a terminal can show. */
#include "main/control.h"

#include "base/must.h"
#include "base/text.h"

const struct auth_kind *const auth_kinds[] = { NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line = { (const char *)data, size }, rest, first;
	struct buf answer;

	buf_init(&answer, 4096);
	control_obey(NULL, line, &answer);
	rest = buf_text(&answer);
	must(!answer.full && str_line(&rest, &first) && rest.len == 0 && has_no_controls(first));
	must(str_starts(first, STR("ok ")) || str_starts(first, STR("error ")));
	buf_done(&answer);
	return 0;
}
