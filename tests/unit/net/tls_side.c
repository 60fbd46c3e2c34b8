/* SPDX-License-Identifier: BSD-2-Clause */
/* Both sides of a TLS conversation for tests; see tls_side.h. */
#include "tls_side.h"

#include "net/tls_client.h"
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

static const struct directive ROOMS[] = {
	{ .name = "mail", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_MAIL },
	{ .name = "upstream",
	  .where = IN_MAIL,
	  .max = 1,
	  .flags = CONF_BLOCK | CONF_REPEATS,
	  .opens = IN_UPSTREAM },
	{ .name = "server", .where = IN_MAIL, .flags = CONF_BLOCK | CONF_REPEATS, .opens = IN_SERVER },
	{ .name = NULL },
};

static const struct module ROOMS_MODULE = {
	.name = "rooms", .places = IN_MAIL | IN_SERVER | IN_UPSTREAM, .size = sizeof(int), .directives = ROOMS
};

static void hear(void *to, enum log_level level, const char *text)
{
	struct site *s = to;
	size_t len = strlen(s->said);

	(void)level;
	snprintf(s->said + len, sizeof(s->said) - len, "%s\n", text);
}

void site_init(struct site *s, size_t cache)
{
	*s = (struct site){ .bundle = bundle_record(), .shared = tls_shared_new(cache) };
	assert_non_null(s->shared);
}

void site_init_after(struct site *s, const struct site *before)
{
	*s = (struct site){ .bundle = bundle_record(), .shared = before->shared, .borrowed = true };
}

void site_file(struct site *s, const char *path, struct str content)
{
	bundle_put(s->bundle, BUNDLE_FILE, str_of(path), content);
}

void site_load(struct site *s, const char *mail)
{
	const struct module *modules[] = { &ROOMS_MODULE, &tls_module, &proxy_tls_module, NULL };
	struct conf_source source = { .modules = modules,
				      .bundle = s->bundle,
				      .file = "/etc/t.conf",
				      .prefix = "/etc/",
				      .say = hear,
				      .to = s };
	char text[4096];

	assert_true((size_t)snprintf(text, sizeof(text), "mail {%s}", mail) < sizeof(text));
	bundle_put(s->bundle, BUNDLE_CONF, STR("/etc/t.conf"), str_of(text));
	s->conf = conf_load(&source);
}

void site_done(struct site *s)
{
	conf_free(s->conf);
	bundle_free(s->bundle);
	if (!s->borrowed)
		tls_shared_free(s->shared);
}

const struct scope *site_server(const struct site *s, int nth)
{
	const struct scope *server = scope_first(scope_first(conf_top(s->conf), IN_MAIL), IN_SERVER);

	while (nth-- > 0)
		server = scope_next(server);
	return server;
}

struct tls_context *site_context(struct site *s, int nth)
{
	static const char *const ALPN[] = { "imap", NULL };

	return tls_server_context(s->conf, site_server(s, nth), ALPN, s->shared);
}

/* --- pairs
 * -------------------------------------------------------------------------------------------------- */

void pair_open(struct pair *p, struct tls_context *context)
{
	*p = (struct pair){ .about = SSL_CTX_new(TLS_client_method()) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd), 0);
	p->ours.tls = tls_link_new(context, p->fd[0], false, NULL);
	assert_non_null(p->ours.tls);
}

void pair_client(struct pair *p, const struct pair_wish *wish)
{
	if (wish->card != NULL) {
		SSL_CTX_use_certificate(p->about, wish->card->cert);
		SSL_CTX_use_PrivateKey(p->about, wish->card->key);
	}
	if (wish->version != 0) {
		SSL_CTX_set_min_proto_version(p->about, wish->version);
		SSL_CTX_set_max_proto_version(p->about, wish->version);
	}
	p->theirs = SSL_new(p->about);
	SSL_set_fd(p->theirs, p->fd[1]);
	SSL_set_connect_state(p->theirs);
	if (wish->sni != NULL)
		SSL_set_tlsext_host_name(p->theirs, wish->sni);
	if (wish->alpn != NULL)
		SSL_set_alpn_protos(p->theirs, (const unsigned char *)wish->alpn,
				    (unsigned)strlen(wish->alpn));
	if (wish->resume != NULL)
		SSL_set_session(p->theirs, wish->resume);
}

void pair_close(struct pair *p)
{
	tls_link_free(p->ours.tls);
	/* or the library would think that the session was torn off, and never resume it */
	if (p->theirs != NULL)
		SSL_set_shutdown(p->theirs, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->theirs);
	SSL_CTX_free(p->about);
	close(p->fd[0]);
	close(p->fd[1]);
	ERR_clear_error();
}

/* A round of both; true while the client may still do something. */
static bool round_of(struct pair *p, enum tls_progress *us)
{
	int n = SSL_do_handshake(p->theirs);
	int wants = SSL_get_error(p->theirs, n);

	if (p->their_reason == 0)
		p->their_reason = ERR_GET_REASON(ERR_peek_last_error());
	ERR_clear_error();
	if (*us != TLS_DONE && *us != TLS_FAILED) {
		tls_link_arrived(p->ours.tls);
		*us = tls_link_handshake(p->ours.tls);
	}
	return n != 1 && wants == SSL_ERROR_WANT_READ;
}

enum tls_progress pair_shake(struct pair *p)
{
	enum tls_progress us = TLS_WANTS_READ;

	for (int rounds = 0; rounds < 10; rounds++)
		if (!round_of(p, &us) && (us == TLS_DONE || us == TLS_FAILED))
			return us;
	return us;
}

enum tls_progress pair_meet(struct pair *p, struct tls_context *context, const struct pair_wish *wish)
{
	pair_open(p, context);
	pair_client(p, wish);
	return pair_shake(p);
}

size_t pair_say(struct pair *p, struct str what, char *to, size_t room)
{
	size_t sent = 0, got = 0, n;

	for (int idle = 0; idle < 2 && got < what.len; idle++) {
		if (sent < what.len &&
		    tls_link_write(p->ours.tls, what.at + sent, what.len - sent, &n) == TLS_DONE) {
			sent += n;
			idle = 0;
		}
		while (got < room && SSL_read_ex(p->theirs, to + got, room - got, &n) == 1) {
			got += n;
			idle = 0;
		}
		ERR_clear_error();
	}
	return got;
}

size_t pair_hear(struct pair *p, struct str what, char *to, size_t room)
{
	size_t sent = 0, got = 0, n;

	for (int idle = 0; idle < 2 && got < what.len; idle++) {
		if (sent < what.len && SSL_write_ex(p->theirs, what.at + sent, what.len - sent, &n) == 1) {
			sent += n;
			idle = 0;
		}
		ERR_clear_error();
		tls_link_arrived(p->ours.tls);
		while (got < room && tls_link_read(p->ours.tls, to + got, room - got, &n) == TLS_DONE) {
			got += n;
			idle = 0;
		}
	}
	return got;
}

SSL_SESSION *pair_session(struct pair *p)
{
	char byte;

	assert_int_equal(pair_say(p, STR("*"), &byte, 1), 1);
	return SSL_get1_session(p->theirs);
}

const char *pair_failure(struct pair *p, enum log_level *level)
{
	static char text[1024];
	struct buf to;

	buf_init(&to, sizeof(text) - 1);
	*level = tls_failure(&p->ours, &to);
	snprintf(text, sizeof(text), "%.*s", STR_ARG(buf_text(&to)));
	buf_done(&to);
	return text;
}
