/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections to auth servers: the idle ones kept for the next question, and the memory of all of them.
 *
 * A connection carries one question at a time. What it does at the moment is its state, a constant that
 * hears its events. This file knows two states, idle and gone; all others are http.c's.
 */
#pragma once
#include "auth/auth.h"
#include "auth/http_response.h"
#include "auth/http_source.h"
#include "net/stream.h"

struct http_conn;
struct http_source;

struct http_state {
	const char *name;
	void (*heard)(struct http_conn *c, unsigned what); /* events of the stream */
	void (*late)(struct http_conn *c);		   /* the connection's timer */
};

/* A question on its way; moves from connection to connection until one brings the answer. */
struct http_question {
	struct http_source *source;
	struct auth_request *request; /* NULL: there is no question, or nobody wants its answer */
	uint64_t deadline;	      /* in loop time */
	size_t first, tried;	      /* the place to begin with, and how many have failed since */
	uint64_t answers;	      /* the source's, when it was asked */
	bool unsayable;		      /* the question itself is the failure */
	struct buf failures;	      /* why they failed, for the log */
	enum log_level level;
};

struct http_conn {
	const struct http_state *at;
	struct stream stream;
	struct timer limit;
	struct auth_pool *pool;
	struct http_conn *next, **link;
	struct addr addr;
	char *path;			  /* addr's, if it has one: the configuration may be gone before us */
	struct tls_context *tls;	  /* https; the source forgets us before it goes */
	char *name;			  /* … and what the certificate must name */
	const struct http_server *server; /* whom the question is put to; while there is one */
	size_t keep_most;		  /* how many idle connections to this address may be kept */
	bool reused;			  /* carried a question before */
	struct http_question question;
	struct buf in, out; /* the response so far; what the socket did not take at once */
	struct http_response response;
	struct http_body body;
};

struct auth_pool {
	struct loop *loop;
	struct http_conn *idle; /* the last used first */
	struct http_conn *busy, *dead, *spare;
	size_t spares;
	struct task reap;
	struct buf request; /* being written: wiped when the socket has it */
	struct buf cause;   /* the failure being told */
};

/* A connection that is not connected yet, held by the caller, who sets its state before the loop goes on. */
struct http_conn *http_pool_new(struct auth_pool *p);

/* A server as connections tell it from others: its address, and whom its certificate must name. */
struct http_peer {
	struct http_place place;
	struct tls_context *tls; /* of its source */
};

/* An idle connection to this server, now held by the caller, who sets its state and timer; or NULL. */
struct http_conn *http_pool_pick(struct auth_pool *p, const struct http_peer *to);

/* Begin to connect. False when that failed at once. */
bool http_pool_connect(struct http_conn *c, const struct http_peer *to);

/* Its question is answered: keep it for the next one if that is possible, or close it. */
void http_pool_keep(struct http_conn *c);

/* Close it. The struct stays as it is until the turn is over, so who holds it may still look at its state. */
void http_pool_drop(struct http_conn *c);

/* A context is about to end: close all connections under it. No question may be on any. */
void http_pool_forget(struct auth_pool *p, const struct tls_context *tls);
