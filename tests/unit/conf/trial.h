/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading a configuration in a world that consists of what a test put there: no file, name or fact of this
 * machine is seen. The main file is /c/main.conf, the prefix /p/.
 */
#pragma once
#include "conf/conf.h"
#include "unit.h"

struct trial {
	const struct module *const *modules;
	struct bundle *world;  /* what the test put there */
	struct bundle *sealed; /* the same, as the last load saw it */
	struct conf *conf;     /* NULL: at fault */
	struct buf said;
};

void trial_init(struct trial *t, const struct module *const *modules);
void trial_done(struct trial *t);

/* Put a configuration file into the world. */
void trial_file(struct trial *t, const char *path, const char *text);

/*
 * Load `text` as the main file. Returns what was said, "[emerg] text\n" for each line; t->conf is the result.
 * What was loaded before is freed.
 */
const char *trial_load(struct trial *t, const char *text);
const char *trial_load_with(struct trial *t, const char *globals, struct str text);

/*
 * The text is refused with exactly these words about the main file: "MESSAGE" or "MESSAGE\nMESSAGE…", " in
 * /c/main.conf" left out.
 */
#define assert_faults(trial, text, want) trial_assert_faults((trial), (text), (want), __FILE__, __LINE__)
void trial_assert_faults(struct trial *t, const char *text, const char *want, const char *file, int line);

/*
 * A module with one directive of each kind, in mail{} and server{}: flag number size offset msec sec text
 * choice bits list path prefix_path custom, and what the tests need else.
 */
struct sample {
	bool flag;
	uint64_t number, size, offset, msec, sec;
	struct str text;
	unsigned choice, bits;
	struct strs list;
	struct str path, prefix_path;
	struct str custom[2];
	struct str twice;
	uint64_t bounded, from_ten;
	struct str computed;
	struct strs rows; /* the lines of a map, words joined by '|' */
};

extern const struct module sample_module;
extern const struct module *const sample_modules[];

/* The settings in mail{}, and in its nth server{} (from 0). */
struct sample *sample_in_mail(const struct trial *t);
struct sample *sample_in_server(const struct trial *t, int nth);
