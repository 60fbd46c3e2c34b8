/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between workers and helpers, orders' settings, and texts with variables, from a hostile other end.
 *
 * What is read lies within the message, and what was understood is written again byte for byte the same. The
 * first byte chooses what the rest is.
 */
#include "auth/helper_order.h"
#include "auth/pipe_wire.h"

#include "base/must.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool within(struct str part, struct str whole)
{
	return part.at == NULL || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void question(struct str in)
{
	struct pipe_question q;
	struct buf b;

	if (!pipe_question_get(in, &q))
		return;
	must(within(q.user, in) && within(q.secret, in) && q.values_len <= PIPE_VALUES_MAX);
	for (size_t i = 0; i < q.values_len; i++)
		must(within(q.values[i], in));
	buf_init(&b, PIPE_QUESTION_MAX);
	must(pipe_question_put(&b, &q) && str_eq(buf_text(&b), in));
	buf_done(&b);
}

static void answer(struct str in)
{
	struct pipe_answer a;
	struct buf b;

	if (!pipe_answer_get(in, &a))
		return;
	must(within(a.user, in) && within(a.target, in) && a.verdict <= PIPE_VERDICT_MAX);
	buf_init(&b, PIPE_ANSWER_MAX);
	must(pipe_answer_put(&b, &a) && str_eq(buf_text(&b), in));
	buf_done(&b);
}

static void settings(struct str in)
{
	struct str all = in, name;
	struct buf value;

	buf_init(&value, HELPER_SETTINGS_MAX);
	while (helper_setting_next(&in, &name, &value))
		must(within(name, all) && name.len != 0);
	buf_done(&value);
}

static void pattern(struct str in)
{
	struct pattern_names names = { .len = 0 };
	struct arena *home = arena_new(256);
	const char *fault = NULL;
	struct pattern p;

	if (pattern_read(&p, in, &names, home, &fault)) {
		for (size_t i = 0; i < p.len; i++)
			must(p.at[i].value < 0 ? within(p.at[i].text, in)
					       : (size_t)p.at[i].value < names.len);
	} else {
		must(fault != NULL);
	}
	arena_free(home);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const TRY[])(struct str in) = { question, answer, settings, pattern };
	struct str in = { (const char *)data, size };

	if (size != 0)
		TRY[data[0] % 4](str_skip(in, 1));
	return 0;
}
