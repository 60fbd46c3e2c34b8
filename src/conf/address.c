/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as directives name them. The order of questions and the words of refusal are the peer's: an
 * operator looks them up.
 */
#include "conf/conf.h"

#include <string.h>
#include <sys/un.h>

/* Where the addresses go. */
struct found {
	struct addr *to;
	size_t room, len;
	uint16_t port;
};

static void keep(struct found *f, const struct addr *a)
{
	if (f->len == f->room)
		return;
	f->to[f->len] = *a;
	f->to[f->len].port = a->family == AF_UNIX ? 0 : f->port;
	f->len++;
}

static const char *read_unix(struct conf *c, struct str path, struct found *f)
{
	struct addr a = { .family = AF_UNIX };

	if (path.len == 0)
		return "no path in the unix domain socket";
	if (path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "too long path in the unix domain socket";
	a.path = arena_str(conf_arena(c), path).at;
	keep(f, &a);
	return NULL;
}

static const char *read_port(struct str text, struct found *f)
{
	uint64_t port;

	if (!str_number(text, UINT16_MAX, &port) || port == 0)
		return "invalid port";
	f->port = (uint16_t)port;
	return NULL;
}

/* "[v6]" or "[v6]:PORT". */
static const char *read_ip6(struct str text, struct found *f)
{
	struct addr a = { .family = AF_UNSPEC };
	size_t end = str_index(text, ']');
	struct str port = str_skip(text, end + 1);
	const char *wrong = NULL;

	if (end == text.len || str_has(port, '/') || (port.len != 0 && port.at[0] != ':'))
		return "invalid host";
	if (port.len != 0)
		wrong = read_port(str_skip(port, 1), f);
	if (wrong != NULL)
		return wrong;
	text = (struct str){ text.at + 1, end - 1 };
	if (text.len == 0)
		return "no host";
	if (!addr_parse_ip(text, &a) || a.family != AF_INET6)
		return "invalid IPv6 address";
	keep(f, &a);
	return NULL;
}

static const char *look_up(struct conf *c, struct str host, struct found *f)
{
	struct addr a = { .family = AF_UNSPEC };
	struct str answer;
	int error;

	if (addr_parse_ip(host, &a)) {
		keep(f, &a);
		return NULL;
	}
	if (!bundle_ask(conf_bundle(c), BUNDLE_HOST, host, &answer, &error))
		return "host not found";
	while (answer.len != 0)
		if (addr_parse_ip(str_cut(&answer, '\0'), &a))
			keep(f, &a);
	return f->len != 0 ? NULL : "host not found";
}

/* "HOST", "HOST:PORT", the host being a name or an IPv4 literal. */
static const char *read_host(struct conf *c, struct str text, struct found *f)
{
	struct str host = str_cut(&text, ':');
	bool with_port = text.at != NULL && text.at != host.at + host.len;
	const char *wrong = NULL;

	if (str_has(host, '/') || str_has(host, '?') || str_has(text, '/') || str_has(text, '?'))
		return "invalid host";
	if (with_port)
		wrong = read_port(text, f);
	if (wrong != NULL)
		return wrong;
	if (host.len == 0)
		return "no host";
	return look_up(c, host, f);
}

const char *conf_addresses(struct conf *c, struct str text, uint16_t port, struct addr *to, size_t room,
			   size_t *len)
{
	struct found f = { .to = to, .room = room, .port = port };
	const char *wrong;

	if (str_starts_same(text, STR("unix:")))
		wrong = read_unix(c, str_skip(text, 5), &f);
	else if (text.len != 0 && text.at[0] == '[')
		wrong = read_ip6(text, &f);
	else
		wrong = read_host(c, text, &f);
	*len = wrong == NULL ? f.len : 0;
	return wrong;
}

const char *conf_hosts(struct conf *c, struct str host, struct addr *to, size_t room, size_t *len)
{
	struct found f = { .to = to, .room = room };
	const char *wrong = look_up(c, host, &f);

	*len = wrong == NULL ? f.len : 0;
	return wrong;
}
