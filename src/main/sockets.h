/* SPDX-License-Identifier: BSD-2-Clause */
/* The master's listening sockets: kept over reloads, handed down to a new binary, opened where they are
 * missing. */
#pragma once
#include "main/load.h"

/*
 * Give every listener of `g` a socket: the one that `old` (NULL: none) has for the same address, an inherited
 * one, or a new one. Sockets of `old` are shared, not taken. On false all that was newly opened is closed
 * again and `loader` has heard why. `ours`: no other master serves behind the same sockets, so the files of
 * unix sockets go with them.
 */
bool sockets_open(struct generation *g, const struct generation *old, const struct loader *loader, bool ours);

/* Close what `old` has and `g` (NULL: nobody) does not go on with. Calling it again does no harm. */
void sockets_close(struct generation *old, const struct generation *g, bool ours);

/* Close what was inherited and has no place in `g`, and forget that anything was inherited. */
void sockets_disown(const struct generation *g);

/* For the upgrade of the binary: "fd;fd;" of all listeners, with close-on-exec off; and the other side of it.
 */
struct str sockets_bequeath(const struct generation *g, struct arena *home);
bool sockets_were_inherited(void);

/* The variable that carries them. */
#define SOCKETS_VARIABLE "POSTERN_SOCKETS"
