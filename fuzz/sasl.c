/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every mechanism against hostile responses. The first byte chooses the mechanism, the second how the rest is
 * cut into responses: as typed (base64 or not), or encoded first so that the decoded message is hostile.
 */
#include "base/must.h"
#include "base/text.h"
#include "sasl/sasl.h"
#include <string.h>

static const char *const NAMES[] = { "PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER" };

enum { FIELD_MAX = 512 };

struct table {
	struct buf user, secret, salt, typed;
	struct sasl_exchange x;
};

/* Take one response, up to 0xFF, off the front; encode it when asked to. */
static struct str next(struct table *t, struct str *in, bool encode)
{
	struct str piece = str_cut(in, '\xff');

	if (!encode)
		return piece;
	buf_clear(&t->typed);
	base64_put(&t->typed, piece);
	return t->typed.len != 0 ? buf_text(&t->typed) : STR("=");
}

static void check(const struct table *t, enum sasl_step step)
{
	enum sasl_method m = sasl_method(t->x.mechanism);

	if (step == SASL_REFUSED)
		must(t->user.len == 0 && t->secret.len == 0);
	if (step != SASL_DONE)
		return;
	must(sasl_good_user(buf_text(&t->user)) || (m == SASL_EXTERNAL && is_line_safe(buf_text(&t->user))));
	must(sasl_good_secret(buf_text(&t->secret)));
	must(m != SASL_EXTERNAL || t->secret.len == 0);
}

/* What was understood can be said again, and is understood the same. */
static void repeat(struct table *t)
{
	enum sasl_method m = sasl_method(t->x.mechanism);
	struct table again;

	if (m != SASL_PLAIN && m != SASL_XOAUTH2 && m != SASL_OAUTHBEARER)
		return;
	memset(&again, 0, sizeof(again));
	buf_init(&again.user, FIELD_MAX * 2);
	buf_init(&again.secret, FIELD_MAX * 4);
	buf_init(&again.salt, FIELD_MAX);
	buf_init(&again.typed, FIELD_MAX * 16);
	sasl_say(&again.typed, m, STR(""), buf_text(&t->user), buf_text(&t->secret));
	must(sasl_begin(&again.x, t->x.mechanism,
			(struct sasl_fields){ &again.user, &again.secret, &again.salt }, STR("x"),
			buf_text(&again.typed)) == SASL_DONE);
	must(str_eq(buf_text(&t->user), buf_text(&again.user)) &&
	     str_eq(buf_text(&t->secret), buf_text(&again.secret)));
	buf_done(&again.user);
	buf_done(&again.secret);
	buf_done(&again.salt);
	buf_done(&again.typed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table t = { 0 };
	struct sasl_fields fields = { &t.user, &t.secret, &t.salt };
	struct str in, initial = { NULL, 0 };
	enum sasl_step step;
	bool encode;

	if (size < 2)
		return 0;
	buf_init(&t.user, FIELD_MAX);
	buf_init(&t.secret, FIELD_MAX);
	buf_init(&t.salt, FIELD_MAX);
	buf_init(&t.typed, FIELD_MAX * 4);
	in = (struct str){ (const char *)data + 2, size - 2 };
	encode = (data[1] & 1) != 0;
	if ((data[1] & 2) != 0)
		initial = next(&t, &in, encode);
	step = sasl_begin(&t.x, sasl_find(str_of(NAMES[data[0] % 6])), fields, STR("mail.example"), initial);
	check(&t, step);
	for (int i = 0; step == SASL_MORE; i++) {
		must(i < 3);
		step = sasl_hear(&t.x, next(&t, &in, encode));
		check(&t, step);
	}
	if (step == SASL_DONE)
		repeat(&t);
	buf_done(&t.user);
	buf_done(&t.secret);
	buf_done(&t.salt);
	buf_done(&t.typed);
	return 0;
}
