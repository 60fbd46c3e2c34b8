/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives proxy_ssl*: what they are by default, where they hold, and what is wrong with them. */
#include "tls_side.h"

#include "net/tls_client.h"
#include "vars/vars.h"
#include <string.h>

/* --- values ---------------------------------------------------------------------------------------- */

/* The names of nginx's http module, and `proxy_ssl` itself. */
static void knows_every_directive(void **state)
{
	static const char *const NAMES[] = {
		"proxy_ssl",
		"proxy_ssl_name",
		"proxy_ssl_verify",
		"proxy_ssl_verify_depth",
		"proxy_ssl_trusted_certificate",
		"proxy_ssl_crl",
		"proxy_ssl_server_name",
		"proxy_ssl_certificate",
		"proxy_ssl_certificate_key",
		"proxy_ssl_password_file",
		"proxy_ssl_protocols",
		"proxy_ssl_ciphers",
		"proxy_ssl_session_reuse",
		"proxy_ssl_conf_command",
	};
	size_t rows = 0;

	(void)state;
	for (const struct directive *d = proxy_tls_module.directives; d->name != NULL; d++, rows++) {
		assert_string_equal(d->name, NAMES[rows]);
		assert_int_equal(d->where, IN_MAIL | IN_SERVER | IN_UPSTREAM);
		assert_true(d->args != NULL && d->help != NULL && strlen(d->help) > 10);
	}
	assert_int_equal(rows, sizeof(NAMES) / sizeof(NAMES[0]));
}

static const struct scope *mail_of(const struct site *s)
{
	return scope_first(conf_top(s->conf), IN_MAIL);
}

static void holds_where_it_stands(void **state)
{
	const struct scope *group, *first, *second;
	struct str name;
	struct site s;

	(void)state;
	site_init(&s, 0);
	site_load(
		&s,
		"proxy_ssl starttls; upstream { proxy_ssl_name imap.test; } upstream { } server { } server { "
		"proxy_ssl off; }");
	assert_string_equal(s.said, "");
	group = scope_first(mail_of(&s), IN_UPSTREAM);
	first = site_server(&s, 0);
	second = site_server(&s, 1);
	assert_int_equal(proxy_tls_mode(group), PROXY_TLS_STARTTLS);
	assert_int_equal(proxy_tls_mode(first), PROXY_TLS_STARTTLS);
	assert_int_equal(proxy_tls_mode(second), PROXY_TLS_OFF);
	assert_true(proxy_tls_given(group) && proxy_tls_given(second) && proxy_tls_given(mail_of(&s)));
	assert_false(proxy_tls_given(first) || proxy_tls_given(scope_next(group)));
	assert_ptr_equal(proxy_tls_home(group), group);
	assert_ptr_equal(proxy_tls_home(scope_next(group)), mail_of(&s));
	assert_ptr_equal(proxy_tls_home(first), mail_of(&s));
	assert_ptr_equal(proxy_tls_home(second), second);
	assert_null(proxy_tls_name(first));
	assert_true(template_fixed(proxy_tls_name(group), &name));
	assert_str(name, STR("imap.test"));
	site_done(&s);
}

static void is_off_by_default(void **state)
{
	struct site s;

	(void)state;
	site_init(&s, 0);
	site_load(&s, "server { }");
	assert_int_equal(proxy_tls_mode(site_server(&s, 0)), PROXY_TLS_OFF);
	assert_ptr_equal(proxy_tls_home(site_server(&s, 0)), mail_of(&s));
	site_done(&s);
}

/* --- faults ---------------------------------------------------------------------------------------- */

static void check_fault(const char *directives, const char *said)
{
	const struct card_wish usual = { .by = NULL };
	struct card a = card_make("a", &usual), b = card_make("b", &usual);
	struct tls_context *t;
	struct site s;
	char mail[512];

	site_init(&s, 0);
	site_file(&s, "/etc/a.crt", card_pem(&a));
	site_file(&s, "/etc/a.key", card_key_pem(&a));
	site_file(&s, "/etc/b.key", card_key_pem(&b));
	site_file(&s, "/etc/locked.key", card_key_pem_locked(&a, "open sesame"));
	site_file(&s, "/etc/phrases", STR("open sesame\n"));
	site_file(&s, "/etc/empty", STR(""));
	snprintf(mail, sizeof(mail), "\nserver {\n%s }", directives);
	site_load(&s, mail);
	assert_non_null(s.conf);
	t = tls_client_context(s.conf, site_server(&s, 0), s.shared);
	assert_int_equal(t == NULL, said != NULL);
	if (said != NULL && strncmp(s.said, said, strlen(said)) != 0)
		assert_string_equal(s.said, said);
	tls_context_free(t);
	card_drop(&a);
	card_drop(&b);
	site_done(&s);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	check_fault(
		"proxy_ssl_trusted_certificate a.crt; proxy_ssl_certificate a.crt;",
		"no \"proxy_ssl_certificate_key\" is defined for certificate \"a.crt\" in /etc/t.conf:3\n");
	check_fault("proxy_ssl_trusted_certificate empty;",
		    "cannot load certificate \"/etc/empty\": it holds none in /etc/t.conf:3\n");
	check_fault("proxy_ssl_trusted_certificate none;",
		    "cannot load certificate \"/etc/none\": open() failed (2: No such file or directory) in "
		    "/etc/t.conf:3\n");
	check_fault("proxy_ssl_trusted_certificate a.crt;\nproxy_ssl_crl a.crt;",
		    "cannot load revocation list \"/etc/a.crt\": PEM_read_bio_X509_CRL() failed");
	check_fault("proxy_ssl_certificate a.crt;\nproxy_ssl_certificate_key b.key;",
		    "SSL_CTX_use_PrivateKey(\"/etc/b.key\") failed (SSL: error:");
	check_fault("proxy_ssl_certificate a.crt; proxy_ssl_certificate_key locked.key;",
		    "cannot load certificate key \"/etc/locked.key\": it is encrypted and there is no");
	check_fault("proxy_ssl_ciphers NONSENSE;",
		    "SSL_CTX_set_cipher_list(\"NONSENSE\") failed (SSL: error:");
	check_fault("proxy_ssl_conf_command No Such;", "SSL_CONF_cmd(\"No\", \"Such\") failed (SSL: error:");
	check_fault("proxy_ssl_certificate a.crt; proxy_ssl_certificate_key locked.key; "
		    "proxy_ssl_password_file phrases; proxy_ssl_trusted_certificate a.crt;",
		    NULL);
}

static void says_that_there_are_no_authorities(void **state)
{
	(void)state;
	setenv("SSL_CERT_FILE", "/nowhere", 1);
	check_fault("proxy_ssl on;",
		    "no authorities to verify certificates of upstream servers against: there are none in "
		    "\"/nowhere\"; name a file with \"proxy_ssl_trusted_certificate\", install the system's "
		    "(ca-certificates), or do without by \"proxy_ssl_verify off\" in /etc/t.conf:2\n");
	check_fault("proxy_ssl on; proxy_ssl_verify off;", NULL);
	check_fault("", NULL);
	unsetenv("SSL_CERT_FILE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_directive),
		cmocka_unit_test(holds_where_it_stands),
		cmocka_unit_test(is_off_by_default),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(says_that_there_are_no_authorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
