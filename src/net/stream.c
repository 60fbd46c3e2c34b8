/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams; see stream.h.
 *
 * Under edge-triggered epoll the kernel tells a thing once, so a stream remembers it in a few flags: DATA
 * (a read may give something), LAST (what can be read now is all that will ever come), STUCK (a write was
 * cut short). Three facts of the kernel save system calls:
 *
 * - A receive that came back short has emptied the socket: no second one is needed to hear EAGAIN. (A
 *   sender of urgent data can make this untrue and thereby delay himself, nobody else.)
 * - After EPOLLRDHUP a receive that came back short has reached the FIN: no second one is needed to hear 0.
 * - A connect that failed always raises EPOLLERR: no getsockopt is needed to learn that it went well.
 *
 * After a failure the socket may still hold bytes that came before it; they can be read, then STREAM_BROKEN
 * is said for ever.
 *
 * Under TLS the same flags speak of the link, which reads and writes the socket. That its reads may wait
 * for room and its writes for data is nobody else's business. An event that is known early is never told
 * early: the loop is asked to come by again.
 */
#include "net/stream.h"

#include "base/must.h"
#include "net/tls_link.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static_assert(sizeof(struct stream) <= 48, "every idle session holds two");

enum {
	OUTWARD = 1, /* from stream_connect: the client's side of a handshake */
	CONNECTING = 2,
	SECURING = 4,	       /* the handshake is under way */
	SECURING_ON_ROOM = 8,  /* … and its next step waits for room in the socket, not for data */
	DATA = 16,	       /* a read may give something */
	LAST = 32,	       /* the other side will send no more than what is there */
	OVER = 64,	       /* … and that was read */
	READING_ON_ROOM = 128, /* a TLS read must write first */
	STUCK = 256,	       /* the socket did not take all */
	SHUT = 512,	       /* we will write no more */
	SHUTTING = 1024,       /* … once close_notify has found room */
	BROKE = 2048,
};

/* More unread bytes than this are not worth throwing away before close(). */
enum { DISCARD = 1 << 20 };

static void fail(struct stream *s, int error)
{
	if (s->flags & BROKE)
		return;
	s->flags |= BROKE;
	s->error = error;
}

/* Note what can be read. */
static void arrived(struct stream *s, unsigned ready)
{
	if (!(ready & (READABLE | ENDED | BROKEN)))
		return;
	s->flags |= DATA;
	if (s->tls != NULL)
		tls_link_arrived(s->tls);
	if (!(ready & (ENDED | BROKEN)))
		return;
	s->flags |= LAST;
	if (s->tls != NULL)
		tls_link_ended(s->tls);
}

/* Fetch the error that epoll told of; without one it was the end. */
static unsigned broken(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0)
		return 0;
	fail(s, error);
	return STREAM_FAILED;
}

static unsigned connected(struct stream *s, unsigned ready)
{
	if (ready & BROKEN && broken(s) != 0)
		return STREAM_FAILED;
	s->flags &= (uint16_t)~CONNECTING;
	arrived(s, ready);
	return STREAM_CONNECTED | (s->flags & DATA ? STREAM_READABLE : 0);
}

static unsigned secured(struct stream *s)
{
	s->flags &= (uint16_t) ~(SECURING | DATA);
	if (!tls_link_readable(s->tls))
		return STREAM_SECURED;
	s->flags |= DATA;
	return STREAM_SECURED | STREAM_READABLE;
}

/* One step of the handshake. An error of the socket is reported after the step, for an alert may have come
 * before it and says more. */
static unsigned securing(struct stream *s, unsigned ready)
{
	enum tls_progress p = TLS_FAILED;

	arrived(s, ready);
	if (!(s->flags & DATA) && !(s->flags & SECURING_ON_ROOM && ready & WRITABLE))
		return 0;
	s->flags &= (uint16_t)~SECURING_ON_ROOM;
	if (s->tls != NULL)
		p = tls_link_handshake(s->tls);
	if (p == TLS_DONE)
		return secured(s);
	if (p == TLS_WANTS_WRITE)
		s->flags |= SECURING_ON_ROOM;
	if (p == TLS_WANTS_READ)
		s->flags &= (uint16_t)~DATA;
	if (p == TLS_ENDED || p == TLS_FAILED) {
		fail(s, s->tls != NULL ? 0 : ENOMEM);
		return STREAM_FAILED;
	}
	return ready & BROKEN ? broken(s) : 0;
}

/* close_notify, then the FIN. */
static void shut(struct stream *s)
{
	s->flags &= (uint16_t)~SHUTTING;
	if (s->tls != NULL && tls_link_shut(s->tls) == TLS_WANTS_WRITE)
		s->flags |= SHUTTING;
	else
		shutdown(s->watch.fd, SHUT_WR);
}

static unsigned room(struct stream *s)
{
	unsigned what = s->flags & STUCK ? STREAM_WRITABLE : 0;

	if (s->flags & SHUTTING)
		shut(s);
	if (s->flags & READING_ON_ROOM) {
		s->flags |= DATA;
		what |= STREAM_READABLE;
	}
	s->flags &= (uint16_t) ~(STUCK | READING_ON_ROOM);
	return what;
}

static unsigned moved(struct stream *s, unsigned ready)
{
	unsigned what = 0;

	if (!(s->flags & OVER)) {
		arrived(s, ready);
		what |= s->flags & DATA && ready & READABLE ? STREAM_READABLE : 0;
	}
	if (ready & WRITABLE)
		what |= room(s);
	if (ready & BROKEN)
		what |= broken(s);
	return what;
}

static void stirred(struct watch *w, unsigned ready)
{
	struct stream *s = CONTAINER(w, struct stream, watch);
	unsigned what;

	if (s->flags & BROKE)
		return;
	if (s->flags & CONNECTING)
		what = connected(s, ready);
	else if (s->flags & SECURING)
		what = securing(s, ready);
	else
		what = moved(s, ready);
	if (what != 0)
		s->fn(s, what);
	/* what the handshake left to say had the chance to go with the owner's first words */
	if (what & STREAM_SECURED && s->tls != NULL)
		tls_link_flush(s->tls);
}

static void stream_init(struct stream *s, struct loop *l, int fd, stream_fn *fn)
{
	*s = (struct stream){ .watch = { .fn = stirred, .fd = fd }, .fn = fn, .loop = l };
}

bool stream_accept(struct stream *s, struct loop *l, int fd, stream_fn *fn)
{
	stream_init(s, l, fd, fn);
	if (loop_watch(l, &s->watch))
		return true;
	s->fn = NULL;
	return false;
}

static bool bind_from(int fd, const struct addr *from)
{
	struct sockaddr_storage at;
	socklen_t len = addr_to_sockaddr(from, &at);
	int on = 1;

	/* the port is chosen at connect(), when the kernel knows both ends: one local port may serve many
	 * peers */
	if (from->port == 0 && from->family != AF_UNIX &&
	    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0)
		return false;
	return bind(fd, (const struct sockaddr *)&at, len) == 0;
}

static bool begin_connect(int fd, const struct addr *to, const struct addr *from)
{
	struct sockaddr_storage at;
	socklen_t len = addr_to_sockaddr(to, &at);
	int on = 1;

	if (to->family != AF_UNIX && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return false;
	if (from != NULL && !bind_from(fd, from))
		return false;
	return connect(fd, (const struct sockaddr *)&at, len) == 0 || errno == EINPROGRESS;
}

/* The socket is watched only now: before connect() epoll would tell of a hang-up. */
bool stream_connect(struct stream *s, struct loop *l, const struct addr *to, const struct addr *from,
		    stream_fn *fn)
{
	int fd = socket(to->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	stream_init(s, l, fd, fn);
	s->flags = OUTWARD | CONNECTING;
	if (fd >= 0 && begin_connect(fd, to, from) && loop_watch(l, &s->watch))
		return true;
	s->error = errno;
	s->fn = NULL;
	if (fd >= 0)
		close(fd);
	return false;
}

/* A client speaks first, and a server may have been told already of what it will read: neither waits for
 * news from the kernel. */
void stream_secure(struct stream *s, struct tls_context *context, const char *name)
{
	must(s->tls == NULL && !(s->flags & (CONNECTING | SHUT)));
	s->tls = tls_link_new(context, s->watch.fd, s->flags & OUTWARD, name);
	s->flags |= SECURING;
	if (s->flags & OUTWARD)
		s->flags |= SECURING_ON_ROOM;
	if (s->tls != NULL && s->flags & LAST)
		tls_link_ended(s->tls);
	if (s->flags & (SECURING_ON_ROOM | DATA | OVER))
		loop_rouse(s->loop, &s->watch);
}

/* Both readers return the count and leave in the flags why it was not more. */
static size_t read_plain(struct stream *s, char *to, size_t room, int flags)
{
	ssize_t n = recv(s->watch.fd, to, room, flags);

	if (n == (ssize_t)room || (n > 0 && flags & MSG_PEEK))
		return (size_t)n;
	s->flags &= (uint16_t)~DATA;
	if (n < 0 && errno != EAGAIN)
		fail(s, errno);
	else if (n == 0 || (n > 0 && s->flags & LAST))
		s->flags |= OVER;
	return n > 0 ? (size_t)n : 0;
}

/* A link gives one record at a time; many of them together make one write for who passes them on. */
static size_t read_tls(struct stream *s, char *to, size_t room)
{
	enum tls_progress p = TLS_DONE;
	size_t sum = 0, n = 0;

	while (sum < room && (p = tls_link_read(s->tls, to + sum, room - sum, &n)) == TLS_DONE)
		sum += n;
	if (p == TLS_DONE)
		return sum;
	s->flags &= (uint16_t)~DATA;
	if (p == TLS_WANTS_WRITE)
		s->flags |= READING_ON_ROOM;
	if (p == TLS_ENDED)
		s->flags |= LAST | OVER;
	if (p == TLS_FAILED)
		fail(s, 0);
	return sum;
}

static ssize_t outcome(const struct stream *s, size_t n)
{
	if (n != 0)
		return (ssize_t)n;
	if (s->flags & BROKE)
		return STREAM_BROKEN;
	return s->flags & OVER ? STREAM_END : STREAM_WAIT;
}

ssize_t stream_read(struct stream *s, char *to, size_t room)
{
	must(room != 0 && !(s->flags & (CONNECTING | SECURING)));
	if (!(s->flags & DATA))
		return outcome(s, 0);
	return outcome(s, s->tls != NULL ? read_tls(s, to, room) : read_plain(s, to, room, 0));
}

ssize_t stream_peek(struct stream *s, char *to, size_t room)
{
	must(room != 0 && s->tls == NULL && !(s->flags & CONNECTING));
	return outcome(s, s->flags & DATA ? read_plain(s, to, room, MSG_PEEK) : 0);
}

bool stream_readable(const struct stream *s)
{
	return s->flags & (DATA | OVER | BROKE);
}

bool stream_ended(const struct stream *s)
{
	return s->flags & LAST;
}

bool stream_over(const struct stream *s)
{
	return s->flags & OVER && !(s->flags & BROKE);
}

static size_t write_plain(struct stream *s, const char *from, size_t len, int flags)
{
	ssize_t n = send(s->watch.fd, from, len, MSG_NOSIGNAL | flags);

	if (n < 0 && errno != EAGAIN)
		fail(s, errno);
	return n > 0 ? (size_t)n : 0;
}

static size_t write_tls(struct stream *s, const char *from, size_t len)
{
	enum tls_progress p;
	size_t sum = 0, n = 0;

	do {
		p = tls_link_write(s->tls, from + sum, len - sum, &n);
		sum += p == TLS_DONE ? n : 0;
	} while (p == TLS_DONE && sum < len && !tls_link_stuck(s->tls));
	if (p == TLS_ENDED || p == TLS_FAILED)
		fail(s, 0);
	return sum;
}

static ssize_t put(struct stream *s, const char *from, size_t len, int flags)
{
	size_t n;

	must(len != 0 && !(s->flags & (CONNECTING | SECURING | SHUT)));
	if (s->flags & BROKE)
		return STREAM_BROKEN;
	if (s->flags & STUCK)
		return STREAM_WAIT;
	n = s->tls != NULL ? write_tls(s, from, len) : write_plain(s, from, len, flags);
	if (s->flags & BROKE) {
		/* the other side's last words may lie there, and the event that tells of them comes too
		 * late */
		arrived(s, ENDED);
		return STREAM_BROKEN;
	}
	if (n < len)
		s->flags |= STUCK;
	return (ssize_t)n;
}

ssize_t stream_write(struct stream *s, const char *from, size_t len)
{
	return put(s, from, len, 0);
}

/* Under TLS the last bytes go at once; close_notify and the FIN leave together. */
ssize_t stream_write_last(struct stream *s, const char *from, size_t len)
{
	return put(s, from, len, MSG_MORE);
}

bool stream_may_splice(const struct stream *from, const struct stream *to)
{
	return from->tls == NULL && to->tls == NULL;
}

/* How much was there says nothing about what is left, for the pipe's slots are limited; and a short write
 * may have other reasons than a full socket. So no flag changes here: the read and the write that follow
 * find out. SPLICE_F_NONBLOCK is for the pipe. */
size_t stream_splice(struct stream *from, struct stream *to, const int pipe[2], size_t most, size_t *left)
{
	ssize_t in = 0, out = 0;

	if (from->flags & DATA && !(to->flags & (STUCK | BROKE | SHUT)))
		in = splice(from->watch.fd, NULL, pipe[1], NULL, most, SPLICE_F_NONBLOCK);
	if (in > 0)
		out = splice(pipe[0], NULL, to->watch.fd, NULL, (size_t)in, SPLICE_F_NONBLOCK);
	*left = (size_t)((in > 0 ? in : 0) - (out > 0 ? out : 0));
	return out > 0 ? (size_t)out : 0;
}

bool stream_stuck(const struct stream *s)
{
	return s->flags & STUCK;
}

void stream_shut(struct stream *s)
{
	if (s->flags & (SHUT | BROKE))
		return;
	s->flags |= SHUT;
	shut(s);
}

static void let_go(struct stream *s)
{
	tls_link_free(s->tls);
	loop_abandon(s->loop, &s->watch);
	close(s->watch.fd);
	*s = (struct stream){ .watch = { .fd = -1 } };
}

/* Bytes that lie unread at close() turn the FIN into a reset, which may overtake our last words on their
 * way; so they are thrown away first, unless the other side has ended and all was read. */
void stream_close(struct stream *s)
{
	if (!stream_is_open(s))
		return;
	if (s->tls != NULL && !(s->flags & (SECURING | BROKE | STUCK)))
		tls_link_shut(s->tls);
	if (!(s->flags & (OVER | BROKE)))
		recv(s->watch.fd, NULL, DISCARD, MSG_TRUNC);
	let_go(s);
}

void stream_reset(struct stream *s)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	if (!stream_is_open(s))
		return;
	setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	let_go(s);
}

static bool ask_name(const struct stream *s, struct addr *a, int (*ask)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (ask(s->watch.fd, (struct sockaddr *)&at, &len) != 0)
		return false;
	addr_from_sockaddr(a, &at, len);
	return true;
}

bool stream_local(const struct stream *s, struct addr *a)
{
	return ask_name(s, a, getsockname);
}

bool stream_peer(const struct stream *s, struct addr *a)
{
	return ask_name(s, a, getpeername);
}

void stream_failure(const struct stream *s, struct buf *to)
{
	const char *text = strerrordesc_np(s->error);

	if (s->error == 0 && s->tls != NULL)
		tls_failure(s, to);
	else
		buf_format(to, "(%d: %s)", s->error, text != NULL ? text : "Unknown error");
}
