/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up privileges; see privileges.h. */
#include "proc/privileges.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

bool identity_take(const struct identity *id, const char **step)
{
	*step = "setgid";
	if (setgid(id->gid) != 0)
		return false;
	*step = "initgroups";
	if (initgroups(id->user, id->gid) != 0)
		return false;
	*step = "setuid";
	return setuid(id->uid) == 0;
}

void privileges_lock(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void privileges_hide_memory(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
