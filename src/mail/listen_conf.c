/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `listen` directive: an address, a range of ports, and a table of parameters.
 *
 * A host name may stand for several addresses, and a range for several ports: each pair becomes an endpoint.
 * Whether two servers may share an endpoint is decided later, when all are known.
 */
#include "mail/settings.h"

#include <string.h>

enum { ADDRESSES_MAX = 32 };

struct ports {
	uint16_t first, last;
};

static bool wrong(struct conf *c, const char *what, struct str text)
{
	return conf_fault(c, "%s in \"%.*s\" of the \"listen\" directive", what, STR_ARG(text));
}

/* "110" or "110-112". NULL, or what is wrong. */
static const char *read_ports(struct str text, struct ports *p)
{
	struct str first = str_cut(&text, '-');
	bool range = text.at != NULL && text.at != first.at + first.len;
	uint64_t a, b;

	if (!str_number(first, UINT16_MAX, &a) || a == 0)
		return "invalid port";
	if (range && (!str_number(text, UINT16_MAX, &b) || b < a))
		return "invalid port range";
	*p = (struct ports){ (uint16_t)a, range ? (uint16_t)b : (uint16_t)a };
	return NULL;
}

/* Cut "HOST:PORTS" at its last colon outside of brackets; a text that begins like a number is ports alone. */
static void split(struct str text, struct str *host, struct str *ports)
{
	size_t from = 0, colon;

	*host = text;
	*ports = (struct str){ NULL, 0 };
	if (text.len != 0 && text.at[0] == '[')
		from = str_index(text, ']');
	colon = from + str_index(str_skip(text, from), ':');
	if (colon < text.len) {
		*host = (struct str){ text.at, colon };
		*ports = str_skip(text, colon + 1);
	} else if (text.len != 0 && text.at[0] >= '0' && text.at[0] <= '9' && !str_has(text, '.')) {
		*host = STR("*");
		*ports = text;
	}
}

/* The addresses of the host, without ports. */
static const char *read_host(struct conf *c, struct str host, struct addr *to, size_t *len)
{
	if (str_eq(host, STR("*"))) {
		to[0] = (struct addr){ .family = AF_INET };
		*len = 1;
		return NULL;
	}
	return conf_addresses(c, host, 0, to, ADDRESSES_MAX, len);
}

static bool on_off(struct str value, bool *to)
{
	*to = str_eq(value, STR("on"));
	return *to || str_eq(value, STR("off"));
}

static bool set_backlog(struct str value, struct endpoint *e)
{
	uint64_t n;

	if (!str_number(value, INT32_MAX, &n) || n == 0)
		return false;
	e->options.backlog = (int)n;
	return true;
}

static bool set_buffer(struct str value, int *to)
{
	uint64_t bytes;

	if (!conf_read_size(value, &bytes) || bytes == 0 || bytes > INT32_MAX)
		return false;
	*to = (int)bytes;
	return true;
}

static bool set_rcvbuf(struct str value, struct endpoint *e)
{
	return set_buffer(value, &e->options.rcvbuf);
}

static bool set_sndbuf(struct str value, struct endpoint *e)
{
	return set_buffer(value, &e->options.sndbuf);
}

static bool set_ipv6only(struct str value, struct endpoint *e)
{
	return on_off(value, &e->options.ipv6only);
}

static bool keep_seconds(struct str value, int *to)
{
	uint64_t sec;

	if (value.len == 0)
		return true;
	if (!conf_read_sec(value, &sec) || sec == 0 || sec > INT16_MAX)
		return false;
	*to = (int)sec;
	return true;
}

/* on | off | [idle]:[interval]:[count], of which any may be empty but not all. */
static bool set_keepalive(struct str value, struct endpoint *e)
{
	struct listen_options *o = &e->options;
	struct str idle, interval;
	uint64_t count;
	bool on;

	o->keepalive = 1;
	if (on_off(value, &on)) {
		o->keepalive = on ? 1 : -1;
		return true;
	}
	if (!str_has(value, ':'))
		return false;
	idle = str_cut(&value, ':');
	interval = str_cut(&value, ':');
	if (!keep_seconds(idle, &o->keep_idle_sec) || !keep_seconds(interval, &o->keep_interval_sec))
		return false;
	if (value.len != 0) {
		if (!str_number(value, INT16_MAX, &count) || count == 0)
			return false;
		o->keep_count = (int)count;
	}
	return o->keep_idle_sec != 0 || o->keep_interval_sec != 0 || o->keep_count != 0;
}

/* Parameters with a value, and how a bad one is complained of: the peer shows the whole word for some, the
 * value for others. */
static const struct parameter {
	const char *name;
	bool (*set)(struct str value, struct endpoint *e);
	const char *complaint;
	bool shows_value;
} PARAMETERS[] = { { "backlog=", set_backlog, "invalid backlog", false },
		   { "rcvbuf=", set_rcvbuf, "invalid rcvbuf", false },
		   { "sndbuf=", set_sndbuf, "invalid sndbuf", false },
		   { "ipv6only=", set_ipv6only, "invalid ipv6only flags", true },
		   { "so_keepalive=", set_keepalive, "invalid so_keepalive value:", true },
		   { NULL, NULL, NULL, false } };

static bool set_flag(struct str word, struct endpoint *e)
{
	if (str_eq(word, STR("ssl")))
		e->tls = true;
	else if (str_eq(word, STR("proxy_protocol")))
		e->proxy_header = true;
	else if (str_eq(word, STR("bind")))
		e->bind = true;
	else if (str_eq(word, STR("multipath")))
		e->options.multipath = e->bind = true;
	else
		return false;
	return true;
}

static bool set_parameter(struct conf *c, struct str word, struct endpoint *e)
{
	for (const struct parameter *p = PARAMETERS; p->name != NULL; p++) {
		struct str value = str_skip(word, strlen(p->name));

		if (!str_starts(word, str_of(p->name)))
			continue;
		e->bind = true;
		if (!p->set(value, e))
			return conf_fault(c, "%s \"%.*s\"", p->complaint,
					  STR_ARG(p->shows_value ? value : word));
		return true;
	}
	if (!set_flag(word, e))
		return conf_fault(c, "invalid parameter \"%.*s\"", STR_ARG(word));
	return true;
}

static void add(struct conf *c, struct mail_settings *m, const struct endpoint *like, const struct addr *a,
		uint16_t port)
{
	struct endpoint *e = arena_take(conf_arena(c), sizeof(*e)), **end = &m->endpoints;

	*e = *like;
	e->addr = *a;
	e->addr.port = port;
	while (*end != NULL) {
		/* a host name may give one address twice */
		if (addr_eq(&(*end)->addr, &e->addr) && (*end)->line == e->line && (*end)->file == e->file)
			return;
		end = &(*end)->next;
	}
	*end = e;
}

bool listen_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct endpoint like = {
		.server = conf_scope(c), .file = w->file, .line = w->line, .options.ipv6only = true
	};
	struct addr found[ADDRESSES_MAX];
	struct ports ports = { 0, 0 };
	struct str host, port_text;
	const char *complaint;
	size_t len;

	(void)d;
	if (str_starts(w->at[1], STR("unix:")))
		host = w->at[1], port_text = (struct str){ NULL, 0 };
	else
		split(w->at[1], &host, &port_text);
	complaint = port_text.at != NULL ? read_ports(port_text, &ports) : NULL;
	if (complaint == NULL)
		complaint = read_host(c, host, found, &len);
	if (complaint != NULL)
		return wrong(c, complaint, w->at[1]);
	for (size_t i = 2; i < w->len; i++)
		if (!set_parameter(c, w->at[i], &like))
			return false;
	for (size_t i = 0; i < len; i++)
		for (unsigned port = ports.first; port <= ports.last; port++)
			add(c, settings, &like, &found[i], (uint16_t)port);
	return true;
}
