/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration bundle: everything that reading a configuration learns from the world outside, recorded.
 *
 * The master reads the configuration with a recording bundle: each question (the content of a file, the names
 * that match a pattern, the addresses of a host name) is asked of the system once and remembered with its
 * answer, failures included. Sealed into a memory file, the bundle goes to the workers, which read the same
 * configuration with the same code and get the same answers, without a filesystem and without a chance of
 * seeing another state of the world.
 */
#pragma once
#include "base/str.h"

struct bundle;

enum bundle_kind {
	BUNDLE_CONF, /* a configuration file's content; what -T shows */
	BUNDLE_FILE, /* another file's content: certificates, keys, maps */
	BUNDLE_GLOB, /* the names that match a pattern, sorted, each ended by a NUL */
	BUNDLE_HOST, /* a host's IP literals in the system's order, each ended by a NUL */
	BUNDLE_FACT, /* something about this machine, see below */
};

/*
 * Facts are decimal numbers but for the first: "hostname" (in lower case), "cpus" (online), "euid", "nofile"
 * (the soft limit), "user NAME" and "group NAME" (their ids; a name that is not known fails with 0), and
 * whatever bundle_note put.
 */

/* An empty bundle that asks the world. */
struct bundle *bundle_record(void);

/*
 * A bundle that answers only from what bundle_seal wrote. The descriptor may be closed afterwards. NULL with
 * errno on failure or damage.
 */
struct bundle *bundle_replay(int memfd);
void bundle_free(struct bundle *b);

/*
 * Ask. True and *answer (valid as long as the bundle; a NUL stands behind it), or false and *error: a
 * getaddrinfo code for hosts, else an errno; ENOENT for what a replayed bundle was never asked, EFBIG for a
 * file of more than 16 MB.
 */
bool bundle_ask(struct bundle *b, enum bundle_kind kind, struct str key, struct str *answer, int *error);

/*
 * Put a fact of our own under BUNDLE_FACT, such as the text of -g, in place of what was there. Only into a
 * recording bundle.
 */
void bundle_note(struct bundle *b, struct str key, struct str answer);

/* The same with any kind of answer, for tests that need a world of their own. */
void bundle_put(struct bundle *b, enum bundle_kind kind, struct str key, struct str answer);

/* Write all into a sealed memory file. A descriptor (close-on-exec), or -1 with errno. */
int bundle_seal(const struct bundle *b);

/*
 * Visit the answers of one kind in the order in which they were first asked; for -T. Failures are left out.
 */
void bundle_each(const struct bundle *b, enum bundle_kind kind,
		 void (*visit)(void *to, struct str key, struct str answer), void *to);
