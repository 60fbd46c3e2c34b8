/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Targets of logins, as authentication sources may send them. What is taken for one must have a host of
 * printable bytes that lies in the input, and an address that reads back; what is refused leaves no trace.
 */
#include "base/must.h"
#include "base/text.h"
#include "upstream/target.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	struct target t = { .port = 4711 };
	struct addr again = { .family = AF_UNSPEC };

	if (target_parse(in, &t) != NULL) {
		must(t.port == 4711);
		return 0;
	}
	must(t.host.len != 0 && t.host.at >= in.at && t.host.at + t.host.len <= in.at + in.len);
	must(has_no_controls(t.host));
	must((t.kind == TARGET_UNIX) == (t.addr.family == AF_UNIX));
	must((t.kind == TARGET_NAME) == (t.addr.family == AF_UNSPEC));
	if (t.kind == TARGET_IP) {
		must(addr_parse_ip(t.host, &again) && addr_same_ip(&again, &t.addr));
		must(t.addr.port == t.port);
	}
	return 0;
}
