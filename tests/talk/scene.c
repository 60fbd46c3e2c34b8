/* SPDX-License-Identifier: BSD-2-Clause */
/* See scene.h. Rows are read in the simplest way that serves the protocols' slots; the configuration's own
 * tests are elsewhere. */
#include "scene.h"

#include "base/must.h"
#include <string.h>

enum { WORDS_MAX = 16, REPLY_MAX = 4096, OUT_MAX = 256 * 1024 };

struct words_of {
	struct str at[WORDS_MAX];
	size_t len;
};

/* Words, some of them in double quotes. */
static void split(struct str line, struct words_of *w)
{
	w->len = 0;
	for (line = str_trim(line); line.len != 0 && w->len < WORDS_MAX; line = str_trim(line)) {
		bool quoted = line.at[0] == '"';

		if (quoted)
			line = str_skip(line, 1);
		w->at[w->len++] = str_cut(&line, quoted ? '"' : ' ');
	}
}

static void set_bits(const struct directive *d, const struct words_of *w, unsigned *bits)
{
	*bits = 0;
	for (size_t i = 0; i < w->len; i++) {
		const struct choice *c = d->choices;

		while (!str_same(str_of(c->word), w->at[i]))
			must((c++)->word != NULL);
		*bits |= c->value;
	}
}

static void set_list(struct scene *s, const struct words_of *w, struct strs *list)
{
	list->at = arena_take(s->arena, w->len * sizeof(*list->at));
	list->len = w->len;
	for (size_t i = 0; i < w->len; i++)
		list->at[i] = arena_str(s->arena, w->at[i]);
}

static void set_number(struct str text, uint64_t *number)
{
	uint64_t unit = str_has(text, 'k') ? 1024 : 1;

	must(str_number(str_cut(&text, 'k'), UINT32_MAX, number));
	*number *= unit;
}

static void set_row(struct scene *s, const struct directive *d, struct str args)
{
	char *slot = (char *)s->settings + d->offset;
	struct words_of w;

	split(args, &w);
	if (d->slot == SLOT_BITS || d->slot == SLOT_ENUM)
		set_bits(d, &w, (void *)slot);
	else if (d->slot == SLOT_LIST)
		set_list(s, &w, (void *)slot);
	else if (d->slot == SLOT_FLAG)
		*(bool *)slot = str_same(args, STR("on"));
	else
		set_number(args, (void *)slot);
}

static void note(void *owner, const char *text, struct str quoted)
{
	struct scene *s = owner;

	buf_put(&s->notes, str_of(text));
	if (quoted.at != NULL) {
		buf_put(&s->notes, STR(": \""));
		buf_put(&s->notes, quoted);
		buf_put(&s->notes, STR("\""));
	}
	buf_put_byte(&s->notes, '\n');
}

void scene_init(struct scene *s, const struct protocol *p)
{
	*s = (struct scene){ .protocol = p, .arena = arena_new(4096) };
	s->settings = arena_take(s->arena, p->module.size);
	for (const struct directive *d = p->module.directives; d->name != NULL; d++)
		if (d->preset != NULL)
			set_row(s, d, str_of(d->preset));
	s->stage = (struct stage){
		.settings = s->settings,
		.server_name = STR("mail.example"),
		.max_errors = 5,
		.max_commands = 1000,
		.client_ip = STR("192.0.2.7"),
		.client_port = 40000,
		.client_host = STR("[UNAVAILABLE]"),
		.server_ip = STR("198.51.100.1"),
		.server_port = p->ports[0],
		.arena = s->arena,
		.note = note,
		.owner = s,
	};
	buf_init(&s->out, OUT_MAX);
	buf_init(&s->notes, OUT_MAX);
	login_init(&s->login, s->arena, 64 * 1024, REPLY_MAX);
}

static void set_starttls(struct scene *s, struct str word)
{
	s->stage.starttls = str_same(word, STR("only")) ? STARTTLS_ONLY
			    : str_same(word, STR("on")) ? STARTTLS_ON
							: STARTTLS_OFF;
}

/* What only a back wants to know. */
static bool set_back_stage(struct scene *s, struct str name, struct str arg, unsigned number)
{
	if (str_eq(name, STR("secures")))
		s->stage.secures = true;
	else if (str_eq(name, STR("vouched")))
		s->stage.vouched = true;
	else if (str_eq(name, STR("retells")))
		s->stage.retells = true;
	else if (str_eq(name, STR("client_secure")))
		s->stage.client_secure = true;
	else if (str_eq(name, STR("session")))
		s->stage.session_id = arg;
	else if (str_eq(name, STR("asked_name")))
		s->stage.asked_name = arg;
	else if (str_eq(name, STR("ttl")))
		s->stage.ttl = number;
	else
		return false;
	return true;
}

static bool set_stage(struct scene *s, struct str name, struct str arg)
{
	uint64_t number = 0;

	arg = arena_str(s->arena, arg);
	str_number(arg, UINT32_MAX, &number);
	if (str_eq(name, STR("starttls")))
		set_starttls(s, arg);
	else if (str_eq(name, STR("tls")))
		s->secure = true;
	else if (str_eq(name, STR("server_name")))
		s->stage.server_name = arg;
	else if (str_eq(name, STR("max_errors")))
		s->stage.max_errors = (unsigned)number;
	else if (str_eq(name, STR("max_commands")))
		s->stage.max_commands = (unsigned)number;
	else if (str_eq(name, STR("buffer")))
		s->stage.line_max = number;
	else if (str_eq(name, STR("client")))
		s->stage.client_ip = arg;
	else if (str_eq(name, STR("server")))
		s->stage.server_ip = arg;
	else if (str_eq(name, STR("client_port")))
		s->stage.client_port = (uint16_t)number;
	else if (str_eq(name, STR("host")))
		s->stage.client_host = arg;
	else
		return set_back_stage(s, name, arg, (unsigned)number);
	return true;
}

bool scene_set(struct scene *s, struct str line)
{
	struct str name = str_cut(&line, ' ');

	for (const struct directive *d = s->protocol->module.directives; d->name != NULL; d++) {
		if (!str_eq(name, str_of(d->name)))
			continue;
		set_row(s, d, line);
		return true;
	}
	return set_stage(s, name, line);
}

void scene_cast(struct scene *s, const struct dialog_ops *ops)
{
	if (s->stage.line_max == 0)
		s->stage.line_max =
			ops == s->protocol->front ? s->protocol->line_max(s->settings) : REPLY_MAX;
	s->dialog = dialog_new(ops, &s->stage, &s->login, &s->out, s->secure);
}

void scene_done(struct scene *s)
{
	buf_done(&s->out);
	buf_done(&s->notes);
	arena_free(s->arena);
}
