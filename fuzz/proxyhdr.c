/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROXY headers from hostile senders.
 *
 * Whatever the bytes are: a header may arrive in any pieces without changing the verdict, what follows it
 * counts for nothing, and what was read can be written and read again in both versions.
 */
#include "net/proxyhdr.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void written_is_read(const struct proxyhdr *h, struct str text)
{
	struct proxyhdr again;

	must(proxyhdr_read(text, &again) == PROXYHDR_OK);
	must(again.size == text.len && again.has_addresses);
	must(addr_eq(&again.source, &h->source) && addr_eq(&again.destination, &h->destination));
}

/* The names are made of the input, so they hold any bytes; the checksum is found right by who reads it. */
static void write_again(const struct proxyhdr *h, struct str in)
{
	struct proxyhdr_tls tls = {
		.on = in.len % 2 == 0,
		.certificate = in.len % 3 == 0,
		.verified = in.len % 5 == 0,
		.sni = { in.at, in.len / 2 },
		.common_name = in,
	};
	struct buf to;

	buf_init(&to, PROXYHDR_MAX);
	proxyhdr_write_v1(&to, &h->source, &h->destination);
	written_is_read(h, buf_text(&to));
	buf_clear(&to);
	proxyhdr_write_v2(&to, &h->source, &h->destination, &tls);
	written_is_read(h, buf_text(&to));
	buf_done(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	enum proxyhdr_result r = PROXYHDR_MORE, verdict;
	struct proxyhdr h, part;

	verdict = proxyhdr_read(in, &h);
	must(verdict != PROXYHDR_OK || (h.size > 0 && h.size <= size && h.size <= PROXYHDR_MAX));
	must((verdict == PROXYHDR_BAD) == (h.complaint != NULL));
	for (size_t n = 0; n <= size && r == PROXYHDR_MORE; n++) {
		r = proxyhdr_read((struct str){ in.at, n }, &part);
		must(r != PROXYHDR_OK || n == part.size);
	}
	must(r == verdict);
	must(r != PROXYHDR_OK || part.size == h.size);
	if (verdict == PROXYHDR_OK && h.has_addresses)
		write_again(&h, in);
	return 0;
}
