/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session's log lines: the message, what the session was doing, and who takes part, in the order that log
 * watchers know. Names from outside go through visible_put; a password has no way in here.
 */
#include "mail/session_private.h"

#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A client that debug_connection names is heard at all levels. */
const struct log *session_log_of(const struct session *s)
{
	return s->debugged ? &s->at->debug_log : &s->at->log;
}

static const char *doing(const struct session *s)
{
	const struct prelogin *p = s->pre;

	if (p != NULL && p->naming != NULL && s->stage->doing != NULL && p->front.dialog == NULL)
		return p->naming;
	if (s->stage->doing != NULL || p == NULL)
		return s->stage->doing;
	if (p->tried_server && p->back.dialog != NULL && p->back.dialog->at != NULL)
		return p->back.dialog->at->doing;
	return p->front.dialog != NULL && p->front.dialog->at != NULL ? p->front.dialog->at->doing : NULL;
}

static void put_login(const struct session *s, struct buf *to)
{
	struct str login = s->pre != NULL ? buf_text(&s->pre->login.user) : str_of(s->login);

	if (login.len == 0)
		return;
	buf_put(to, STR(", login: \""));
	visible_put(to, login, SHOWN_MAX);
	buf_put(to, STR("\""));
}

static void put_context(const struct session *s, struct buf *to)
{
	char ip[ADDR_TEXT_MAX];

	buf_format(to, ", client: %s%s, server: %.*s", addr_ip_text(&s->client_addr, ip),
		   s->starttls ? " using starttls" : "", STR_ARG(s->door->text));
	put_login(s, to);
	if (s->server_addr.family != AF_UNSPEC)
		buf_format(to, ", upstream: %s", addr_text(&s->server_addr, ip));
}

/* `more` stands at the end of the line. */
static void put_line(const struct session *s, enum log_level level, const char *what, const char *message,
		     struct str more)
{
	struct buf line;

	buf_init(&line, LOG_LINE_MAX);
	put_context(s, &line);
	buf_put(&line, more);
	log_put(session_log_of(s), level, s->number, "%s%s%s%.*s", message, what != NULL ? " while " : "",
		what != NULL ? what : "", STR_ARG(buf_text(&line)));
	buf_done(&line);
}

void session_log(const struct session *s, enum log_level level, const char *format, ...)
{
	char message[LOG_LINE_MAX / 2];
	va_list ap;

	if (!log_wants(session_log_of(s), level))
		return;
	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	put_line(s, level, doing(s), message, STR(""));
}

void session_log_plain(const struct session *s, enum log_level level, const char *format, ...)
{
	char message[LOG_LINE_MAX / 2];
	va_list ap;

	if (!log_wants(session_log_of(s), level))
		return;
	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	put_line(s, level, NULL, message, STR(""));
}

void session_log_login(struct session *s)
{
	if (log_wants(session_log_of(s), LOG_INFO))
		put_line(s, LOG_INFO, NULL, "client logged in",
			 arena_format(s->pre->arena, ", session: %.*s", STR_ARG(session_id(s))));
}

/* Without the last CRLF. */
static struct str without_end(struct str reply)
{
	while (reply.len != 0 && (reply.at[reply.len - 1] == '\n' || reply.at[reply.len - 1] == '\r'))
		reply.len--;
	return reply;
}

void session_log_quoted(struct session *s, enum log_level level, const char *text, struct str quoted)
{
	struct buf shown;

	buf_init(&shown, LOG_LINE_MAX);
	visible_put(&shown, without_end(quoted), SHOWN_MAX);
	session_log(s, level, "%s: \"%.*s\"", text, STR_ARG(buf_text(&shown)));
	buf_done(&shown);
}

void session_note(void *owner, const char *text, struct str quoted)
{
	if (quoted.at == NULL)
		session_log(owner, LOG_INFO, "%s", text);
	else
		session_log_quoted(owner, LOG_INFO, text, quoted);
}

void session_log_failure(struct session *s, const struct stream *stream, enum log_level level,
			 const char *what)
{
	struct buf text;

	buf_init(&text, LOG_LINE_MAX);
	if (stream->tls != NULL && stream->error == 0)
		level = tls_failure(stream, &text);
	else
		stream_failure(stream, &text);
	session_log(s, level, "%s%.*s", what, STR_ARG(buf_text(&text)));
	buf_done(&text);
}

void session_log_end(struct session *s, enum relay_end why)
{
	if (why == RELAY_IDLE) {
		session_log(s, LOG_INFO, "client timed out (110: Connection timed out)");
		return;
	}
	if (why == RELAY_CLIENT_BROKEN)
		session_log_failure(s, &s->client, LOG_INFO, "recv() failed ");
	if (why == RELAY_SERVER_BROKEN)
		session_log_failure(s, &s->server, LOG_ERROR, "recv() failed ");
	session_log_plain(s, LOG_INFO, "proxied session done");
}
