/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS answers from hostile servers.
 *
 * Whatever the bytes are: nothing outside of the message is read, what is found is within bounds, a name that
 * is called a host is one, and what is a host can be asked for and recognised in the answer.
 *
 * The first byte chooses the type and whether the rest is a message as it stands, or the records behind a
 * question that is right, so that the fuzzer need not find that one out.
 */
#include "net/dns.h"

#include "base/must.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 65535, HEAD = 12 };

/* A copy of its own size, so that the sanitizer sees a byte too many. */
static void read_answer(struct str message, struct str name, enum dns_type type)
{
	char *copy = malloc(message.len + 1);
	struct dns_answer a;

	must(copy != NULL);
	memcpy(copy + 1, message.at, message.len);
	if (dns_read((struct str){ copy + 1, message.len }, name, type, &a)) {
		must(a.addrs_len <= DNS_ADDRS_MAX && a.name_len <= DNS_NAME_MAX - 2 && a.ttl_s <= INT32_MAX);
		must(a.rcode <= 15 && (a.rcode == 0 || (a.addrs_len == 0 && !a.has_name)));
		must((type == DNS_PTR && a.addrs_len == 0) || (type != DNS_PTR && !a.has_name));
		must(a.name_is_host == (a.has_name && dns_is_host((struct str){ a.name, a.name_len })));
	}
	free(copy);
}

/* The records of the input behind a question of our own. */
static void read_records(struct str records, struct str name, enum dns_type type)
{
	struct buf message;

	buf_init(&message, MESSAGE_MAX);
	dns_ask(&message, 0, name, type);
	message.at[2] |= (char)0x80;
	if (records.len > 1) {
		message.at[6] = records.at[0] & 3;
		message.at[7] = records.at[1];
		buf_put(&message, str_skip(records, 2));
	}
	if (!message.full)
		read_answer(buf_text(&message), name, type);
	buf_done(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type TYPES[] = { DNS_A, DNS_AAAA, DNS_PTR };
	struct str in = { (const char *)data, size }, rest = str_skip(in, 1);
	enum dns_type type;

	if (size == 0)
		return 0;
	type = TYPES[data[0] % 3];
	if (data[0] & 0x80)
		read_answer(rest, STR("a.test"), type);
	else
		read_records(rest, STR("a.test"), type);
	if (dns_is_host(rest))
		read_records(STR(""), rest, type);
	return 0;
}
