/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: one TLS session each, on a socket that its stream watches; see tls_link.h and tls_wire.c.
 *
 * Every call into the library is framed by tls_wire_begin and tls_wire_send, and every answer goes through
 * `outcome`, which turns a failure into a line of text at once, for the library's reasons do not outlive the
 * next call.
 */
#include "net/tls_client_inside.h"

#include "base/mem.h"
#include "base/must.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FAILURE_MAX = 512, HEARD_MAX = 32 * 1024 };

/* Calls as the log names them. */
static const char SHAKING[] = "SSL_do_handshake()", READING[] = "SSL_read()", WRITING[] = "SSL_write()";

/* --- beginning and end ----------------------------------------------------------------------------- */

/* A session of the link's context, in the place of any before. */
static bool begin_session(struct tls_link *t)
{
	const struct tls_shared *s = t->context->shared;
	SSL *ssl = SSL_new(t->context->ssl);

	if (ssl == NULL)
		return false;
	SSL_free(t->ssl);
	t->ssl = ssl;
	BIO_up_ref(s->bio);
	SSL_set_bio(t->ssl, s->bio, s->bio);
	return true;
}

/* A client that cannot say whom it expects never begins: its first step tells why. */
static void begin_as(struct tls_link *t, bool client, const char *name)
{
	if (!client) {
		SSL_set_accept_state(t->ssl);
		return;
	}
	SSL_set_connect_state(t->ssl);
	if (t->context->client != NULL && tls_expect(t, name))
		tls_visit(t, name);
}

struct tls_link *tls_link_new(struct tls_context *context, int fd, bool client, const char *name)
{
	struct tls_link *t = mem_new(sizeof(*t));

	t->fd = fd;
	t->context = context;
	if (context->names_len != 0) {
		t->context = context->fallback;
		t->opening = mem_new(sizeof(*t->opening));
		t->opening->names = context;
		buf_init(&t->opening->heard, HEARD_MAX);
	}
	must(t->context->shared != NULL);
	if (begin_session(t)) {
		begin_as(t, client, name);
		return t;
	}
	tls_link_free(t);
	return NULL;
}

static void settle_context(struct tls_link *t)
{
	if (t->opening == NULL)
		return;
	buf_done(&t->opening->heard);
	free(t->opening);
	t->opening = NULL;
}

void tls_link_free(struct tls_link *t)
{
	if (t == NULL)
		return;
	/* a session that ends without goodbyes is as good as another: the library would forget it */
	if (t->ssl != NULL && !(t->flags & TLS_DEAD))
		SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	settle_context(t);
	free(t->kept);
	free(t->failure);
	free(t);
}

/* --- what the library says ------------------------------------------------------------------------- */

void tls_blame(struct tls_link *t, enum log_level level, struct str why)
{
	if (t->failure != NULL)
		return;
	t->failure = mem_new(why.len + 1);
	memcpy(t->failure, why.at, why.len);
	t->level = level;
}

static void put_failure(struct tls_link *t, const char *call, struct buf *to)
{
	const char *error = strerrordesc_np(t->error);
	struct buf reasons;

	buf_init(&reasons, FAILURE_MAX);
	t->level = tls_reasons_put(&reasons);
	/* who offends a client is a server that we chose */
	if (t->context->client != NULL && t->level > LOG_ERROR)
		t->level = LOG_ERROR;
	if (reasons.len == 0 && SSL_in_init(t->ssl))
		buf_put(to, STR("peer closed connection in SSL handshake"));
	else
		buf_format(to, "%s failed%.*s", call, STR_ARG(buf_text(&reasons)));
	buf_done(&reasons);
	if (t->error != 0)
		buf_format(to, " (%d: %s)", t->error, error != NULL ? error : "Unknown error");
}

/* A socket that broke while it was written to may hold the other side's last words: the library lives on to
 * read them. */
static enum tls_progress fail(struct tls_link *t, const char *call)
{
	struct buf text;

	t->flags |= call == WRITING && t->error != 0 ? TLS_MUTE : TLS_DEAD;
	if (t->visit != 0 && SSL_in_init(t->ssl))
		tls_visit_forget(t);
	if (t->failure != NULL)
		return TLS_FAILED;
	buf_init(&text, 2 * FAILURE_MAX);
	put_failure(t, call, &text);
	buf_put_byte(&text, '\0');
	t->failure = text.at;
	return TLS_FAILED;
}

static enum tls_progress outcome(struct tls_link *t, int result, const char *call)
{
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_NONE:
		return TLS_DONE;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
		return TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_ENDED;
	default:
		return fail(t, call);
	}
}

static void begin(struct tls_link *t)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
	tls_wire_begin(t);
}

/* May the library be called to write for this link? What it owes the socket is sent as far as it goes. */
static bool begin_writing(struct tls_link *t, const char *call)
{
	if (t->flags & (TLS_DEAD | TLS_MUTE))
		return false;
	begin(t);
	if (tls_wire_push(t) || t->error == 0)
		return true;
	fail(t, call);
	return false;
}

/* Send what the library left to be sent, whatever it said. A socket found broken changes its answer only
 * where no bytes would be lost; it will be found so again. */
static enum tls_progress finish(struct tls_link *t, enum tls_progress p, const char *call)
{
	if (tls_wire_send(t, 0) || t->error == 0 || p == TLS_DONE)
		return p;
	return fail(t, call);
}

/* --- handshake ------------------------------------------------------------------------------------- */

/* The client wants another context: begin anew with it, and tell it what was heard so far. */
static bool obey(struct tls_link *t)
{
	t->context = t->opening->wish;
	t->opening->wish = NULL;
	t->opening->names = NULL;
	t->opening->told = 0;
	if (!begin_session(t))
		return false;
	SSL_set_accept_state(t->ssl);
	return true;
}

static enum tls_progress shake(struct tls_link *t)
{
	enum tls_progress p = outcome(t, SSL_do_handshake(t->ssl), SHAKING);

	if (t->opening == NULL || t->opening->wish == NULL || p != TLS_WANTS_READ)
		return p;
	return obey(t) ? outcome(t, SSL_do_handshake(t->ssl), SHAKING) : fail(t, "SSL_new()");
}

/* In TLS 1.3 the server's last words are tickets, for which nobody waits. */
static enum tls_progress shaken(struct tls_link *t)
{
	settle_context(t);
	if (SSL_is_server(t->ssl) && SSL_version(t->ssl) == TLS1_3_VERSION)
		tls_wire_hold(t);
	if (t->flags & TLS_HELD || tls_wire_send(t, 0))
		return TLS_DONE;
	return t->error != 0 ? fail(t, SHAKING) : TLS_WANTS_WRITE;
}

enum tls_progress tls_link_handshake(struct tls_link *t)
{
	enum tls_progress p;

	if (!begin_writing(t, SHAKING))
		return TLS_FAILED;
	if (t->kept != NULL)
		return TLS_WANTS_WRITE;
	p = shake(t);
	if (p == TLS_DONE)
		return shaken(t);
	if (p == TLS_ENDED)
		p = fail(t, SHAKING);
	p = finish(t, p, SHAKING);
	return p == TLS_WANTS_READ && t->kept != NULL ? TLS_WANTS_WRITE : p;
}

void tls_link_flush(struct tls_link *t)
{
	if (t->flags & TLS_HELD && begin_writing(t, WRITING))
		finish(t, TLS_WANTS_WRITE, WRITING);
}

/* --- bytes ----------------------------------------------------------------------------------------- */

static enum tls_progress read_once(struct tls_link *t, char *to, size_t room, size_t *done)
{
	return outcome(t, SSL_read_ex(t->ssl, to, room, done), READING);
}

/* What is owed to the socket waits for a write, unless the library cannot read before it has said something
 * itself. Whether that goes is not the reader's concern: a broken socket is found out by who receives. */
enum tls_progress tls_link_read(struct tls_link *t, char *to, size_t room, size_t *done)
{
	enum tls_progress p;

	*done = 0;
	if (t->flags & TLS_DEAD)
		return TLS_FAILED;
	begin(t);
	p = read_once(t, to, room, done);
	if (p == TLS_WANTS_WRITE && tls_wire_push(t))
		p = read_once(t, to, room, done);
	tls_wire_send(t, 0);
	return p;
}

/* Have the library encrypt up to one flight: how much it took. */
static size_t encrypt(struct tls_link *t, const char *from, size_t len, enum tls_progress *p)
{
	size_t sum = 0, n;

	*p = TLS_DONE;
	if (len > TLS_FLIGHT)
		len = TLS_FLIGHT;
	while (sum < len && *p == TLS_DONE) {
		*p = outcome(t, SSL_write_ex(t->ssl, from + sum, len - sum, &n), WRITING);
		sum += *p == TLS_DONE ? n : 0;
	}
	return sum;
}

/*
 * All that was encrypted counts as written once the socket has it. When it has not, one byte less is said to
 * be written than was encrypted: so the owner comes back, as he must for the rest to be sent, and is then
 * told of that byte.
 */
enum tls_progress tls_link_write(struct tls_link *t, const char *from, size_t len, size_t *done)
{
	size_t owed = t->flags & TLS_OWED ? 1 : 0;
	enum tls_progress p;

	*done = 0;
	must(len != 0);
	if (!begin_writing(t, WRITING))
		return TLS_FAILED;
	if (t->kept != NULL)
		return TLS_WANTS_WRITE;
	*done = owed + encrypt(t, from + owed, len - owed, &p);
	t->flags &= ~(uint32_t)TLS_OWED;
	p = finish(t, *done != 0 && p != TLS_FAILED ? TLS_DONE : p, WRITING);
	if (p != TLS_DONE || t->kept == NULL)
		return p;
	t->flags |= TLS_OWED;
	return --*done != 0 ? TLS_DONE : TLS_WANTS_WRITE;
}

void tls_link_arrived(struct tls_link *t)
{
	t->flags &= ~(uint32_t)TLS_EMPTY;
}

void tls_link_ended(struct tls_link *t)
{
	t->flags = (t->flags | TLS_LAST) & ~(uint32_t)TLS_EMPTY;
}

bool tls_link_readable(const struct tls_link *t)
{
	return !(t->flags & TLS_EMPTY) || SSL_has_pending(t->ssl) == 1;
}

bool tls_link_stuck(const struct tls_link *t)
{
	return t->kept != NULL && !(t->flags & TLS_HELD);
}

enum tls_progress tls_link_shut(struct tls_link *t)
{
	if (SSL_in_init(t->ssl) || !begin_writing(t, WRITING))
		return TLS_FAILED;
	if (t->kept == NULL && !(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN)) {
		SSL_shutdown(t->ssl);
		tls_wire_send(t, MSG_MORE);
		ERR_clear_error();
	}
	if (t->error != 0)
		return fail(t, WRITING);
	return t->kept != NULL ? TLS_WANTS_WRITE : TLS_DONE;
}
