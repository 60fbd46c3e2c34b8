/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders for helpers and the text of their settings; see helper_order.h. */
#include "auth/helper_order.h"

#include "base/mem.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_escaped(struct buf *to, struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (c == '\\' || c == '\n' || c == '\0')
			buf_put_byte(to, '\\');
		buf_put_byte(to, c == '\n' ? 'n' : c == '\0' ? '0' : c);
	}
}

void helper_setting(struct helper_order *o, const char *name, struct str value)
{
	if (value.at == NULL)
		return;
	buf_put(&o->settings, str_of(name));
	buf_put_byte(&o->settings, '=');
	put_escaped(&o->settings, value);
	buf_put_byte(&o->settings, '\n');
}

void helper_setting_number(struct helper_order *o, const char *name, uint64_t value)
{
	buf_format(&o->settings, "%s=%" PRIu64 "\n", name, value);
}

void helper_setting_variables(struct helper_order *o)
{
	for (size_t i = 0; i < o->variables.len; i++)
		helper_setting(o, "variable", o->variables.at[i]);
}

void helper_order_init(struct helper_order *o, const char *program)
{
	*o = (struct helper_order){ .program = program, .fd = -1 };
	buf_init(&o->settings, HELPER_SETTINGS_MAX);
}

void helper_order_done(struct helper_order *o)
{
	buf_done(&o->settings);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

bool helper_order_eq(const struct helper_order *a, const struct helper_order *b)
{
	return strcmp(a->program, b->program) == 0 && a->helpers == b->helpers &&
	       a->timeout_ms == b->timeout_ms && a->queue == b->queue && a->privileged == b->privileged &&
	       str_eq(buf_text(&a->settings), buf_text(&b->settings));
}

struct helper_order *helper_orders_add(struct auth_helpers *list, struct helper_order *o)
{
	struct helper_order **at = &list->first;

	for (; *at != NULL; at = &(*at)->next) {
		if (helper_order_eq(*at, o)) {
			helper_order_done(o);
			return *at;
		}
	}
	*at = mem_new(sizeof(**at));
	**at = *o;
	(*at)->next = NULL;
	list->len++;
	helper_order_init(o, o->program);
	return *at;
}

void helper_orders_close(struct auth_helpers *list)
{
	for (struct helper_order *o = list->first; o != NULL; o = o->next) {
		if (o->fd >= 0)
			close(o->fd);
		o->fd = -1;
	}
}

void helper_orders_free(struct auth_helpers *list)
{
	struct helper_order *o = list->first;

	while (o != NULL) {
		struct helper_order *next = o->next;

		helper_order_done(o);
		free(o);
		o = next;
	}
	*list = (struct auth_helpers){ NULL, 0 };
}

/* False at an escape that put_escaped does not write. */
static bool unescape(struct str text, struct buf *to)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\\') {
			if (++i == text.len || strchr("\\n0", text.at[i]) == NULL || text.at[i] == '\0')
				return false;
			c = text.at[i] == 'n' ? '\n' : text.at[i] == '0' ? '\0' : '\\';
		}
		buf_put_byte(to, c);
	}
	return !to->full;
}

bool helper_setting_next(struct str *rest, struct str *name, struct buf *value)
{
	struct str all = *rest, line;
	size_t equals;

	buf_wipe(value);
	if (!str_has(all, '\n'))
		return false;
	line = str_cut(rest, '\n');
	equals = str_index(line, '=');
	if (equals != line.len && equals != 0 && unescape(str_skip(line, equals + 1), value)) {
		*name = (struct str){ line.at, equals };
		return true;
	}
	*rest = all;
	return false;
}
