/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * geo [$address] $name { … }: the value of the smallest network that holds an address.
 *
 * Networks and ranges are both spans from a first to a last address. Two spans of one geo lie inside of one
 * another or apart, never across, so sorted by where they begin each knows the next larger one around it. The
 * last span that begins at or before an address is then the innermost one, or one of those around it is. IPv4
 * and IPv6 are kept apart; an IPv4 client on an IPv6 socket (::ffff:a.b.c.d) is an IPv4 client.
 */
#include "vars/inside.h"

#include "vars/table.h"
#include <stdlib.h>
#include <string.h>

enum { IP_SIZE = 16 };

/* IPv4 addresses take the first four bytes, and zeros or ones behind them. */
struct span {
	uint8_t first[IP_SIZE], last[IP_SIZE];
	struct str value;
	const struct span *around;
	bool deleted;
	const char *file; /* where it stands */
	unsigned line;
	struct span *next; /* while the block is read, newest first */
};

struct spans {
	struct span *list;
	struct span *sorted;
	size_t len;
};

struct geo {
	struct variable *variable;
	const struct template *address; /* NULL: the client's */
	struct spans ip4, ip6;
	struct table known; /* the bytes of first and last address */
	struct str otherwise;
	bool ranges, begun, has_default;
};

bool geo_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct vars_conf *vars = vars_conf(c);
	struct geo *g = arena_take(conf_arena(c), sizeof(*g));

	(void)d;
	(void)settings;
	if (w->len == 3) {
		if (!str_starts(w->at[1], STR("$")))
			return conf_fault(c, "invalid variable name \"%.*s\"", STR_ARG(w->at[1]));
		g->address = template_new(c, w->at[1]);
	}
	g->variable = variable_declare(c, w->at[w->len - 1]);
	if (g->variable == NULL || (w->len == 3 && g->address == NULL))
		return false;
	g->variable->geo = g;
	if (g->address != NULL)
		variable_needs(c, g->variable, g->address);
	table_init(&g->known, conf_arena(c), false);
	vars->geo = g;
	return true;
}

static void bytes_of(const struct addr *a, uint8_t to[static IP_SIZE])
{
	memset(to, 0, IP_SIZE);
	if (a->family == AF_INET)
		memcpy(to, a->ip4, sizeof(a->ip4));
	else
		memcpy(to, a->ip6, sizeof(a->ip6));
}

static bool read_network(struct conf *c, struct str text, struct span *s, uint16_t *family)
{
	struct network n;
	bool host_bits;

	if (!network_parse(text, &n, &host_bits) || (n.base.family != AF_INET && n.base.family != AF_INET6))
		return conf_fault(c, "invalid network \"%.*s\"", STR_ARG(text));
	if (host_bits)
		conf_say(c, LOG_WARN, "low address bits of %.*s are meaningless", STR_ARG(text));
	*family = n.base.family;
	bytes_of(&n.base, s->first);
	memcpy(s->last, s->first, IP_SIZE);
	for (unsigned bit = n.bits; bit < 8 * IP_SIZE; bit++)
		s->last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return true;
}

static bool read_range(struct conf *c, struct str text, struct span *s, uint16_t *family)
{
	struct str rest = text, first = str_cut(&rest, '-');
	struct addr from = { 0 }, to = { 0 };

	if (!addr_parse_ip(first, &from) || !addr_parse_ip(rest, &to) || from.family != to.family)
		return conf_fault(c, "invalid range \"%.*s\"", STR_ARG(text));
	*family = from.family;
	bytes_of(&from, s->first);
	bytes_of(&to, s->last);
	if (from.family == AF_INET)
		memset(s->last + sizeof(to.ip4), 0xff, IP_SIZE - sizeof(to.ip4));
	if (memcmp(s->first, s->last, IP_SIZE) > 0)
		return conf_fault(c, "invalid range \"%.*s\": it ends before it begins", STR_ARG(text));
	return true;
}

/* A span as a key: its two addresses as they lie in it, and its family. */
enum { KEY_SIZE = 2 * IP_SIZE + 1 };

static struct str key_of(const struct span *s, uint16_t family, char to[static KEY_SIZE])
{
	memcpy(to, s->first, IP_SIZE);
	memcpy(to + IP_SIZE, s->last, IP_SIZE);
	to[2 * IP_SIZE] = family == AF_INET ? '4' : '6';
	return (struct str){ to, KEY_SIZE };
}

static bool read_span(struct conf *c, const struct geo *g, struct str text, struct span *s, uint16_t *family)
{
	return g->ranges ? read_range(c, text, s, family) : read_network(c, text, s, family);
}

/* The same network again: the last line counts, as at the peer, which warns too. */
static void replace(struct conf *c, struct span *old, struct str text, struct str value)
{
	if (!old->deleted && !str_eq(old->value, value))
		conf_say(c, LOG_WARN, "duplicate network \"%.*s\", value: \"%.*s\", old value: \"%.*s\"",
			 STR_ARG(text), STR_ARG(value), STR_ARG(old->value));
	old->value = value;
	old->deleted = false;
}

static bool add_span(struct conf *c, struct geo *g, const struct words *w)
{
	struct span read = { .value = w->at[1], .file = w->file, .line = w->line }, *s;
	struct table_entry *e;
	struct spans *to;
	char key[KEY_SIZE];
	uint16_t family;

	if (!read_span(c, g, w->at[0], &read, &family))
		return false;
	e = table_find(&g->known, key_of(&read, family, key));
	if (e != NULL) {
		replace(c, (struct span *)e->value, w->at[0], w->at[1]);
		return true;
	}
	to = family == AF_INET ? &g->ip4 : &g->ip6;
	s = arena_take(conf_arena(c), sizeof(*s));
	*s = read;
	s->next = to->list;
	to->list = s;
	to->len++;
	table_add(&g->known, arena_str(conf_arena(c), (struct str){ key, KEY_SIZE }))->value = s;
	return true;
}

static bool delete_span(struct conf *c, struct geo *g, struct str text)
{
	struct span read = { 0 };
	struct table_entry *e;
	char key[KEY_SIZE];
	uint16_t family;

	if (!read_span(c, g, text, &read, &family))
		return false;
	e = table_find(&g->known, key_of(&read, family, key));
	if (e == NULL || ((const struct span *)e->value)->deleted)
		conf_say(c, LOG_WARN, "no network \"%.*s\" to delete", STR_ARG(text));
	else
		((struct span *)e->value)->deleted = true;
	return true;
}

static bool read_word(struct conf *c, struct geo *g, struct str word)
{
	if (str_eq(word, STR("proxy_recursive"))) {
		conf_say(c, LOG_NOTICE, "\"proxy_recursive\" in geo is for HTTP, skipped");
		return true;
	}
	if (!str_eq(word, STR("ranges")))
		return conf_fault(c, "invalid number of the geo parameters");
	if (g->begun)
		return conf_fault(c, "\"ranges\" must stand before the networks of the geo");
	g->ranges = true;
	return true;
}

static bool set_default(struct conf *c, struct geo *g, struct str value)
{
	if (g->has_default && !str_eq(g->otherwise, value))
		conf_say(c, LOG_WARN, "duplicate default geo value, the last one counts");
	g->has_default = true;
	g->otherwise = value;
	return true;
}

bool geo_row(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct geo *g = vars_conf(c)->geo;

	(void)d;
	(void)settings;
	if (w->len == 1)
		return read_word(c, g, w->at[0]);
	if (w->len != 2)
		return conf_fault(c, "invalid number of the geo parameters");
	if (str_eq(w->at[0], STR("default")))
		return set_default(c, g, w->at[1]);
	if (str_eq(w->at[0], STR("proxy"))) {
		conf_say(c, LOG_NOTICE, "\"proxy\" in geo is for HTTP, skipped");
		return true;
	}
	g->begun = true;
	if (str_eq(w->at[0], STR("delete")))
		return delete_span(c, g, w->at[1]);
	return add_span(c, g, w);
}

/* By their beginning, the larger one first. */
static int compare(const void *one, const void *two)
{
	const struct span *a = one, *b = two;
	int first = memcmp(a->first, b->first, IP_SIZE);

	return first != 0 ? first : memcmp(b->last, a->last, IP_SIZE);
}

static bool holds(const struct span *s, const uint8_t ip[static IP_SIZE])
{
	return memcmp(s->first, ip, IP_SIZE) <= 0 && memcmp(ip, s->last, IP_SIZE) <= 0;
}

static void sort(struct conf *c, struct spans *spans)
{
	const struct span *around = NULL;
	size_t len = 0;

	spans->sorted = arena_take(conf_arena(c), spans->len * sizeof(*spans->sorted));
	for (const struct span *s = spans->list; s != NULL; s = s->next)
		if (!s->deleted)
			spans->sorted[len++] = *s;
	spans->len = len;
	if (len != 0)
		qsort(spans->sorted, len, sizeof(*spans->sorted), compare);
	for (size_t i = 0; i < len; i++) {
		struct span *s = &spans->sorted[i];

		while (around != NULL && !holds(around, s->first))
			around = around->around;
		if (around != NULL && !holds(around, s->last))
			conf_fault_at(c, s->file, s->line, "the range overlaps the one in %s:%u",
				      around->file != NULL ? around->file : "command line", around->line);
		s->around = around;
		around = s;
	}
}

void geo_check(struct conf *c, struct geo *g)
{
	sort(c, &g->ip4);
	sort(c, &g->ip6);
}

static const struct span *find(const struct spans *spans, const uint8_t ip[static IP_SIZE])
{
	size_t low = 0, high = spans->len;
	const struct span *s;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(spans->sorted[middle].first, ip, IP_SIZE) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	s = low != 0 ? &spans->sorted[low - 1] : NULL;
	while (s != NULL && !holds(s, ip))
		s = s->around;
	return s;
}

/* The address to look up: of the variable, or of the client. False: there is none. */
static bool find_address(struct filling *f, const struct geo *g, struct addr *a)
{
	struct str text = { NULL, 0 };
	struct buf value;
	bool fine;

	if (g->address == NULL && f->v->client != NULL) {
		*a = *f->v->client;
		return true;
	}
	if (g->address == NULL)
		return f->v->fact(f->v, VAR_REMOTE_ADDR, &text) && addr_parse_ip(text, a);
	buf_init(&value, ADDR_TEXT_MAX);
	template_write(f, g->address, NULL, &value);
	fine = !value.full && addr_parse_ip(buf_text(&value), a);
	buf_done(&value);
	return fine;
}

void geo_write(struct filling *f, const struct geo *g, struct buf *to)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct span *s = NULL;
	struct addr a = { 0 };
	uint8_t ip[IP_SIZE];

	if (find_address(f, g, &a) && (a.family == AF_INET || a.family == AF_INET6)) {
		if (a.family == AF_INET6 && memcmp(a.ip6, mapped, sizeof(mapped)) == 0) {
			a.family = AF_INET;
			memmove(a.ip4, a.ip6 + sizeof(mapped), sizeof(a.ip4));
		}
		bytes_of(&a, ip);
		s = find(a.family == AF_INET ? &g->ip4 : &g->ip6, ip);
	}
	buf_put(to, s != NULL ? s->value : g->otherwise);
}
