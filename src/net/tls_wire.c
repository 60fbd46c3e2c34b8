/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the TLS library and the sockets: one BIO for all links of the process.
 *
 * The library's own socket BIO costs 200 bytes a connection and a system call for each record and flight. So
 * there is one BIO, and the link that the library works for at the moment is noted beside it. What the
 * library writes is gathered in one place and sent with one call when it is done; what the socket does not
 * take is kept by the link, and while a link keeps something the library is told that there is no room.
 * Receives are not tried on a socket that is known to be empty.
 *
 * While it is not known which context a client wants, what he sends is also remembered, so that a session of
 * another context can hear it from the beginning.
 */
#include "net/tls_inside.h"

#include "base/mem.h"
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Records are a little longer than what is in them. */
enum { OUT_ROOM = TLS_FLIGHT + TLS_FLIGHT / 8 };

/* --- receiving ------------------------------------------------------------------------------------- */

static int again(BIO *bio)
{
	BIO_set_retry_read(bio);
	return -1;
}

/* What was heard by the session before this one. */
static int tell_again(struct tls_opening *o, char *to, int room)
{
	struct str rest = str_skip(buf_text(&o->heard), o->told);
	size_t n = rest.len < (size_t)room ? rest.len : (size_t)room;

	if (n != 0)
		memcpy(to, rest.at, n);
	o->told += n;
	return (int)n;
}

static int receive(struct tls_link *t, char *to, int room)
{
	ssize_t n = recv(t->fd, to, (size_t)room, 0);

	if (n < 0 && errno != EAGAIN)
		t->error = errno;
	if (n == 0)
		t->flags |= TLS_EOF;
	if (n < 0 || (n < room && !(t->flags & TLS_LAST)))
		t->flags |= TLS_EMPTY;
	return (int)n;
}

static int wire_read(BIO *bio, char *to, int room)
{
	const struct tls_shared *s = BIO_get_data(bio);
	struct tls_link *t = s->current;
	int n;

	BIO_clear_retry_flags(bio);
	if (t->opening != NULL) {
		n = tell_again(t->opening, to, room);
		if (n != 0)
			return n;
	}
	if (t->flags & TLS_EOF)
		return 0;
	if (t->flags & TLS_EMPTY)
		return again(bio);
	n = receive(t, to, room);
	if (n < 0 && t->error == 0)
		return again(bio);
	if (n > 0 && t->opening != NULL && t->opening->names != NULL) {
		buf_put(&t->opening->heard, (struct str){ to, (size_t)n });
		t->opening->told = t->opening->heard.len;
	}
	return n;
}

/* --- sending --------------------------------------------------------------------------------------- */

/* How much of it the socket took. */
static size_t push(struct tls_link *t, const char *at, size_t len, int flags)
{
	ssize_t n = len != 0 ? send(t->fd, at, len, MSG_NOSIGNAL | flags) : 0;

	if (n < 0 && errno != EAGAIN)
		t->error = errno;
	return n > 0 ? (size_t)n : 0;
}

static void drop_kept(struct tls_link *t)
{
	free(t->kept);
	t->kept = NULL;
	t->kept_len = 0;
	t->flags &= ~(uint32_t)TLS_HELD;
}

static void keep(struct tls_link *t, const char *at, size_t len)
{
	t->kept = mem_new(len);
	t->kept_len = (uint32_t)len;
	memcpy(t->kept, at, len);
}

bool tls_wire_push(struct tls_link *t)
{
	size_t n;

	if (t->kept == NULL)
		return true;
	n = push(t, t->kept, t->kept_len, 0);
	if (n == t->kept_len) {
		drop_kept(t);
		return true;
	}
	memmove(t->kept, t->kept + n, t->kept_len - n);
	t->kept_len -= (uint32_t)n;
	return false;
}

/* What was held back goes with whatever the library sends now. */
void tls_wire_begin(struct tls_link *t)
{
	struct tls_shared *s = t->context->shared;

	s->current = t;
	s->out_len = 0;
	if (!(t->flags & TLS_HELD))
		return;
	memcpy(s->out, t->kept, t->kept_len);
	s->out_len = t->kept_len;
	drop_kept(t);
}

bool tls_wire_send(struct tls_link *t, int flags)
{
	struct tls_shared *s = t->context->shared;
	size_t len = s->out_len, n;

	if (t->kept != NULL)
		return false;
	n = push(t, s->out, len, flags);
	s->out_len = 0;
	if (n == len)
		return true;
	keep(t, s->out + n, len - n);
	return false;
}

void tls_wire_hold(struct tls_link *t)
{
	struct tls_shared *s = t->context->shared;

	if (s->out_len == 0)
		return;
	keep(t, s->out, s->out_len);
	t->flags |= TLS_HELD;
	s->out_len = 0;
}

static int wire_write(BIO *bio, const char *from, int len)
{
	struct tls_shared *s = BIO_get_data(bio);
	struct tls_link *t = s->current;

	BIO_clear_retry_flags(bio);
	if (len > OUT_ROOM)
		len = OUT_ROOM;
	if (s->out_len + (size_t)len > OUT_ROOM)
		tls_wire_send(t, 0);
	if (t->error != 0)
		return -1;
	if (t->kept != NULL) {
		BIO_set_retry_write(bio);
		return -1;
	}
	memcpy(s->out + s->out_len, from, (size_t)len);
	s->out_len += (size_t)len;
	return len;
}

/* --- the BIO --------------------------------------------------------------------------------------- */

static long wire_ctrl(BIO *bio, int what, long number, void *at)
{
	const struct tls_shared *s = BIO_get_data(bio);

	(void)number;
	(void)at;
	if (what == BIO_CTRL_EOF)
		return s->current->flags & TLS_EOF ? 1 : 0;
	/* sending is done by who called the library */
	return what == BIO_CTRL_FLUSH;
}

static bool make_bio(struct tls_shared *s)
{
	s->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wire");
	if (s->method == NULL || BIO_meth_set_read(s->method, wire_read) != 1 ||
	    BIO_meth_set_write(s->method, wire_write) != 1 || BIO_meth_set_ctrl(s->method, wire_ctrl) != 1)
		return false;
	s->bio = BIO_new(s->method);
	if (s->bio == NULL)
		return false;
	BIO_set_data(s->bio, s);
	BIO_set_init(s->bio, 1);
	return true;
}

bool tls_wire_init(struct tls_shared *s)
{
	s->aes128 = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	s->aes256 = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	s->out = mem_new(OUT_ROOM);
	if (s->aes128 != NULL && s->aes256 != NULL && make_bio(s))
		return true;
	errno = ENOTSUP;
	return false;
}

void tls_wire_done(struct tls_shared *s)
{
	BIO_free(s->bio);
	BIO_meth_free(s->method);
	EVP_CIPHER_free(s->aes128);
	EVP_CIPHER_free(s->aes256);
	free(s->out);
}
