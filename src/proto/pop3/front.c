/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The POP3 side that faces clients, from greeting to login (RFC 1939 sections 4 and 7, RFC 2449, 2595, 5034).
 *
 * Behind USER only PASS leads on; each of the two places has a table of its own that says what every verb
 * means there.
 */
#include "proto/pop3/pop3.h"
#include "talk/front.h"

#include "base/text.h"

enum { ARGS = 3, SALT_MAX = 512 };

struct pop3_front {
	struct front front;
	struct buf salt; /* of the greeting, for APOP; CRAM-MD5 makes a new one each time */
};

static enum want hear_command(struct dialog *d, struct str line);
static enum want hear_after_user(struct dialog *d, struct str line);

static const struct state COMMAND = { "command", "in auth state", hear_command };
static const struct state AFTER_USER = { "after USER", "in auth state", hear_after_user };

static struct pop3_front *pop3_of(struct front *f)
{
	return (struct pop3_front *)f;
}

static enum want capa(struct front *f, const struct args *args)
{
	const struct strs *words = &front_settings(f)->capabilities;

	(void)args;
	front_put_line(f, STR("+OK Capability list follows"));
	for (size_t i = 0; i < words->len; i++)
		if (!front_needs_tls(f) || !str_same(words->at[i], STR("USER")))
			front_put_line(f, words->at[i]);
	if (!front_needs_tls(f)) {
		buf_put(f->dialog.out, STR("SASL"));
		sasl_announce(f->dialog.out, front_methods(f), " ", "");
		front_put_line(f, STR(""));
	}
	/* behind USER it would be out of place */
	if (front_offers_tls(f) && f->dialog.at == &COMMAND)
		front_put_line(f, STR("STLS"));
	return front_reply(f, ".");
}

static enum want noop(struct front *f, const struct args *args)
{
	(void)args;
	return front_reply(f, "+OK");
}

static enum want quit(struct front *f, const struct args *args)
{
	(void)args;
	front_reply(f, "+OK");
	return WANT_CLOSE;
}

static enum want stls(struct front *f, const struct args *args)
{
	(void)args;
	if (!front_offers_tls(f))
		return front_invalid(f);
	front_reply(f, "+OK");
	return WANT_TLS;
}

/* A name may have blanks inside, and at its end; none at its beginning. */
static enum want user(struct front *f, const struct args *args)
{
	struct str name = args->rest;

	while (name.len != 0 && name.at[0] == ' ')
		name = str_skip(name, 1);
	if (name.len == 0)
		return front_invalid(f);
	if (!sasl_good_user(name))
		return front_mistake(f, args->line);
	front_begin_login(f, SASL_PLAIN);
	buf_set(&f->dialog.login->user, name);
	f->dialog.at = &AFTER_USER;
	return front_reply(f, "+OK");
}

/* All behind one blank is the password, blanks at both ends included (RFC 1939 section 7). */
static enum want pass(struct front *f, const struct args *args)
{
	if (args->rest.len == 0)
		return front_invalid(f);
	if (!sasl_good_secret(args->rest))
		return front_mistake(f, args->line);
	buf_set(&f->dialog.login->secret, args->rest);
	return WANT_AUTH;
}

static enum want apop(struct front *f, const struct args *args)
{
	struct login *l = f->dialog.login;

	if (args->len != 2 || (front_settings(f)->methods & SASL_APOP) == 0)
		return front_invalid(f);
	if (!sasl_good_user(args->at[0]) || !sasl_good_secret(args->at[1]))
		return front_mistake(f, args->line);
	front_begin_login(f, SASL_APOP);
	buf_set(&l->user, args->at[0]);
	buf_set(&l->secret, args->at[1]);
	buf_set(&l->salt, buf_text(&pop3_of(f)->salt));
	return WANT_AUTH;
}

static enum want auth(struct front *f, const struct args *args)
{
	if (args->len != 0)
		return front_authenticate(f, args);
	front_put_line(f, STR("+OK methods supported:"));
	sasl_announce(f->dialog.out, front_methods(f), "", "\r\n");
	return front_reply(f, ".");
}

static enum want misplaced(struct front *f, const struct args *args)
{
	(void)args;
	return front_invalid(f);
}

static const struct verb VERBS[] = {
	{ LIT("USER"), user, VERB_CREDENTIALS | VERB_WHOLE },
	{ LIT("PASS"), misplaced, VERB_WHOLE },
	{ LIT("APOP"), apop, VERB_CREDENTIALS },
	{ LIT("AUTH"), auth, VERB_CREDENTIALS },
	{ LIT("CAPA"), capa, 0 },
	{ LIT("STLS"), stls, 0 },
	{ LIT("NOOP"), noop, 0 },
	{ LIT("QUIT"), quit, 0 },
	{ { NULL, 0 }, NULL, 0 },
};

static const struct verb VERBS_AFTER_USER[] = {
	{ LIT("PASS"), pass, VERB_CREDENTIALS | VERB_WHOLE },
	{ LIT("CAPA"), capa, 0 },
	{ LIT("NOOP"), noop, 0 },
	{ LIT("QUIT"), quit, 0 },
	{ LIT("USER"), misplaced, VERB_WHOLE },
	{ LIT("APOP"), misplaced, 0 },
	{ LIT("AUTH"), misplaced, 0 },
	{ LIT("STLS"), misplaced, 0 },
	{ { NULL, 0 }, NULL, 0 },
};

static enum want hear_command(struct dialog *d, struct str line)
{
	return front_command(front_of(d), VERBS, line);
}

static enum want hear_after_user(struct dialog *d, struct str line)
{
	return front_command(front_of(d), VERBS_AFTER_USER, line);
}

static void reply(struct front *f, const char *text)
{
	front_put_line(f, str_of(text));
}

static void deny(struct front *f, const struct refusal *r)
{
	buf_put(f->dialog.out, STR("-ERR "));
	front_put_foreign(f, buf_text(&r->text));
	front_put_line(f, STR(""));
}

static const struct excuse *excuses(const struct front *f)
{
	static const struct excuse WORDS[EXCUSES] = {
		[EXCUSE_DENIED] = { "", "[AUTH] Authentication failed" },
		[EXCUSE_FORBIDDEN] = { "", "[SYS/PERM] Access denied" },
		[EXCUSE_UNAVAILABLE] = { "", "[SYS/TEMP] Temporary failure, try again later" },
	};

	(void)f;
	return WORDS;
}

static const char *const FAREWELLS[NEWS_KINDS] = {
	[NEWS_BROKEN] = "-ERR internal server error\r\n",
	[NEWS_FORBIDDEN] = "-ERR access denied\r\n",
	[NEWS_BAD_CERTIFICATE] = "-ERR SSL certificate error\r\n",
	[NEWS_NO_CERTIFICATE] = "-ERR No required SSL certificate\r\n",
	[NEWS_SHUTDOWN] = "-ERR server is shutting down\r\n",
};

static const struct manner MANNER = {
	.command = &COMMAND,
	.challenge = "+ ",
	.invalid = "-ERR invalid command",
	.farewells = FAREWELLS,
	.args_max = ARGS,
	.reply = reply,
	.excuses = excuses,
	.deny = deny,
};

static enum want open(struct dialog *d)
{
	struct front *f = front_of(d);
	struct buf *salt = &pop3_of(f)->salt;

	buf_init_in(salt, d->stage->arena, SALT_MAX);
	buf_put(d->out, STR("+OK POP3 ready"));
	if ((front_settings(f)->methods & (SASL_APOP | SASL_CRAM_MD5)) != 0) {
		sasl_make_salt(salt, d->stage->server_name);
		buf_put_byte(d->out, ' ');
		buf_put(d->out, buf_text(salt));
	}
	front_put_line(f, STR(""));
	d->at = &COMMAND;
	return WANT_INPUT;
}

const struct dialog_ops pop3_front = {
	.size = sizeof(struct pop3_front),
	.first = &front_unopened,
	.manner = &MANNER,
	.open = open,
	.told = front_told,
};
