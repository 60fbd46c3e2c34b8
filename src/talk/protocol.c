/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that protocols share; see protocol.h. */
#include "talk/protocol.h"

#include "talk/front.h"

size_t protocol_line_max(const void *settings)
{
	const struct front_settings *s = settings;

	return s->client_buffer;
}

uint64_t protocol_no_delay(const void *settings)
{
	(void)settings;
	return 0;
}

bool protocol_needs_secret(const void *settings, const struct login *login)
{
	(void)settings, (void)login;
	return true;
}
