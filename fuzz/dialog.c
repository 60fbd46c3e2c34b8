/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every front and every back against hostile bytes, with outcomes that the input chooses.
 *
 * The first bytes say which side of which protocol, on what stage, and what is told when; the rest is what
 * the dialog hears. Each input is played twice, in one piece and in small ones: a front must say the same
 * both times. What is said must be lines, what is asked about must be fit for a line, and memory must stay
 * within bounds.
 */
#include "scene.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/must.h"
#include "base/text.h"
#include "proto/imap/imap.h"
#include "proto/pop3/pop3.h"
#include "proto/smtp/smtp.h"
#include <stdlib.h>
#include <string.h>

static const struct protocol *const PROTOCOLS[] = { &imap_protocol, &pop3_protocol, &smtp_protocol };

enum { HEAD = 9, ARENA_MAX = 64 * 1024, TURNS_MAX = 2000 };

/* How an input begins. */
struct head {
	uint8_t who;   /* protocol, and in the highest bit which side */
	uint8_t stage; /* two bits starttls, TLS, small buffer, xclient, proxy_smtp_auth, OAuth to the server,
			  none */
	uint8_t methods;
	uint8_t step;	     /* size of the small pieces */
	uint8_t outcomes[4]; /* three bits for each question, over and over */
	uint8_t back; /* STARTTLS, EXTERNAL, retelling, master user, pipelining, two bits identity, asked
			 before */
};

struct play {
	struct scene scene;
	const struct head *head;
	unsigned questions;
	enum want want;
};

/* Challenges must be the same in both plays: these take the place of the library's. */
void random_bytes(void *to, size_t size)
{
	memset(to, 7, size);
}

uint64_t clock_wall(void)
{
	return 1;
}

static bool is_back(const struct head *h)
{
	return (h->who & 0x80) != 0;
}

/* Take a field with a length byte before it off the front of the input. */
static void take_field(struct str *in, struct buf *to)
{
	size_t len = in->len != 0 ? (unsigned char)in->at[0] : 0;

	*in = str_skip(*in, 1);
	if (len > in->len)
		len = in->len;
	buf_set(to, (struct str){ in->at, len });
	*in = str_skip(*in, len);
}

static void set_login(struct play *p, struct str *in)
{
	struct login *l = &p->scene.login;

	take_field(in, &l->user);
	take_field(in, &l->secret);
	take_field(in, &l->helo);
	buf_set(&l->tag, STR("a1"));
	buf_set(&l->mail, STR("MAIL FROM:<a@b>"));
	buf_set(&l->rcpt, STR("RCPT TO:<c@d>"));
	l->method = (p->head->stage & 128) != 0 ? SASL_NONE : SASL_PLAIN;
	l->asked_capability = (p->head->back & 128) != 0;
	if ((p->head->back & 8) != 0)
		buf_set(&l->master, STR("root"));
	buf_set(&l->id, STR(" \"name\" \"mutt\""));
	if ((p->head->stage & 64) != 0)
		l->back_method = (p->head->methods & 1) != 0 ? SASL_XOAUTH2 : SASL_OAUTHBEARER;
}

static void set_word(struct scene *s, const char *name, const char *word)
{
	struct buf row;

	buf_init(&row, 100);
	buf_format(&row, "%s %s", name, word);
	must(scene_set(s, buf_text(&row)));
	buf_done(&row);
}

static void set_identity(struct scene *s, unsigned bits)
{
	static const char *const IMAP[] = { "off", "on", "always", "zimbra" };
	static const char *const POP3[] = { "off", "on", "xoip", "on" };

	s->stage.secures = (bits & 1) != 0;
	s->stage.vouched = (bits & 2) != 0;
	s->stage.retells = (bits & 4) != 0;
	s->stage.ttl = 4;
	s->stage.session_id = STR("0123456789abcdef");
	s->stage.asked_name = STR("a name");
	if (s->protocol == &imap_protocol) {
		set_word(s, "imap_proxy_id", IMAP[bits >> 5 & 3]);
		set_word(s, "imap_proxy_pipelining", (bits & 16) != 0 ? "on" : "off");
	} else if (s->protocol == &pop3_protocol) {
		set_word(s, "pop3_proxy_xclient", POP3[bits >> 5 & 3]);
	}
}

static void set_scene(struct play *p)
{
	const struct head *h = p->head;
	struct scene *s = &p->scene;

	scene_init(s, PROTOCOLS[(h->who & 0x7f) % 3]);
	((struct front_settings *)s->settings)->methods = h->methods;
	if (s->protocol == &smtp_protocol) {
		struct smtp_settings *settings = s->settings;

		settings->xclient = (h->stage & 16) != 0;
		settings->proxy_auth = (h->stage & 32) != 0;
	} else {
		scene_set(s, s->protocol == &imap_protocol ? STR("imap_capabilities IMAP4 ID")
							   : STR("pop3_capabilities USER"));
	}
	s->stage.starttls = (enum starttls)((h->stage & 3) % 3);
	s->secure = (h->stage & 4) != 0;
	if ((h->stage & 8) != 0)
		s->stage.line_max = 128;
	set_identity(s, h->back);
	s->stage.max_errors = 20;
	s->stage.max_commands = 50;
}

static void check_lines(struct str s)
{
	struct str line;

	while (s.len != 0) {
		size_t end = str_index(s, '\n');

		must(end < s.len && end != 0 && s.at[end - 1] == '\r');
		line = (struct str){ s.at, end - 1 };
		must(is_line_safe(line));
		s = str_skip(s, end + 1);
	}
}

/* A question is about somebody, in words that every line can carry. */
static void check_question(const struct login *l)
{
	must(l->user.len != 0 || l->method == SASL_EXTERNAL || l->method == SASL_NONE);
	must(is_line_safe(buf_text(&l->user)) && is_line_safe(buf_text(&l->secret)) &&
	     is_line_safe(buf_text(&l->tag)) && is_line_safe(buf_text(&l->id)));
	must(has_no_controls(buf_text(&l->helo)) && has_no_controls(buf_text(&l->mail)) &&
	     has_no_controls(buf_text(&l->rcpt)));
	must(l->method != SASL_EXTERNAL || l->secret.len == 0);
}

static enum want answer(struct play *p)
{
	static const enum news OUTCOMES[] = { NEWS_DENIED,	   NEWS_DENIED,	       NEWS_LOGGED_IN,
					      NEWS_BROKEN,	   NEWS_UNAVAILABLE,   NEWS_BACKEND_DENIED,
					      NEWS_BACKEND_DENIED, NEWS_BACKEND_DENIED };
	unsigned n = p->questions++ % 8, bits = p->head->outcomes[n / 2] >> n % 2 * 4 & 7;
	struct login *l = &p->scene.login;

	check_question(l);
	if (OUTCOMES[bits] == NEWS_BACKEND_DENIED)
		l->failure = (enum failure)(p->head->back % FAILURE_KINDS);
	if (bits != 6)
		buf_set(&l->refusal.text, STR("no\r\na OK\0"));
	if (bits == 1 || bits == 5)
		buf_set(&l->refusal.sasl, STR("eyJ9"));
	buf_set(&l->answer, STR("+OK in\r\n"));
	return dialog_told(p->scene.dialog, OUTCOMES[bits], STR(""));
}

/* Do what the dialog wants; false when it wants an end, or what the session would refuse. */
static bool serve(struct play *p, const struct str *unheard)
{
	if (p->want == WANT_TLS && unheard->len == 0)
		p->want = dialog_told(p->scene.dialog, NEWS_SECURED, STR(""));
	else if (p->want == WANT_AUTH)
		p->want = answer(p);
	else
		return p->want == WANT_INPUT;
	return true;
}

/* Hear what has come so far, and do all that is wanted on the way. */
static bool hear(struct play *p, struct str *in)
{
	for (int turns = 0; turns < TURNS_MAX; turns++) {
		size_t before = in->len;

		if (p->want == WANT_INPUT)
			p->want = dialog_heard(p->scene.dialog, in);
		if (p->want == WANT_INPUT && in->len == before)
			return true;
		if (!serve(p, in))
			return false;
	}
	return false;
}

static void listen_to(struct play *p, struct str text, size_t step)
{
	struct str in = { text.at, 0 };
	const char *end = text.at + text.len;

	p->want = dialog_open(p->scene.dialog);
	while (p->want == WANT_INPUT && in.at + in.len < end) {
		size_t more = (size_t)(end - in.at) - in.len;

		in.len += more < step ? more : step;
		if (!hear(p, &in))
			break;
	}
}

static void check_ending(const struct play *p)
{
	const struct login *l = &p->scene.login;

	must(arena_size(p->scene.arena) < ARENA_MAX);
	must(p->scene.out.full || p->scene.dialog->at != NULL);
	if (!p->scene.out.full)
		check_lines(buf_text(&p->scene.out));
	must(p->want != WANT_GIVE_UP || p->scene.dialog->complaint != NULL);
	if (p->want == WANT_GIVE_UP) {
		must(l->failure != FAILURE_NONE);
		must(has_no_controls(buf_text(&l->refusal.text)) &&
		     has_no_controls(buf_text(&l->refusal.sasl)));
	}
	if ((p->want == WANT_GIVE_UP && l->presentable) || (is_back(p->head) && p->want == WANT_RELAY))
		check_lines(buf_text(&l->answer));
	must(!is_back(p->head) || p->want != WANT_RELAY || l->answer.len != 0);
}

static void begin(struct play *p, const struct head *h, struct str in, size_t step)
{
	*p = (struct play){ .head = h };
	set_scene(p);
	if (is_back(h))
		set_login(p, &in);
	scene_cast(&p->scene, is_back(h) ? p->scene.protocol->back : p->scene.protocol->front);
	if (in.len != 0)
		listen_to(p, in, step);
	else
		p->want = dialog_open(p->scene.dialog);
	check_ending(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play whole, pieces;
	struct head h;
	struct str in;

	if (size < HEAD)
		return 0;
	memcpy(&h, data, sizeof(h));
	in = (struct str){ (const char *)data + HEAD, size - HEAD };
	begin(&whole, &h, in, size);
	begin(&pieces, &h, in, 1 + h.step % 8);
	/* STARTTLS with bytes behind it is the session's to see, and is seen only when they come together */
	if (!is_back(&h) && whole.want != WANT_TLS) {
		must(str_eq(buf_text(&whole.scene.out), buf_text(&pieces.scene.out)));
		must(whole.want == pieces.want);
	}
	scene_done(&whole.scene);
	scene_done(&pieces.scene);
	return 0;
}
