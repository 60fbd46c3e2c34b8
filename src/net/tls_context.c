/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts: what the directives of one server block mean to the TLS library.
 *
 * The order is the peer's, so a configuration with several faults shows the same one first; ssl_conf_command
 * comes last and may undo all of it. The block's identity is part of every session and ticket: its position,
 * certificates, and whom it trusts. So a session that began under other rules (another block, another
 * authority, a newer revocation list) is not resumed.
 */
#include "net/tls_inside.h"

#include "base/digest.h"
#include "base/must.h"
#include "net/tls_client_inside.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

struct tls_context *tls_context_of(const struct ssl_ctx_st *ssl)
{
	return SSL_CTX_get_app_data(ssl);
}

static const char *text_of(struct conf *c, struct str s)
{
	return arena_str(conf_arena(c), s).at;
}

/* --- protocol -------------------------------------------------------------------------------------- */

static const struct {
	unsigned bit;
	uint64_t without;
} VERSIONS[] = {
	{ TLS_SSLV3, SSL_OP_NO_SSLv3 }, { TLS_1_0, SSL_OP_NO_TLSv1 },	{ TLS_1_1, SSL_OP_NO_TLSv1_1 },
	{ TLS_1_2, SSL_OP_NO_TLSv1_2 }, { TLS_1_3, SSL_OP_NO_TLSv1_3 },
};

/* The system's own configuration of the library may set bounds; ours are the ones that count. */
void tls_set_versions(SSL_CTX *ssl, unsigned protocols)
{
	SSL_CTX_set_min_proto_version(ssl, 0);
	SSL_CTX_set_max_proto_version(ssl, 0);
	for (size_t i = 0; i < sizeof(VERSIONS) / sizeof(VERSIONS[0]); i++) {
		if (protocols & VERSIONS[i].bit)
			SSL_CTX_clear_options(ssl, VERSIONS[i].without);
		else
			SSL_CTX_set_options(ssl, VERSIONS[i].without);
	}
}

/*
 * Buffers only while they hold something; a FIN without close_notify ends a stream in order, for the
 * protocols above have their own goodbyes; chains as the files give them, never looked for while a client
 * waits; plaintext is wiped once read, until tls_settle.
 */
void tls_set_manners(SSL_CTX *ssl)
{
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_read_ahead(ssl, 1);
}

bool tls_set_ciphers(struct conf *c, SSL_CTX *ssl, const struct tls_word *ciphers)
{
	return SSL_CTX_set_cipher_list(ssl, text_of(c, ciphers->text)) == 1 ||
	       tls_fault(c, ciphers, "SSL_CTX_set_cipher_list(\"%.*s\") failed", STR_ARG(ciphers->text));
}

/* `auto`: no group over finite fields, for a handshake with the largest costs a thousand times what the usual
 * one does. */
static bool set_groups(struct conf *c, SSL_CTX *ssl, const struct tls_settings *s)
{
	if (!str_eq(s->curves.text, STR("auto")))
		return SSL_CTX_set1_groups_list(ssl, text_of(c, s->curves.text)) == 1 ||
		       tls_fault(c, &s->curves, "SSL_CTX_set1_curves_list(\"%.*s\") failed",
				 STR_ARG(s->curves.text));
	if (SSL_CTX_set1_groups_list(ssl, "X25519MLKEM768:X25519:P-256:X448:P-384:P-521") != 1)
		must(SSL_CTX_set1_groups_list(ssl, "X25519:P-256:X448:P-384:P-521") == 1);
	ERR_clear_error();
	return true;
}

/* --- what clients are asked ------------------------------------------------------------------------ */

/* Every certificate passes the handshake; the session looks at the verdict afterwards and can then say why in
 * its protocol. */
static int let_pass(int good, X509_STORE_CTX *store)
{
	(void)good;
	(void)store;
	return 1;
}

static bool set_verification(struct conf *c, SSL_CTX *ssl, const struct scope *server,
			     const struct tls_settings *s)
{
	if (s->verify == TLS_VERIFY_OFF)
		return true;
	if (s->verify != TLS_VERIFY_OPTIONAL_NO_CA && s->client_ca.text.len == 0 &&
	    s->trusted_ca.text.len == 0)
		return conf_fault_at(
			c, scope_file(server), scope_line(server),
			"no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client");
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, let_pass);
	SSL_CTX_set_verify_depth(ssl, s->verify_depth < INT32_MAX ? (int)s->verify_depth : INT32_MAX);
	return tls_take_authorities(c, ssl, s);
}

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len,
			   const unsigned char *offered, unsigned offered_len, void *arg)
{
	const struct tls_context *t = arg;
	unsigned char *found;
	int result = SSL_select_next_proto(&found, len, (const unsigned char *)t->alpn.at,
					   (unsigned)t->alpn.len, offered, offered_len);

	(void)ssl;
	*chosen = found;
	return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void set_alpn(struct tls_context *t, const char *const *names)
{
	struct buf wire;

	buf_init_in(&wire, t->home, UINT16_MAX);
	for (; names != NULL && *names != NULL; names++) {
		must(strlen(*names) <= UINT8_MAX);
		buf_put_byte(&wire, (char)strlen(*names));
		buf_put(&wire, str_of(*names));
	}
	t->alpn = buf_text(&wire);
	if (t->alpn.len != 0)
		SSL_CTX_set_alpn_select_cb(t->ssl, choose_protocol, t);
}

/* --- sessions -------------------------------------------------------------------------------------- */

static unsigned position_of(const struct scope *server)
{
	const struct scope *outer = scope_outer(server);
	unsigned n = 0;

	for (const struct scope *s = outer != NULL ? scope_first(outer, IN_SERVER) : NULL;
	     s != NULL && s != server; s = scope_next(s))
		n++;
	return n;
}

static void put_file(struct conf *c, const struct tls_word *word, struct buf *to)
{
	uint8_t digest[SHA256_SIZE];
	struct str content = STR("");

	if (word->text.len != 0)
		tls_read(c, word->text, &content);
	digest_sha256(content, digest);
	buf_put(to, (struct str){ (const char *)digest, sizeof(digest) });
}

static void set_identity(struct conf *c, SSL_CTX *ssl, const struct scope *server,
			 const struct tls_settings *s)
{
	uint8_t digest[SHA256_SIZE];
	struct buf about;

	buf_init(&about, 1 << 20);
	buf_format(&about, "MAIL %u %u %llu", position_of(server), s->verify,
		   (unsigned long long)s->verify_depth);
	for (size_t i = 0; i < s->certificates.len; i++)
		put_file(c, &s->certificates.at[i], &about);
	if (s->verify != TLS_VERIFY_OFF) {
		put_file(c, &s->client_ca, &about);
		put_file(c, &s->trusted_ca, &about);
		put_file(c, &s->crl, &about);
	}
	must(!about.full);
	digest_sha256(buf_text(&about), digest);
	buf_done(&about);
	must(SSL_CTX_set_session_id_context(ssl, digest, sizeof(digest)) == 1);
}

/*
 * `none` promises that sessions may be resumed and keeps none: some clients take a plain "no" for an error.
 * With a shared cache a builtin one would find nothing more.
 */
static void set_cache(struct tls_context *t, const struct tls_cache_choice *cache)
{
	if (cache->shared && t->shared != NULL) {
		SSL_CTX_set_session_cache_mode(t->ssl, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
		tls_cache_serve(t->ssl);
	} else if (cache->builtin) {
		SSL_CTX_set_session_cache_mode(t->ssl, SSL_SESS_CACHE_SERVER);
		SSL_CTX_sess_set_cache_size(t->ssl, (long)cache->builtin_sessions);
	} else {
		SSL_CTX_set_session_cache_mode(t->ssl, cache->off ? SSL_SESS_CACHE_OFF
								  : SSL_SESS_CACHE_SERVER |
									    SSL_SESS_CACHE_NO_INTERNAL);
	}
}

/* One ticket is enough; and none is better than one that nobody can open: without tickets those of TLS 1.3
 * are numbers in a cache. */
static void set_tickets(struct tls_context *t, const struct tls_settings *s)
{
	SSL_CTX_set_num_tickets(t->ssl, s->tickets || s->cache.shared || s->cache.builtin);
	if (!s->tickets)
		SSL_CTX_set_options(t->ssl, SSL_OP_NO_TICKET);
	if (t->shared == NULL)
		return;
	tls_tickets_reach(t->shared->tickets, s->timeout_s);
	tls_tickets_serve(t->ssl);
}

static bool take_ticket_keys(struct conf *c, struct tls_context *t, const struct tls_words *files)
{
	struct str content;

	t->ticket_keys = arena_take(t->home, files->len * sizeof(*t->ticket_keys));
	for (size_t i = 0; i < files->len; i++) {
		const struct tls_word *file = &files->at[i];
		const char *wrong = tls_read(c, file->text, &content);

		if (wrong != NULL)
			return conf_fault_at(c, file->file, file->line,
					     "cannot load session ticket key \"%.*s\": %s",
					     STR_ARG(conf_path(c, file->text)), wrong);
		if (!tls_ticket_key_read(content, &t->ticket_keys[i]))
			return conf_fault_at(c, file->file, file->line, "\"%.*s\" must be 48 or 80 bytes",
					     STR_ARG(conf_path(c, file->text)));
		t->ticket_keys_len++;
	}
	return true;
}

static bool set_sessions(struct conf *c, struct tls_context *t, const struct scope *server,
			 const struct tls_settings *s)
{
	t->timeout_s = s->timeout_s;
	SSL_CTX_set_timeout(t->ssl, s->timeout_s < INT32_MAX ? (long)s->timeout_s : INT32_MAX);
	set_identity(c, t->ssl, server, s);
	set_cache(t, &s->cache);
	set_tickets(t, s);
	return take_ticket_keys(c, t, &s->ticket_keys);
}

/* --- commands -------------------------------------------------------------------------------------- */

/* Values that name files are relative to the configuration, as everywhere. The library reads them itself. */
static const char *value_of(struct conf *c, SSL_CONF_CTX *conf, const char *name, struct str value)
{
	int type = SSL_CONF_cmd_value_type(conf, name);

	return text_of(c,
		       type == SSL_CONF_TYPE_FILE || type == SSL_CONF_TYPE_DIR ? conf_path(c, value) : value);
}

static bool run_commands(struct conf *c, SSL_CONF_CTX *conf, const struct tls_words *words)
{
	for (size_t i = 0; i + 1 < words->len; i += 2) {
		const struct tls_word *name = &words->at[i], *value = &words->at[i + 1];
		const char *text = text_of(c, name->text);

		if (SSL_CONF_cmd(conf, text, value_of(c, conf, text, value->text)) <= 0)
			return tls_fault(c, name, "SSL_CONF_cmd(\"%.*s\", \"%.*s\") failed",
					 STR_ARG(name->text), STR_ARG(value->text));
	}
	return SSL_CONF_CTX_finish(conf) == 1 || tls_fault(c, &words->at[0], "SSL_CONF_finish() failed");
}

bool tls_take_commands(struct conf *c, SSL_CTX *ssl, const struct tls_words *words)
{
	SSL_CONF_CTX *conf;
	bool good;

	if (words->len == 0)
		return true;
	conf = SSL_CONF_CTX_new();
	SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CLIENT |
					     SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_SHOW_ERRORS);
	SSL_CONF_CTX_set_ssl_ctx(conf, ssl);
	good = run_commands(c, conf, words);
	SSL_CONF_CTX_free(conf);
	return good;
}

/* --- a context ------------------------------------------------------------------------------------- */

struct tls_context *tls_context_new(const struct ssl_method_st *side, struct tls_shared *shared)
{
	struct arena *home = arena_new(512);
	struct tls_context *t = arena_take(home, sizeof(*t));

	*t = (struct tls_context){ .home = home, .shared = shared, .ssl = SSL_CTX_new(side) };
	must(t->ssl != NULL);
	SSL_CTX_set_app_data(t->ssl, t);
	return t;
}

static void set_compression(struct conf *c, SSL_CTX *ssl, const struct tls_settings *s)
{
	if (!tls_compress_certificates(ssl, s->certificate_compression))
		conf_say(c, LOG_WARN,
			 "\"ssl_certificate_compression\" is not supported on this platform, ignored");
}

static bool furnish(struct conf *c, struct tls_context *t, const struct scope *server,
		    const char *const *alpn)
{
	const struct tls_settings *s = tls_settings(server);

	t->verify = tls_verify_mode(server);
	tls_set_versions(t->ssl, s->protocols);
	tls_set_manners(t->ssl);
	if (s->prefer_server_ciphers)
		SSL_CTX_set_options(t->ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
	set_alpn(t, alpn);
	tls_names_serve(t->ssl);
	if (!tls_set_ciphers(c, t->ssl, &s->ciphers) || !tls_take_certificates(c, t->ssl, s))
		return false;
	tls_note_own(t);
	set_compression(c, t->ssl, s);
	return set_verification(c, t->ssl, server, s) && tls_take_dhparam(c, t->ssl, &s->dhparam) &&
	       set_groups(c, t->ssl, s) && set_sessions(c, t, server, s) &&
	       tls_take_commands(c, t->ssl, &s->commands);
}

struct tls_context *tls_server_context(struct conf *c, const struct scope *server, const char *const *alpn,
				       struct tls_shared *shared)
{
	struct tls_context *t = tls_context_new(TLS_server_method(), shared);

	ERR_clear_error();
	if (furnish(c, t, server, alpn))
		return t;
	tls_context_free(t);
	return NULL;
}

void tls_context_free(struct tls_context *t)
{
	if (t == NULL)
		return;
	if (t->client != NULL)
		tls_client_free(t);
	SSL_CTX_free(t->ssl);
	arena_free(t->home);
}
