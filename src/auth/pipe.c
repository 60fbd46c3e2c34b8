/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to helper processes; see pipe.h.
 *
 * All workers write their questions into one socket, from which whichever helper is idle takes the next. With
 * each question goes the writing end of a pipe made for it alone. So nothing has to be told apart: an answer
 * can only reach who asked, one that comes too late finds the pipe closed, and the end of a pipe without an
 * answer means that the helper died over the question, which is then asked once more.
 *
 * Only a few questions for each helper are in the socket at a time; the others wait here, where they can be
 * counted, cancelled, and answered when their time is over. Nothing in this file waits for anybody.
 */
#include "auth/pipe.h"

#include "auth/pipe_fill.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * FLYING_FACTOR: questions in the socket for each helper, so that none is idle while a worker turns.
 * RETRY_MS: when the socket or the system takes no more. CAUSE_MAX: what of a cause the log shows.
 */
enum { FLYING_FACTOR = 2, RETRY_MS = 20, CAUSE_MAX = 800 };

struct ask {
	struct pipe_source *source;
	struct auth_request *request;
	struct buf question, answer;
	struct watch reply;    /* the reading end; fd -1: not asked yet */
	struct timer deadline; /* also for what must not be answered from inside of the asking */
	const char *refused;   /* why there will be no answer; NULL: there may be one */
	bool again;	       /* has been asked before, of a helper that died */
	struct ask *next, **link;
};

struct pipe_source {
	struct auth_source source;
	struct loop *loop;
	const struct log *log; /* NULL: none */
	const struct helper_order *order;
	struct ask *waiting, **waiting_end; /* in their order */
	struct ask *flying, *dead;
	size_t waiting_len, flying_len;
	struct timer retry;
	struct task reap;
};

static void reply_ready(struct watch *w, unsigned ready), too_late(struct timer *t);
static void retry(struct timer *t), reap(struct task *t);

struct auth_source *pipe_make(const struct auth_kind *kind, const struct auth_tools *tools,
			      const struct scope *server)
{
	struct pipe_source *s = mem_new(sizeof(*s));
	struct helper_order o;

	*s = (struct pipe_source){ .source.kind = kind,
				   .loop = tools->loop,
				   .log = tools->log,
				   .retry.fn = retry,
				   .reap.fn = reap };
	s->waiting_end = &s->waiting;
	helper_order_init(&o, kind->name);
	must(tools->helpers != NULL && kind->helper(server, &o));
	s->order = helper_orders_add(tools->helpers, &o);
	helper_order_done(&o);
	return &s->source;
}

/* ---- lists ---- */

static void unhook(struct ask *a)
{
	struct pipe_source *s = a->source;

	if (a->link == NULL)
		return;
	*a->link = a->next;
	if (a->next != NULL)
		a->next->link = a->link;
	else if (s->waiting_end == &a->next)
		s->waiting_end = a->link;
	a->link = NULL;
	a->next = NULL;
}

static void hook(struct ask *a, struct ask **list)
{
	a->next = *list;
	a->link = list;
	if (a->next != NULL)
		a->next->link = &a->next;
	*list = a;
}

static void wait_last(struct ask *a)
{
	struct pipe_source *s = a->source;

	a->link = s->waiting_end;
	*s->waiting_end = a;
	s->waiting_end = &a->next;
	s->waiting_len++;
}

/* One that lost its helper has waited already. */
static void wait_first(struct ask *a)
{
	struct pipe_source *s = a->source;

	hook(a, &s->waiting);
	if (a->next == NULL)
		s->waiting_end = &a->next;
	s->waiting_len++;
}

static void close_reply(struct ask *a)
{
	struct pipe_source *s = a->source;

	if (a->reply.fd < 0)
		return;
	loop_unwatch(s->loop, &a->reply);
	close(a->reply.fd);
	a->reply.fd = -1;
}

/* Out of the list it is in; no callback comes any more. */
static void take_out(struct ask *a)
{
	struct pipe_source *s = a->source;

	if (a->link != NULL && a->reply.fd >= 0)
		s->flying_len--;
	else if (a->link != NULL)
		s->waiting_len--;
	unhook(a);
	close_reply(a);
	loop_disarm(&a->deadline);
}

/* The end of it, which the end of the turn frees: its own callback may be on the stack. */
static void drop(struct ask *a)
{
	take_out(a);
	if (a->request != NULL)
		a->request->state = NULL;
	a->request = NULL;
	buf_wipe(&a->question);
	hook(a, &a->source->dead);
	loop_later(a->source->loop, &a->source->reap);
}

static void reap(struct task *t)
{
	struct pipe_source *s = CONTAINER(t, struct pipe_source, reap);

	while (s->dead != NULL) {
		struct ask *a = s->dead;

		unhook(a);
		buf_done(&a->question);
		buf_done(&a->answer);
		free(a);
	}
}

void pipe_free(struct auth_source *source)
{
	struct pipe_source *s = CONTAINER(source, struct pipe_source, source);

	while (s->waiting != NULL)
		drop(s->waiting);
	while (s->flying != NULL)
		drop(s->flying);
	loop_cancel(s->loop, &s->reap);
	loop_disarm(&s->retry);
	reap(&s->reap);
	free(s);
}

/* ---- answers ---- */

static void send_waiting(struct pipe_source *s);

/* Who answers may end the session, and with it this very request, but never the source. */
static void tell(struct ask *a, const struct auth_answer *answer)
{
	struct pipe_source *s = a->source;
	struct auth_request *r = a->request;

	r->state = NULL;
	a->request = NULL;
	take_out(a);
	r->done(r, answer);
	drop(a);
	send_waiting(s);
}

/* What a database says may be anything, and may hold what a client has said. */
static void put_cause(struct buf *to, struct str cause)
{
	for (size_t i = 0; i < cause.len && i < CAUSE_MAX; i++) {
		char c = cause.at[i];

		buf_put_byte(to, c == '"' ? '\'' : c < ' ' || c > '~' ? '?' : c);
	}
}

static void tell_broken(struct ask *a, enum log_level level, bool source_down, struct str cause)
{
	struct auth_answer answer = { AUTH_ANSWER_INIT, .verdict = AUTH_BROKEN, .level = level,
				      .source_down = source_down };
	struct buf text;

	buf_init(&text, CAUSE_MAX + 100);
	buf_format(&text, "auth %s: ", a->source->source.kind->name);
	put_cause(&text, cause);
	buf_put_byte(&text, '\0');
	answer.cause = text.at;
	tell(a, &answer);
	buf_done(&text);
}

/* Until names are resolved behind us, an address is the address, and anything else is for who knows
 * upstreams. */
static void take_target(struct auth_answer *to, struct str target)
{
	struct str port = target, host = str_cut(&port, ':');
	uint64_t number;

	if (target.len != 0 && addr_parse_ip(target, &to->server))
		to->server.port = to->port;
	else if (str_number(port, UINT16_MAX, &number) && addr_parse_ip(host, &to->server))
		to->server.port = (uint16_t)number;
	else
		to->target = target;
}

static const enum auth_verdict VERDICTS[] = {
	[PIPE_OK] = AUTH_OK,
	[PIPE_DENIED] = AUTH_DENIED,
	[PIPE_UNKNOWN] = AUTH_UNKNOWN,
	[PIPE_BROKEN] = AUTH_BROKEN,
};

static const enum auth_failure FAILURES[] = {
	[PIPE_CREDENTIALS] = AUTH_FAILURE_CREDENTIALS,
	[PIPE_DISABLED] = AUTH_FAILURE_DISABLED,
	[PIPE_FORBIDDEN] = AUTH_FAILURE_FORBIDDEN,
	[PIPE_EXPIRED] = AUTH_FAILURE_EXPIRED,
};

static void tell_answer(struct ask *a, const struct pipe_answer *p)
{
	struct auth_answer answer = { AUTH_ANSWER_INIT,
				      .verdict = VERDICTS[p->verdict],
				      .failure = FAILURES[p->failure],
				      .message = p->message,
				      .port = (uint16_t)p->port,
				      .tls = (unsigned)p->tls,
				      .tls_name = p->tls_name,
				      .user = p->user,
				      .secret = p->secret,
				      .master = p->master };

	if (p->cache_ms != PIPE_CACHE_AS_CONFIGURED)
		answer.cache_ms = p->cache_ms;
	take_target(&answer, p->target);
	tell(a, &answer);
}

/* With an answer that is none of trouble: what else whoever runs this should know. */
static void tell_notice(const struct pipe_source *s, struct str cause)
{
	struct buf text;

	if (cause.len == 0 || s->log == NULL)
		return;
	buf_init(&text, CAUSE_MAX);
	put_cause(&text, cause);
	log_put(s->log, LOG_WARN, 0, "auth %s: %.*s", s->source.kind->name, STR_ARG(buf_text(&text)));
	buf_done(&text);
}

/* The pipe has ended: with a whole answer in it, or the helper is no more. */
static void ended(struct ask *a)
{
	struct pipe_answer p;

	if (pipe_answer_get(buf_text(&a->answer), &p)) {
		if (p.verdict == PIPE_BROKEN)
			tell_broken(a, p.repeated ? LOG_INFO : LOG_ERROR, false, p.cause);
		if (p.verdict != PIPE_BROKEN) {
			tell_notice(a->source, p.cause);
			tell_answer(a, &p);
		}
	} else if (a->again) {
		tell_broken(a, LOG_ERROR, false, STR("two helper processes ended over the same question"));
	} else {
		a->source->flying_len--;
		unhook(a);
		close_reply(a);
		buf_wipe(&a->answer);
		a->again = true;
		wait_first(a);
		send_waiting(a->source);
	}
}

static void reply_ready(struct watch *w, unsigned ready)
{
	struct ask *a = CONTAINER(w, struct ask, reply);

	(void)ready;
	for (;;) {
		char *room = buf_space(&a->answer, 1024);
		ssize_t n;

		if (room == NULL)
			break;
		n = read(w->fd, room, 1024);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_grew(&a->answer, (size_t)n);
	}
	ended(a);
}

/* ---- asking ---- */

/* Send one question with the pipe's writing end. 0, or an errno. */
static int send_question(const struct ask *a, int writing)
{
	struct str text = buf_text(&a->question);
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec data = { (void *)text.at, text.len };
	struct msghdr msg = { .msg_iov = &data,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &writing, sizeof(int));
	return sendmsg(a->source->order->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

/* Only the reading end is ours to wait at: the helper's may block. */
static int fly(struct ask *a)
{
	struct pipe_source *s = a->source;
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	error = send_question(a, ends[1]);
	close(ends[1]);
	a->reply = (struct watch){ .fn = reply_ready, .fd = ends[0] };
	if (error == 0 && !loop_watch(s->loop, &a->reply))
		error = errno;
	if (error != 0) {
		close(ends[0]);
		a->reply.fd = -1;
		return error;
	}
	s->waiting_len--;
	unhook(a);
	hook(a, &s->flying);
	s->flying_len++;
	return 0;
}

/* There will be no answer; said a little later, as it must not come from inside of the asking. */
static void refuse(struct ask *a, const char *why)
{
	a->refused = why;
	loop_arm(a->source->loop, &a->deadline, 0);
}

/* No reader is left when the master is gone and its helpers with it. */
static void send_waiting(struct pipe_source *s)
{
	size_t most = FLYING_FACTOR * (size_t)s->order->helpers;

	while (s->waiting != NULL && s->waiting->refused == NULL && s->flying_len < most) {
		int error = s->order->fd >= 0 ? fly(s->waiting) : ECONNREFUSED;

		if (error == EPIPE || error == ECONNREFUSED || error == ECONNRESET) {
			refuse(s->waiting, "no helper process runs");
			return;
		}
		if (error != 0) {
			loop_arm(s->loop, &s->retry, RETRY_MS);
			return;
		}
	}
}

static void retry(struct timer *t)
{
	send_waiting(CONTAINER(t, struct pipe_source, retry));
}

static void too_late(struct timer *t)
{
	struct ask *a = CONTAINER(t, struct ask, deadline);

	/* whoever comes next finds no helper either */
	bool none_free = a->refused == NULL && a->reply.fd < 0;

	tell_broken(a, LOG_ERROR, none_free,
		    str_of(a->refused != NULL ? a->refused
			   : a->reply.fd >= 0 ? "no answer in time"
					      : "no helper process was free in time"));
}

/* Too long for a helper is longer than any password that could be right. */
void pipe_ask(struct auth_source *source, struct auth_request *r)
{
	struct pipe_source *s = CONTAINER(source, struct pipe_source, source);
	struct ask *a = mem_new(sizeof(*a));
	struct pipe_question q = { 0 };

	*a = (struct ask){ .source = s, .request = r, .reply.fd = -1, .deadline.fn = too_late };
	buf_init(&a->question, PIPE_QUESTION_MAX);
	buf_init(&a->answer, PIPE_ANSWER_MAX + 1024);
	r->state = a;
	loop_arm(s->loop, &a->deadline, s->order->timeout_ms);
	pipe_fill(r, s->order, &q);
	if (!pipe_question_put(&a->question, &q))
		refuse(a, "the client said more than a helper takes");
	else if (s->waiting_len >= s->order->queue && s->waiting_len != 0)
		refuse(a, "too many logins wait for a helper process");
	wait_last(a);
	send_waiting(s);
}

void pipe_cancel(struct auth_request *r)
{
	struct ask *a = r->state;
	struct pipe_source *s = a->source;

	drop(a);
	send_waiting(s);
}
