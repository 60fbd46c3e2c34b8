/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session consists of; seen only by the files that make up the session: session.c (the frame),
 * journey.c, reach.c, entry.c, identify.c, question.c, session_log.c.
 */
#pragma once
#include "mail/approach.h"
#include "mail/escorted.h"
#include "mail/exchange.h"
#include "mail/session.h"
#include "net/proxyhdr.h"
#include "net/relay.h"
#include "vars/vars.h"

/* One of the seven stages. A stage hears the events of both streams and its own time limit. */
struct session_stage {
	const char *name;
	const char *doing; /* for log lines: " while …"; NULL: the dialog's state knows better */
	void (*client)(struct session *s, unsigned what);
	void (*server)(struct session *s, unsigned what);
	void (*late)(struct session *s);
};

/* Everything that a session needs only until its relay starts; given back as a whole, wiped. */
struct prelogin {
	struct arena *arena;
	struct session *session;
	struct exchange front, back;
	struct stage front_stage, back_stage;
	struct login login;
	struct timer limit;
	struct auth_request question;
	struct resolve_query name_query;
	struct vars vars;
	struct str id;	     /* once session_id was asked for */
	struct auth_tls tls; /* once session_tls was asked for */
	struct approach approach;
	struct escorting escorting;
	struct proxyhdr header; /* the PROXY header that came in */
	const char *naming;	/* for log lines once the client's name is looked up the other way round */
	struct str client_name; /* verified by DNS; in the arena */
	enum want wanted;	/* what the front wants once `out` is flushed */
	unsigned waits;		/* answers WAIT to this question so far */
	bool tried_server;	/* the back has been opened: log lines name the upstream */
	bool shut;		/* leave: our side is closed */
	void (*identified)(struct session *s);
};

struct session {
	struct stream client, server;
	const struct session_stage *stage;
	struct server *at;
	const struct door *door;
	struct house *house;
	struct prelogin *pre; /* NULL from the relay on, but with an escort */
	struct relay relay;   /* from the relay on */
	char *login;	      /* for log lines of the relay; on the heap */
	uint64_t number;
	bool debugged; /* debug_connection names the client */
	bool starttls; /* TLS came, or was to come, by STARTTLS */
	struct addr client_addr, server_addr;
	struct peer_place *place; /* at a server of an upstream, from its yes on */
	struct session *next, **link;
	struct task bury;
};

/* session_log.c: where the session's lines go; lines with the session's context behind them. */
const struct log *session_log_of(const struct session *s);
void session_log(const struct session *s, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same without " while …". */
void session_log_plain(const struct session *s, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* session.c: what the dialogs may know. Once at the beginning, and again when the handshake has told another
 * server; then who the client is. */
void session_set_stage(struct session *s);
void session_set_client(struct session *s);

/* session.c: where the client came in. The system is asked only at a door on all addresses. */
bool session_local(const struct session *s, struct addr *local);

/* session.c: the connection to the server stands: the PROXY header, if one is wanted, and the back's dialog.
 */
void session_set_back(struct session *s);

/* session.c: what the server said at last, without IMAP's tag, as the log shows it. */
struct str session_answer(const struct session *s);

/* session.c: the name for log lines outlives the login; the end, from wherever; and parts of it. */
void session_keep_login(struct session *s);
void session_end(struct session *s);
void session_close_server(struct session *s);
stream_fn session_server_event;
void session_drop_prelogin(struct session *s);

/* journey.c: the first step of a session that has just been accepted. */
void session_begin(struct session *s);

/* journey.c: tools of all stages: go on to a stage, set its time limit, and hear a client that others work
 * for. */
void session_enter(struct session *s, const struct session_stage *stage);
void session_limit(struct session *s, uint64_t ms);
void session_watch_client(struct session *s, unsigned what);

/* journey.c: bytes both ways, unseen; what is in `out` of both sides has been sent. And the last words: what
 * is in the front's `out`, then the end. */
void session_relay(struct session *s);
void session_leave(struct session *s);

/* journey.c: what became of it: logged in; the server's own words, then the end; denied as login->failure
 * says; or trouble that may pass. */
void session_logged_in(struct session *s);
void session_refused(struct session *s);
void session_denied(struct session *s);
void session_unavailable(struct session *s);

/* How much of what a client or server said is shown in the log. */
enum { SHOWN_MAX = 256 };

/* The login is over: the line that names the session's id. */
void session_log_login(struct session *s);

/* With something that came from outside behind it, in quotes. */
void session_log_quoted(struct session *s, enum log_level level, const char *text, struct str quoted);

/* `what` and why the stream failed; TLS knows better than `level` how loud its failures are. */
void session_log_failure(struct session *s, const struct stream *stream, enum log_level level,
			 const char *what);

/* How a relay ended. */
void session_log_end(struct session *s, enum relay_end why);

/* A dialog's note: see struct stage. */
void session_note(void *owner, const char *text, struct str quoted);

/* entry.c: the PROXY headers, ours for the server if it is to have one. Look for one at the front of the
 * stream without taking more than it. True once it is whole and taken; a session with a bad one, or whose
 * client is gone, has ended. */
bool entry_header(struct session *s);

void entry_put_header(struct session *s, struct buf *to);

/* identify.c: find the client's verified host name; calls s->pre->identified, maybe at once. */
void identify_client(struct session *s);

/* question.c: may the client's certificate, or its lack of one, pass? On false the log has heard it. */
bool certificate_passes(struct session *s, enum news *why);

/* question.c: what TLS and certificate say of the client, as of the handshake. */
const struct auth_tls *session_tls(struct session *s);

/* facts.c: what vars/ asks a session; before anything else is asked of `pre`. */
void session_set_vars(struct session *s);
bool session_fact(const struct vars *v, enum var which, struct str *to);

/* facts.c: the session's name in our log, the source's and the server's. Only before the relay. */
struct str session_id(struct session *s);

/* question.c: make the question to the auth source from what is known. */
void question_prepare(struct session *s, auth_done_fn *done);

/* question.c: what the answer means for the login. */
void question_admitted(struct session *s, const struct auth_answer *a);
void question_denied(struct session *s, const struct auth_answer *a);
