/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up privileges; see privileges.h. */
#include "proc/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

bool identity_find(const char *user, const char *group, struct identity *id, const char **what)
{
	const struct passwd *pw = getpwnam(user);
	const struct group *gr;

	*what = "getpwnam";
	if (pw == NULL)
		return false;
	*id = (struct identity){ pw->pw_uid, pw->pw_gid, user };
	gr = getgrnam(group != NULL ? group : user);
	*what = "getgrnam";
	if (gr == NULL && group != NULL)
		return false;
	if (gr != NULL)
		id->gid = gr->gr_gid;
	return true;
}

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
