/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMTP's escort between a client and a server that may both say anything. The input is pieces: a byte whose
 * lowest bit is the side and whose rest the length, then the bytes. What goes on to the server must be the
 * client's bytes in their order, without those that were answered; and it must be the same when everything is
 * heard byte by byte. Recipients of which the length is odd are for another server.
 */
#include "base/must.h"
#include "proto/smtp/smtp.h"

enum { LINE_MOST = 48, ROOM = 1 << 16 };

struct walk {
	struct arena *arena;
	struct login login;
	struct stage stage;
	struct escort *escort;
	struct buf out, in, passed;
	enum escort_step at;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void begin(struct walk *w)
{
	*w = (struct walk){ .arena = arena_new(1024), .stage.line_max = LINE_MOST };
	login_init(&w->login, w->arena, LINE_MOST, LINE_MOST);
	buf_set(&w->login.mail, STR("MAIL FROM:<a@b>"));
	buf_init_in(&w->out, w->arena, ROOM);
	buf_init_in(&w->in, w->arena, ROOM);
	buf_init_in(&w->passed, w->arena, ROOM);
	w->escort = arena_take(w->arena, smtp_escort.size);
	w->escort->ops = &smtp_escort;
	w->escort->stage = &w->stage;
	w->escort->login = &w->login;
	w->escort->out = &w->out;
	smtp_escort.open(w->escort);
}

static bool is_over(const struct walk *w)
{
	return w->at == ESCORT_CLOSE || w->at == ESCORT_BLIND;
}

static enum escort_step route(struct walk *w)
{
	must(w->login.rcpt.len != 0 && w->login.mail.len != 0);
	if (w->login.rcpt.len % 2 == 0) {
		smtp_escort.routed(w->escort);
		return ESCORT_PASS;
	}
	smtp_escort.elsewhere(w->escort);
	return ESCORT_SAID;
}

static void go_on(struct walk *w)
{
	for (;;) {
		size_t len, said = w->out.len;

		w->at = smtp_escort.client(w->escort, buf_text(&w->in), &len);
		must(len <= w->in.len);
		if (w->at == ESCORT_ROUTE)
			w->at = route(w);
		must((w->out.len != said) == (w->at == ESCORT_SAID || w->at == ESCORT_CLOSE));
		if (w->at != ESCORT_PASS && w->at != ESCORT_SAID)
			break;
		must(len != 0);
		if (w->at == ESCORT_PASS)
			buf_put(&w->passed, (struct str){ w->in.at, len });
		buf_drop(&w->in, len);
	}
	/* what waits for more is bounded by the longest line */
	must(w->at != ESCORT_MORE || w->in.len < LINE_MOST);
}

static void hear_client(struct walk *w, struct str text)
{
	buf_put(&w->in, text);
	go_on(w);
}

/* What it says in one piece is heard before the client's next step, however it comes. */
static void hear_server(struct walk *w, struct str text, bool bytewise)
{
	for (; bytewise && text.len > 1; text = str_skip(text, 1))
		smtp_escort.server(w->escort, (struct str){ text.at, 1 });
	smtp_escort.server(w->escort, text);
	go_on(w);
}

static void play(struct walk *w, const uint8_t *data, size_t size, bool bytewise)
{
	struct str rest = { (const char *)data, size };

	while (rest.len != 0) {
		bool server = rest.at[0] & 1;
		size_t len = (uint8_t)rest.at[0] / 2;
		struct str piece = str_skip(rest, 1);

		if (piece.len > len)
			piece.len = len;
		rest = str_skip(rest, 1 + piece.len);
		if (server && !is_over(w))
			hear_server(w, piece, bytewise);
		for (; !server && bytewise && piece.len > 1 && !is_over(w); piece = str_skip(piece, 1))
			hear_client(w, (struct str){ piece.at, 1 });
		if (!server && !is_over(w))
			hear_client(w, piece);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct walk whole, pieces;

	if (size > ROOM / 2)
		return 0;
	begin(&whole);
	begin(&pieces);
	play(&whole, data, size, false);
	play(&pieces, data, size, true);
	must(whole.at == pieces.at);
	must(str_eq(buf_text(&whole.passed), buf_text(&pieces.passed)));
	must(str_eq(buf_text(&whole.out), buf_text(&pieces.out)));
	arena_free(whole.arena);
	arena_free(pieces.arena);
	return 0;
}
