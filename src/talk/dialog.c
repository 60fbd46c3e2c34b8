/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framing, once for all protocols: bytes become lines or counted pieces, and states hear them.
 *
 * Lines end in LF or CRLF; a CR anywhere else stays in the line, and it is the state that refuses it. Whether
 * input comes in one piece or byte by byte makes no difference to a front; a server that speaks before it was
 * asked is found out only when its early words come together with what it was asked for, since later nobody
 * can tell them from an answer.
 */
#include "talk/dialog.h"

#include "base/must.h"

enum piece { PIECE_NONE, PIECE_WHOLE, PIECE_TOO_LONG };

struct dialog *dialog_new(const struct dialog_ops *ops, const struct stage *stage, struct login *login,
			  struct buf *out, bool secure)
{
	struct dialog *d = arena_take(stage->arena, ops->size);

	d->ops = ops;
	d->at = ops->first;
	d->stage = stage;
	d->login = login;
	d->out = out;
	d->secure = secure;
	return d;
}

void dialog_expect(struct dialog *d, size_t size)
{
	d->counting = true;
	d->bytes_due = size;
}

void dialog_skip(struct dialog *d, size_t most)
{
	d->skipping = true;
	d->skipped_last = ' ';
	d->bytes_due = most;
}

void dialog_note(struct dialog *d, const char *text, struct str quoted)
{
	d->stage->note(d->stage->owner, text, quoted);
}

static enum piece counted_piece(struct dialog *d, struct str *in, struct str *piece)
{
	if (in->len < d->bytes_due)
		return PIECE_NONE;
	*piece = (struct str){ in->at, d->bytes_due };
	*in = str_skip(*in, d->bytes_due);
	d->counting = false;
	return PIECE_WHOLE;
}

static enum piece skipped_piece(struct dialog *d, struct str *in, struct str *piece)
{
	size_t end = str_index(*in, '\n');

	if (end > d->bytes_due)
		return PIECE_TOO_LONG;
	d->bytes_due -= end;
	for (size_t i = 0; i < end; i++)
		if (in->at[i] != '\r')
			d->skipped_last = in->at[i];
	d->skipping = end == in->len;
	*in = str_skip(*in, end + 1);
	*piece = (struct str){ &d->skipped_last, 1 };
	return d->skipping ? PIECE_NONE : PIECE_WHOLE;
}

/* Whether a line is too long must not depend on how much of it has come. */
static enum piece next_piece(struct dialog *d, struct str *in, struct str *piece)
{
	size_t end;

	if (d->counting)
		return counted_piece(d, in, piece);
	if (d->skipping)
		return skipped_piece(d, in, piece);
	end = str_index(*in, '\n');
	if (end >= d->stage->line_max)
		return PIECE_TOO_LONG;
	return str_line(in, piece) ? PIECE_WHOLE : PIECE_NONE;
}

/* What did not fit into `out` must not be sent in part. */
static enum want checked(const struct dialog *d, enum want want)
{
	return d->out->full ? WANT_CLOSE : want;
}

enum want dialog_open(struct dialog *d)
{
	return checked(d, d->ops->open(d));
}

enum want dialog_told(struct dialog *d, enum news what, struct str text)
{
	return checked(d, d->ops->told(d, what, text));
}

/* Let the state hear one piece; whoever was just asked, or is to begin TLS now, cannot have answered in the
 * same breath. */
static enum want hear(struct dialog *d, struct str piece, struct str rest)
{
	size_t said = d->out->len;
	enum want want = d->at->heard(d, piece);
	bool turn = want == WANT_TLS || (want == WANT_INPUT && d->out->len != said);

	if (turn && d->ops->takes_turns && rest.len != 0)
		want = d->ops->told(d, NEWS_EARLY_INPUT, rest);
	return want;
}

/* Only so much of the line is told as has come in any case, however it came. */
static enum want tell_too_long(struct dialog *d, struct str in)
{
	enum want want;

	if (in.len > d->stage->line_max)
		in.len = d->stage->line_max;
	want = d->ops->told(d, NEWS_TOO_LONG, in);
	must(want != WANT_INPUT || d->skipping);
	return want;
}

enum want dialog_heard(struct dialog *d, struct str *in)
{
	enum want want = WANT_INPUT;

	while (want == WANT_INPUT && d->out->len <= d->out->most / 2) {
		struct str piece;
		enum piece kind = next_piece(d, in, &piece);

		if (kind == PIECE_NONE)
			break;
		want = kind == PIECE_WHOLE ? hear(d, piece, *in) : tell_too_long(d, *in);
	}
	return checked(d, want);
}
