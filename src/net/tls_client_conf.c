/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives proxy_ssl_*: TLS towards mail servers, for each server and each upstream.
 *
 * Like nginx's of the same names, but for two defaults: certificates are verified, and the server is told the
 * name that is asked for. A mail server that cannot be told from another is no place for passwords.
 */
#include "net/tls_client.h"

#include "vars/vars.h"

enum { IN_ALL = IN_MAIL | IN_SERVER | IN_UPSTREAM };

struct settings {
	struct tls_client_options options;
	const struct template *name;
	unsigned mode; /* enum proxy_tls */
};

static const struct choice MODES[] = {
	{ "off", PROXY_TLS_OFF },
	{ "on", PROXY_TLS_ON },
	{ "starttls", PROXY_TLS_STARTTLS },
	{ NULL, 0 },
};

/* clang-format off */
static const struct directive DIRECTIVES[] = {
	{ "proxy_ssl", IN_ALL, 1, 1, .slot = SLOT_ENUM, .offset = offsetof(struct settings, mode),
	  .choices = MODES, .preset = "off", .args = "off | on | starttls",
	  .help = "Speaks with mail servers under TLS: from the first byte, or after STARTTLS (STLS), "
		  "without which there is then no login. The answer of the authentication server may say "
		  "otherwise for one login." },
	{ "proxy_ssl_name", IN_ALL, 1, 1, SLOT_TEMPLATE(struct settings, name),
	  .args = "TEXT",
	  .help = "The name that the server's certificate must be for, and that the server is told, "
		  "instead of its host name or address as configured. May hold variables." },
	TLS_CLIENT_ROWS("proxy_ssl", IN_ALL, struct settings),
	{ .name = NULL },
};
/* clang-format on */

const struct module proxy_tls_module = {
	.name = "proxy_tls",
	.places = IN_ALL,
	.size = sizeof(struct settings),
	.directives = DIRECTIVES,
};

static const struct settings *settings_of(const struct scope *at)
{
	return scope_settings(at, &proxy_tls_module);
}

enum proxy_tls proxy_tls_mode(const struct scope *at)
{
	return (enum proxy_tls)settings_of(at)->mode;
}

bool proxy_tls_given(const struct scope *at)
{
	for (const struct directive *d = DIRECTIVES; d->name != NULL; d++)
		if (scope_given(at, &proxy_tls_module, d->name))
			return true;
	return false;
}

const struct scope *proxy_tls_home(const struct scope *at)
{
	const struct scope *outer;

	while (!proxy_tls_given(at)) {
		outer = scope_outer(at);
		if (outer == NULL || settings_of(outer) == NULL)
			break;
		at = outer;
	}
	return at;
}

const struct template *proxy_tls_name(const struct scope *at)
{
	return settings_of(at)->name;
}

bool proxy_tls_verifies(const struct scope *at)
{
	return settings_of(at)->options.verify;
}

bool proxy_tls_certified(const struct scope *at)
{
	return settings_of(at)->options.certificate.len != 0;
}

struct tls_context *tls_client_context(struct conf *c, const struct scope *at, struct tls_shared *shared)
{
	const struct settings *s = settings_of(at);
	struct tls_client_use use = {
		.family = "proxy_ssl", .peer = "upstream", .at = at, .needed = s->mode != PROXY_TLS_OFF
	};

	return tls_client_context_from(c, &s->options, &use, shared);
}
