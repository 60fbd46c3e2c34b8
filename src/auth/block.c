/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of sources; see block.h. */
#include "auth/block.h"

static const struct scope *block_in(const struct scope *s, enum place place, const char *directive)
{
	const struct scope *block = scope_first(s, place);

	while (block != NULL && !str_eq(scope_words(block)->at[0], str_of(directive)))
		block = scope_next(block);
	return block;
}

const struct scope *auth_block(const struct scope *server, const char *directive)
{
	const struct scope *block = NULL;

	for (const struct scope *s = server; s != NULL && block == NULL; s = scope_outer(s)) {
		block = block_in(s, IN_SQL, directive);
		if (block == NULL)
			block = block_in(s, IN_LDAP, directive);
	}
	return block;
}

bool auth_read_secret(struct conf *c, struct str path, struct str *secret)
{
	struct str content, line;

	if (!conf_read(c, path, &content))
		return false;
	line = str_cut(&content, '\n');
	if (line.len != 0 && line.at[line.len - 1] == '\r')
		line.len--;
	*secret = arena_str(conf_arena(c), line);
	return line.len != 0 || conf_fault(c, "no password in the first line of \"%.*s\"", STR_ARG(path));
}

bool auth_secret_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct auth_secret *s = (struct auth_secret *)((char *)settings + d->offset);

	return auth_read_secret(c, conf_path(c, w->at[1]), &s->text);
}
