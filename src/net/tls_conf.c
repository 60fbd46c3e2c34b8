/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives ssl_*: rows, and what reads the odd ones among them.
 *
 * Nothing is loaded here. Files are read when a server that uses TLS gets its context, so a mail block may
 * name certificates that no server uses; therefore every word remembers where it stood.
 */
#include "net/tls_inside.h"

#include <string.h>
#include <unistd.h>

enum { IN_BOTH = IN_MAIL | IN_SERVER, PAGES_MIN = 8 };

static directive_set_fn set_cache;

const struct choice tls_versions[] = {
	{ "SSLv2", TLS_SSLV2 }, { "SSLv3", TLS_SSLV3 }, { "TLSv1", TLS_1_0 }, { "TLSv1.1", TLS_1_1 },
	{ "TLSv1.2", TLS_1_2 }, { "TLSv1.3", TLS_1_3 }, { NULL, 0 },
};

static const struct choice VERIFY_MODES[] = {
	{ "off", TLS_VERIFY_OFF },
	{ "on", TLS_VERIFY_ON },
	{ "optional", TLS_VERIFY_OPTIONAL },
	{ "optional_no_ca", TLS_VERIFY_OPTIONAL_NO_CA },
	{ NULL, 0 },
};

/* Rows whose words are kept with their place: one, or one and more. */
#define WORD(field)                                                                               \
	.slot = SLOT_CUSTOM, .set = tls_set_word, .offset = offsetof(struct tls_settings, field), \
	.size = sizeof(struct tls_word)
#define WORDS(field)                                                      \
	.slot = SLOT_CUSTOM, .set = tls_add_words, .flags = CONF_REPEATS, \
	.offset = offsetof(struct tls_settings, field), .size = sizeof(struct tls_words)
#define PLAIN(kind, field) .slot = kind, .offset = offsetof(struct tls_settings, field)

/* clang-format off */
static const struct directive DIRECTIVES[] = {
	{ "ssl_certificate", IN_BOTH, 1, 1, WORDS(certificates),
	  .args = "FILE | data:PEM",
	  .help = "The server's certificate in PEM, followed by those of intermediate authorities. May "
		  "be repeated for certificates of different kinds (RSA, ECDSA); the client's abilities "
		  "decide." },
	{ "ssl_certificate_key", IN_BOTH, 1, 1, WORDS(keys),
	  .args = "FILE | data:PEM | store:URI",
	  .help = "The secret key of the certificate at the same position, in PEM or from an OpenSSL "
		  "store." },
	{ "ssl_password_file", IN_BOTH, 1, 1, WORD(password_file),
	  .args = "FILE",
	  .help = "Pass phrases for secret keys, one on each line, tried in turn." },
	{ "ssl_certificate_compression", IN_BOTH, 1, 1, PLAIN(SLOT_FLAG, certificate_compression),
	  .preset = "off", .args = "on | off",
	  .help = "Sends certificates compressed to clients of TLS 1.3 that know how, where the TLS "
		  "library can." },
	{ "ssl_protocols", IN_BOTH, 1, 0, PLAIN(SLOT_BITS, protocols), .flags = CONF_UNLIMITED | CONF_REPEATS,
	  .choices = tls_versions, .preset = "TLSv1.2 TLSv1.3",
	  .args = "[SSLv2] [SSLv3] [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]",
	  .help = "The versions of the protocol that clients may use, as far as the TLS library still "
		  "has them." },
	{ "ssl_ciphers", IN_BOTH, 1, 1, WORD(ciphers), .preset = "HIGH:!aNULL:!MD5",
	  .args = "LIST",
	  .help = "The ciphers of TLS 1.2 and before, in OpenSSL's notation. Those of TLS 1.3 are chosen"
		  " with `ssl_conf_command Ciphersuites`." },
	{ "ssl_prefer_server_ciphers", IN_BOTH, 1, 1, PLAIN(SLOT_FLAG, prefer_server_ciphers),
	  .preset = "off", .args = "on | off",
	  .help = "Lets the order of our ciphers decide, not that of the client's." },
	{ "ssl_dhparam", IN_BOTH, 1, 1, WORD(dhparam),
	  .args = "FILE",
	  .help = "Diffie-Hellman parameters in PEM for DHE ciphers, which are not used without." },
	{ "ssl_ecdh_curve", IN_BOTH, 1, 1, WORD(curves), .preset = "auto",
	  .args = "auto | LIST",
	  .help = "The groups for key exchange, separated by colons. `auto` takes X25519 first, then the"
		  " NIST curves, and a post-quantum hybrid before all where the TLS library has one." },
	{ "ssl_session_cache", IN_BOTH, 1, 2, .slot = SLOT_CUSTOM, .set = set_cache,
	  .offset = offsetof(struct tls_settings, cache), .size = sizeof(struct tls_cache_choice),
	  .args = "off | none | [builtin[:SESSIONS]] [shared:NAME:SIZE]",
	  .help = "Where sessions are kept that clients may resume by their number: in each worker, in "
		  "memory common to all, or nowhere. `none` lets clients believe they might be. All zones "
		  "share one space, as large as the program began with; their sizes are only checked." },
	{ "ssl_session_tickets", IN_BOTH, 1, 1, PLAIN(SLOT_FLAG, tickets), .preset = "on",
	  .args = "on | off",
	  .help = "Lets clients resume sessions with tickets that they keep themselves. Without key "
		  "files the keys are random, common to all workers, and replaced every hour or after "
		  "`ssl_session_timeout`, whichever is longer." },
	{ "ssl_session_ticket_key", IN_BOTH, 1, 1, WORDS(ticket_keys),
	  .args = "FILE",
	  .help = "A file of 48 or 80 random bytes whose key seals tickets, so that several machines "
		  "take each other's. The first seals, all are tried for opening." },
	{ "ssl_session_timeout", IN_BOTH, 1, 1, PLAIN(SLOT_SEC, timeout_s), .preset = "5m",
	  .args = "TIME",
	  .help = "How long a session may be resumed." },
	{ "ssl_verify_client", IN_BOTH, 1, 1, PLAIN(SLOT_ENUM, verify), .choices = VERIFY_MODES,
	  .preset = "off",
	  .args = "on | off | optional | optional_no_ca",
	  .help = "Asks clients for a certificate: required, or only verified if there is one, or "
		  "accepted from unknown authorities too, for the authentication server to judge." },
	{ "ssl_verify_depth", IN_BOTH, 1, 1, PLAIN(SLOT_NUMBER, verify_depth), .preset = "1",
	  .args = "NUMBER",
	  .help = "How many intermediate authorities may stand between a client's certificate and a "
		  "trusted one." },
	{ "ssl_client_certificate", IN_BOTH, 1, 1, WORD(client_ca),
	  .args = "FILE",
	  .help = "Authorities in PEM that client certificates are verified against; clients are told "
		  "their names." },
	{ "ssl_trusted_certificate", IN_BOTH, 1, 1, WORD(trusted_ca),
	  .args = "FILE",
	  .help = "More such authorities, of which clients are not told." },
	{ "ssl_crl", IN_BOTH, 1, 1, WORD(crl),
	  .args = "FILE",
	  .help = "Revocation lists in PEM, one for each authority of a client's chain." },
	{ "ssl_conf_command", IN_BOTH, 2, 2, WORDS(commands),
	  .args = "NAME VALUE",
	  .help = "Any command of OpenSSL's configuration interface. Applied last, so it overrides the "
		  "other directives." },
	{ .name = NULL },
};
/* clang-format on */

const struct module tls_module = {
	.name = "tls",
	.places = IN_BOTH,
	.size = sizeof(struct tls_settings),
	.directives = DIRECTIVES,
};

static struct tls_word word_at(const struct words *w, size_t i)
{
	return (struct tls_word){ .text = w->at[i], .file = w->file, .line = w->line };
}

bool tls_set_word(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)c;
	*(struct tls_word *)(void *)((char *)settings + d->offset) = word_at(w, 1);
	return true;
}

bool tls_add_words(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct tls_words *list = (void *)((char *)settings + d->offset), more;
	size_t n = w->len - 1;

	more = (struct tls_words){ arena_take(conf_arena(c), (list->len + n) * sizeof(*more.at)),
				   list->len + n };
	if (list->len != 0)
		memcpy(more.at, list->at, list->len * sizeof(*more.at));
	for (size_t i = 0; i < n; i++)
		more.at[list->len + i] = word_at(w, 1 + i);
	*list = more;
	return true;
}

/* --- ssl_session_cache ----------------------------------------------------------------------------- */

static bool read_builtin(struct str text, struct tls_cache_choice *choice)
{
	enum { SESSIONS = 20480 };

	choice->builtin = true;
	choice->builtin_sessions = SESSIONS;
	return text.len == 0 || str_number(str_skip(text, 1), INT32_MAX, &choice->builtin_sessions);
}

/* What stands behind "shared:": NAME:SIZE. */
static bool read_shared(struct str text, struct tls_cache_choice *choice)
{
	choice->shared_name = str_cut(&text, ':');
	choice->shared = choice->shared_name.len != 0 && conf_read_size(text, &choice->shared_bytes);
	return choice->shared;
}

static bool read_cache(struct str word, struct tls_cache_choice *choice)
{
	if (str_eq(word, STR("off")))
		return choice->off = true;
	if (str_eq(word, STR("none")))
		return true;
	if (str_eq(word, STR("builtin")) || str_starts(word, STR("builtin:")))
		return read_builtin(str_skip(word, strlen("builtin")), choice);
	return str_starts(word, STR("shared:")) && read_shared(str_skip(word, strlen("shared:")), choice);
}

/* The mail block, then its servers; NULL behind the last. Begin with NULL. */
static const struct scope *following(struct conf *c, const struct scope *s)
{
	if (s == NULL)
		return scope_first(conf_top(c), IN_MAIL);
	return scope_place(s) == IN_MAIL ? scope_first(s, IN_SERVER) : scope_next(s);
}

static const struct tls_cache_choice *cache_of(const struct scope *s)
{
	return &tls_settings(s)->cache;
}

static bool same_zone(const struct tls_cache_choice *a, const struct tls_cache_choice *b)
{
	return a->shared && b->shared && str_eq(a->shared_name, b->shared_name);
}

/* A zone may be named in several places, with one size. */
static bool zone_agrees(struct conf *c, const struct tls_cache_choice *choice)
{
	for (const struct scope *s = following(c, NULL); s != NULL; s = following(c, s))
		if (same_zone(cache_of(s), choice) && cache_of(s)->shared_bytes != choice->shared_bytes)
			return conf_fault(c,
					  "the size %llu of shared memory zone \"%.*s\" conflicts with "
					  "already declared size %llu",
					  (unsigned long long)choice->shared_bytes,
					  STR_ARG(choice->shared_name),
					  (unsigned long long)cache_of(s)->shared_bytes);
	return true;
}

static bool set_cache(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct tls_cache_choice choice = { .off = false };
	uint64_t least = PAGES_MIN * (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 1; i < w->len; i++) {
		if (!read_cache(w->at[i], &choice))
			return conf_fault(c, "invalid session cache \"%.*s\"", STR_ARG(w->at[i]));
		if (choice.shared && choice.shared_bytes < least)
			return conf_fault(c, "session cache \"%.*s\" is too small", STR_ARG(w->at[i]));
	}
	if (!zone_agrees(c, &choice))
		return false;
	*(struct tls_cache_choice *)(void *)((char *)settings + d->offset) = choice;
	return true;
}

/* --- what others ask ------------------------------------------------------------------------------- */

const struct tls_settings *tls_settings(const struct scope *s)
{
	return scope_settings(s, &tls_module);
}

enum tls_verify_mode tls_verify_mode(const struct scope *server)
{
	return (enum tls_verify_mode)tls_settings(server)->verify;
}

bool tls_require(struct conf *c, const struct scope *server, const char *mode, const char *file,
		 unsigned line)
{
	const struct tls_settings *s = tls_settings(server);

	if (s->certificates.len == 0)
		return conf_fault_at(c, file, line,
				     "no \"ssl_certificate\" is defined for the \"%s\" directive", mode);
	if (s->keys.len == 0)
		return conf_fault_at(c, file, line,
				     "no \"ssl_certificate_key\" is defined for the \"%s\" directive", mode);
	if (s->keys.len < s->certificates.len)
		return conf_fault_at(
			c, file, line,
			"no \"ssl_certificate_key\" is defined for certificate \"%.*s\" and the \"%s\" "
			"directive",
			STR_ARG(tls_shown(s->certificates.at[s->certificates.len - 1].text)), mode);
	return true;
}
