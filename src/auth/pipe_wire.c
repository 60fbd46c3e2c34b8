/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of helpers; see pipe_wire.h.
 *
 * A message is described by a table of its parts, and both directions walk that table, so what is written
 * and what is read cannot drift apart.
 */
#include "auth/pipe_wire.h"

#include <string.h>

/* The layout's number, to be raised with every change of the tables below. */
#define LAYOUT POSTERN_VERSION "/1"

/* In place of a length: a text that is not given. */
#define NOT_GIVEN UINT64_MAX

enum kind { END, TEXT, NUMBER };

struct part {
	enum kind kind;
	size_t offset;
	uint64_t most; /* of a NUMBER; 0: any */
};

#define QUESTION(kind, member, most)                               \
	{                                                          \
		kind, offsetof(struct pipe_question, member), most \
	}
#define ANSWER(kind, member, most)                               \
	{                                                        \
		kind, offsetof(struct pipe_answer, member), most \
	}

static const struct part QUESTION_PARTS[] = {
	QUESTION(TEXT, user, 0),
	QUESTION(TEXT, secret, 0),
	QUESTION(TEXT, salt, 0),
	QUESTION(TEXT, protocol, 0),
	QUESTION(TEXT, client_ip, 0),
	QUESTION(TEXT, server_ip, 0),
	QUESTION(TEXT, session, 0),
	QUESTION(NUMBER, client_port, UINT16_MAX),
	QUESTION(NUMBER, server_port, UINT16_MAX),
	QUESTION(NUMBER, method, UINT32_MAX),
	QUESTION(NUMBER, tls, 1),
	QUESTION(NUMBER, values_len, PIPE_VALUES_MAX),
	{ END, 0, 0 },
};

static const struct part ANSWER_PARTS[] = {
	ANSWER(NUMBER, verdict, PIPE_VERDICT_MAX),
	ANSWER(NUMBER, failure, PIPE_FAILURE_MAX),
	ANSWER(TEXT, cause, 0),
	ANSWER(NUMBER, repeated, 1),
	ANSWER(TEXT, message, 0),
	ANSWER(TEXT, user, 0),
	ANSWER(TEXT, secret, 0),
	ANSWER(TEXT, target, 0),
	ANSWER(NUMBER, port, UINT16_MAX),
	ANSWER(NUMBER, tls, 3),
	ANSWER(TEXT, tls_name, 0),
	ANSWER(TEXT, master, 0),
	ANSWER(NUMBER, cache_ms, 0),
	{ END, 0, 0 },
};

/* ---- writing ---- */

static void put_number(struct buf *to, uint64_t number)
{
	buf_put(to, (struct str){ (const char *)&number, sizeof(number) });
}

static void put_text(struct buf *to, struct str text)
{
	put_number(to, text.at != NULL ? text.len : NOT_GIVEN);
	if (text.len > PIPE_TEXT_MAX)
		to->full = true;
	if (text.at != NULL)
		buf_put(to, text);
}

static void put_parts(struct buf *to, const struct part *parts, const void *from)
{
	put_text(to, STR(LAYOUT));
	for (const struct part *p = parts; p->kind != END; p++) {
		const void *at = (const char *)from + p->offset;
		uint64_t number;
		struct str text;

		if (p->kind == TEXT) {
			memcpy(&text, at, sizeof(text));
			put_text(to, text);
		} else {
			memcpy(&number, at, sizeof(number));
			put_number(to, number);
		}
	}
}

bool pipe_question_put(struct buf *to, const struct pipe_question *q)
{
	put_parts(to, QUESTION_PARTS, q);
	for (uint64_t i = 0; i < q->values_len; i++)
		put_text(to, q->values[i]);
	return !to->full && to->len <= PIPE_QUESTION_MAX;
}

bool pipe_answer_put(struct buf *to, const struct pipe_answer *a)
{
	put_parts(to, ANSWER_PARTS, a);
	return !to->full && to->len <= PIPE_ANSWER_MAX;
}

/* ---- reading ---- */

static bool get_number(struct str *rest, uint64_t *number)
{
	if (rest->len < sizeof(*number))
		return false;
	memcpy(number, rest->at, sizeof(*number));
	*rest = str_skip(*rest, sizeof(*number));
	return true;
}

static bool get_text(struct str *rest, struct str *text)
{
	uint64_t len;

	*text = (struct str){ NULL, 0 };
	if (!get_number(rest, &len))
		return false;
	if (len == NOT_GIVEN)
		return true;
	if (len > PIPE_TEXT_MAX || len > rest->len)
		return false;
	*text = (struct str){ rest->at, (size_t)len };
	*rest = str_skip(*rest, (size_t)len);
	return true;
}

static bool get_part(struct str *rest, const struct part *p, void *at)
{
	uint64_t number;
	struct str text;

	if (p->kind == TEXT) {
		if (!get_text(rest, &text))
			return false;
		memcpy(at, &text, sizeof(text));
		return true;
	}
	if (!get_number(rest, &number) || (p->most != 0 && number > p->most))
		return false;
	memcpy(at, &number, sizeof(number));
	return true;
}

static bool get_parts(struct str *rest, const struct part *parts, void *to)
{
	struct str layout;

	if (!get_text(rest, &layout) || !str_eq(layout, STR(LAYOUT)))
		return false;
	for (const struct part *p = parts; p->kind != END; p++)
		if (!get_part(rest, p, (char *)to + p->offset))
			return false;
	return true;
}

bool pipe_question_get(struct str message, struct pipe_question *q)
{
	*q = (struct pipe_question){ 0 };
	if (message.len > PIPE_QUESTION_MAX || !get_parts(&message, QUESTION_PARTS, q))
		return false;
	for (uint64_t i = 0; i < q->values_len; i++)
		if (!get_text(&message, &q->values[i]))
			return false;
	return message.len == 0;
}

bool pipe_answer_get(struct str message, struct pipe_answer *a)
{
	*a = (struct pipe_answer){ 0 };
	return message.len <= PIPE_ANSWER_MAX && get_parts(&message, ANSWER_PARTS, a) && a->verdict != 0 &&
	       message.len == 0;
}
