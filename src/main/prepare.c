/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker's first steps; see prepare.h. What needs privileges comes before they are given up. */
#include "main/prepare.h"

#include "base/mem.h"
#include "main/core.h"
#include "proc/privileges.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void complain(const struct log *log, enum log_level level, const char *step)
{
	log_put(log, level, 0, "%s failed (%d: %s)", step, errno, strerror(errno));
}

static void set_limit(int which, uint64_t value, const char *step, const struct log *log)
{
	struct rlimit limit = { (rlim_t)value, (rlim_t)value };

	if (value != CORE_UNSET && setrlimit((__rlimit_resource_t)which, &limit) != 0)
		complain(log, LOG_ALERT, step);
}

static void set_affinity(const struct core_settings *core, unsigned number, const struct log *log)
{
	cpu_set_t cpus;

	if (core_cpus(core, number, &cpus) && sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		complain(log, LOG_ALERT, "sched_setaffinity()");
}

static bool become_user(const struct core_settings *core, const struct log *log)
{
	struct identity id = { core->user.uid, core->user.gid, core->user.name.at };
	const char *step;

	if (!core->user.change || identity_take(&id, &step))
		return true;
	complain(log, LOG_EMERG, step);
	return false;
}

/* Keep TZ and what `env` names or sets; everything else may hold what is nobody's business here. */
static void reduce_environment(const struct core_settings *core)
{
	static const char zone[] = "TZ";
	struct arena *home = arena_new(1024);
	char **kept;
	size_t len = 0;

	kept = mem_array(core->env.len + 2, sizeof(*kept));
	for (size_t i = 0; i <= core->env.len; i++) {
		const char *entry = i < core->env.len ? core->env.at[i].at : zone;
		const char *value;

		value = strchr(entry, '=') == NULL ? getenv(entry) : "";
		if (value == NULL)
			continue;
		kept[len++] = strdup(
			strchr(entry, '=') != NULL ? entry : arena_format(home, "%s=%s", entry, value).at);
	}
	environ = kept;
	arena_free(home);
}

bool prepare_worker(const struct core_settings *core, unsigned number, const struct log *log)
{
	if (core->priority != 0 && setpriority(PRIO_PROCESS, 0, core->priority) != 0)
		complain(log, LOG_ALERT, "setpriority()");
	set_limit(RLIMIT_NOFILE, core->rlimit_nofile, "setrlimit(RLIMIT_NOFILE)", log);
	set_limit(RLIMIT_CORE, core->rlimit_core, "setrlimit(RLIMIT_CORE)", log);
	set_affinity(core, number, log);
	reduce_environment(core);
	if (!become_user(core, log))
		return false;
	if (core->working_directory.len != 0 && chdir(core->working_directory.at) != 0)
		complain(log, LOG_ALERT, "chdir()");
	privileges_lock();
	/* who asks for core files gets them */
	if (core->rlimit_core == CORE_UNSET)
		privileges_hide_memory();
	return true;
}

bool prepare_helper(const struct core_settings *core, bool privileged, const struct log *log)
{
	set_limit(RLIMIT_NOFILE, core->rlimit_nofile, "setrlimit(RLIMIT_NOFILE)", log);
	set_limit(RLIMIT_CORE, core->rlimit_core, "setrlimit(RLIMIT_CORE)", log);
	reduce_environment(core);
	if (privileged)
		return true;
	if (!become_user(core, log))
		return false;
	privileges_lock();
	return true;
}

static bool same_affinity(const struct core_affinity *a, const struct core_affinity *b)
{
	if (a->automatic != b->automatic || a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (!CPU_EQUAL(&a->masks[i], &b->masks[i]))
			return false;
	return true;
}

bool prepare_differs(const struct core_settings *a, const struct core_settings *b)
{
	return a->user.change != b->user.change || a->user.uid != b->user.uid || a->user.gid != b->user.gid ||
	       a->priority != b->priority || a->rlimit_nofile != b->rlimit_nofile ||
	       a->rlimit_core != b->rlimit_core || !str_eq(a->working_directory, b->working_directory) ||
	       !same_affinity(&a->affinity, &b->affinity);
}
