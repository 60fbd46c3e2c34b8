/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver against a name server of our own, over UDP and TCP on the loopback, in the same loop. The
 * clock can be put forward.
 */
#include "net/resolve.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/dns.h"
#include "unit.h"
#include <string.h>
#include <sys/socket.h>

/* --- the clock
 * ------------------------------------------------------------------------------------------------ */

static uint64_t clock_ahead_ms;

uint64_t __real_clock_ms(void);
uint64_t __wrap_clock_ms(void);

uint64_t __wrap_clock_ms(void)
{
	return __real_clock_ms() + clock_ahead_ms;
}

/* --- the name server
 * ------------------------------------------------------------------------------------------ */

enum { SILENT = 100, RUBBISH, TRUNCATED, TRUNCATED_FOR_EVER, EMPTY_FIRST, TWICE, FOREIGN_FIRST };

struct said {
	const char *name;
	enum dns_type type;
	unsigned how;	     /* a rcode, or one of the above */
	const char *records; /* "OWNER TYPE TTL DATA; …"; "@" is the name asked for */
};

struct server {
	struct loop *loop;
	const struct said *zone; /* ended by one without a name */
	struct watch udp, tcp;
	struct conn {
		struct watch watch;
		struct server *server;
		struct conn *next;
		char in[600];
		size_t len;
	} * conns;
	uint16_t port;
	unsigned asked, by_tcp;
	uint16_t ids[512]; /* of the last queries */
	bool flood;	   /* with each answer a hundred that nobody asked for */
};

static void put_name(struct buf *to, struct str name)
{
	while (name.len != 0) {
		struct str label = str_cut(&name, '.');

		buf_put_byte(to, (char)label.len);
		/* a label may hold what a text here cannot: %0D and the like */
		if (str_eq(label, STR("%EVIL")))
			to->at[to->len - 1] = 8, buf_put(to, STR("x\r\nY: z\0"));
		else
			buf_put(to, label);
	}
	buf_put_byte(to, 0);
}

static void put16(struct buf *to, unsigned n)
{
	buf_put_byte(to, (char)(n >> 8));
	buf_put_byte(to, (char)n);
}

static void put_data(struct buf *to, enum dns_type type, struct str data, struct str asked)
{
	struct addr a = { .family = AF_UNSPEC };
	struct buf rdata;

	buf_init(&rdata, 600);
	if (type == DNS_A || type == DNS_AAAA) {
		assert_true(addr_parse_ip(data, &a));
		buf_put(&rdata, (struct str){ (const char *)a.ip6, type == DNS_A ? 4 : 16 });
	} else {
		put_name(&rdata, str_eq(data, STR("@")) ? asked : data);
	}
	put16(to, (unsigned)rdata.len);
	buf_put(to, buf_text(&rdata));
	buf_done(&rdata);
}

static enum dns_type type_of(struct str word)
{
	return str_eq(word, STR("A"))	   ? DNS_A
	       : str_eq(word, STR("AAAA")) ? DNS_AAAA
	       : str_eq(word, STR("PTR"))  ? DNS_PTR
					   : DNS_CNAME;
}

static unsigned put_records(struct buf *to, const char *records, struct str asked)
{
	struct str rest = str_of(records);
	unsigned n = 0;

	while (rest.len != 0) {
		struct str record = str_trim(str_cut(&rest, ';')), owner = str_cut(&record, ' ');
		enum dns_type type = type_of(str_cut(&record, ' '));
		uint64_t ttl;

		assert_true(str_number(str_cut(&record, ' '), UINT32_MAX, &ttl));
		put_name(to, str_eq(owner, STR("@")) ? asked : owner);
		put16(to, type);
		put16(to, 1);
		put16(to, (unsigned)(ttl >> 16));
		put16(to, (unsigned)ttl);
		put_data(to, type, record, asked);
		n++;
	}
	return n;
}

/* The text of the name in a query, and what is behind it. */
static struct str asked_name(struct str query, char to[static DNS_NAME_MAX], size_t *end)
{
	size_t len = 0, i = 12;

	while (query.at[i] != 0) {
		if (len != 0)
			to[len++] = '.';
		memcpy(to + len, query.at + i + 1, (size_t)query.at[i]);
		len += (size_t)query.at[i];
		i += (size_t)query.at[i] + 1;
	}
	*end = i + 5;
	return (struct str){ to, len };
}

static const struct said *find_said(const struct server *s, struct str name, enum dns_type type)
{
	for (const struct said *said = s->zone; said->name != NULL; said++)
		if (str_same(str_of(said->name), name) && said->type == type)
			return said;
	return NULL;
}

/* The answer to a query; *how is what it says beside a rcode. */
static void answer(struct server *s, struct str query, struct buf *to, unsigned *how, bool by_tcp)
{
	char text[DNS_NAME_MAX];
	size_t end;
	struct str name = asked_name(query, text, &end);
	enum dns_type type = (enum dns_type)(uint8_t)query.at[end - 3];
	const struct said *said = find_said(s, name, type);
	unsigned rcode, n;

	s->asked++;
	s->by_tcp += by_tcp;
	memcpy(&s->ids[s->asked % 512], query.at, 2);
	*how = said != NULL ? said->how : 3;
	rcode = *how < 16 ? *how : 0;
	buf_put(to, (struct str){ query.at, 2 });
	put16(to,
	      0x8180 | rcode | ((*how == TRUNCATED || *how == TRUNCATED_FOR_EVER) && !by_tcp ? 0x0200 : 0));
	put16(to, 1);
	put16(to, 0);
	put16(to, 0);
	put16(to, 0);
	buf_put(to, (struct str){ query.at + 12, end - 12 });
	if (*how == RUBBISH) {
		to->at[7] = 9;
		buf_put(to, STR("no record at all"));
	} else if (said != NULL && said->records != NULL && (*how != TRUNCATED || by_tcp)) {
		n = put_records(to, said->records, name);
		to->at[6] = (char)(n >> 8);
		to->at[7] = (char)n;
	}
}

static void send_udp(struct server *s, struct str what, const struct sockaddr_storage *to, socklen_t len)
{
	sendto(s->udp.fd, what.at, what.len, 0, (const struct sockaddr *)to, len);
}

static void answer_udp(struct server *s, struct str query, const struct sockaddr_storage *to,
		       socklen_t to_len)
{
	struct buf said, foreign;
	unsigned how;

	buf_init(&said, 65535);
	answer(s, query, &said, &how, false);
	if (how == EMPTY_FIRST)
		send_udp(s, STR(""), to, to_len);
	if (how == FOREIGN_FIRST) {
		buf_init(&foreign, 65535);
		buf_put(&foreign, buf_text(&said));
		foreign.at[0] ^= 1;
		foreign.at[foreign.len - 1] ^= 1;
		send_udp(s, buf_text(&foreign), to, to_len);
		buf_done(&foreign);
	}
	for (int i = 0; s->flood && i < 100; i++)
		send_udp(s, STR("\x00\x00not what you asked for"), to, to_len);
	for (int i = how == TWICE ? 2 : how == SILENT ? 0 : 1; i > 0; i--)
		send_udp(s, buf_text(&said), to, to_len);
	buf_done(&said);
}

static void udp_stirred(struct watch *w, unsigned ready)
{
	struct server *s = CONTAINER(w, struct server, udp);
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	char query[600];
	ssize_t n;

	(void)ready;
	while ((n = recvfrom(w->fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len)) > 0)
		answer_udp(s, (struct str){ query, (size_t)n }, &from, from_len);
}

static void drop_conn(struct conn *c)
{
	struct conn **at = &c->server->conns;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	loop_abandon(c->server->loop, &c->watch);
	close(c->watch.fd);
	free(c);
}

/* The answer to the first `len` bytes goes in three pieces, so the resolver must put it together. */
static void answer_tcp(struct conn *c, size_t len)
{
	struct buf said;
	char head[2];
	unsigned how;

	buf_init(&said, 65535);
	answer(c->server, (struct str){ c->in + 2, len - 2 }, &said, &how, true);
	head[0] = (char)(said.len >> 8);
	head[1] = (char)said.len;
	if (how != TRUNCATED_FOR_EVER) {
		assert_int_equal(send(c->watch.fd, head, 1, MSG_NOSIGNAL), 1);
		assert_int_equal(send(c->watch.fd, head + 1, 1, MSG_NOSIGNAL), 1);
		assert_int_equal(send(c->watch.fd, said.at, said.len, MSG_NOSIGNAL), said.len);
	}
	buf_done(&said);
	c->len -= len;
	memmove(c->in, c->in + len, c->len);
}

/* The length of the first query with its own length in front; 0: it is not whole. */
static size_t query_len(const struct conn *c)
{
	size_t len = c->len < 2 ? 0 : 2 + ((size_t)(uint8_t)c->in[0] << 8 | (uint8_t)c->in[1]);

	return len <= c->len ? len : 0;
}

static void conn_stirred(struct watch *w, unsigned ready)
{
	struct conn *c = CONTAINER(w, struct conn, watch);
	ssize_t n;

	(void)ready;
	while ((n = recv(w->fd, c->in + c->len, sizeof(c->in) - c->len, 0)) > 0) {
		c->len += (size_t)n;
		while (query_len(c) != 0)
			answer_tcp(c, query_len(c));
	}
	if (n == 0)
		drop_conn(c);
}

static void tcp_stirred(struct watch *w, unsigned ready)
{
	struct server *s = CONTAINER(w, struct server, tcp);
	int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	(void)ready;
	if (fd < 0)
		return;
	c = mem_new(sizeof(*c));
	*c = (struct conn){ .watch = { .fn = conn_stirred, .fd = fd }, .server = s, .next = s->conns };
	s->conns = c;
	assert_true(loop_watch(s->loop, &c->watch));
}

/* UDP and TCP on one port of `ip`. */
static struct addr server_open(struct server *s, struct loop *l, const char *ip, const struct said *zone)
{
	struct addr a = { .family = AF_UNSPEC };
	struct sockaddr_storage at;
	socklen_t len;

	*s = (struct server){
		.loop = l, .zone = zone, .udp = { .fn = udp_stirred }, .tcp = { .fn = tcp_stirred }
	};
	assert_true(addr_parse_ip(str_of(ip), &a));
	for (int tries = 0;; tries++) {
		assert_true(tries < 100);
		a.port = 0;
		len = addr_to_sockaddr(&a, &at);
		s->udp.fd = socket(a.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		s->tcp.fd = socket(a.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(s->udp.fd, (struct sockaddr *)&at, len), 0);
		assert_int_equal(getsockname(s->udp.fd, (struct sockaddr *)&at, &len), 0);
		if (bind(s->tcp.fd, (struct sockaddr *)&at, len) == 0 && listen(s->tcp.fd, 16) == 0)
			break;
		close(s->udp.fd);
		close(s->tcp.fd);
	}
	addr_from_sockaddr(&a, &at, len);
	assert_true(loop_watch(l, &s->udp) && loop_watch_listening(l, &s->tcp));
	return a;
}

static void server_close(struct server *s)
{
	while (s->conns != NULL)
		drop_conn(s->conns);
	loop_unwatch(s->loop, &s->udp);
	loop_unwatch(s->loop, &s->tcp);
	close(s->udp.fd);
	close(s->tcp.fd);
}

/* --- who asks
 * ------------------------------------------------------------------------------------------------- */

static const struct said ZONE[] = {
	{ "7.2.0.192.in-addr.arpa", DNS_PTR, 0, "@ PTR 60 mail.test" },
	{ "8.2.0.192.in-addr.arpa", DNS_PTR, 0, "@ CNAME 60 8.0-15.test; 8.0-15.test PTR 60 alias.test" },
	{ "9.2.0.192.in-addr.arpa", DNS_PTR, 0, "@ PTR 60 %EVIL.test" },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", DNS_PTR, 0,
	  "@ PTR 60 six.test" },
	{ "mail.test", DNS_A, 0, "@ A 60 192.0.2.7; @ A 60 192.0.2.8" },
	{ "mail.test", DNS_AAAA, 0, "@ AAAA 60 2001:db8::7" },
	{ "four.test", DNS_A, 0, "@ A 60 192.0.2.4" },
	{ "six.test", DNS_AAAA, 0, "@ AAAA 60 2001:db8::1" },
	{ "nothing.test", DNS_A, 0, NULL },
	{ "nothing.test", DNS_AAAA, 0, NULL },
	{ "format.test", DNS_A, 1, NULL },
	{ "format.test", DNS_AAAA, 1, NULL },
	{ "servfail.test", DNS_A, 2, NULL },
	{ "servfail.test", DNS_AAAA, 2, NULL },
	{ "notimp.test", DNS_A, 4, NULL },
	{ "notimp.test", DNS_AAAA, 4, NULL },
	{ "refused.test", DNS_A, 5, NULL },
	{ "refused.test", DNS_AAAA, 5, NULL },
	{ "odd.test", DNS_A, 9, NULL },
	{ "odd.test", DNS_AAAA, 9, NULL },
	{ "half.test", DNS_A, 0, "@ A 600 192.0.2.5" },
	{ "half.test", DNS_AAAA, 2, NULL },
	{ "rubbish.test", DNS_A, RUBBISH, NULL },
	{ "rubbish.test", DNS_AAAA, RUBBISH, NULL },
	{ "silent.test", DNS_A, SILENT, NULL },
	{ "silent.test", DNS_AAAA, SILENT, NULL },
	{ "large.test", DNS_A, TRUNCATED, "@ A 60 192.0.2.9" },
	{ "large.test", DNS_AAAA, TRUNCATED, "@ AAAA 60 2001:db8::9" },
	{ "waiting.test", DNS_A, TRUNCATED_FOR_EVER, NULL },
	{ "empty.test", DNS_A, EMPTY_FIRST, "@ A 60 192.0.2.10" },
	{ "twice.test", DNS_A, TWICE, "@ A 60 192.0.2.11" },
	{ "twice.test", DNS_AAAA, TWICE, NULL },
	{ "spoofed.test", DNS_A, FOREIGN_FIRST, "@ A 60 192.0.2.12" },
	{ "brief.test", DNS_A, 0, "@ A 0 192.0.2.13" },
	{ "brief.test", DNS_AAAA, 0, NULL },
	{ NULL, DNS_A, 0, NULL },
};

struct asker {
	struct resolve_query query; /* first */
	struct fixture *fixture;
	unsigned answers;
	enum resolve_status status;
	char name[1100];
	struct addr addrs[DNS_ADDRS_MAX];
	size_t addrs_len;
	unsigned again;	      /* ask so often from inside the callback */
	struct asker *victim; /* cancel that one from inside the callback */
};

struct fixture {
	struct loop *loop;
	struct server server;
	struct addr at;
	struct resolver *resolver;
	bool asking; /* inside of an asking call */
};

static void got(struct resolve_query *q, const struct resolve_answer *answer)
{
	struct asker *a = CONTAINER(q, struct asker, query);

	assert_false(a->fixture->asking);
	a->answers++;
	a->status = answer->status;
	snprintf(a->name, sizeof(a->name), "%.*s", STR_ARG(answer->name));
	a->addrs_len = answer->addrs_len;
	if (answer->addrs_len != 0)
		memcpy(a->addrs, answer->addrs, answer->addrs_len * sizeof(*a->addrs));
	if (a->victim != NULL)
		resolve_cancel(&a->victim->query);
	if (a->again > 0) {
		a->again--;
		resolve_host(a->fixture->resolver, q, STR("mail.test"), 5000, got);
	}
}

static void ask_host(struct fixture *f, struct asker *a, const char *name, uint64_t limit_ms)
{
	a->fixture = f;
	f->asking = true;
	resolve_host(f->resolver, &a->query, str_of(name), limit_ms, got);
	f->asking = false;
}

static void ask_ptr(struct fixture *f, struct asker *a, const char *ip)
{
	struct addr addr = { .family = AF_UNSPEC };

	assert_true(addr_parse_ip(str_of(ip), &addr));
	a->fixture = f;
	f->asking = true;
	resolve_ptr(f->resolver, &a->query, &addr, 5000, got);
	f->asking = false;
}

static void wait_for(struct fixture *f, const struct asker *a, unsigned answers)
{
	for (int turns = 0; a->answers < answers; turns++) {
		assert_true(turns < 10000);
		loop_turn(f->loop, 1000);
	}
}

static enum resolve_status host(struct fixture *f, struct asker *a, const char *name)
{
	*a = (struct asker){ .answers = 0 };
	ask_host(f, a, name, 5000);
	wait_for(f, a, 1);
	assert_null(a->query.link);
	return a->status;
}

static void furnish(struct fixture *f, const struct resolver_options *like)
{
	struct resolver_options o = *like;

	o.servers = o.servers != NULL ? o.servers : &f->at;
	o.servers_len = o.servers_len != 0 ? o.servers_len : 1;
	resolver_free(f->resolver);
	f->resolver = resolver_new(f->loop, &o);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	f->at = server_open(&f->server, f->loop, "127.0.0.1", ZONE);
	furnish(f, &(struct resolver_options){ .valid_ms = 0 });
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	server_close(&f->server);
	loop_free(f->loop);
	free(f);
	return 0;
}

/* Put the clock forward, and let the loop see it. */
static void forward(struct fixture *f, uint64_t ms)
{
	clock_ahead_ms += ms;
	loop_turn(f->loop, 0);
}

/* --- tests
 * ---------------------------------------------------------------------------------------------------- */

static void check_addrs(const struct asker *a, const char *addrs)
{
	char text[512] = "", one[ADDR_TEXT_MAX];

	for (size_t i = 0; i < a->addrs_len; i++) {
		strcat(text, i != 0 ? " " : "");
		strcat(text, addr_ip_text(&a->addrs[i], one));
	}
	/* A and AAAA race: the order of families is free */
	if (strcmp(text, addrs) != 0 && strlen(text) == strlen(addrs) &&
	    strstr(addrs, strrchr(text, ' ') + 1) == addrs)
		return;
	assert_string_equal(text, addrs);
}

static void hosts_have_addresses(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	assert_int_equal(host(f, &a, "mail.test"), RESOLVE_OK);
	assert_int_equal(a.addrs_len, 3);
	assert_int_equal(host(f, &a, "FOUR.test"), RESOLVE_OK);
	check_addrs(&a, "192.0.2.4");
	assert_int_equal(host(f, &a, "six.test"), RESOLVE_OK);
	check_addrs(&a, "2001:db8::1");
	assert_int_equal(f->server.asked, 6);
}

static void addresses_have_names(void **state)
{
	static const struct {
		const char *ip, *name;
		enum resolve_status status;
	} CASES[] = {
		{ "192.0.2.7", "mail.test", RESOLVE_OK },
		{ "::ffff:192.0.2.7", "mail.test", RESOLVE_OK },
		{ "192.0.2.8", "alias.test", RESOLVE_OK },
		{ "2001:db8::1", "six.test", RESOLVE_OK },
		{ "192.0.2.9", "x\\x0D\\x0AY: z\\x00.test", RESOLVE_BAD_NAME },
		{ "192.0.2.1", "", RESOLVE_NOT_FOUND },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct asker a = { .answers = 0 };

		ask_ptr(f, &a, CASES[i].ip);
		wait_for(f, &a, 1);
		assert_int_equal(a.status, CASES[i].status);
		assert_string_equal(a.name, CASES[i].name);
	}
}

static void failures_have_names_and_numbers(void **state)
{
	static const struct {
		const char *name;
		enum resolve_status status;
		unsigned number;
		const char *text;
	} CASES[] = {
		{ "format.test", RESOLVE_FORMAT, 1, "Format error" },
		{ "servfail.test", RESOLVE_SERVFAIL, 2, "Server failure" },
		{ "unknown.test", RESOLVE_NOT_FOUND, 3, "Host not found" },
		{ "nothing.test", RESOLVE_NOT_FOUND, 3, "Host not found" },
		{ "notimp.test", RESOLVE_UNIMPLEMENTED, 4, "Unimplemented" },
		{ "refused.test", RESOLVE_REFUSED, 5, "Operation refused" },
		{ "odd.test", RESOLVE_SERVFAIL, 2, "Server failure" },
		{ "rubbish.test", RESOLVE_FORMAT, 1, "Format error" },
		{ "bad name", RESOLVE_BAD_NAME, 22, "Invalid host name" },
		{ "x..y", RESOLVE_BAD_NAME, 22, "Invalid host name" },
		{ "", RESOLVE_BAD_NAME, 22, "Invalid host name" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct asker a;

		assert_int_equal(host(f, &a, CASES[i].name), CASES[i].status);
		assert_int_equal(a.addrs_len, 0);
		assert_string_equal(resolve_status_text(a.status), CASES[i].text);
		assert_int_equal(resolve_status_number(a.status), CASES[i].number);
	}
	assert_string_equal(resolve_status_text(RESOLVE_TIMEOUT), "Operation timed out");
	assert_int_equal(resolve_status_number(RESOLVE_TIMEOUT), 110);
}

static void families_may_be_left_out(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	furnish(f, &(struct resolver_options){ .no_ipv6 = true });
	assert_int_equal(host(f, &a, "mail.test"), RESOLVE_OK);
	check_addrs(&a, "192.0.2.7 192.0.2.8");
	furnish(f, &(struct resolver_options){ .no_ipv4 = true });
	assert_int_equal(host(f, &a, "mail.test"), RESOLVE_OK);
	check_addrs(&a, "2001:db8::7");
	assert_int_equal(f->server.asked, 2);
}

static void many_share_one_query(void **state)
{
	struct fixture *f = *state;
	struct asker a[100] = { 0 };

	for (int i = 0; i < 100; i++)
		ask_host(f, &a[i], i % 2 != 0 ? "mail.test" : "Mail.Test", 5000);
	for (int i = 0; i < 100; i += 3)
		resolve_cancel(&a[i].query);
	wait_for(f, &a[1], 1);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(a[i].answers, i % 3 != 0);
		assert_int_equal(a[i].addrs_len, i % 3 != 0 ? 3 : 0);
	}
	assert_int_equal(f->server.asked, 2);
}

static void answers_are_kept_as_long_as_they_live(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	for (int i = 0; i < 3; i++)
		assert_int_equal(host(f, &a, "four.test"), RESOLVE_OK);
	assert_int_equal(f->server.asked, 2);
	forward(f, 59 * 1000);
	assert_int_equal(host(f, &a, "four.test"), RESOLVE_OK);
	assert_int_equal(f->server.asked, 2);
	forward(f, 2 * 1000);
	assert_int_equal(host(f, &a, "four.test"), RESOLVE_OK);
	assert_int_equal(f->server.asked, 4);
	/* a TTL of nothing is for those who wait now */
	assert_int_equal(host(f, &a, "brief.test"), RESOLVE_OK);
	assert_int_equal(host(f, &a, "brief.test"), RESOLVE_OK);
	assert_int_equal(f->server.asked, 8);
}

static void a_fixed_time_overrides_that(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	furnish(f, &(struct resolver_options){ .valid_ms = 3600 * 1000, .no_ipv6 = true });
	assert_int_equal(host(f, &a, "brief.test"), RESOLVE_OK);
	forward(f, 3500 * 1000);
	assert_int_equal(host(f, &a, "brief.test"), RESOLVE_OK);
	assert_int_equal(f->server.asked, 1);
	forward(f, 101 * 1000);
	assert_int_equal(host(f, &a, "brief.test"), RESOLVE_OK);
	assert_int_equal(f->server.asked, 2);
}

static void failures_are_kept_briefly(void **state)
{
	struct fixture *f = *state;
	struct asker a;
	unsigned asked;

	assert_int_equal(host(f, &a, "unknown.test"), RESOLVE_NOT_FOUND);
	assert_int_equal(host(f, &a, "unknown.test"), RESOLVE_NOT_FOUND);
	assert_int_equal(f->server.asked, 2);
	forward(f, 10 * 1000);
	assert_int_equal(host(f, &a, "unknown.test"), RESOLVE_NOT_FOUND);
	assert_int_equal(f->server.asked, 4);
	host(f, &a, "servfail.test");
	asked = f->server.asked;
	host(f, &a, "servfail.test");
	assert_int_equal(f->server.asked, asked);
	forward(f, 2 * 1000);
	host(f, &a, "servfail.test");
	assert_true(f->server.asked > asked);
	/* half an answer is an answer, and soon asked for again */
	assert_int_equal(host(f, &a, "half.test"), RESOLVE_OK);
	check_addrs(&a, "192.0.2.5");
	asked = f->server.asked;
	forward(f, 2 * 1000);
	host(f, &a, "half.test");
	assert_true(f->server.asked > asked);
}

/* More names than are kept: the oldest go, and nothing else. */
static void the_number_of_answers_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct asker a;
	char name[32];

	furnish(f, &(struct resolver_options){ .no_ipv6 = true });
	host(f, &a, "four.test");
	for (int i = 0; i < 4500; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		assert_int_equal(host(f, &a, name), RESOLVE_NOT_FOUND);
	}
	assert_int_equal(f->server.asked, 4501);
	host(f, &a, "n4499.test");
	host(f, &a, "n500.test");
	assert_int_equal(f->server.asked, 4501);
	host(f, &a, "four.test");
	host(f, &a, "n0.test");
	assert_int_equal(f->server.asked, 4503);
}

static void long_answers_come_by_tcp(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	assert_int_equal(host(f, &a, "large.test"), RESOLVE_OK);
	assert_int_equal(a.addrs_len, 2);
	assert_int_equal(f->server.by_tcp, 2);
}

/* One connection carries them all: a question that comes when it has long been open is sent, too. */
static void one_connection_serves_many(void **state)
{
	struct fixture *f = *state;
	struct asker waiting = { .answers = 0 }, a;

	furnish(f, &(struct resolver_options){ .no_ipv6 = true });
	ask_host(f, &waiting, "waiting.test", 60000);
	for (int turns = 0; f->server.by_tcp == 0; turns++) {
		assert_true(turns < 100);
		loop_turn(f->loop, 1000);
	}
	assert_int_equal(host(f, &a, "large.test"), RESOLVE_OK);
	assert_int_equal(f->server.by_tcp, 2);
	assert_non_null(f->server.conns);
	assert_null(f->server.conns->next);
	resolve_cancel(&waiting.query);
}

static void odd_datagrams_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct asker a;

	furnish(f, &(struct resolver_options){ .no_ipv6 = true });
	f->server.flood = true;
	assert_int_equal(host(f, &a, "empty.test"), RESOLVE_OK);
	check_addrs(&a, "192.0.2.10");
	assert_int_equal(host(f, &a, "twice.test"), RESOLVE_OK);
	check_addrs(&a, "192.0.2.11");
	assert_int_equal(host(f, &a, "spoofed.test"), RESOLVE_OK);
	check_addrs(&a, "192.0.2.12");
	assert_int_equal(f->server.asked, 3);
}

static void silence_ends(void **state)
{
	struct fixture *f = *state;
	struct asker a = { .answers = 0 }, b = { .answers = 0 };

	ask_host(f, &a, "silent.test", 20);
	ask_host(f, &b, "silent.test", 60000);
	wait_for(f, &a, 1);
	assert_int_equal(a.status, RESOLVE_TIMEOUT);
	assert_int_equal(b.answers, 0);
	resolve_cancel(&b.query);
	resolve_cancel(&b.query);
	/* the query is still out when the resolver ends */
}

static void another_server_is_asked(void **state)
{
	static const struct said MUTE[] = { { "four.test", DNS_A, SILENT, NULL },
					    { "four.test", DNS_AAAA, SILENT, NULL },
					    { NULL, DNS_A, 0, NULL } };
	static const struct said FAULTY[] = { { "four.test", DNS_A, 2, NULL },
					      { "four.test", DNS_AAAA, 5, NULL },
					      { NULL, DNS_A, 0, NULL } };
	const struct said *zones[] = { MUTE, FAULTY };
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct server other;
		struct addr both[2];
		struct asker a;

		both[0] = server_open(&other, f->loop, "::1", zones[i]);
		both[1] = f->at;
		furnish(f, &(struct resolver_options){ .servers = both, .servers_len = 2 });
		assert_int_equal(host(f, &a, "four.test"), RESOLVE_OK);
		check_addrs(&a, "192.0.2.4");
		assert_true(other.asked >= 2);
		server_close(&other);
	}
}

static void nobody_there_is_a_failure(void **state)
{
	struct fixture *f = *state;
	struct server gone;
	struct addr at = server_open(&gone, f->loop, "127.0.0.1", ZONE);
	struct asker a;

	server_close(&gone);
	furnish(f, &(struct resolver_options){ .servers = &at, .servers_len = 1 });
	assert_int_equal(host(f, &a, "four.test"), RESOLVE_SERVFAIL);
}

static void callbacks_may_ask_and_cancel(void **state)
{
	struct fixture *f = *state;
	struct asker a = { .again = 3 }, b = { .answers = 0 }, c = { .answers = 0 };

	a.victim = &b;
	ask_host(f, &c, "mail.test", 5000);
	ask_host(f, &b, "mail.test", 5000);
	ask_host(f, &a, "mail.test", 5000);
	wait_for(f, &a, 4);
	assert_int_equal(b.answers, 0);
	assert_int_equal(c.answers, 1);
	assert_int_equal(f->server.asked, 2);
	/* the same with an answer that is out of date the moment it comes */
	a = (struct asker){ .again = 0 };
	ask_host(f, &a, "brief.test", 5000);
	wait_for(f, &a, 1);
}

/* The name of an address leads to its addresses with the same query, as the session asks. */
static void one_query_serves_two_questions(void **state)
{
	struct fixture *f = *state;
	struct asker a = { .again = 1 };

	ask_ptr(f, &a, "192.0.2.7");
	wait_for(f, &a, 2);
	assert_int_equal(a.status, RESOLVE_OK);
	assert_int_equal(a.addrs_len, 3);
}

/* Who wants to answer in the server's place must guess sixteen bits, each time anew. */
static void ids_are_not_foreseeable(void **state)
{
	struct fixture *f = *state;
	unsigned doubles = 0, steps = 0;
	struct asker a;
	char name[24];

	furnish(f, &(struct resolver_options){ .no_ipv6 = true });
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		host(f, &a, name);
	}
	for (int i = 2; i <= 500; i++) {
		steps += (uint16_t)(f->server.ids[i] - f->server.ids[i - 1]) ==
			 (uint16_t)(f->server.ids[2] - f->server.ids[1]);
		for (int k = 1; k < i; k++)
			doubles += f->server.ids[i] == f->server.ids[k];
	}
	/* 500 of 65536: about two pairs are expected */
	assert_true(doubles < 20 && steps < 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(hosts_have_addresses),
		T(addresses_have_names),
		T(failures_have_names_and_numbers),
		T(families_may_be_left_out),
		T(many_share_one_query),
		T(answers_are_kept_as_long_as_they_live),
		T(a_fixed_time_overrides_that),
		T(failures_are_kept_briefly),
		T(the_number_of_answers_is_bounded),
		T(long_answers_come_by_tcp),
		T(one_connection_serves_many),
		T(odd_datagrams_do_no_harm),
		T(silence_ends),
		T(another_server_is_asked),
		T(nobody_there_is_a_failure),
		T(callbacks_may_ask_and_cancel),
		T(one_query_serves_two_questions),
		T(ids_are_not_foreseeable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
