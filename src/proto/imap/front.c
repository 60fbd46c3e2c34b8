/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IMAP side that faces clients, from greeting to login (RFC 9051 sections 6.1 and 6.2).
 *
 * A command may be cut into pieces by literals. It is collected whole, and every time a line has come, read
 * from its start: as long as what is there is sound and ends in the announcement of a literal, the literal
 * may come. So every verb sees its arguments whole, nobody is asked for bytes that will be refused, and the
 * bytes of a literal are never taken for commands. A command without literals is read where it lies and never
 * copied.
 */
#include "proto/imap/identity.h"
#include "proto/imap/imap.h"
#include "proto/imap/syntax.h"

#include "base/text.h"

/* A client may tell this much about itself (RFC 2971: 30 pairs of up to 1 KB). */
enum { ARGS = 3, ID_MAX = 64 * 1024 };

struct imap_front {
	struct front front;
	struct buf command; /* collected so far; empty for a command of one line */
};

static enum want hear_line(struct dialog *d, struct str line);
static enum want hear_literal(struct dialog *d, struct str bytes);
static enum want hear_end_of_id(struct dialog *d, struct str last);

static const struct state COMMAND = { "command", "in auth state", hear_line };
static const struct state LITERAL = { "literal", "in auth state", hear_literal };
static const struct state LONG_ID = { "long ID", "in auth state", hear_end_of_id };

static struct imap_front *imap_of(struct front *f)
{
	return (struct imap_front *)f;
}

static enum want starttls(struct front *f, const struct args *args)
{
	(void)args;
	if (!front_offers_tls(f))
		return front_invalid(f);
	front_reply(f, "OK completed");
	return WANT_TLS;
}

static enum want capability(struct front *f, const struct args *args)
{
	const struct strs *words = &front_settings(f)->capabilities;
	struct buf *out = f->dialog.out;

	(void)args;
	f->dialog.login->asked_capability = true;
	buf_put(out, STR("* CAPABILITY"));
	for (size_t i = 0; i < words->len; i++) {
		buf_put_byte(out, ' ');
		buf_put(out, words->at[i]);
	}
	sasl_announce(out, front_methods(f), " AUTH=", "");
	if (front_offers_tls(f))
		buf_put(out, STR(" STARTTLS"));
	if (front_needs_tls(f))
		buf_put(out, STR(" LOGINDISABLED"));
	front_put_line(f, STR(""));
	return front_reply(f, "OK completed");
}

static enum want noop(struct front *f, const struct args *args)
{
	(void)args;
	return front_reply(f, "OK completed");
}

static enum want logout(struct front *f, const struct args *args)
{
	(void)args;
	buf_put(f->dialog.out, STR("* BYE\r\n"));
	front_reply(f, "OK completed");
	return WANT_CLOSE;
}

static enum want login(struct front *f, const struct args *args)
{
	struct login *l = f->dialog.login;

	if (args->len != 2 || args->at[0].len == 0)
		return front_invalid(f);
	front_begin_login(f, SASL_PLAIN);
	imap_put_arg(&l->user, args, 0);
	imap_put_arg(&l->secret, args, 1);
	if (sasl_good_user(buf_text(&l->user)) && sasl_good_secret(buf_text(&l->secret)))
		return WANT_AUTH;
	login_forget(l);
	return front_mistake(f, STR(""));
}

/* Clients such as offlineimap send ID as soon as it is announced and leave when it is refused. Who we are is
 * nobody's business; who they are may be their server's. */
static enum want id(struct front *f, const struct args *args)
{
	imap_keep_id(args->rest, &f->dialog.login->id);
	buf_put(f->dialog.out, STR("* ID NIL\r\n"));
	return front_reply(f, "OK completed");
}

/* RFC 5161 section 3.1: not before the login. */
static enum want enable(struct front *f, const struct args *args)
{
	(void)args;
	return front_invalid(f);
}

static const struct verb VERBS[] = {
	{ LIT("CAPABILITY"), capability, 0 },
	{ LIT("NOOP"), noop, 0 },
	{ LIT("LOGOUT"), logout, 0 },
	{ LIT("STARTTLS"), starttls, 0 },
	{ LIT("LOGIN"), login, VERB_CREDENTIALS },
	{ LIT("AUTHENTICATE"), front_authenticate, VERB_CREDENTIALS },
	{ LIT("ID"), id, VERB_WHOLE },
	{ LIT("ENABLE"), enable, VERB_WHOLE },
	{ { NULL, 0 }, NULL, 0 },
};

/* ID is a verb only where it is announced. */
static const struct verb *take_verb(const struct front *f, struct str *rest)
{
	const struct verb *v = verb_take(VERBS, rest);

	return v != NULL && v->run == id && !front_has_capability(f, STR("ID")) ? NULL : v;
}

static enum imap_read read_args(const struct verb *v, struct args *args, struct str line,
				struct imap_literal *due)
{
	if ((v->flags & VERB_WHOLE) == 0)
		return imap_args(args, ARGS, due);
	return imap_announces(line, due) ? IMAP_LITERAL : IMAP_WHOLE;
}

/* The command so far ends in the announcement of a literal. Room for the line's end and the last CRLF is
 * counted as the peer counts it. */
static enum want await_literal(struct imap_front *f, const struct verb *v, struct str line,
			       const struct imap_literal *due)
{
	struct dialog *d = &f->front.dialog;
	struct buf *command = &f->command;

	/* who must not log in yet is not asked for its name */
	if (due->waits && (v->flags & VERB_CREDENTIALS) != 0 && front_needs_tls(&f->front))
		return front_invalid(&f->front);
	if (command->len == 0)
		buf_put(command, line);
	buf_put(command, STR("\r\n"));
	if (command->full || due->size > command->most - command->len)
		return due->waits ? front_mistake(&f->front, line) : front_too_long(&f->front);
	if (due->waits)
		buf_put(d->out, STR("+ OK\r\n"));
	dialog_expect(d, due->size);
	d->at = &LITERAL;
	return WANT_INPUT;
}

/* Take the tag off the front of `rest`: whatever is said from now on bears this one, or none. */
static bool take_tag(struct imap_front *f, struct str *rest)
{
	struct buf *to = &f->front.dialog.login->tag;
	struct str tag;

	buf_clear(to);
	if (!imap_tag(rest, &tag))
		return false;
	buf_put(to, tag);
	return true;
}

/* Read all of `text`, of which `line` is the last line, and do what it says. */
static enum want read_command(struct imap_front *f, struct str text, struct str line)
{
	struct args args = { .line = line, .rest = text };
	bool tagged = take_tag(f, &args.rest);
	struct imap_literal due;
	const struct verb *v;

	if (f->command.len == 0 && !front_counts(&f->front))
		return WANT_CLOSE;
	if (!tagged)
		return front_mistake(&f->front, line);
	v = is_line_safe(line) ? take_verb(&f->front, &args.rest) : NULL;
	if (v == NULL)
		return front_mistake(&f->front, line);
	switch (read_args(v, &args, line, &due)) {
	case IMAP_LITERAL:
		return await_literal(f, v, line, &due);
	case IMAP_WHOLE:
		return front_run(&f->front, v, &args);
	case IMAP_WRONG:
		break;
	}
	return front_mistake(&f->front, line);
}

static enum want hear_line(struct dialog *d, struct str line)
{
	struct imap_front *f = imap_of(front_of(d));
	enum want want;

	d->at = &COMMAND;
	if (f->command.len != 0)
		buf_put(&f->command, line);
	if (f->command.full)
		want = front_too_long(&f->front);
	else
		want = read_command(f, f->command.len != 0 ? buf_text(&f->command) : line, line);
	if (d->at != &LITERAL)
		buf_wipe(&f->command);
	return want;
}

static enum want hear_literal(struct dialog *d, struct str bytes)
{
	buf_put(&imap_of(front_of(d))->command, bytes);
	d->at = &COMMAND;
	return WANT_INPUT;
}

/* The end of an ID command of which nothing was kept but its tag. */
static enum want hear_end_of_id(struct dialog *d, struct str last)
{
	d->at = &COMMAND;
	if (str_eq(last, STR("}")))
		return front_too_long(front_of(d));
	return id(front_of(d), &(struct args){ .rest = { NULL, 0 } });
}

/* A line that is longer than allowed has begun; an ID command may be answered without being kept. */
static enum want too_long(struct imap_front *f, struct str text)
{
	struct dialog *d = &f->front.dialog;
	const struct verb *v;

	if (d->at != &COMMAND || f->command.len != 0 || !take_tag(f, &text))
		return front_too_long(&f->front);
	v = take_verb(&f->front, &text);
	if (v == NULL || v->run != id)
		return front_too_long(&f->front);
	dialog_skip(d, ID_MAX);
	d->at = &LONG_ID;
	return front_counts(&f->front) ? WANT_INPUT : WANT_CLOSE;
}

static enum want told(struct dialog *d, enum news what, struct str text)
{
	return what == NEWS_TOO_LONG ? too_long(imap_of(front_of(d)), text) : front_told(d, what, text);
}

static void reply(struct front *f, const char *text)
{
	struct str tag = buf_text(&f->dialog.login->tag);

	buf_put(f->dialog.out, tag.len != 0 ? tag : STR("*"));
	buf_put_byte(f->dialog.out, ' ');
	front_put_line(f, str_of(text));
}

static void deny(struct front *f, const struct refusal *r)
{
	buf_put(f->dialog.out, buf_text(&f->dialog.login->tag));
	buf_put(f->dialog.out, STR(" NO "));
	front_put_foreign(f, buf_text(&r->text));
	front_put_line(f, STR(""));
}

static const struct excuse *excuses(const struct front *f)
{
	static const struct excuse WORDS[EXCUSES] = {
		[EXCUSE_DENIED] = { "", "[AUTHENTICATIONFAILED] Authentication failed" },
		[EXCUSE_FORBIDDEN] = { "", "[AUTHORIZATIONFAILED] Access denied" },
		[EXCUSE_UNAVAILABLE] = { "", "[UNAVAILABLE] Temporary failure, try again later" },
	};

	(void)f;
	return WORDS;
}

static void restart(struct front *f)
{
	buf_clear(&f->dialog.login->tag);
	buf_clear(&f->dialog.login->id);
	f->dialog.login->asked_capability = false;
	buf_wipe(&imap_of(f)->command);
}

static const char *const FAREWELLS[NEWS_KINDS] = {
	[NEWS_BROKEN] = "* BAD internal server error\r\n",
	[NEWS_FORBIDDEN] = "* BYE access denied\r\n",
	[NEWS_BAD_CERTIFICATE] = "* BYE SSL certificate error\r\n",
	[NEWS_NO_CERTIFICATE] = "* BYE No required SSL certificate\r\n",
	[NEWS_SHUTDOWN] = "* BYE server is shutting down\r\n",
};

static const struct manner MANNER = {
	.command = &COMMAND,
	.challenge = "+ ",
	.invalid = "BAD invalid command",
	.farewells = FAREWELLS,
	.args_max = ARGS,
	.reply = reply,
	.excuses = excuses,
	.deny = deny,
	.restart = restart,
	.drags = imap_drags,
};

static enum want open(struct dialog *d)
{
	struct imap_front *f = imap_of(front_of(d));

	/* the CRLF at the end is not kept, but counts */
	buf_init_in(&f->command, d->stage->arena, d->stage->line_max - 2);
	buf_put(d->out, STR("* OK IMAP4 ready\r\n"));
	d->at = &COMMAND;
	return WANT_INPUT;
}

const struct dialog_ops imap_front = {
	.size = sizeof(struct imap_front),
	.first = &front_unopened,
	.manner = &MANNER,
	.open = open,
	.told = told,
};
