/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts with variables on the helper's side: read from the settings once, filled for each question. */
#pragma once
#include "auth/pattern.h"
#include "helpers/helper.h"

struct helper_pattern {
	struct pattern pattern;
	bool given;
};

/* Read the setting `name`, if it is there. NULL, or what is wrong with it. */
const char *helper_pattern(const struct helper_settings *s, const char *name, struct helper_pattern *to);

/* The text with the question's values as they are, a NUL behind it. For what no language reads. */
struct str helper_join(const struct helper_pattern *p, const struct pipe_question *q, struct arena *home);

/* The same, with each value put in by `put`, which may quote it. */
struct str helper_join_by(const struct helper_pattern *p, const struct pipe_question *q, struct arena *home,
			  void (*put)(struct buf *to, struct str value));

/* Is it text in UTF-8 (RFC 3629)? */
bool helper_is_utf8(struct str s);

/* No NUL in it: C libraries see all of it. */
bool helper_is_c_string(struct str s);
