/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a module brings to the configuration: a struct for its settings, and a table of rows that say which
 * directives fill it, where they may stand, what they take, and what they mean.
 */
#pragma once
#include "base/str.h"

struct conf;
struct scope;
struct directive;

/* Where a directive may stand; or'ed in `where`. */
enum place {
	IN_MAIN = 1,
	IN_EVENTS = 2,
	IN_MAIL = 4,
	IN_SERVER = 8,
	IN_UPSTREAM = 16,
	IN_MAP = 32,
	IN_SQL = 64,
	IN_LDAP = 128
};

/* The words of one directive as they stand in the file, unquoted; the name is at[0]. */
struct words {
	const struct str *at;
	size_t len;
	const char *file; /* NULL: the command line (-g) */
	unsigned line;	  /* where the directive ends, as the peer reports it; from 1 */
	size_t order; /* counts the directives of a configuration as they are read, over all files; from 1 */
};

/* A list as lists are kept in a module's struct; lives as long as the configuration. */
struct strs {
	struct str *at;
	size_t len;
};

/* What kind of value a row stores at its offset, and how the text of the default is read. */
enum slot {
	SLOT_NONE,	  /* stores nothing by itself: `set` does the work, if any */
	SLOT_FLAG,	  /* bool: on | off */
	SLOT_NUMBER,	  /* uint64_t */
	SLOT_SIZE,	  /* uint64_t bytes: 10, 4k, 1m */
	SLOT_OFFSET,	  /* the same with g */
	SLOT_MSEC,	  /* uint64_t milliseconds: 60s, 500ms, "1h 30m" */
	SLOT_SEC,	  /* uint64_t seconds; knows M and y, knows no ms */
	SLOT_TEXT,	  /* struct str */
	SLOT_ENUM,	  /* unsigned: one of `choices` */
	SLOT_BITS,	  /* unsigned: several of `choices`, or'ed */
	SLOT_LIST,	  /* struct strs: arguments of all occurrences at this level */
	SLOT_PATH,	  /* struct str: a path, absolute from the configuration's folder */
	SLOT_PREFIX_PATH, /* the same, from the prefix */
	SLOT_CUSTOM,	  /* inherited as `size` bytes at the offset; `set` fills it */
};

struct choice {
	const char *word; /* NULL ends the table */
	unsigned value;
};

enum {
	CONF_BLOCK = 1,	     /* opens a block: of the place `opens`, or `row` takes its lines */
	CONF_SKIPPED = 2,    /* accepted and passed over with a notice, block and all */
	CONF_REPEATS = 4,    /* may stand several times at one level; lists and bits always may */
	CONF_NO_EFFECT = 8,  /* checked, not stored; the manual says that it has no effect */
	CONF_UNLIMITED = 16, /* any number of arguments from `min` on */
	CONF_CASE = 32,	     /* the words of `choices` are told apart by case */
};

typedef bool directive_set_fn(struct conf *c, const struct directive *d, const struct words *w,
			      void *settings);

/*
 * A row. Its `set` reads the arguments when the slot is NONE or CUSTOM; with other slots it is called behind
 * the slot's own reading, to look at the value once more. For a block it is called before the lines, and when
 * it says false these are passed over. A CONF_SKIPPED row may have one to refuse. `settings` is the module's
 * struct in the scope where the directive stands, NULL if the module has none there. `row` gets the same for
 * each line of its block, with the row of the block.
 *
 * The preset is read the same way, once for each outermost scope that has the module's struct.
 */
struct directive {
	const char *name;
	unsigned where;	   /* enum place, or'ed */
	unsigned min, max; /* how many arguments, the name not counted */
	unsigned flags;
	enum slot slot;
	size_t offset, size;  /* size: of a SLOT_CUSTOM */
	uint64_t least, most; /* bounds of numbers, sizes and times; most 0: none */
	const struct choice *choices;
	const char *preset;    /* the default as it would be written; NULL: zero bytes */
	const char *args;      /* synopsis of the arguments, for the manual: "on | off" */
	const char *help;      /* one or two sentences, for the manual */
	directive_set_fn *set; /* the odd ones, see above */
	enum place opens;      /* with CONF_BLOCK */
	directive_set_fn *row; /* with CONF_BLOCK: gets each line of the block */
	/* A default that is no constant, such as the host's name. */
	void (*preset_fn)(struct conf *c, struct scope *in, void *settings);
};

struct module {
	const char *name;
	unsigned places;		    /* scopes of these places have a struct of this module */
	size_t size;			    /* of that struct; begins zeroed */
	const struct directive *directives; /* ended by a row without a name */
	/*
	 * After inheritance, once for every scope of `places`, outermost first. Complains with conf_fault
	 * (about where the block opens) or conf_fault_at. False: do not look further at this scope and those
	 * inside. Not called at all when reading found faults.
	 */
	bool (*check)(struct conf *c, struct scope *in, void *settings);
};
