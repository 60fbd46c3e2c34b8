/* SPDX-License-Identifier: BSD-2-Clause */
/* A password for posternctl, never from the command line, which all users of a machine can read. */
#pragma once
#include "base/buf.h"

/* From the terminal, unseen, twice. False when it was not given; said why. */
bool password_ask(struct buf *to);

/* The first line of standard input, without its end. */
bool password_read(struct buf *to);
