/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder know of one another: variables, compiled texts, and what `map` and `geo`
 * look up. */
#pragma once
#include "vars/regex.h"
#include "vars/vars.h"

struct map;
struct geo;

/* A name that stands for a value. Without a maker it is (still) unknown; facts are constants of vars.c. */
struct variable {
	struct str name;
	bool is_fact;
	enum var fact;
	struct map *map;
	struct geo *geo;
	const char *file; /* where map or geo declares it */
	unsigned line;
	struct need *needs; /* other variables of maps and geos that this one is made of */
	bool open;	    /* vars_check is looking at these */
	unsigned height;    /* how many make one another, this one included; 0: not yet known */
	struct variable *next;
};

struct need {
	struct variable *variable;
	struct need *next;
};

/* A piece of a compiled text: as it stands, or a variable, or a group of the map's regular expression. */
struct part {
	struct str text; /* as it stands in the configuration, "$" and all */
	struct variable *variable;
	unsigned group; /* 0: none */
};

struct template
{
	struct str text;
	const struct part *parts;
	size_t len; /* 0: the text has no variable */
};

/* A variable that was not known where it was used. */
struct use {
	const struct variable *variable;
	const char *file;
	unsigned line;
	struct use *next;
};

/* The settings of vars_module: one for the whole configuration. */
struct vars_conf {
	struct variable *variables, *last; /* those of map and geo, and unknown ones */
	struct use *uses, **uses_end;
	struct map *map; /* that is being read */
	struct geo *geo;
	bool checked;
};

/* vars.c: NULL when the module is not loaded. */
struct vars_conf *vars_conf(struct conf *c);

/* vars.c: the variable that `word` declares: "$name", not known before. NULL after a fault. */
struct variable *variable_declare(struct conf *c, struct str word);

/* vars.c: the variable of this name; where it is unknown, one that a map may still declare. NULL when none
 * can (loose: silently, else after a fault). */
struct variable *variable_use(struct conf *c, struct str name, bool loose);

/* vars.c: the value of `v` is made by filling `t`, among others. */
void variable_needs(struct conf *c, struct variable *v, const struct template *t);

/* template.c: compile the result of a map's entry: $1 and named groups are those of `re` (NULL: none). */
const struct template *template_compile(struct conf *c, struct str text, const struct regex *re);

/* One filling: what it may still spend on maps, so that maps of maps cannot take long. */
struct filling {
	const struct vars *v;
	unsigned steps;
};

/* template.c: append what `t` is; `groups` are those of the regular expression that it was compiled with. */
void template_write(struct filling *f, const struct template *t, const struct str *groups, struct buf *to);

/* value.c: append what `v` is now, or `text` when nobody knows it. */
void variable_write(struct filling *f, const struct variable *v, struct str text, struct buf *to);

#define TOO_LONG "is too long"

/* value.c: tell the session that the value of `what` became empty, and why. */
void value_note(const struct vars *v, struct str what, const char *why);

/* map.c */
directive_set_fn map_set, map_row;
void map_write(struct filling *f, const struct map *m, struct buf *to);

/* geo.c */
directive_set_fn geo_set, geo_row;
void geo_write(struct filling *f, const struct geo *g, struct buf *to);
void geo_check(struct conf *c, struct geo *g);
