/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target comes from outside as often as from the configuration, so it is looked at byte by byte: a name has
 * printable bytes only, none of which means anything to a URL, a shell or a log; a path has no controls and
 * fits a socket's address. Whether a name exists is the resolver's to say. The words of refusal are those
 * that the configuration has for addresses.
 */
#include "upstream/target.h"

#include "base/text.h"
#include <sys/un.h>

enum { NAME_MAX_LEN = 255 };

static const char *read_unix(struct str path, struct target *t)
{
	if (path.len == 0)
		return "no path in the unix domain socket";
	if (path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "too long path in the unix domain socket";
	if (!has_no_controls(path))
		return "invalid path in the unix domain socket";
	*t = (struct target){ .kind = TARGET_UNIX, .host = path, .addr.family = AF_UNIX };
	return NULL;
}

static bool read_port(struct str text, uint16_t *port)
{
	uint64_t number;

	if (!str_number(text, UINT16_MAX, &number) || number == 0)
		return false;
	*port = (uint16_t)number;
	return true;
}

static const char *read_ip6(struct str text, struct target *t)
{
	size_t end = str_index(text, ']');
	struct str host = { text.at + 1, end - 1 }, rest = str_skip(text, end + 1);
	struct addr a = { .family = AF_UNSPEC };

	if (end == text.len || (rest.len != 0 && rest.at[0] != ':'))
		return "invalid host";
	if (rest.len != 0 && !read_port(str_skip(rest, 1), &a.port))
		return "invalid port";
	if (!addr_parse_ip(host, &a) || a.family != AF_INET6)
		return "invalid IPv6 address";
	*t = (struct target){ .kind = TARGET_IP, .host = host, .port = a.port, .addr = a };
	return NULL;
}

static bool may_be_name(struct str host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_')
			return false;
	}
	return host.len <= NAME_MAX_LEN;
}

static const char *read_host(struct str text, struct target *t)
{
	struct addr a = { .family = AF_UNSPEC };
	struct str host, rest = text;

	if (addr_parse_ip(text, &a)) {
		*t = (struct target){ .kind = TARGET_IP, .host = text, .addr = a };
		return NULL;
	}
	host = str_cut(&rest, ':');
	if (host.len == 0)
		return "no host";
	if (!may_be_name(host))
		return "invalid host";
	if (host.len != text.len && !read_port(rest, &a.port))
		return "invalid port";
	if (addr_parse_ip(host, &a))
		*t = (struct target){ .kind = TARGET_IP, .host = host, .port = a.port, .addr = a };
	else
		*t = (struct target){ .kind = TARGET_NAME, .host = host, .port = a.port };
	return NULL;
}

const char *target_parse(struct str text, struct target *t)
{
	if (str_starts_same(text, STR("unix:")))
		return read_unix(str_skip(text, 5), t);
	if (str_starts(text, STR("[")))
		return read_ip6(text, t);
	return read_host(text, t);
}
