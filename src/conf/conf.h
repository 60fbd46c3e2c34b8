/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration: nginx's grammar, and directives as rows beside the code that owns them.
 *
 * This library knows no directive by name. A module brings a table of rows; parsing, bounds, the check for
 * duplicates, inheritance from the block outside, -T, `postern -h directives` and docs/directives.md come
 * from the rows. All faults of a configuration are reported at once.
 */
#pragma once
#include "base/addr.h"
#include "base/arena.h"
#include "base/log.h"
#include "conf/bundle.h"
#include "conf/row.h"

/* How a load is begun. */
struct conf_source {
	const struct module *const *modules; /* ended by NULL */
	struct bundle *bundle;		     /* stays the caller's and must outlive the configuration */
	const char *file;		     /* absolute path of the main file */
	const char *prefix;		     /* absolute, ends in '/' */
	const char *globals;		     /* text of -g, or NULL */
	/* Hears faults (LOG_EMERG), warnings and notices; `text` is complete: "MESSAGE in FILE:LINE". */
	void (*say)(void *to, enum log_level level, const char *text);
	void *to;
};

/* Read, inherit, check. NULL when anything was at fault (all has been said). */
struct conf *conf_load(const struct conf_source *source);
void conf_free(struct conf *c);

/* The outermost scope. */
struct scope *conf_top(struct conf *c);

/* For setters and checks: memory that lives as long as the configuration; the bundle; where we are. */
struct arena *conf_arena(struct conf *c);
struct bundle *conf_bundle(struct conf *c);
struct scope *conf_scope(struct conf *c);

/* The directive being read, for complaints that can only be made later; NULL: none. */
const struct words *conf_words(struct conf *c);

/*
 * Complain about the directive being read (its place in the file is added). Always returns false, to be
 * returned.
 */
bool conf_fault(struct conf *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Complain about another place, e.g. the opening line of a block; NULL and 0: about none. Always returns
 * false.
 */
bool conf_fault_at(struct conf *c, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A warning or notice about the directive being read. */
void conf_say(struct conf *c, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Absolute path of a file named in the configuration: relative to the configuration's directory, or to the
 * prefix.
 */
struct str conf_path(struct conf *c, struct str name);
struct str conf_prefix_path(struct conf *c, struct str name);

/* Read a file through the bundle; complains on its own: open() "F" failed (2: No such file or directory). */
bool conf_read(struct conf *c, struct str path, struct str *content);

/*
 * Read values as rows do; for setters with parameters such as listen's. False (silently) when the text is
 * none.
 */
bool conf_read_size(struct str text, uint64_t *bytes);
bool conf_read_offset(struct str text, uint64_t *bytes);
bool conf_read_msec(struct str text, uint64_t *ms);
bool conf_read_sec(struct str text, uint64_t *sec);

/*
 * "HOST:PORT", "A.B.C.D:PORT", "[v6]:PORT", "unix:PATH", or without a port, which then is `port`, to
 * addresses; host names are looked up through the bundle. What is more than `room` is dropped. NULL on
 * success, else the reason: "no host", "invalid host", "host not found", "invalid port", "invalid IPv6
 * address", "no path in the unix domain socket", "too long path in the unix domain socket".
 */
const char *conf_addresses(struct conf *c, struct str text, uint16_t port, struct addr *to, size_t room,
			   size_t *len);

/* The same for a host name or an IP literal alone, with port 0. */
const char *conf_hosts(struct conf *c, struct str host, struct addr *to, size_t room, size_t *len);

/* Scopes. */
enum place scope_place(const struct scope *s);
struct scope *scope_outer(const struct scope *s);		    /* NULL for the outermost */
struct scope *scope_first(const struct scope *s, enum place place); /* inner one of that place */
struct scope *scope_next(const struct scope *s);		    /* next sibling of the same place */
const char *scope_file(const struct scope *s);			    /* where its block opens */
unsigned scope_line(const struct scope *s);
const struct words *scope_words(const struct scope *s); /* the words before '{' */

/* The module's struct in this scope; NULL if the module has none there. */
void *scope_settings(const struct scope *s, const struct module *m);

/*
 * The module's struct as it counts where `over` stands upon `base`, such as an upstream's block upon a
 * server's: that of `base`, but for the rows that were given in `over` itself. Without any such row it is
 * base's own struct, else a copy in `home`. `over` may be NULL.
 */
const void *scope_settings_over(const struct scope *base, const struct scope *over, const struct module *m,
				struct arena *home);

/* Was this directive given in this very scope (not inherited)? */
bool scope_given(const struct scope *s, const struct module *m, const char *directive);

/* The same with its words and place, the last one if it repeats; NULL if it was not given. */
const struct words *scope_directive(const struct scope *s, const struct module *m, const char *directive);

/*
 * How many bytes of `name` are wrong, missing, too many or swapped when `known` was meant; UINT32_MAX: it was
 * not meant.
 */
unsigned suggest_distance(struct str name, struct str known);

/*
 * The manual, as text for a terminal: of all directives, or of those named `only` when that is not empty.
 * False when there is none of that name; the text then says which one is near.
 */
bool manual_text(const struct module *const *modules, struct str only, struct buf *to);

/* The same of all directives as Markdown: one table for each module. */
void manual_markdown(const struct module *const *modules, struct buf *to);
