/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of users: what each field becomes, what is refused, and that what is written is read the same. */
#include "store/user.h"

#include "unit.h"

static struct user read_good(const char *line, struct arena *home)
{
	struct user u;
	const char *complaint = user_read(str_of(line), &u, home);

	if (complaint != NULL)
		print_error("%s: %s\n", line, complaint);
	assert_null(complaint);
	return u;
}

static void fields(void **state)
{
	struct arena *home = arena_new(256);
	struct user u = read_good("jane@example.org:{PLAIN}secret:1000:1000:Jane Roe:/home/jane:/bin/sh:"
				  "proxy=y host=192.0.2.1 port=1143 destuser=jroe pass=other "
				  "allow_nets=192.0.2.0/24,2001:db8::/32 protocols=imap,smtp nologin "
				  "userdb_mail=maildir:~/Maildir unknown",
				  home);

	(void)state;
	assert_str(u.name, STR("jane@example.org"));
	assert_str(u.password, STR("{PLAIN}secret"));
	assert_str(u.comment, STR("Jane Roe"));
	assert_str(u.route, STR("192.0.2.1:1143"));
	assert_str(u.login, STR("jroe"));
	assert_str(u.secret, STR("other"));
	assert_str(u.networks, STR("192.0.2.0/24,2001:db8::/32"));
	assert_str(u.protocols, STR("imap,smtp"));
	assert_true(u.disabled);
	assert_int_equal(u.tls, USER_TLS_AS_CONFIGURED);
	u = read_good("a:x", home);
	assert_str(u.password, STR("x"));
	assert_false(u.disabled);
	u = read_good("a:x::::::host=2001:db8::1 port=143 ssl=yes", home);
	assert_str(u.route, STR("[2001:db8::1]:143"));
	assert_int_equal(u.tls, USER_TLS_ON);
	u = read_good("a:x::::::host=[2001:db8::1] port=143", home);
	assert_str(u.route, STR("[2001:db8::1]:143"));
	u = read_good("a:x::::::starttls=any-cert host=mail.example.org nologin=no", home);
	assert_int_equal(u.tls, USER_TLS_STARTTLS);
	assert_str(u.route, STR("mail.example.org"));
	assert_false(u.disabled);
	u = read_good("a:x::::::ssl=no host=unix:/run/x", home);
	assert_int_equal(u.tls, USER_TLS_OFF);
	assert_str(u.route, STR("unix:/run/x"));
	arena_free(home);
}

static void refused(void **state)
{
	static const char *const lines[] = {
		"",
		"jane",
		":x",
		"ja\tne:x",
		"a:x::::::port=143",
		"a:x::::::host=b port=0",
		"a:x::::::host=b port=99999",
		"a:x::::::host=b port=imap",
		"a:x::::::host=unix:/x port=143",
		"a:x::::::host=192.0.2.1:25 port=143",
		"a:x::::::host=[2001:db8::1]:25 port=143",
		"a:x::::::allow_nets=everywhere",
		"a:x::::::allow_nets=192.0.2.0/33",
		"a:x::::::protocols=ftp",
		"a:x:::\x01:::",
		"a:x::::::destuser=b\tc",
	};
	struct arena *home = arena_new(256);
	struct user u;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_non_null(user_read(str_of(lines[i]), &u, home));
	assert_non_null(user_read(STR("a:x::::::host=b\0c port=1"), &u, home));
	assert_true(user_is_comment(STR("# x")));
	assert_true(user_is_comment(STR("  ")));
	assert_false(user_is_comment(STR("a:x")));
	arena_free(home);
}

static void written_and_read(void **state)
{
	static const char *const lines[] = {
		("jane@example.org:{PLAIN}secret:::Jane Roe:::proxy=y host=192.0.2.1 port=1143 destuser=jroe "
		 "pass=other allow_nets=192.0.2.0/24,2001:db8::/32 protocols=imap,smtp starttls=yes "
		 "nologin=y"),
		"a:$y$j9T$x$y::::::",
		"a:x::::::proxy=y host=2001:db8::1 port=143 ssl=yes",
		"a:x::::::proxy=y host=group ssl=no",
		"a:x::::::proxy=y host=unix:/run/lmtp:24",
		"a:x::::::proxy=y host=2001:db8::1",
		"a:x::::::proxy=y host=b:0",
	};
	struct arena *home = arena_new(256);
	struct buf to;

	(void)state;
	buf_init(&to, USER_LINE_MAX);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct user u = read_good(lines[i], home);

		buf_clear(&to);
		user_write(&u, &to);
		assert_true(str_eq((struct str){ to.at, to.len - 1 }, str_of(lines[i])));
		assert_int_equal(to.at[to.len - 1], '\n');
	}
	buf_clear(&to);
	user_write(&(struct user){ .name = STR("a"), .password = STR("{plain}b:c") }, &to);
	assert_str(buf_text(&to), STR("a:{PLAIN.b64}Yjpj::::::\n"));
	buf_done(&to);
	arena_free(home);
}

static void allowed(void **state)
{
	struct user u = { .networks = STR("192.0.2.0/24, 2001:db8::1"), .protocols = STR("imap, SMTP") };
	struct addr a = { .family = AF_UNSPEC };

	(void)state;
	assert_true(addr_parse_ip(STR("192.0.2.7"), &a));
	assert_true(user_allows_network(&u, &a));
	assert_true(addr_parse_ip(STR("2001:db8::1"), &a));
	assert_true(user_allows_network(&u, &a));
	assert_true(addr_parse_ip(STR("198.51.100.1"), &a));
	assert_false(user_allows_network(&u, &a));
	assert_true(user_allows_protocol(&u, STR("smtp")));
	assert_false(user_allows_protocol(&u, STR("pop3")));
	u.networks = STR("nonsense");
	assert_false(user_allows_network(&u, &a));
	u = (struct user){ .disabled = false };
	assert_true(user_allows_network(&u, &a));
	assert_true(user_allows_protocol(&u, STR("pop3")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(refused),
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
