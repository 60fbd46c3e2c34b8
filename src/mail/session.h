/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session: one client from accept to the end. The one place where the network wing and the protocol wing
 * meet.
 */
#pragma once
#include "mail/house.h"

/* Take over an accepted connection. The session lives by itself from here on; the descriptor is closed with
 * it. */
void session_accept(struct house *house, const struct door *door, int fd, const struct addr *client);

/* End every session of the house now, without farewell (fast stop). */
void session_end_all(struct house *house);

/* End the sessions that live by this generation; for worker_shutdown_timeout. */
void session_end_of(struct house *house, const struct generation *g);

/* Let retired generations go whose last session has ended; main calls it after a reload, sessions themselves
 * when they end. */
void house_sweep(struct house *house);
