/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of a login; see login.h. */
#include "talk/login.h"

void login_init(struct login *l, struct arena *home, size_t command_max, size_t reply_max)
{
	struct buf *fields[] = { &l->user, &l->secret, &l->salt,	 &l->tag,	   &l->helo,
				 &l->mail, &l->rcpt,   &l->refusal.text, &l->refusal.code, &l->refusal.sasl };

	*l = (struct login){ .method = SASL_PLAIN };
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		buf_init_in(fields[i], home, command_max);
	buf_init_in(&l->answer, home, reply_max);
}

void login_forget(struct login *l)
{
	buf_wipe(&l->user);
	buf_wipe(&l->secret);
	buf_clear(&l->salt);
	buf_clear(&l->answer);
	buf_clear(&l->refusal.text);
	buf_clear(&l->refusal.code);
	buf_clear(&l->refusal.sasl);
	l->refusal.final = false;
	l->presentable = false;
	l->method = SASL_PLAIN;
	l->back_method = 0;
}
