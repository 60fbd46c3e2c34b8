/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS as a client: towards mail servers (proxy_ssl_*), and towards whomever else a family of such directives
 * speaks of.
 *
 * The names and meanings are those of nginx's http proxy, with one difference: certificates are verified
 * unless the configuration says not to, and without a file of authorities the system's are taken. What a
 * family needs besides its rows is a struct tls_client_options among its settings.
 */
#pragma once
#include "net/tls.h"
#include "net/tls_words.h"

struct template;

/* What the rows of a family fill. */
struct tls_client_options {
	struct tls_word trusted_ca, crl; /* no authorities: the system's */
	struct tls_words certificate, key;
	struct tls_word password_file, ciphers;
	struct tls_words commands; /* name, value, name, value … */
	unsigned protocols;
	uint64_t verify_depth;
	bool verify, sends_name, reuse;
};

/* Who makes a context, and what for. */
struct tls_client_use {
	const char *family;	/* "proxy_ssl": how its directives begin, for complaints */
	const char *peer;	/* "upstream": who the server is, for the log */
	const struct scope *at; /* where the options hold */
	bool needed;		/* the configuration wants TLS: without authorities that is a fault */
};

/*
 * A context for stream_secure as a client; certificates, keys and authorities come through the bundle. It
 * sends and checks the name that stream_secure is given, and keeps the last session of each name and address
 * for resumption, if so configured. NULL after conf_fault. What is not `needed` may turn out to be (an answer
 * asked for it), so the system's authorities are then looked at when the first handshake begins; there may be
 * none, which fails that handshake. The configuration must outlive the context. Without `shared` it can be
 * made and freed, but is of no use.
 */
struct tls_context *tls_client_context_from(struct conf *c, const struct tls_client_options *options,
					    const struct tls_client_use *use, struct tls_shared *shared);

/* --- proxy_ssl_* ----------------------------------------------------------------------------------- */

/* In mail, server and upstream. */
extern const struct module proxy_tls_module;

enum proxy_tls { PROXY_TLS_OFF, PROXY_TLS_ON, PROXY_TLS_STARTTLS };

/* What `proxy_ssl` says here. */
enum proxy_tls proxy_tls_mode(const struct scope *at);

/* Does this very scope say anything of the family? An upstream block that does wins over the server's. */
bool proxy_tls_given(const struct scope *at);

/* The scope whose words hold here: this one, or the nearest outside that says anything of the family, or the
 * outermost. Scopes that have it in common may share a context. */
const struct scope *proxy_tls_home(const struct scope *at);

/* Of proxy_ssl_name; NULL: the host's name as configured. What it is filled to comes from outside, and may be
 * no name at all: stream_secure takes anything, and says so when it is. */
const struct template *proxy_tls_name(const struct scope *at);

/* Is the server's certificate verified, so that a name is needed? */
bool proxy_tls_verifies(const struct scope *at);

/* Is there a proxy_ssl_certificate that is shown to servers? */
bool proxy_tls_certified(const struct scope *at);

/* A context for the servers of this scope; as of tls_client_context_from. Also where `proxy_ssl` is off, for
 * the authentication's answer may ask for TLS. */
struct tls_context *tls_client_context(struct conf *c, const struct scope *at, struct tls_shared *shared);

/*
 * The rows of a family: TLS_CLIENT_ROWS("proxy_ssl", IN_MAIL | IN_SERVER, struct settings), where that struct
 * has a struct tls_client_options named `options`.
 */
#define TLS_CLIENT_WORD(type, field)                                                       \
	.slot = SLOT_CUSTOM, .set = tls_set_word, .offset = offsetof(type, options.field), \
	.size = sizeof(struct tls_word)
#define TLS_CLIENT_WORDS(type, field)                                                       \
	.slot = SLOT_CUSTOM, .set = tls_add_words, .offset = offsetof(type, options.field), \
	.size = sizeof(struct tls_words)
#define TLS_CLIENT_PLAIN(kind, type, field) .slot = kind, .offset = offsetof(type, options.field)

/* clang-format off */
#define TLS_CLIENT_ROWS(family, in, type) \
	{ family "_verify", in, 1, 1, TLS_CLIENT_PLAIN(SLOT_FLAG, type, verify), .preset = "on", \
	  .args = "on | off", \
	  .help = "Verifies the server's certificate: who vouches for it, its term, and that it is for " \
		  "the name or address asked for (RFC 9525). On by default, unlike in nginx." }, \
	{ family "_verify_depth", in, 1, 1, TLS_CLIENT_PLAIN(SLOT_NUMBER, type, verify_depth), \
	  .preset = "1", .args = "NUMBER", \
	  .help = "How many intermediate authorities may stand between the server's certificate and a " \
		  "trusted one." }, \
	{ family "_trusted_certificate", in, 1, 1, TLS_CLIENT_WORD(type, trusted_ca), \
	  .args = "FILE | data:PEM", \
	  .help = "Authorities in PEM that the server's certificate is verified against. By default those " \
		  "of the system, as they are when the configuration is loaded." }, \
	{ family "_crl", in, 1, 1, TLS_CLIENT_WORD(type, crl), .args = "FILE | data:PEM", \
	  .help = "Revocation lists in PEM, one for each authority of the server's chain." }, \
	{ family "_server_name", in, 1, 1, TLS_CLIENT_PLAIN(SLOT_FLAG, type, sends_name), .preset = "on", \
	  .args = "on | off", \
	  .help = "Tells the server the name asked for (SNI, RFC 6066), unless it is an address. On " \
		  "by default, unlike in nginx." }, \
	{ family "_certificate", in, 1, 1, TLS_CLIENT_WORDS(type, certificate), .args = "FILE | data:PEM", \
	  .help = "A certificate to show to servers that ask for one, in PEM, followed by those of " \
		  "intermediate authorities." }, \
	{ family "_certificate_key", in, 1, 1, TLS_CLIENT_WORDS(type, key), \
	  .args = "FILE | data:PEM | store:URI", \
	  .help = "Its secret key, in PEM or from an OpenSSL store." }, \
	{ family "_password_file", in, 1, 1, TLS_CLIENT_WORD(type, password_file), .args = "FILE", \
	  .help = "Pass phrases for the secret key, one on each line, tried in turn." }, \
	{ family "_protocols", in, 1, 0, TLS_CLIENT_PLAIN(SLOT_BITS, type, protocols), \
	  .flags = CONF_UNLIMITED | CONF_REPEATS, .choices = tls_versions, .preset = "TLSv1.2 TLSv1.3", \
	  .args = "[SSLv2] [SSLv3] [TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]", \
	  .help = "The versions of the protocol that are offered to servers." }, \
	{ family "_ciphers", in, 1, 1, TLS_CLIENT_WORD(type, ciphers), .preset = "DEFAULT", .args = "LIST", \
	  .help = "The ciphers of TLS 1.2 and before that are offered, in OpenSSL's notation." }, \
	{ family "_session_reuse", in, 1, 1, TLS_CLIENT_PLAIN(SLOT_FLAG, type, reuse), .preset = "on", \
	  .args = "on | off", \
	  .help = "Resumes the last session with the same server, name and address, which saves both sides " \
		  "the larger part of a handshake." }, \
	{ family "_conf_command", in, 2, 2, TLS_CLIENT_WORDS(type, commands), .flags = CONF_REPEATS, \
	  .args = "NAME VALUE", \
	  .help = "Any command of OpenSSL's configuration interface. Applied last, so it overrides the " \
		  "other directives." }
/* clang-format on */
