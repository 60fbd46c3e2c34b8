/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of Dovecot's auth-client protocol; see dovecot_wire.h.
 *
 * What a passdb says in proxy fields (host, port, destuser, pass, master, ssl, starttls, proxy_mech) becomes
 * the answer's. One word is not obeyed: `any-cert`. Whether certificates are verified is the operator's to
 * say where TLS to mail servers is configured, not a field's in a database.
 */
#include "auth/dovecot_wire.h"

#include "base/text.h"
#include "sasl/sasl.h"
#include <string.h>

/* As enum proxy_tls of the backend's TLS: off, from the first byte, by STARTTLS; plus one. */
enum { TLS_ON = 2, TLS_STARTTLS = 3 };

/* The bytes that a field cannot hold, and the letters that stand for them behind \001. */
static const char ESCAPED[] = { '\0', '\001', '\t', '\r', '\n' };
static const char LETTERS[] = { '0', '1', 't', 'r', 'n' };

void dovecot_put_escaped(struct buf *to, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char *at = memchr(ESCAPED, text.at[i], sizeof(ESCAPED));

		if (at == NULL) {
			buf_put_byte(to, text.at[i]);
			continue;
		}
		buf_put_byte(to, '\001');
		buf_put_byte(to, LETTERS[at - ESCAPED]);
	}
}

/* Unescape in place; what no one would write stays as it is. */
static struct str unescape(char *at, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		const char *letter = NULL;

		if (at[i] == '\001' && i + 1 < len)
			letter = memchr(LETTERS, at[i + 1], sizeof(LETTERS));
		if (letter != NULL)
			i++;
		at[to++] = letter != NULL ? ESCAPED[letter - LETTERS] : at[i];
	}
	return (struct str){ at, to };
}

void dovecot_put_hello(struct buf *to, uint32_t client)
{
	buf_format(to, "VERSION\t%d\t2\nCPID\t%u\n", DOVECOT_MAJOR, client);
}

static void put_field(struct buf *to, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	buf_format(to, "\t%s=", name);
	dovecot_put_escaped(to, value);
}

static void put_port(struct buf *to, const char *name, uint16_t port)
{
	if (port != 0)
		buf_format(to, "\t%s=%u", name, port);
}

/* What a mechanism says in its one message. LOGIN and the protocols' own commands come down to PLAIN. There
 * is no EXTERNAL: Dovecot has its own settings for whom a certificate names, and cannot see it from here. */
static enum sasl_method mechanism(enum sasl_method m)
{
	if (m == SASL_LOGIN)
		return SASL_PLAIN;
	return (m & (SASL_PLAIN | SASL_XOAUTH2 | SASL_OAUTHBEARER)) != 0 ? m : 0;
}

static void put_response(struct buf *to, enum sasl_method m, const struct login *l)
{
	buf_put(to, STR("\tresp="));
	sasl_say(to, m, STR(""), buf_text(&l->user), buf_text(&l->secret));
}

static void put_security(struct buf *to, const struct auth_tls *tls)
{
	if (tls->on)
		buf_put(to, STR("\tsecured"));
}

static void put_question(struct buf *to, uint32_t id, enum sasl_method m, const struct auth_request *r)
{
	buf_format(to, "AUTH\t%u\t%.*s\tservice=%s", id, STR_ARG(sasl_name(m)), r->protocol);
	put_field(to, "session", r->session_id);
	put_field(to, "lip", r->server_ip);
	put_field(to, "rip", r->client_ip);
	put_port(to, "lport", r->server_port);
	put_port(to, "rport", r->client_port);
	put_security(to, &r->tls);
	/* nobody will ask for the user's mailbox here afterwards */
	buf_put(to, STR("\tnologin"));
	put_response(to, m, r->login);
	buf_put_byte(to, '\n');
}

bool dovecot_put_question(struct buf *to, uint32_t id, const struct auth_request *r)
{
	enum sasl_method m = mechanism(r->login->method);
	struct buf line;
	bool fits;

	if (m == 0)
		return false;
	buf_init(&line, DOVECOT_SAID_MOST);
	put_question(&line, id, m, r);
	fits = !line.full;
	if (fits)
		buf_put(to, buf_text(&line));
	buf_wipe(&line);
	buf_done(&line);
	return fits;
}

void dovecot_put_go_on(struct buf *to, uint32_t id)
{
	buf_format(to, "CONT\t%u\t\n", id);
}

/* ---- reading ---- */

/* Fields that are put together once all have been read. */
struct fields {
	struct str host, port, reason, code, mechanism;
	bool proxy, nologin, temporary, starttls, ssl;
};

static bool is_yes(struct str value)
{
	return str_same(value, STR("yes")) || str_same(value, STR("any-cert"));
}

static void take_field(struct str name, struct str value, struct fields *f, struct auth_answer *a)
{
	const struct {
		struct str name;
		struct str *to;
	} TEXTS[] = { { LIT("user"), &a->user },	   { LIT("destuser"), &a->user },
		      { LIT("pass"), &a->secret },	   { LIT("master"), &a->master },
		      { LIT("host"), &f->host },	   { LIT("port"), &f->port },
		      { LIT("reason"), &f->reason },	   { LIT("code"), &f->code },
		      { LIT("proxy_mech"), &f->mechanism } };
	const struct {
		struct str name;
		bool *to;
	} FLAGS[] = { { LIT("proxy"), &f->proxy },
		      { LIT("nologin"), &f->nologin },
		      { LIT("temp"), &f->temporary } };

	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(*TEXTS); i++)
		if (str_eq(name, TEXTS[i].name))
			*TEXTS[i].to = value;
	for (size_t i = 0; i < sizeof(FLAGS) / sizeof(*FLAGS); i++)
		if (str_eq(name, FLAGS[i].name))
			*FLAGS[i].to = true;
	if (str_eq(name, STR("ssl")))
		f->ssl = is_yes(value);
	else if (str_eq(name, STR("starttls")))
		f->starttls = is_yes(value);
	else if (str_eq(name, STR("user_disabled")) || str_eq(name, STR("pass_expired")) ||
		 str_eq(name, STR("authz")))
		f->code = name;
}

/* Fields up to the end of the line, which starts at `at`. `destuser` stands behind `user` in every line, so
 * the later one wins. */
static void take_fields(char *at, char *end, struct fields *f, struct auth_answer *a)
{
	while (at < end) {
		char *tab = memchr(at, '\t', (size_t)(end - at)), *stop = tab != NULL ? tab : end;
		char *sign = memchr(at, '=', (size_t)(stop - at));
		struct str name = { at, (size_t)((sign != NULL ? sign : stop) - at) };
		struct str value = { NULL, 0 };

		if (sign != NULL)
			value = unescape(sign + 1, (size_t)(stop - sign - 1));
		take_field(name, value, f, a);
		at = stop + 1;
	}
}

/* "HOST", "HOST:PORT", with brackets where the host is an IPv6 address. */
static void put_target(const struct fields *f, struct dovecot_line *to)
{
	struct buf b;
	uint64_t port;

	buf_init(&b, sizeof(to->target));
	buf_format(&b, str_has(f->host, ':') && !str_starts(f->host, STR("unix:")) ? "[%.*s]" : "%.*s",
		   STR_ARG(f->host));
	if (str_number(f->port, UINT16_MAX, &port))
		to->answer.port = (uint16_t)port;
	if (b.full || !has_no_controls(f->host)) {
		to->answer =
			(struct auth_answer){ AUTH_ANSWER_INIT, .verdict = AUTH_BROKEN, .level = LOG_ERROR };
		to->answer.cause = "auth_dovecot: the passdb names a host that is none";
	} else {
		memcpy(to->target, b.at, b.len);
		to->answer.target = (struct str){ to->target, b.len };
	}
	buf_done(&b);
}

static void granted(const struct fields *f, struct dovecot_line *to)
{
	struct auth_answer *a = &to->answer;

	a->verdict = AUTH_OK;
	if (f->starttls)
		a->tls = TLS_STARTTLS;
	else if (f->ssl)
		a->tls = TLS_ON;
	if (str_same(f->mechanism, STR("XOAUTH2")))
		a->back_method = SASL_XOAUTH2;
	else if (str_same(f->mechanism, STR("OAUTHBEARER")))
		a->back_method = SASL_OAUTHBEARER;
	if (f->host.len != 0)
		put_target(f, to);
}

/* `nologin` without `proxy`: the user may not log in here, for the reason given. */
static void refused(const struct fields *f, struct auth_answer *a)
{
	static const struct {
		const char *code;
		enum auth_failure failure;
	} CODES[] = { { "user_disabled", AUTH_FAILURE_DISABLED },
		      { "pass_expired", AUTH_FAILURE_EXPIRED },
		      { "authz_fail", AUTH_FAILURE_FORBIDDEN },
		      { "authz", AUTH_FAILURE_FORBIDDEN } };

	a->verdict = AUTH_DENIED;
	a->message = is_line_safe(f->reason) ? f->reason : (struct str){ NULL, 0 };
	for (size_t i = 0; i < sizeof(CODES) / sizeof(*CODES); i++)
		if (str_eq(f->code, str_of(CODES[i].code)))
			a->failure = CODES[i].failure;
	if (f->nologin)
		a->failure = AUTH_FAILURE_FORBIDDEN;
}

static void answer(char *at, char *end, struct dovecot_line *to)
{
	struct auth_answer *a = &to->answer;
	struct fields f = { 0 };

	*a = (struct auth_answer){ AUTH_ANSWER_INIT, .verdict = AUTH_BROKEN, .level = LOG_ERROR };
	take_fields(at, end, &f, a);
	if (f.temporary || str_eq(f.code, STR("temp_fail"))) {
		a->verdict = AUTH_BROKEN;
		a->level = LOG_ERROR;
		a->cause = "auth_dovecot: temporary failure, Dovecot's log tells more";
	} else if (to->word == DOVECOT_FAIL || (f.nologin && !f.proxy)) {
		refused(&f, a);
	} else {
		granted(&f, to);
	}
}

void dovecot_read_line(char *line, size_t len, struct dovecot_line *to)
{
	static const struct {
		struct str name;
		enum dovecot_word word;
	} WORDS[] = { { LIT("VERSION"), DOVECOT_VERSION }, { LIT("DONE"), DOVECOT_READY },
		      { LIT("OK"), DOVECOT_OK },	   { LIT("FAIL"), DOVECOT_FAIL },
		      { LIT("CONT"), DOVECOT_CONTINUE },   { LIT("MECH"), DOVECOT_OTHER },
		      { LIT("SPID"), DOVECOT_OTHER },	   { LIT("CUID"), DOVECOT_OTHER },
		      { LIT("COOKIE"), DOVECOT_OTHER } };
	struct str rest = { line, len }, word = str_cut(&rest, '\t');

	/* a zeroed answer would be a yes */
	*to = (struct dovecot_line){ .word = DOVECOT_BAD, .answer.verdict = AUTH_BROKEN };
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++)
		if (str_eq(word, WORDS[i].name))
			to->word = WORDS[i].word;
	if (to->word == DOVECOT_READY || to->word == DOVECOT_OTHER || to->word == DOVECOT_BAD)
		return;
	if (!str_number(str_cut(&rest, '\t'), UINT32_MAX, &to->number))
		to->word = DOVECOT_BAD;
	else if (to->word == DOVECOT_OK || to->word == DOVECOT_FAIL)
		answer(line + (len - rest.len), line + len, to);
}
