/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses inside of MAIL and RCPT. */
#include "talk/envelope.h"
#include "unit.h"

static void address_of_a_command(void **state)
{
	static const struct {
		struct str command, want;
	} cases[] = {
		{ LIT("MAIL FROM:<ann@example.org>"), LIT("ann@example.org") },
		{ LIT("mail from:<Ann@Example.ORG> SIZE=1 BODY=8BITMIME"), LIT("Ann@Example.ORG") },
		{ LIT("RCPT TO: <bob@example.net> ORCPT=rfc822;<x>"), LIT("bob@example.net") },
		{ LIT("MAIL FROM:<>"), LIT("") },
		{ LIT("MAIL FROM:ann@example.org SIZE=1"), LIT("ann@example.org") },
		{ LIT("MAIL FROM:<\"a>b\\\">c\"@example.org>"), LIT("\"a>b\\\">c\"@example.org") },
		{ LIT("RCPT TO:<@one,@two:ann@three>"), LIT("ann@three") },
		{ LIT("RCPT TO:<@one>"), LIT("@one") },
		{ LIT("RCPT TO:<postmaster>"), LIT("postmaster") },
		{ LIT("MAIL FROM:<ann"), LIT("ann") },
		{ LIT("MAIL FROM:<\"ann"), LIT("\"ann") },
		{ LIT("MAIL FROM:<\"ann\\"), LIT("\"ann\\") },
		{ LIT("MAIL"), LIT("") },
		{ LIT("MAIL FROM:"), LIT("") },
		{ LIT(""), LIT("") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_str(envelope_address(cases[i].command), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(address_of_a_command) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
