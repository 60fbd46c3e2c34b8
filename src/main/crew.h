/* SPDX-License-Identifier: BSD-2-Clause */
/* The master's workers: started, told, counted, replaced. */
#pragma once
#include "main/load.h"
#include <sys/types.h>

struct crew;

/* What a new worker process does, the `number`th from 0; must not return. It gives back what it has of the
 * master's. */
typedef void crew_work_fn(void *owner, unsigned number, int channel);

struct crew *crew_new(crew_work_fn *work, void *owner);
void crew_free(struct crew *c);

/* Start workers until `wanted` are in service, and ask the surplus to stop gracefully. New ones get the
 * generation at once. */
void crew_fit(struct crew *c, unsigned wanted, const struct generation *g, int bundle);

/* Tell every worker in service about a generation; one that does not listen is killed, to be replaced. */
void crew_tell(struct crew *c, const struct generation *g, int bundle);

/* Say a generation into a channel: what every worker hears first. False with errno when the other end does
 * not take it. */
bool crew_say(int channel, const struct generation *g, int bundle);

/* Tell every worker that the log targets of `g` were opened anew. */
void crew_reopen(struct crew *c, const struct generation *g);

/* Those in service stop gracefully; they are not counted as in service any more. */
void crew_retire(struct crew *c);

/* Send a signal to all, in service or not. */
void crew_signal(struct crew *c, int signal);

/* A child has died: true if it was a worker; logs how. *lost when it was in service. */
bool crew_reaped(struct crew *c, pid_t pid, int status, const struct log *log, bool *lost);

/* How many processes there are, in service or retiring. */
unsigned crew_size(const struct crew *c);
unsigned crew_in_service(const struct crew *c);

/* In a child: forget the others' channels. */
void crew_forget(struct crew *c);
