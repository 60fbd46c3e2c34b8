/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of a login; see login.h. */
#include "talk/login.h"

/* What we say ourselves must fit, however short commands may be. */
enum { WORDS_MAX = 256 };

void login_init(struct login *l, struct arena *home, size_t command_max, size_t reply_max)
{
	struct buf *fields[] = { &l->user, &l->secret, &l->master, &l->salt, &l->tag,
				 &l->id,   &l->helo,   &l->mail,   &l->rcpt };
	struct buf *words[] = { &l->refusal.text, &l->refusal.code, &l->refusal.sasl };

	*l = (struct login){ .method = SASL_PLAIN };
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		buf_init_in(fields[i], home, command_max);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		buf_init_in(words[i], home, command_max + WORDS_MAX);
	buf_init_in(&l->answer, home, reply_max);
}

void login_forget(struct login *l)
{
	buf_wipe(&l->user);
	buf_wipe(&l->secret);
	buf_wipe(&l->master);
	buf_clear(&l->salt);
	login_forget_answer(l);
	l->method = SASL_PLAIN;
	l->back_method = 0;
}

void login_forget_answer(struct login *l)
{
	buf_clear(&l->answer);
	buf_clear(&l->refusal.text);
	buf_clear(&l->refusal.code);
	buf_clear(&l->refusal.sasl);
	l->refusal.final = false;
	l->presentable = false;
	l->failure = FAILURE_NONE;
	l->exposed = false;
}
