/* SPDX-License-Identifier: BSD-2-Clause */
/* What the blocks of sources, auth_mysql {}, auth_pgsql {} and auth_ldap {}, have in common. */
#pragma once
#include "conf/conf.h"

/* The block that counts for a server: the nearest one of that name, its own or from outside. */
const struct scope *auth_block(const struct scope *server, const char *directive);

/* Read a file that holds a password: its first line, to live as long as the configuration. */
bool auth_read_secret(struct conf *c, struct str path, struct str *secret);

/* The `set` of a SLOT_CUSTOM row of a struct auth_secret: reads the file it names. */
struct auth_secret {
	struct str text; /* at NULL: none */
};
bool auth_secret_set(struct conf *c, const struct directive *d, const struct words *w, void *settings);
