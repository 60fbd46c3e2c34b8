/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A question's way from place to place: each place is asked at most once, in turn, beginning with the one
 * that answered last; a place that fails is not the first one for the questions that follow.
 *
 * Where there is one place only, it has all the time, and its failure is final.
 */
#pragma once
#include "auth/http_pool.h"

/* How many places are left, the one that is being asked included. */
size_t http_question_left(const struct http_question *q);

/* Which part of the time that is left (in ms) the present place may take. */
uint64_t http_question_share(const struct http_question *q, uint64_t left_ms);

/* The present place has failed: `why` is added to the question's failures, and the next one is the present.
 */
void http_question_failed(struct http_question *q, struct str why);

/* The present place has answered. */
void http_question_answered(struct http_question *q);

/* Has no question at all been answered since this one was asked? */
bool http_question_unheard(const struct http_question *q);

/* How serious it is that connecting failed with this errno. */
enum log_level http_connect_level(int error);
