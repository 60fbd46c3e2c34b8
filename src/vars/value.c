/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a variable is at this moment: a fact of the session, a part of one, or what a map or geo makes of
 * others.
 */
#include "vars/inside.h"

#include "base/text.h"

enum { SHOWN_MAX = 64 };

void value_note(const struct vars *v, struct str what, const char *why)
{
	struct buf text;

	if (v->note == NULL)
		return;
	buf_init(&text, 512);
	buf_put(&text, STR("the value of \""));
	visible_put(&text, what, SHOWN_MAX);
	buf_format(&text, "\" %s, so it is taken for empty", why);
	buf_put_byte(&text, '\0');
	v->note(v, text.at);
	buf_done(&text);
}

static void put_lower(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char x = s.at[i];

		buf_put_byte(to, (char)(x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x));
	}
}

/* The position of the last '@', or s.len. */
static size_t last_at(struct str s)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.at[i - 1] == '@')
			return i - 1;
	return s.len;
}

static void put_whole(struct buf *to, struct str s)
{
	buf_put(to, s);
}

static void put_local(struct buf *to, struct str s)
{
	buf_put(to, (struct str){ s.at, last_at(s) });
}

static void put_domain(struct buf *to, struct str s)
{
	put_lower(to, str_skip(s, last_at(s) + 1));
}

/* Those that are made of another fact. */
static const struct {
	enum var from;
	void (*put)(struct buf *to, struct str whole);
} MADE[VARS_LEN] = {
	[VAR_LOGIN_LOCAL] = { VAR_LOGIN, put_local },
	[VAR_LOGIN_DOMAIN] = { VAR_LOGIN, put_domain },
	[VAR_LOGIN_LOWER] = { VAR_LOGIN, put_lower },
	[VAR_SMTP_FROM_DOMAIN] = { VAR_SMTP_FROM, put_domain },
	[VAR_SMTP_RCPT_DOMAIN] = { VAR_SMTP_RCPT, put_domain },
};

static void fact_write(const struct vars *v, enum var which, struct buf *to)
{
	void (*put)(struct buf *, struct str) = MADE[which].put != NULL ? MADE[which].put : put_whole;
	enum var from = MADE[which].put != NULL ? MADE[which].from : which;
	struct str value = { NULL, 0 };

	if (v->fact(v, from, &value))
		put(to, value);
}

static void lookup_write(struct filling *f, const struct variable *v, struct buf *to)
{
	f->steps--;
	if (v->map != NULL)
		map_write(f, v->map, to);
	else
		geo_write(f, v->geo, to);
}

void variable_write(struct filling *f, const struct variable *v, struct str text, struct buf *to)
{
	if (v->is_fact)
		fact_write(f->v, v->fact, to);
	else if (v->map == NULL && v->geo == NULL)
		buf_put(to, text);
	else if (f->steps == 0)
		value_note(f->v, text, "takes too many maps");
	else
		lookup_write(f, v, to);
}

struct str vars_get(const struct vars *v, enum var which)
{
	struct str text;
	struct buf value;

	buf_init(&value, VALUE_MAX);
	fact_write(v, which, &value);
	if (value.full) {
		value_note(v, str_of(var_name(which)), TOO_LONG);
		buf_clear(&value);
	}
	text = arena_str(v->home, buf_text(&value));
	buf_done(&value);
	return text;
}
