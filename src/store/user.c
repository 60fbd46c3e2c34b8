/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and the lines that write them down; see user.h. */
#include "store/user.h"

#include "base/text.h"

static const struct str protocols[] = { LIT("imap"), LIT("pop3"), LIT("smtp") };

/* ---- what may stand where ---- */

static bool good_networks(struct str list)
{
	struct network n;
	bool host_bits;

	while (list.len != 0)
		if (!network_parse(str_trim(str_cut(&list, ',')), &n, &host_bits))
			return false;
	return true;
}

static bool good_protocols(struct str list)
{
	while (list.len != 0) {
		struct str one = str_trim(str_cut(&list, ','));
		bool known = false;

		for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
			known = known || str_same(one, protocols[i]);
		if (!known)
			return false;
	}
	return true;
}

static bool good_word(struct str s)
{
	return has_no_controls(s) && !str_has(s, ' ');
}

const char *user_complaint(const struct user *u)
{
	if (u->name.len == 0 || u->name.len > USER_NAME_MAX)
		return "the name is empty or longer than 255 bytes";
	if (!has_no_controls(u->name) || str_has(u->name, ':') || u->name.at[0] == '#')
		return "the name holds a colon or a control character, or begins with \"#\"";
	if (!good_word(u->route))
		return "the route holds a blank or a control character";
	if (!good_word(u->login))
		return "the login name for the server holds a blank or a control character";
	if (!good_word(u->secret))
		return "the password for the server holds a blank or a control character";
	if (!good_networks(u->networks))
		return "the networks must be addresses or networks with commas between them, as "
		       "192.0.2.0/24,2001:db8::1";
	if (!good_protocols(u->protocols))
		return "the protocols must be of imap, pop3, smtp, with commas between them";
	if (!has_no_controls(u->comment) || str_has(u->comment, ':'))
		return "the comment holds a colon or a control character";
	return NULL;
}

bool user_allows_network(const struct user *u, const struct addr *client)
{
	struct str list = u->networks;
	struct network n;
	bool host_bits;

	if (list.len == 0)
		return true;
	while (list.len != 0)
		if (network_parse(str_trim(str_cut(&list, ',')), &n, &host_bits) && network_has(&n, client))
			return true;
	return false;
}

bool user_allows_protocol(const struct user *u, struct str protocol)
{
	struct str list = u->protocols;

	if (list.len == 0)
		return true;
	while (list.len != 0)
		if (str_same(str_trim(str_cut(&list, ',')), protocol))
			return true;
	return false;
}

/* ---- reading a line ---- */

static void set_tls(struct user *u, enum user_tls tls, struct str value)
{
	if (str_eq(value, STR("no")))
		tls = USER_TLS_OFF;
	u->tls = tls;
}

static void take_field(struct user *u, struct str name, struct str value, struct str *port)
{
	const struct {
		struct str name;
		struct str *to;
	} texts[] = {
		{ LIT("host"), &u->route },	     { LIT("port"), port },
		{ LIT("destuser"), &u->login },	     { LIT("pass"), &u->secret },
		{ LIT("allow_nets"), &u->networks }, { LIT("protocols"), &u->protocols },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (str_eq(name, texts[i].name))
			*texts[i].to = value;
	if (str_eq(name, STR("ssl")))
		set_tls(u, USER_TLS_ON, value);
	if (str_eq(name, STR("starttls")))
		set_tls(u, USER_TLS_STARTTLS, value);
	if (str_eq(name, STR("nologin")))
		u->disabled = !str_eq(value, STR("no"));
}

/* "::1" and 143 make "[::1]:143". */
static const char *join_port(struct user *u, struct str port, struct arena *home)
{
	uint64_t number;
	struct addr a = { .family = AF_UNSPEC };
	bool bare_ip6 = addr_parse_ip(u->route, &a) && a.family == AF_INET6;
	bool boxed = str_starts(u->route, STR("[")) && u->route.at[u->route.len - 1] == ']';

	if (port.len == 0)
		return NULL;
	if (!str_number(port, 65535, &number) || number == 0)
		return "port= is no port number";
	if (u->route.len == 0)
		return "port= stands without host=";
	if (str_starts(u->route, STR("unix:")))
		return "port= stands beside a unix: socket";
	if (str_has(u->route, ':') && !bare_ip6 && !boxed)
		return "port= stands beside a host= that has a port";
	u->route =
		arena_format(home, bare_ip6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(u->route), (unsigned)number);
	return NULL;
}

bool user_is_comment(struct str line)
{
	line = str_trim(line);
	return line.len == 0 || line.at[0] == '#';
}

const char *user_read(struct str line, struct user *u, struct arena *home)
{
	struct str port = { NULL, 0 };
	const char *complaint;

	*u = (struct user){ .name = { NULL, 0 } };
	if (line.len > USER_LINE_MAX)
		return "the line is longer than 8192 bytes";
	if (!str_has(line, ':'))
		return "there is no \":\" behind the name";
	u->name = str_cut(&line, ':');
	u->password = str_cut(&line, ':');
	str_cut(&line, ':');
	str_cut(&line, ':');
	u->comment = str_cut(&line, ':');
	str_cut(&line, ':');
	str_cut(&line, ':');
	while (line.len != 0) {
		struct str value = str_cut(&line, ' '), name = str_cut(&value, '=');

		take_field(u, name, value, &port);
	}
	complaint = user_complaint(u);
	return complaint != NULL ? complaint : join_port(u, port, home);
}

/* ---- writing one ---- */

/* A password in plain may hold what ends a field. */
static void put_password(struct buf *to, struct str password)
{
	struct str text = password, scheme = str_cut(&text, '}');
	bool clear = str_same(scheme, STR("{PLAIN")) || str_same(scheme, STR("{CLEAR")) ||
		     str_same(scheme, STR("{CLEARTEXT"));

	if (!clear || (has_no_controls(text) && !str_has(text, ':'))) {
		buf_put(to, password);
		return;
	}
	buf_put(to, STR("{PLAIN.b64}"));
	base64_put(to, text);
}

static void put_field(struct buf *to, struct str name, struct str value)
{
	if (value.len == 0)
		return;
	buf_put(to, name);
	buf_put(to, value);
}

/* The inverse of join_port. */
static void put_route(struct buf *to, struct str route)
{
	size_t colon = route.len;
	struct str host = route, port = { NULL, 0 };
	uint64_t number;

	while (colon > 0 && route.at[colon - 1] >= '0' && route.at[colon - 1] <= '9')
		colon--;
	if (colon > 1 && str_number(str_skip(route, colon), 65535, &number) && route.at[colon] != '0' &&
	    route.at[colon - 1] == ':' && !str_starts(route, STR("unix:"))) {
		struct str front = { route.at, colon - 1 };
		bool boxed = front.at[0] == '[' && front.at[front.len - 1] == ']';

		if (boxed || !str_has(front, ':')) {
			host = boxed ? (struct str){ front.at + 1, front.len - 2 } : front;
			port = str_skip(route, colon);
		}
	}
	put_field(to, STR(" proxy=y host="), host);
	put_field(to, STR(" port="), port);
}

void user_write(const struct user *u, struct buf *to)
{
	static const struct str tls[] = { LIT(""), LIT(" ssl=no"), LIT(" ssl=yes"), LIT(" starttls=yes") };
	struct buf fields;

	buf_put(to, u->name);
	buf_put_byte(to, ':');
	put_password(to, u->password);
	buf_put(to, STR(":::"));
	buf_put(to, u->comment);
	buf_put(to, STR(":::"));
	buf_init(&fields, USER_LINE_MAX);
	put_route(&fields, u->route);
	put_field(&fields, STR(" destuser="), u->login);
	put_field(&fields, STR(" pass="), u->secret);
	put_field(&fields, STR(" allow_nets="), u->networks);
	put_field(&fields, STR(" protocols="), u->protocols);
	buf_put(&fields, tls[u->tls]);
	if (u->disabled)
		buf_put(&fields, STR(" nologin=y"));
	buf_put(to, str_skip(buf_text(&fields), 1));
	buf_put_byte(to, '\n');
	buf_done(&fields);
}
