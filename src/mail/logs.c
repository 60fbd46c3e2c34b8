/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation's logs: the scopes' error_log directives joined with the descriptors that the master has
 * opened for them.
 *
 * Scopes that inherit one list share one log. Until descriptors are attached, all logs are silent.
 */
#include "mail/generation.h"

#include "base/mem.h"
#include "conf/errorlog.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t generation_log_files(const struct generation *g)
{
	size_t len;

	error_log_outputs(g->conf, &len);
	return len;
}

static struct log_sink *make_sink(const struct generation *g, const struct log_use *use, enum log_level level)
{
	size_t len;
	const struct log_output *o = &error_log_outputs(g->conf, &len)[use->output];
	char tag[33]; /* a part of a word: the next parameter follows it */
	struct log_syslog how = { .server = &o->server, .facility = o->facility, .tag = tag };
	struct str host;
	int error;

	if (o->kind != LOG_TO_SYSLOG)
		return log_sink_file(g->log_fds[use->output], level);
	snprintf(tag, sizeof(tag), "%.*s", STR_ARG(o->tag));
	if (!o->nohostname && bundle_ask(g->bundle, BUNDLE_FACT, STR("hostname"), &host, &error))
		how.host = host.at;
	return log_sink_syslog(g->log_fds[use->output], level, &how);
}

/* With the levels that the directives name, or `least` where that is more talkative. */
static struct log make_log(struct generation *g, const struct log_uses *uses, enum log_level least)
{
	struct log_sink **sinks = arena_take(g->arena, uses->len * sizeof(struct log_sink *));
	struct log log = { .sinks_len = (unsigned)uses->len, .sinks = sinks };

	for (size_t i = 0; i < uses->len; i++) {
		enum log_level level = uses->at[i].level > least ? uses->at[i].level : least;

		sinks[i] = make_sink(g, &uses->at[i], level);
		if (log.level < (unsigned)level)
			log.level = level;
	}
	return log;
}

/* The log of a server whose list is the same, or NULL. */
static const struct log *same_log(const struct generation *g, const struct server *until,
				  const struct log_uses *uses)
{
	if (error_log_uses(conf_top(g->conf)).at == uses->at)
		return &g->log;
	for (const struct server *s = g->servers; s != until; s = s->next)
		if (error_log_uses(s->scope).at == uses->at)
			return &s->log;
	return NULL;
}

void generation_attach_logs(struct generation *g, const int *fds, size_t len)
{
	struct log_uses uses = error_log_uses(conf_top(g->conf));

	g->log_fds = mem_array(len + 1, sizeof(int));
	if (len != 0)
		memcpy(g->log_fds, fds, len * sizeof(int));
	g->log = make_log(g, &uses, LOG_EMERG);
	for (struct server *s = g->servers; s != NULL; s = s->next) {
		const struct log *same;

		uses = error_log_uses(s->scope);
		same = same_log(g, s, &uses);
		s->log = same != NULL ? *same : make_log(g, &uses, LOG_EMERG);
		s->debug_log = make_log(g, &uses, LOG_DEBUG);
	}
}

static void free_sinks(const struct log *log)
{
	for (unsigned i = 0; i < log->sinks_len; i++)
		log_sink_free(log->sinks[i]);
}

void generation_free_logs(struct generation *g)
{
	if (g->log_fds == NULL)
		return;
	for (struct server *s = g->servers; s != NULL; s = s->next) {
		struct log_uses uses = error_log_uses(s->scope);

		free_sinks(&s->debug_log);
		if (same_log(g, s, &uses) == NULL)
			free_sinks(&s->log);
	}
	free_sinks(&g->log);
	for (size_t i = 0; i < generation_log_files(g); i++)
		close(g->log_fds[i]);
	free(g->log_fds);
}

static bool same_output(const struct log_output *a, const struct log_output *b)
{
	return a->kind == b->kind && str_eq(a->path, b->path) && a->kind != LOG_TO_SYSLOG;
}

/* The descriptors keep their numbers, so the sinks need not be told. */
void generation_reopen_logs(struct generation *g, const struct generation *newest, const int *fds)
{
	size_t ours_len, theirs_len;
	const struct log_output *ours = error_log_outputs(g->conf, &ours_len);
	const struct log_output *theirs = error_log_outputs(newest->conf, &theirs_len);

	for (size_t i = 0; i < ours_len; i++)
		for (size_t j = 0; j < theirs_len; j++)
			if (same_output(&ours[i], &theirs[j]))
				dup3(fds[j], g->log_fds[i], O_CLOEXEC);
}
