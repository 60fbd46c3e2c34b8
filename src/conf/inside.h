/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder know of a configuration and nobody else does. */
#pragma once
#include "conf/conf.h"

struct scope {
	enum place place;
	struct scope *outer, *next; /* next: of any place, in the file's order */
	struct scope *first, *last; /* inner ones */
	struct conf *conf;
	const struct words *words;  /* before '{'; NULL for the outermost */
	void **settings;	    /* of each module; NULL where it has none */
	const struct words **given; /* for each row of each module: the last directive, or NULL */
};

/* A row and where it is found in the tables above. */
struct row {
	const struct directive *d;
	size_t module; /* index in conf.modules */
	size_t index;  /* among the rows of all modules */
};

/* A file that is being read: so that no file is read inside of itself. */
struct opened {
	struct str path;
	const struct opened *by;
};

struct conf {
	struct arena *arena;
	struct conf_source source;
	const struct module **modules; /* ours first, ended by NULL */
	size_t modules_len, rows_len;
	struct str folder; /* of the main file, ends in '/' */
	struct scope *top, *scope;
	const struct words *words;     /* the directive that faults are about; NULL: none */
	const struct directive *taker; /* the block whose lines go to its `row`; NULL: none */
	void *taker_settings;
	const struct opened *opened;
	size_t lines; /* directives read so far */
	unsigned faults;
};

/* More faults than anybody reads: a file of another kind. Nothing is read behind them. */
enum { FAULTS_MAX = 100 };

/* The module of the directives that the library itself serves: include. */
extern const struct module conf_module;

/* Visit all rows in order: begin with a zeroed row, false behind the last. */
bool row_next(const struct module *const *modules, struct row *r);

/* conf.c: `CALL "PATH" failed (N: text)`. False. */
bool fault_open(struct conf *c, const char *call, struct str path, int error);

/* parse.c: read -g, or a file at the place where the configuration stands. */
void parse_globals(struct conf *c, const char *text);
bool parse_file(struct conf *c, struct str path);

/* scope.c: a scope inside of c->scope (or the outermost), with zeroed settings. */
struct scope *scope_open(struct conf *c, enum place place, const struct words *words);

/* slots.c: read a directive's arguments into `settings`, as its row says. False after a fault. */
bool slot_apply(struct conf *c, const struct directive *d, const struct words *w, void *settings);

/* How many bytes the value of a row takes in its module's struct; 0: it keeps none. */
size_t slot_size(const struct directive *d);

/* inherit.c: give every scope the values that it was not given; then have the modules check. */
void conf_inherit(struct conf *c);
void conf_check(struct conf *c);

/*
 * suggest.c: the known name that is nearest to `name`, preferring those allowed at one of `places`; NULL if
 * none is near.
 */
const char *suggest(const struct module *const *modules, struct str name, unsigned places);
