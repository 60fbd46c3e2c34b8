/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives outside of all blocks and in events {}: what the master and the workers are, and what they
 * may use.
 */
#pragma once
#include "conf/conf.h"
#include <sched.h>
#include <sys/types.h>

/* A limit that was not given. */
#define CORE_UNSET UINT64_MAX

/*
 * Whom workers become. Only a master that is root can make them so: otherwise `change` is false, and the rest
 * says nothing.
 */
struct core_user {
	bool change;
	uid_t uid;
	gid_t gid;
	struct str name; /* for the supplementary groups; a NUL stands behind it */
};

struct core_affinity {
	bool automatic;		/* one CPU for each worker, taken in turn from the only mask */
	size_t len;		/* 0: workers run anywhere */
	const cpu_set_t *masks; /* of the first workers; the last one is for all others */
};

struct core_settings {
	bool daemon, master_process;
	uint64_t workers;
	struct core_affinity affinity;
	struct core_user user;
	int priority;
	uint64_t rlimit_nofile, rlimit_core; /* or CORE_UNSET */
	uint64_t shutdown_timeout_ms;	     /* 0: sessions of an old configuration may live on */
	struct str working_directory;	     /* empty: none */
	struct strs env;		     /* NAME or NAME=VALUE */
	struct str pid;			     /* absolute path */
	struct str control;		     /* the same of the control socket; empty: none */
	struct strs thread_pools;	     /* the names, to find duplicates */
};

struct network_list {
	const struct network *at;
	size_t len;
};

struct events_settings {
	uint64_t worker_connections;
	struct network_list debug_connection; /* clients whose sessions are logged with level debug */
};

extern const struct module core_module, events_module;

/*
 * What only the whole shows: events {} is there, and numbers go together. To be asked of a loaded
 * configuration before anything below; false after a complaint. It is no check of the module, because the
 * peer complains of these things only after it has called the syntax right.
 */
bool core_complete(struct conf *c);

/* The settings of a loaded configuration. */
const struct core_settings *core_settings(struct conf *c);
const struct events_settings *events_settings(struct conf *c);

/* On which CPUs the worker of this number (from 0) shall run; false: on any. */
bool core_cpus(const struct core_settings *s, unsigned worker, cpu_set_t *cpus);
