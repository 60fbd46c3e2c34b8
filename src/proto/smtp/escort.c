/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMTP's escort, for mail without a login and smtp_route_recipients: each recipient has a route of its own,
 * and one transaction can go to one server only, since DATA has one reply for all (RFC 5321 section 4.1.1.4).
 *
 * It knows where commands begin, which is all that it takes: content behind DATA ends in a line with a dot
 * and nothing else, with CRLF at both ends (section 4.1.1.4; a bare LF ends nothing, or mail could be
 * smuggled), chunks behind BDAT have a length (RFC 3030). Commands that are about neither are the server's
 * affair. Until a server has taken a recipient, the transaction may go to another one.
 */
#include "proto/smtp/smtp.h"

#include "base/text.h"
#include <string.h>

/* What the reply that is due is about. */
enum due { DUE_NONE, DUE_ANY, DUE_MAIL, DUE_RCPT, DUE_DATA, DUE_END, DUE_START, DUE_TLS };

/* Where the client's next byte stands. */
enum within { WITHIN_NONE, WITHIN_LINE, WITHIN_CONTENT, WITHIN_CHUNK };

enum { HEAD_LEN = 4 };

struct smtp_escort {
	struct escort escort;
	enum due due;
	enum within within;
	unsigned matched;    /* of END */
	uint64_t chunk_left; /* bytes of the chunk */
	char head[HEAD_LEN]; /* of the server's line */
	unsigned head_len;
	bool blind;
};

/* The line before the content, or the last one of it, has ended, and the dot comes. */
static const char END[] = "\r\n.\r\n";
enum { END_LEN = sizeof(END) - 1, END_AT_LINE = 2 };

static struct smtp_escort *smtp_of(struct escort *e)
{
	return (struct smtp_escort *)(void *)e;
}

static bool wanted(const void *settings, const struct login *login)
{
	const struct smtp_settings *s = settings;

	return s->route_recipients && login->method == SASL_NONE;
}

static void open(struct escort *e)
{
	e->movable = !str_starts(buf_text(&e->login->answer), STR("2"));
}

static enum escort_step say(struct escort *e, const char *reply, enum escort_step step)
{
	buf_put(e->out, str_of(reply));
	buf_put(e->out, STR("\r\n"));
	return step;
}

/* ---- the server ---- */

static void transaction_over(struct escort *e)
{
	buf_clear(&e->login->mail);
	buf_clear(&e->login->rcpt);
	e->movable = true;
}

/* The last line of a reply. One that comes while content is under way has ended the transaction too. */
static void replied(struct smtp_escort *s, unsigned code)
{
	struct escort *e = &s->escort;
	bool good = code / 100 == 2;
	enum due due = s->due;

	s->due = DUE_NONE;
	if (due == DUE_MAIL && !good)
		buf_clear(&e->login->mail);
	else if (due == DUE_RCPT && good)
		e->movable = false;
	else if (due == DUE_END || (due == DUE_START && good))
		transaction_over(e);
	else if (due == DUE_TLS)
		s->blind = good;
	if (due != DUE_DATA || code != 354)
		return;
	s->within = WITHIN_CONTENT;
	s->matched = END_AT_LINE;
	s->due = DUE_END;
}

static void line_ended(struct smtp_escort *s)
{
	uint64_t code;
	bool reply = s->head_len >= 3 && str_number((struct str){ s->head, 3 }, 599, &code);
	bool more = s->head_len == HEAD_LEN && s->head[3] == '-';

	s->head_len = 0;
	if (reply && !more)
		replied(s, (unsigned)code);
}

static void server(struct escort *e, struct str in)
{
	struct smtp_escort *s = smtp_of(e);

	for (size_t i = 0; i < in.len; i++) {
		if (in.at[i] == '\n')
			line_ended(s);
		else if (s->head_len < HEAD_LEN)
			s->head[s->head_len++] = in.at[i];
	}
}

/* ---- the client's commands ---- */

/* What is said behind a verb; `line` is the command without its end. */
typedef enum escort_step verb_fn(struct smtp_escort *s, struct str line, struct str args);

static enum escort_step pass(struct smtp_escort *s, enum due due)
{
	s->due = due;
	return ESCORT_PASS;
}

static enum escort_step mail(struct smtp_escort *s, struct str line, struct str args)
{
	struct login *l = s->escort.login;

	(void)args;
	if (l->mail.len != 0)
		return pass(s, DUE_ANY);
	if (!has_no_controls(line))
		return say(&s->escort, "501 5.5.4 Invalid argument", ESCORT_SAID);
	buf_set(&l->mail, line);
	return pass(s, DUE_MAIL);
}

static enum escort_step rcpt(struct smtp_escort *s, struct str line, struct str args)
{
	struct login *l = s->escort.login;

	(void)args;
	if (l->mail.len == 0)
		return pass(s, DUE_ANY);
	if (!has_no_controls(line))
		return say(&s->escort, "501 5.5.4 Invalid argument", ESCORT_SAID);
	buf_set(&l->rcpt, line);
	return ESCORT_ROUTE;
}

static enum escort_step data(struct smtp_escort *s, struct str line, struct str args)
{
	(void)line, (void)args;
	return pass(s, DUE_DATA);
}

/* The chunk comes whatever the reply will be, and the reply when the chunk has come, or before. */
static enum escort_step bdat(struct smtp_escort *s, struct str line, struct str args)
{
	struct str size = str_cut(&args, ' ');

	(void)line;
	if (!str_number(size, UINT64_MAX, &s->chunk_left))
		return pass(s, DUE_ANY);
	if (s->chunk_left != 0)
		s->within = WITHIN_CHUNK;
	return pass(s, str_same(str_trim(args), STR("LAST")) ? DUE_END : DUE_ANY);
}

static enum escort_step rset(struct smtp_escort *s, struct str line, struct str args)
{
	(void)line, (void)args;
	return pass(s, DUE_START);
}

static enum escort_step greet(struct smtp_escort *s, struct str line, struct str args)
{
	struct login *l = s->escort.login;

	if (args.len != 0 && has_no_controls(args)) {
		buf_set(&l->helo, args);
		l->esmtp = str_starts_same(line, STR("EHLO"));
	}
	return pass(s, DUE_START);
}

static enum escort_step starttls(struct smtp_escort *s, struct str line, struct str args)
{
	(void)line, (void)args;
	return pass(s, DUE_TLS);
}

static const struct {
	struct str name;
	verb_fn *run;
} VERBS[] = {
	{ LIT("MAIL"), mail }, { LIT("RCPT"), rcpt },  { LIT("DATA"), data },  { LIT("BDAT"), bdat },
	{ LIT("RSET"), rset }, { LIT("EHLO"), greet }, { LIT("HELO"), greet }, { LIT("STARTTLS"), starttls },
};
enum { VERBS_LEN = sizeof(VERBS) / sizeof(*VERBS) };

/* The verb's row, or VERBS_LEN; `rest` moves behind verb and blanks. */
static size_t find_verb(struct str *rest)
{
	size_t end = 0, row = 0;

	while (end < rest->len && rest->at[end] != ' ' && rest->at[end] != '\t')
		end++;
	while (row < VERBS_LEN && !str_same((struct str){ rest->at, end }, VERBS[row].name))
		row++;
	*rest = str_trim(str_skip(*rest, end));
	return row;
}

static enum escort_step command(struct smtp_escort *s, struct str line)
{
	struct str rest;
	size_t row;

	if (line.len != 0 && line.at[line.len - 1] == '\r')
		line.len--;
	line = str_trim(line);
	rest = line;
	row = find_verb(&rest);
	return row < VERBS_LEN ? VERBS[row].run(s, line, rest) : pass(s, DUE_ANY);
}

/* A line that is too long goes by in pieces, unless it is one that has to be read: a token may be long. */
static enum escort_step long_line(struct smtp_escort *s, struct str in, size_t *len)
{
	struct str rest = str_trim(in);

	if (find_verb(&rest) < VERBS_LEN)
		return say(&s->escort, "500 5.5.2 Line too long", ESCORT_CLOSE);
	s->within = WITHIN_LINE;
	*len = in.len;
	return ESCORT_PASS;
}

static enum escort_step hear_command(struct smtp_escort *s, struct str in, size_t *len)
{
	size_t end = str_index(in, '\n');

	if (end >= s->escort.stage->line_max)
		return long_line(s, (struct str){ in.at, s->escort.stage->line_max }, len);
	if (end == in.len)
		return ESCORT_MORE;
	*len = end + 1;
	return command(s, (struct str){ in.at, end });
}

/* ---- what is no command ---- */

static enum escort_step hear_line(struct smtp_escort *s, struct str in, size_t *len)
{
	size_t end = str_index(in, '\n');

	*len = end < in.len ? end + 1 : in.len;
	if (end < in.len) {
		s->within = WITHIN_NONE;
		s->due = DUE_ANY;
	}
	return ESCORT_PASS;
}

static enum escort_step hear_content(struct smtp_escort *s, struct str in, size_t *len)
{
	size_t i = 0;

	while (i < in.len && s->matched < END_LEN) {
		char c = in.at[i++];

		if (c == END[s->matched])
			s->matched++;
		else
			s->matched = c == '\r';
	}
	if (s->matched == END_LEN)
		s->within = WITHIN_NONE;
	*len = i;
	return ESCORT_PASS;
}

static enum escort_step hear_chunk(struct smtp_escort *s, struct str in, size_t *len)
{
	*len = in.len < s->chunk_left ? in.len : (size_t)s->chunk_left;
	s->chunk_left -= *len;
	if (s->chunk_left == 0)
		s->within = WITHIN_NONE;
	return ESCORT_PASS;
}

static enum escort_step client(struct escort *e, struct str in, size_t *len)
{
	struct smtp_escort *s = smtp_of(e);

	*len = 0;
	if (s->blind)
		return ESCORT_BLIND;
	if (in.len == 0)
		return ESCORT_MORE;
	switch (s->within) {
	case WITHIN_LINE:
		return hear_line(s, in, len);
	case WITHIN_CONTENT:
		return hear_content(s, in, len);
	case WITHIN_CHUNK:
		return hear_chunk(s, in, len);
	case WITHIN_NONE:
		break;
	}
	return s->due != DUE_NONE ? ESCORT_WAIT : hear_command(s, in, len);
}

static void routed(struct escort *e)
{
	smtp_of(e)->due = DUE_RCPT;
}

/* RFC 5321 section 4.5.3.1.10: the sender takes it for too many recipients, and comes again with the rest. */
static void elsewhere(struct escort *e)
{
	say(e, "451 4.5.3 Recipient belongs to another server, try again", ESCORT_SAID);
}

const struct escort_ops smtp_escort = {
	.size = sizeof(struct smtp_escort),
	.wanted = wanted,
	.open = open,
	.client = client,
	.server = server,
	.routed = routed,
	.elsewhere = elsewhere,
};
