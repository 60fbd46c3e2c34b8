/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The carrier, by c-ares; see resolve_carrier.h. c-ares finds the query that an answer belongs to, waits,
 * asks again, passes over servers that fail, and goes over to TCP when an answer is too long. It looks at
 * nothing of the machine's own configuration: no resolv.conf, no hosts file, no environment.
 *
 * The loop tells a descriptor's readiness once, but c-ares reads as much as it likes; so the calls to the
 * kernel are ours, and we know from them whether there is more.
 */
#include "net/resolve_carrier.h"

#include "base/mem.h"
#include "base/must.h"
#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	TRY_MS = 2000, /* the first try waits so long, each next one twice as long */
	TRIES = 4,
	RECEIVES_MAX = 64, /* of one socket in one turn */
};

struct outlet {
	struct watch watch;
	struct carrier *carrier;
	struct outlet *next;
	bool stream, watched, closed;
	bool empty;    /* there is nothing more to receive */
	unsigned left; /* receives in this turn */
};

struct carrier {
	struct loop *loop;
	ares_channel channel;
	struct outlet *outlets, *closed;
	struct timer tick; /* when c-ares wants to look at its clock */
	struct task sweep; /* frees what is closed */
};

/* --- sockets --------------------------------------------------------------------------------------- */

static struct outlet *outlet_of(struct carrier *c, int fd)
{
	struct outlet *o = c->outlets;

	while (o != NULL && o->watch.fd != fd)
		o = o->next;
	must(o != NULL);
	return o;
}

static void stirred(struct watch *w, unsigned ready);

static ares_socket_t open_socket(int family, int type, int protocol, void *arg)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	struct carrier *c = arg;
	struct outlet *o;

	if (fd < 0)
		return ARES_SOCKET_BAD;
	o = mem_new(sizeof(*o));
	*o = (struct outlet){ .watch = { .fn = stirred, .fd = fd },
			      .carrier = c,
			      .next = c->outlets,
			      .stream = type == SOCK_STREAM };
	c->outlets = o;
	return fd;
}

/* Its callback may be on the stack, so what is left of it goes at the end of the turn. */
static int close_socket(ares_socket_t fd, void *arg)
{
	struct carrier *c = arg;
	struct outlet *o = outlet_of(c, fd), **at = &c->outlets;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	if (o->watched)
		loop_abandon(c->loop, &o->watch);
	o->closed = true;
	o->next = c->closed;
	c->closed = o;
	loop_later(c->loop, &c->sweep);
	return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len, void *arg)
{
	(void)arg;
	return connect(fd, to, len);
}

/* An empty datagram is no answer and no end, though older versions of c-ares take it for one. */
static ares_ssize_t receive(ares_socket_t fd, void *to, size_t room, int flags, struct sockaddr *from,
			    ares_socklen_t *from_len, void *arg)
{
	struct outlet *o = outlet_of(arg, fd);
	ssize_t n;

	do {
		if (o->left == 0) {
			errno = EAGAIN;
			return -1;
		}
		o->left--;
		n = recvfrom(fd, to, room, flags, from, from_len);
	} while (n == 0 && !o->stream);
	o->empty = n < 0 || (o->stream && (size_t)n < room);
	return n;
}

static ares_ssize_t transmit(ares_socket_t fd, const struct iovec *pieces, int len, void *arg)
{
	struct msghdr message = { .msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)len };

	(void)arg;
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static const struct ares_socket_functions SOCKETS = { open_socket, close_socket, connect_socket, receive,
						      transmit };

/* c-ares wants to know when this is ready. It is told always, but who waits for room that was there all the
 * time must be told again. */
static void interested(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct carrier *c = arg;
	struct outlet *o;

	if (!readable && !writable)
		return;
	o = outlet_of(c, fd);
	if (o->watched && writable)
		loop_rouse(c->loop, &o->watch);
	else if (!o->watched)
		o->watched = loop_watch(c->loop, &o->watch);
}

/* --- c-ares ---------------------------------------------------------------------------------------- */

/* After every call into c-ares: when does it want to be called again? */
static void set_tick(struct carrier *c)
{
	struct timeval wait;

	if (ares_timeout(c->channel, NULL, &wait) == NULL)
		loop_disarm(&c->tick);
	else
		loop_arm(c->loop, &c->tick, (uint64_t)wait.tv_sec * 1000 + (uint64_t)wait.tv_usec / 1000 + 1);
}

static void ticked(struct timer *t)
{
	struct carrier *c = CONTAINER(t, struct carrier, tick);

	ares_process_fd(c->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_tick(c);
}

static void stirred(struct watch *w, unsigned ready)
{
	struct outlet *o = CONTAINER(w, struct outlet, watch);
	struct carrier *c = o->carrier;
	ares_socket_t read_fd = ready & (READABLE | ENDED | BROKEN) ? w->fd : ARES_SOCKET_BAD;
	ares_socket_t write_fd = ready & WRITABLE ? w->fd : ARES_SOCKET_BAD;
	unsigned before;

	o->left = RECEIVES_MAX;
	o->empty = read_fd == ARES_SOCKET_BAD;
	do {
		before = o->left;
		ares_process_fd(c->channel, read_fd, write_fd);
		write_fd = ARES_SOCKET_BAD;
	} while (!o->closed && !o->empty && o->left != 0 && o->left != before);
	if (!o->closed && o->left == 0)
		loop_rouse(c->loop, w);
	set_tick(c);
}

static void set_servers(struct carrier *c, const struct addr *servers, size_t len)
{
	struct ares_addr_port_node *nodes = mem_array(len, sizeof(*nodes));

	for (size_t i = 0; i < len; i++) {
		const struct addr *a = &servers[i];

		nodes[i].family = a->family;
		nodes[i].udp_port = nodes[i].tcp_port = a->port;
		nodes[i].next = i + 1 < len ? &nodes[i + 1] : NULL;
		if (a->family == AF_INET)
			memcpy(&nodes[i].addr.addr4, a->ip4, sizeof(a->ip4));
		else
			memcpy(&nodes[i].addr.addr6, a->ip6, sizeof(a->ip6));
	}
	must(ares_set_servers_ports(c->channel, nodes) == ARES_SUCCESS);
	free(nodes);
}

/*
 * With all of these set there is no file that c-ares wants to read. A server that refuses or fails is passed
 * over for the next one; a single server's word stands, for asking it again would change nothing.
 */
static void open_channel(struct carrier *c, const struct addr *servers, size_t len)
{
	char only_dns[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | (len == 1 ? ARES_FLAG_NOCHECKRESP : 0),
		.timeout = TRY_MS,
		.tries = TRIES,
		.ndots = 1,
		.lookups = only_dns,
		.sock_state_cb = interested,
		.sock_state_cb_data = c,
	};
	int set = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
		  ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB;

	must(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
	must(ares_init_options(&c->channel, &options, set) == ARES_SUCCESS);
	ares_set_socket_functions(c->channel, &SOCKETS, c);
	set_servers(c, servers, len);
}

/* --- for the resolver ------------------------------------------------------------------------------ */

static enum resolve_status status_of_ares(int status)
{
	switch (status) {
	case ARES_ETIMEOUT:
		return RESOLVE_TIMEOUT;
	case ARES_ENOTIMP:
		return RESOLVE_UNIMPLEMENTED;
	case ARES_EREFUSED:
		return RESOLVE_REFUSED;
	default:
		return RESOLVE_SERVFAIL;
	}
}

/* What was to be carried, until the answer is here. */
struct load {
	carrier_fn *fn;
	void *arg;
};

static void answered(void *arg, int status, int timeouts, unsigned char *message, int len)
{
	struct load load = *(struct load *)arg;

	(void)timeouts;
	free(arg);
	if (status == ARES_SUCCESS)
		load.fn(load.arg, RESOLVE_OK, (struct str){ (const char *)message, (size_t)len });
	else if (status != ARES_EDESTRUCTION)
		load.fn(load.arg, status_of_ares(status), STR(""));
}

void carrier_send(struct carrier *c, struct str query, carrier_fn *fn, void *arg)
{
	struct load *load = mem_new(sizeof(*load));

	*load = (struct load){ .fn = fn, .arg = arg };
	ares_send(c->channel, (const unsigned char *)query.at, (int)query.len, answered, load);
	set_tick(c);
}

static void free_closed(struct task *t)
{
	struct carrier *c = CONTAINER(t, struct carrier, sweep);

	while (c->closed != NULL) {
		struct outlet *o = c->closed;

		c->closed = o->next;
		free(o);
	}
}

struct carrier *carrier_new(struct loop *l, const struct addr *servers, size_t len)
{
	struct carrier *c = mem_new(sizeof(*c));

	*c = (struct carrier){ .loop = l, .tick = { .fn = ticked }, .sweep = { .fn = free_closed } };
	open_channel(c, servers, len);
	return c;
}

void carrier_free(struct carrier *c)
{
	if (c == NULL)
		return;
	ares_destroy(c->channel);
	ares_library_cleanup();
	loop_disarm(&c->tick);
	loop_cancel(c->loop, &c->sweep);
	free_closed(&c->sweep);
	free(c);
}
