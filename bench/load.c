/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load: the clients of every measurement.
 *
 *   load --port PORT [--protocol imap|pop3|smtp|smtp-open] [--security plain|starttls|implicit] [--resume]
 *        [--body login|idle|ping|down|up] [--count N] [--parallel N] [--bytes N] [--repeat N]
 *        [--sources N] [--first-source N]
 *
 * N sessions in all, so many of them at a time, from so many addresses (127.1.0.1 and on). What the proxy
 * says is checked, and every byte of bulk data; what went wrong is counted and told. The result is one line
 * of JSON.
 *
 * --body idle: the sessions log in and stay. `ready` is printed when all are there; when standard input ends
 * or gives a line, each says one thing more, which proves that it lives, and leaves.
 */
#include "script.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 256, LINE = 1024, MOST_SAMPLES = 1 << 20, MOST_SESSIONS = 256 };

struct order {
	enum protocol protocol;
	enum security security;
	enum body body;
	bool resume;
	unsigned port, count, parallel, sources, first_source, repeat;
	uint64_t bytes;
};

enum doing { SECURING, TALKING, TAKING, GIVING, LEAVING };

struct client {
	struct wire wire;
	const struct step *at;
	enum doing doing;
	bool held;
	unsigned repeated, kept_len;
	uint64_t left, bulk_at, asked_ns;
	char *kept;	     /* the beginning of a line; NULL almost always */
	struct client *next; /* among those that hold */
};

struct load {
	struct order order;
	struct script script;
	SSL_CTX *tls;
	SSL_SESSION *sessions[MOST_SESSIONS]; /* to be resumed, each once */
	unsigned sessions_len;
	int epoll;
	unsigned begun, busy, holding, done, errors, resumed, samples_len;
	uint64_t bytes;
	struct client *held;
	bool let_go;
	char complaint[160];
	uint32_t *samples; /* ns */
	char scratch[SCRATCH];
};

static void end(struct load *l, struct client *c)
{
	l->busy--;
	wire_close(&c->wire);
	free(c->kept);
	free(c);
}

/* Its owner must not touch the client again after a false. */
static bool fail(struct load *l, struct client *c, const char *why, const char *detail)
{
	if (l->errors++ == 0)
		snprintf(l->complaint, sizeof(l->complaint), "%s: %.100s (step %d)", why, detail,
			 (int)(c->at - l->script.steps));
	end(l, c);
	return false;
}

static bool say(struct load *l, struct client *c, const char *text)
{
	size_t len = strlen(text);

	if (wire_write(&c->wire, text, len) == (ssize_t)len)
		return true;
	return fail(l, c, "cannot write", strerror(errno));
}

static bool give(struct load *l, struct client *c)
{
	ssize_t n;

	while (c->left != 0) {
		n = wire_write(&c->wire, pattern_at(c->bulk_at),
			       c->left < PATTERN_RUN ? c->left : PATTERN_RUN);
		if (n == WIRE_WAIT)
			return true;
		if (n < 0)
			return fail(l, c, "cannot give", strerror(errno));
		c->left -= (uint64_t)n;
		c->bulk_at += (uint64_t)n;
		l->bytes += (uint64_t)n;
	}
	c->doing = TALKING;
	return true;
}

/* How many of these bytes are bulk data, as far as they are compared at once. */
static size_t portion(const struct client *c, size_t len)
{
	size_t n = len < c->left ? len : (size_t)c->left;

	return n < PATTERN_RUN ? n : PATTERN_RUN;
}

static bool take(struct load *l, struct client *c, const char *at, size_t n)
{
	if (memcmp(at, pattern_at(c->bulk_at), n) != 0)
		return fail(l, c, "wrong bytes", "");
	c->left -= n;
	c->bulk_at += n;
	l->bytes += n;
	if (c->left == 0)
		c->doing = TALKING;
	return true;
}

static void sample(struct load *l, struct client *c)
{
	if (c->asked_ns != 0 && l->samples_len < MOST_SAMPLES)
		l->samples[l->samples_len++] = (uint32_t)(clock_ns() - c->asked_ns);
	c->asked_ns = clock_ns();
}

static void hold(struct load *l, struct client *c)
{
	c->held = true;
	c->next = l->held;
	l->held = c;
	l->holding++;
	l->busy--;
}

static void secure(struct load *l, struct client *c)
{
	c->wire.tls = SSL_new(l->tls);
	if (c->wire.tls == NULL)
		die("SSL_new");
	SSL_set_fd(c->wire.tls, c->wire.fd);
	SSL_set_connect_state(c->wire.tls);
	if (l->sessions_len != 0) {
		SSL_set_session(c->wire.tls, l->sessions[--l->sessions_len]);
		SSL_SESSION_free(l->sessions[l->sessions_len]);
	}
	c->doing = SECURING;
}

static bool handshake(struct load *l, struct client *c);

/* The line that was waited for is here. */
static bool perform(struct load *l, struct client *c)
{
	const struct step *s = c->at;

	if (s->deed == REPEAT) {
		sample(l, c);
		if (++c->repeated < l->order.repeat)
			return say(l, c, s->say);
		c->at++;
		return say(l, c, s[1].say) && (c->at++, true);
	}
	if (s->deed == HOLD && !l->let_go)
		return hold(l, c), true;
	c->at++;
	c->left = s->deed == TAKE || s->deed == GIVE ? l->order.bytes : 0;
	if (s->deed == SECURE)
		return secure(l, c), handshake(l, c);
	if (s->deed == TAKE)
		return c->doing = TAKING, true;
	if (s->deed == LEAVE)
		return c->doing = LEAVING, true;
	if (!say(l, c, s->say))
		return false;
	if (s->deed == GIVE)
		return c->doing = GIVING, give(l, c);
	return true;
}

static bool hear(struct load *l, struct client *c, const char *line)
{
	if (c->doing == LEAVING || c->held)
		return fail(l, c, "said too much", line);
	if (strncmp(line, c->at->want, strlen(c->at->want)) == 0)
		return perform(l, c);
	return script_ignores(line) || fail(l, c, "unexpected", line);
}

static bool keep(struct load *l, struct client *c, const char *at, size_t len)
{
	if (len > LINE)
		return fail(l, c, "endless line", "");
	if (len != 0 && c->kept == NULL && (c->kept = malloc(LINE)) == NULL)
		die("malloc");
	if (len != 0)
		memcpy(c->kept, at, len);
	c->kept_len = (unsigned)len;
	return true;
}

static bool feed(struct load *l, struct client *c, char *at, size_t len)
{
	char *lf;
	size_t n;

	while (len != 0) {
		if (c->doing == TAKING) {
			n = portion(c, len);
			if (!take(l, c, at, n))
				return false;
		} else {
			lf = memchr(at, '\n', len);
			if (lf == NULL)
				break;
			n = (size_t)(lf - at) + 1;
			*lf = '\0';
			if (!hear(l, c, at))
				return false;
		}
		at += n;
		len -= n;
	}
	return keep(l, c, at, len);
}

static void ended(struct load *l, struct client *c)
{
	if (c->doing != LEAVING) {
		if (c->held)
			l->busy++;
		fail(l, c, "closed early", "");
		return;
	}
	l->done++;
	if (c->wire.tls != NULL && SSL_session_reused(c->wire.tls))
		l->resumed++;
	end(l, c);
}

static void read_all(struct load *l, struct client *c, bool over)
{
	size_t room;
	ssize_t n;

	do {
		if (c->kept_len != 0)
			memcpy(l->scratch, c->kept, c->kept_len);
		room = SCRATCH - c->kept_len;
		n = wire_read(&c->wire, l->scratch + c->kept_len, room);
		if (n > 0 && !feed(l, c, l->scratch, c->kept_len + (size_t)n))
			return;
	} while (n > 0 && (over || (size_t)n == room) && c->doing != SECURING);
	if (n == WIRE_END)
		ended(l, c);
	else if (n == WIRE_BROKEN)
		fail(l, c, "cannot read", strerror(errno));
}

/* After a handshake within a dialogue it is the client that speaks; else the server's greeting is next. */
static bool handshake(struct load *l, struct client *c)
{
	int result = SSL_do_handshake(c->wire.tls), error = SSL_get_error(c->wire.tls, result);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return true;
	if (result != 1)
		return fail(l, c, "handshake", ERR_reason_error_string(ERR_peek_error()));
	c->doing = TALKING;
	return c->at == l->script.steps || say(l, c, c->at[-1].say);
}

static void serve(struct load *l, struct client *c, uint32_t events)
{
	bool over = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);

	if (c->doing == SECURING) {
		if (events == EPOLLOUT && SSL_get_state(c->wire.tls) != TLS_ST_BEFORE)
			return;
		if (!handshake(l, c) || c->doing == SECURING)
			return;
		over = true;
		events |= EPOLLIN;
	}
	if (events & EPOLLOUT && c->doing == GIVING && !give(l, c))
		return;
	/* a record may hold more than the socket still does */
	if (over || events & EPOLLIN)
		read_all(l, c, over || c->wire.tls != NULL);
}

static struct in_addr source(const struct load *l)
{
	const struct order *o = &l->order;

	if (o->sources == 0)
		return (struct in_addr){ 0 };
	return (struct in_addr){ htonl((127u << 24) + (1 << 16) + o->first_source + l->begun % o->sources) };
}

static void begin(struct load *l)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		die("calloc");
	c->wire.fd = wire_connect((struct in_addr){ htonl(INADDR_LOOPBACK) }, l->order.port, source(l));
	if (c->wire.fd < 0)
		die("cannot connect");
	c->at = l->script.steps;
	c->doing = TALKING;
	l->begun++;
	l->busy++;
	if (l->order.security == IMPLICIT)
		secure(l, c);
	if (!wire_watch(l->epoll, c->wire.fd, c))
		die("epoll_ctl");
}

/* The held ones go on a few at a time, as they came. */
static void go_on(struct load *l)
{
	struct client *c = l->held;

	l->held = c->next;
	l->holding--;
	l->busy++;
	c->held = false;
	perform(l, c);
}

static bool is_over(const struct load *l)
{
	return l->busy == 0 && l->holding == 0 && l->begun == l->order.count;
}

static void wait_for_word(struct load *l)
{
	char word[16];

	printf("ready\n");
	fflush(stdout);
	if (read(0, word, sizeof(word)) < 0)
		die("cannot read");
	l->let_go = true;
}

static void turn(struct load *l)
{
	struct epoll_event events[EVENTS];
	int n;

	while (l->begun < l->order.count && l->busy < l->order.parallel)
		begin(l);
	if (l->begun == l->order.count && l->busy == 0 && l->holding != 0 && !l->let_go)
		wait_for_word(l);
	while (l->let_go && l->held != NULL && l->busy < l->order.parallel)
		go_on(l);
	n = is_over(l) ? 0 : epoll_wait(l->epoll, events, EVENTS, -1);
	for (int i = 0; i < n; i++)
		serve(l, events[i].data.ptr, events[i].events);
}

/* Every connection is given new tickets, so there are soon enough for all. */
static int new_session(SSL *tls, SSL_SESSION *session)
{
	struct load *l = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));

	if (!l->order.resume || l->sessions_len == MOST_SESSIONS)
		return 0;
	l->sessions[l->sessions_len++] = session;
	return 1;
}

/* Whose certificate it is was never the question, and the generator has better things to do. */
static int trust(X509_STORE_CTX *chain, void *nothing)
{
	(void)chain;
	(void)nothing;
	return 1;
}

static void tls_begin(struct load *l)
{
	l->tls = SSL_CTX_new(TLS_client_method());
	if (l->tls == NULL || SSL_CTX_set1_groups_list(l->tls, "X25519:P-256") != 1)
		die("SSL_CTX_new");
	SSL_CTX_set_min_proto_version(l->tls, TLS1_3_VERSION);
	SSL_CTX_set_mode(l->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					 SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(l->tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(l->tls, new_session);
	SSL_CTX_set_cert_verify_callback(l->tls, trust, NULL);
	/* Perdition closes without a goodbye; that it did so too early is found out without TLS */
	SSL_CTX_set_options(l->tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_app_data(l->tls, l);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(struct load *l, uint64_t took_ns)
{
	uint32_t median = 0;

	qsort(l->samples, l->samples_len, sizeof(*l->samples), by_size);
	if (l->samples_len != 0)
		median = l->samples[l->samples_len / 2];
	for (char *p = l->complaint; *p != '\0'; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			*p = '\'';
	printf("{\"done\": %u, \"errors\": %u, \"complaint\": \"%s\", \"resumed\": %u, \"bytes\": %llu, "
	       "\"samples\": %u, \"p50_us\": %.2f, \"seconds\": %.4f}\n",
	       l->done, l->errors, l->complaint, l->resumed, (unsigned long long)l->bytes, l->samples_len,
	       median / 1e3, (double)took_ns / 1e9);
}

/* The place of a word in a list that ends with NULL. */
static unsigned choice(const char *word, const char *const *list)
{
	for (unsigned i = 0; list[i] != NULL; i++)
		if (strcmp(word, list[i]) == 0)
			return i;
	fprintf(stderr, "load: what is \"%s\"?\n", word);
	exit(2);
}

static void read_options(struct order *o, int argc, char **argv)
{
	static const char *const protocols[] = { "imap", "pop3", "smtp", "smtp-open", NULL };
	static const char *const securities[] = { "plain", "starttls", "implicit", NULL };
	static const char *const bodies[] = { "login", "idle", "ping", "down", "up", NULL };
	static const struct option options[] = {
		{ "port", 1, NULL, 'p' },     { "protocol", 1, NULL, 'l' },	{ "security", 1, NULL, 's' },
		{ "resume", 0, NULL, 'r' },   { "body", 1, NULL, 'b' },		{ "count", 1, NULL, 'c' },
		{ "parallel", 1, NULL, 'a' }, { "bytes", 1, NULL, 'y' },	{ "repeat", 1, NULL, 't' },
		{ "sources", 1, NULL, 'o' },  { "first-source", 1, NULL, 'f' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			o->port = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			o->protocol = (enum protocol)choice(optarg, protocols);
			break;
		case 's':
			o->security = (enum security)choice(optarg, securities);
			break;
		case 'r':
			o->resume = true;
			break;
		case 'b':
			o->body = (enum body)choice(optarg, bodies);
			break;
		case 'c':
			o->count = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'a':
			o->parallel = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'y':
			o->bytes = strtoull(optarg, NULL, 10);
			break;
		case 't':
			o->repeat = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			o->sources = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'f':
			o->first_source = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct load l = {
		.order = { .count = 1, .parallel = 16, .sources = 16, .first_source = 1, .repeat = 1 }
	};
	uint64_t began;

	read_options(&l.order, argc, argv);
	script_write(&l.script, l.order.protocol, l.order.security, l.order.body, l.order.bytes);
	pattern_make();
	l.samples = calloc(MOST_SAMPLES, sizeof(*l.samples));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l.samples == NULL || l.epoll < 0)
		die("epoll_create1");
	tls_begin(&l);
	began = clock_ns();
	while (!is_over(&l))
		turn(&l);
	report(&l, clock_ns() - began);
	return l.errors != 0;
}
