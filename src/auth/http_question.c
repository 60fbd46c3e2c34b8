/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a question from place to place; see http_question.h. */
#include "auth/http_question.h"

#include <errno.h>

size_t http_question_left(const struct http_question *q)
{
	size_t all = http_places(q->source);

	/* names may have fewer addresses than before */
	return q->tried < all ? all - q->tried : 0;
}

/* So that a place that swallows everything does not take it all. */
uint64_t http_question_share(const struct http_question *q, uint64_t left_ms)
{
	size_t places = http_question_left(q);

	return left_ms / (places != 0 ? places : 1);
}

static size_t present(const struct http_question *q)
{
	return (q->first + q->tried) % http_places(q->source);
}

/* Another question may have found a good place meanwhile. */
void http_question_failed(struct http_question *q, struct str why)
{
	bool was_good = q->source->good == present(q);

	if (q->failures.len != 0)
		buf_put(&q->failures, STR(", "));
	buf_put(&q->failures, why);
	q->tried++;
	if (was_good)
		q->source->good = present(q);
}

void http_question_answered(struct http_question *q)
{
	q->source->good = present(q);
	q->source->answers++;
}

bool http_question_unheard(const struct http_question *q)
{
	return q->answers == q->source->answers;
}

/* What happens to servers and networks is an error; anything else (no such socket, no permission) needs
 * somebody to mend it. */
enum log_level http_connect_level(int error)
{
	static const int ORDINARY[] = { ECONNREFUSED, ECONNRESET,  ECONNABORTED, ETIMEDOUT,    EPIPE,
					ENETDOWN,     ENETUNREACH, EHOSTDOWN,	 EHOSTUNREACH, EAGAIN };

	for (size_t i = 0; i < sizeof(ORDINARY) / sizeof(ORDINARY[0]); i++)
		if (error == ORDINARY[i])
			return LOG_ERROR;
	return LOG_CRIT;
}
