/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's upstreams in a world that a test makes: the configuration is text, host names are what the test
 * says, time passes when the test says so, the log is kept, and logins are counted by where they went.
 */
#pragma once
#include "upstream/upstream.h"

#include "unit.h"

/* What loop time is; __wrap_clock_ms tells it. */
extern uint64_t scene_now_ms;

struct scene {
	struct bundle *bundle;
	struct conf *conf;	/* NULL: at fault */
	char said[4096];	/* faults and warnings, each ended by LF */
	struct tls_shared *tls; /* NULL */
	struct loop *loop;
	struct upstream_shared *shared;
	struct upstreams *upstreams;
	struct log log;
	struct log_sink *sink;
	int log_fd;
	char logged[8192];
};

/* Load "mail { TEXT }", and nothing else. */
void scene_load(struct scene *s, const char *text);
void scene_unload(struct scene *s);

/* What looks names up; NULL, as at first: the bundle. */
extern struct resolver *scene_resolver;

/* The same, and go to work with it. With `shared` not NULL: what another scene left. */
void scene_open(struct scene *s, const char *text);
void scene_open_again(struct scene *s, const char *text, struct upstream_shared *shared);
void scene_close(struct scene *s);

/* Let time pass and everything happen that is due. */
void scene_pass(struct scene *s, uint64_t ms);

/* All that was logged so far, without times and processes: "[warn] text\n". Forgets it. */
const char *scene_log(struct scene *s);

/* A login under way. */
struct walk {
	struct route route;
	char at[ADDR_TEXT_MAX]; /* where it was sent: "10.0.0.1:143"; "" for nowhere */
	char name[ADDR_TEXT_MAX];
	unsigned answers;
};

/* Open or go on, and let one turn pass; returns walk->at. */
const char *walk_open(struct walk *w, struct scene *s, const char *target, const char *key);
const char *walk_next(struct walk *w, struct scene *s);

/* Open, report, close; returns where it went. */
const char *walk_once(struct walk *w, struct scene *s, const char *target, const char *key,
		      enum route_outcome outcome);
