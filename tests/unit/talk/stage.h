/* SPDX-License-Identifier: BSD-2-Clause */
/* A bare stage for dialogs of the tests' own. */
#pragma once
#include "talk/dialog.h"
#include "unit.h"

struct bare_stage {
	struct stage stage;
	struct login login;
	struct buf out, notes;
};

static inline void bare_note(void *owner, const char *text, struct str quoted)
{
	struct bare_stage *b = owner;

	buf_put(&b->notes, str_of(text));
	buf_put(&b->notes, quoted);
	buf_put_byte(&b->notes, '\n');
}

static inline void bare_stage_init(struct bare_stage *b, size_t line_max, size_t out_max)
{
	*b = (struct bare_stage){
		.stage = { .line_max = line_max, .max_errors = 3, .max_commands = 100, .note = bare_note }
	};
	b->stage.owner = b;
	b->stage.arena = arena_new(1024);
	b->stage.server_name = STR("mail.example");
	login_init(&b->login, b->stage.arena, 4096, 256);
	buf_init(&b->out, out_max);
	buf_init(&b->notes, 4096);
}

static inline void bare_stage_done(struct bare_stage *b)
{
	buf_done(&b->out);
	buf_done(&b->notes);
	arena_free(b->stage.arena);
}
