/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of all fronts; see front.h. In the order of life: opened, commands, SASL, outcomes. */
#include "talk/front.h"

#include "base/text.h"

typedef enum want news_fn(struct front *f, struct str text);

static enum want hear_nothing(struct dialog *d, struct str line);
static enum want hear_response(struct dialog *d, struct str line);
static enum want hear_dummy(struct dialog *d, struct str line);

const struct state front_unopened = { "unopened", "sending client greeting line", hear_nothing };
static const struct state RESPONSE = { "SASL response", "in auth state", hear_response };
static const struct state DUMMY = { "answer to SASL error", "in auth state", hear_dummy };

static enum want hear_nothing(struct dialog *d, struct str line)
{
	(void)d, (void)line;
	return WANT_CLOSE;
}

static const struct manner *manner_of(const struct front *f)
{
	return f->dialog.ops->manner;
}

static const struct stage *stage_of(const struct front *f)
{
	return f->dialog.stage;
}

void front_put_line(struct front *f, struct str text)
{
	buf_put(f->dialog.out, text);
	buf_put(f->dialog.out, STR("\r\n"));
}

enum want front_reply(struct front *f, const char *text)
{
	manner_of(f)->reply(f, text);
	return WANT_INPUT;
}

void front_put_foreign(struct front *f, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		buf_put_byte(f->dialog.out, c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
	}
}

bool front_offers_tls(const struct front *f)
{
	return stage_of(f)->starttls != STARTTLS_OFF && !f->dialog.secure;
}

bool front_needs_tls(const struct front *f)
{
	return stage_of(f)->starttls == STARTTLS_ONLY && !f->dialog.secure;
}

unsigned front_methods(const struct front *f)
{
	return front_needs_tls(f) ? 0 : front_settings(f)->methods;
}

bool front_has_capability(const struct front *f, struct str word)
{
	const struct strs *words = &front_settings(f)->capabilities;

	for (size_t i = 0; i < words->len; i++)
		if (str_same(words->at[i], word))
			return true;
	return false;
}

/* ---- commands ---- */

const struct verb *verb_take(const struct verb *table, struct str *rest)
{
	struct str name = str_cut(rest, ' ');

	for (const struct verb *v = table; v->name.at != NULL; v++)
		if (str_same(v->name, name))
			return v;
	return NULL;
}

bool args_words(struct args *args, size_t most)
{
	struct str rest = args->rest;

	while (rest.len != 0) {
		struct str word = str_cut(&rest, ' ');

		if (word.len == 0)
			continue;
		if (args->len == most)
			return false;
		args->at[args->len++] = word;
	}
	return true;
}

static enum want last_reply(struct front *f, const char *why)
{
	dialog_note(&f->dialog, why, (struct str){ NULL, 0 });
	manner_of(f)->reply(f, manner_of(f)->invalid);
	return WANT_CLOSE;
}

bool front_counts(struct front *f)
{
	if (++f->commands <= stage_of(f)->max_commands)
		return true;
	last_reply(f, "client sent too many commands");
	return false;
}

enum want front_invalid(struct front *f)
{
	f->dialog.at = manner_of(f)->command;
	return front_reply(f, manner_of(f)->invalid);
}

/*
 * A browser that was lured into talking to a mail port (ALPACA) begins with one of these; what follows are
 * headers and a body that an attacker chose, and none of it may be tried as a command.
 */
static bool is_http(struct str line)
{
	static const struct str METHODS[] = { LIT("GET"),     LIT("POST"),    LIT("PUT"),     LIT("HEAD"),
					      LIT("OPTIONS"), LIT("CONNECT"), LIT("DELETE"),  LIT("TRACE"),
					      LIT("PATCH"),   LIT("PRI"),     LIT("PROPFIND") };
	struct str first = str_cut(&line, ' ');

	for (size_t i = 0; i < sizeof(METHODS) / sizeof(*METHODS); i++)
		if (str_eq(METHODS[i], first))
			return line.len != 0;
	return false;
}

enum want front_mistake(struct front *f, struct str line)
{
	if (is_http(line))
		return last_reply(f, "client sent an HTTP request");
	if (++f->mistakes >= stage_of(f)->max_errors)
		return last_reply(f, "client sent too many invalid commands");
	front_invalid(f);
	return manner_of(f)->drags != NULL && manner_of(f)->drags(line) ? WANT_CLOSE : WANT_INPUT;
}

enum want front_too_long(struct front *f)
{
	return last_reply(f, "client sent too long command");
}

enum want front_run(struct front *f, const struct verb *v, const struct args *args)
{
	if ((v->flags & VERB_CREDENTIALS) != 0 && front_needs_tls(f))
		return front_invalid(f);
	return v->run(f, args);
}

enum want front_command(struct front *f, const struct verb *table, struct str line)
{
	struct args args = { .line = line, .rest = line };
	const struct verb *v;

	if (!front_counts(f))
		return WANT_CLOSE;
	v = verb_take(table, &args.rest);
	if (v == NULL || str_has(line, '\r'))
		return front_mistake(f, line);
	while (args.line.len != 0 && args.line.at[args.line.len - 1] == ' ')
		args.line.len--;
	if ((v->flags & VERB_WHOLE) == 0 && !args_words(&args, manner_of(f)->args_max))
		return front_mistake(f, line);
	return front_run(f, v, &args);
}

/* ---- SASL ---- */

void front_begin_login(struct front *f, enum sasl_method method)
{
	login_forget(f->dialog.login);
	f->dialog.login->method = method;
}

static enum want challenge(struct front *f)
{
	buf_put(f->dialog.out, str_of(manner_of(f)->challenge));
	base64_put(f->dialog.out, f->sasl.challenge);
	front_put_line(f, STR(""));
	f->dialog.at = &RESPONSE;
	return WANT_INPUT;
}

/* Broken responses count as mistakes do, so that nobody can try them without end; whoever cancels or asks for
 * the impossible is in good form. */
static enum want refuse_response(struct front *f, struct str line)
{
	if (f->sasl.complaint == NULL)
		return front_invalid(f);
	dialog_note(&f->dialog, f->sasl.complaint, (struct str){ NULL, 0 });
	return front_mistake(f, line);
}

static enum want exchanged(struct front *f, enum sasl_step step, struct str line)
{
	f->dialog.at = manner_of(f)->command;
	if (step == SASL_MORE)
		return challenge(f);
	return step == SASL_DONE ? WANT_AUTH : refuse_response(f, line);
}

/* PLAIN and LOGIN are taken even where they are not announced, as the peer does and its users rely on. */
static bool may_use(const struct front *f, enum sasl_method method)
{
	return ((front_settings(f)->methods | SASL_PLAIN | SASL_LOGIN) & method) != 0;
}

enum want front_authenticate(struct front *f, const struct args *args)
{
	struct login *l = f->dialog.login;
	struct sasl_fields fields = { &l->user, &l->secret, &l->salt };
	const struct sasl_mechanism *m = args->len != 0 ? sasl_find(args->at[0]) : NULL;
	struct str initial = { NULL, 0 };

	if (m == NULL || args->len > 2 || !may_use(f, sasl_method(m)))
		return front_invalid(f);
	if (args->len == 2)
		initial = args->at[1];
	front_begin_login(f, sasl_method(m));
	return exchanged(f, sasl_begin(&f->sasl, m, fields, stage_of(f)->server_name, initial), initial);
}

static enum want hear_response(struct dialog *d, struct str line)
{
	struct front *f = front_of(d);

	while (line.len != 0 && line.at[line.len - 1] == ' ')
		line.len--;
	return exchanged(f, sasl_hear(&f->sasl, line), line);
}

/* ---- outcomes ---- */

static enum want secured(struct front *f, struct str text)
{
	(void)text;
	f->dialog.secure = true;
	f->dialog.at = manner_of(f)->command;
	login_forget(f->dialog.login);
	if (manner_of(f)->restart != NULL)
		manner_of(f)->restart(f);
	return WANT_INPUT;
}

static enum want logged_in(struct front *f, struct str text)
{
	struct login *l = f->dialog.login;

	(void)text;
	if (manner_of(f)->welcome != NULL && l->method != SASL_NONE)
		manner_of(f)->reply(f, manner_of(f)->welcome);
	else
		buf_put(f->dialog.out, buf_text(&l->answer));
	return WANT_RELAY;
}

static enum want say_refusal(struct front *f)
{
	const struct refusal *r = &f->dialog.login->refusal;

	manner_of(f)->deny(f, r);
	f->dialog.at = manner_of(f)->command;
	return r->final ? WANT_CLOSE : WANT_INPUT;
}

/* An OAuth client may be told more, in base64, and owes a dummy answer before it gets its refusal (RFC 7628
 * section 3.2.2). */
static enum want denied(struct front *f, struct str text)
{
	struct login *l = f->dialog.login;
	struct str more = buf_text(&l->refusal.sasl);

	(void)text;
	buf_wipe(&l->secret);
	if (more.len == 0 || (l->method & (SASL_XOAUTH2 | SASL_OAUTHBEARER)) == 0)
		return say_refusal(f);
	buf_put(f->dialog.out, str_of(manner_of(f)->challenge));
	front_put_foreign(f, more);
	front_put_line(f, STR(""));
	f->dialog.at = &DUMMY;
	return WANT_INPUT;
}

static enum want hear_dummy(struct dialog *d, struct str line)
{
	struct front *f = front_of(d);

	if (str_eq(line, sasl_dummy(d->login->method)))
		return say_refusal(f);
	front_invalid(f);
	return d->login->refusal.final ? WANT_CLOSE : WANT_INPUT;
}

/* The server's words where the back has kept some, else our own. Who guesses passwords has as many tries on
 * one connection as mistakes are allowed. */
static enum want denied_by_server(struct front *f, struct str text)
{
	static const unsigned char EXCUSE_FOR[FAILURE_KINDS] = {
		[FAILURE_NONE] = EXCUSE_UNAVAILABLE,   [FAILURE_CREDENTIALS] = EXCUSE_DENIED,
		[FAILURE_UNCLEAR] = EXCUSE_DENIED,     [FAILURE_ACCOUNT] = EXCUSE_FORBIDDEN,
		[FAILURE_LIMIT] = EXCUSE_UNAVAILABLE,  [FAILURE_TEMPORARY] = EXCUSE_UNAVAILABLE,
		[FAILURE_CONFIG] = EXCUSE_UNAVAILABLE,
	};
	struct login *l = f->dialog.login;
	unsigned excuse = EXCUSE_FOR[l->failure];
	const struct excuse *e = &manner_of(f)->excuses(f)[excuse];

	l->refusal.final = excuse == EXCUSE_DENIED && ++f->mistakes >= stage_of(f)->max_errors;
	if (l->refusal.text.len == 0) {
		buf_set(&l->refusal.code, str_of(e->code));
		buf_set(&l->refusal.text, str_of(e->text));
	}
	return denied(f, text);
}

/* Whatever was said on the way to the trouble, it was not about the client. */
static enum want unavailable(struct front *f, struct str text)
{
	login_forget_answer(f->dialog.login);
	f->dialog.login->failure = FAILURE_TEMPORARY;
	return denied_by_server(f, text);
}

static enum want refused(struct front *f, struct str text)
{
	(void)text;
	buf_put(f->dialog.out, buf_text(&f->dialog.login->answer));
	return WANT_CLOSE;
}

static enum want too_long(struct front *f, struct str text)
{
	(void)text;
	return front_too_long(f);
}

/* Only the first word goes to the log: behind it there may be credentials. */
static void note_early(struct front *f, struct str text)
{
	struct str line = str_cut(&text, '\n'), word = str_cut(&line, ' ');

	dialog_note(&f->dialog, "client was rejected before greeting", str_trim(word));
}

enum want front_told(struct dialog *d, enum news what, struct str text)
{
	static news_fn *const ANSWERS[NEWS_KINDS] = {
		[NEWS_SECURED] = secured,
		[NEWS_LOGGED_IN] = logged_in,
		[NEWS_DENIED] = denied,
		[NEWS_REFUSED] = refused,
		[NEWS_TOO_LONG] = too_long,
		[NEWS_UNAVAILABLE] = unavailable,
		[NEWS_BACKEND_DENIED] = denied_by_server,
	};
	struct front *f = front_of(d);

	if (ANSWERS[what] != NULL)
		return ANSWERS[what](f, text);
	if (what == NEWS_EARLY_INPUT)
		note_early(f, text);
	buf_put(d->out, str_of(manner_of(f)->farewells[what]));
	return WANT_CLOSE;
}
