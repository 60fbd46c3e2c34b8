/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern-auth-pam: authentication and account phase of a PAM service.
 *
 * The conversation gives the password to who asks for something that is not shown, and nothing else to
 * anybody: a module that wants more (a new password, a code) fails. PAM's own delays after a failure are
 * waived, as the worker has one of its own and this process has others to serve.
 */
#include "helpers/helper.h"
#include "helpers/text.h"

#include <security/pam_appl.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *service, *folder;
	struct helper_pattern user;
} own;

static const char *open_settings(const struct helper_settings *s)
{
	own.service = helper_text(s, "service", 0).at;
	own.folder = helper_text(s, "folder", 0).at;
	if (own.service == NULL)
		return "no service is given";
	return helper_pattern(s, "user", &own.user);
}

/* ---- the conversation ---- */

static void free_responses(struct pam_response *r, int len)
{
	for (int i = 0; i < len; i++)
		free(r[i].resp);
	free(r);
}

static int converse(int len, const struct pam_message **asked, struct pam_response **to, void *password)
{
	struct pam_response *r;

	if (len <= 0 || len > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	r = calloc((size_t)len, sizeof(*r));
	for (int i = 0; r != NULL && i < len; i++) {
		if (asked[i]->msg_style == PAM_TEXT_INFO || asked[i]->msg_style == PAM_ERROR_MSG)
			continue;
		if (asked[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			r[i].resp = strdup(password);
		if (r[i].resp == NULL) {
			free_responses(r, len);
			return PAM_CONV_ERR;
		}
	}
	*to = r;
	return r != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
}

static void no_delay(int status, unsigned usec, void *data)
{
	(void)status;
	(void)usec;
	(void)data;
}

/* ---- verdicts ---- */

/* What each phase says and what it means here; anything else is trouble. */
static const struct outcome {
	int said;
	uint64_t verdict, failure;
} AUTHENTICATION[] = {
	{ PAM_AUTH_ERR, PIPE_DENIED, PIPE_CREDENTIALS },
	{ PAM_PERM_DENIED, PIPE_DENIED, PIPE_CREDENTIALS },
	{ PAM_MAXTRIES, PIPE_DENIED, PIPE_CREDENTIALS },
	{ PAM_CRED_INSUFFICIENT, PIPE_DENIED, PIPE_CREDENTIALS },
	{ PAM_USER_UNKNOWN, PIPE_UNKNOWN, 0 },
	{ PAM_ACCT_EXPIRED, PIPE_DENIED, PIPE_EXPIRED },
	{ PAM_NEW_AUTHTOK_REQD, PIPE_DENIED, PIPE_EXPIRED },
	{ PAM_CRED_EXPIRED, PIPE_DENIED, PIPE_EXPIRED },
	{ PAM_AUTHTOK_EXPIRED, PIPE_DENIED, PIPE_EXPIRED },
	{ PAM_SUCCESS, 0, 0 },
};

static const struct outcome ACCOUNT[] = {
	{ PAM_AUTH_ERR, PIPE_DENIED, PIPE_DISABLED },
	{ PAM_USER_UNKNOWN, PIPE_DENIED, PIPE_DISABLED },
	{ PAM_PERM_DENIED, PIPE_DENIED, PIPE_FORBIDDEN },
	{ PAM_ACCT_EXPIRED, PIPE_DENIED, PIPE_EXPIRED },
	{ PAM_NEW_AUTHTOK_REQD, PIPE_DENIED, PIPE_EXPIRED },
	{ PAM_AUTHTOK_EXPIRED, PIPE_DENIED, PIPE_EXPIRED },
	{ PAM_SUCCESS, 0, 0 },
};

static void judge(pam_handle_t *pam, const struct outcome *table, int said, const char *phase,
		  struct pipe_answer *a, struct arena *home)
{
	while (table->said != said && table->said != PAM_SUCCESS)
		table++;
	if (table->said == said)
		*a = (struct pipe_answer){ .verdict = table->verdict,
					   .failure = table->failure,
					   .cache_ms = PIPE_CACHE_AS_CONFIGURED };
	else
		helper_broken(a, home, "service %s, %s: %s; see its file in %s, and the system's log",
			      own.service, phase, pam_strerror(pam, said),
			      own.folder != NULL ? own.folder : "/etc/pam.d");
}

/* A module may have found another name for the user: that is who logs in at the server. */
static void take_name(pam_handle_t *pam, const char *asked, struct pipe_answer *a, struct arena *home)
{
	const void *name = NULL;

	if (pam_get_item(pam, PAM_USER, &name) == PAM_SUCCESS && name != NULL && strcmp(name, asked) != 0)
		a->user = arena_str(home, str_of(name));
}

static int begin(const char *user, const struct pam_conv *conv, pam_handle_t **pam)
{
	if (own.folder != NULL)
		return pam_start_confdir(own.service, user, conv, own.folder, pam);
	return pam_start(own.service, user, conv, pam);
}

static void introduce(pam_handle_t *pam, const struct pipe_question *q, struct arena *home)
{
	const void *no = (const void *)(uintptr_t)no_delay;

	if (q->client_ip.len != 0)
		pam_set_item(pam, PAM_RHOST, arena_str(home, q->client_ip).at);
	pam_set_item(pam, PAM_TTY, "postern");
	pam_set_item(pam, PAM_FAIL_DELAY, no);
}

static void answer(const struct pipe_question *q, struct pipe_answer *a, struct arena *home)
{
	struct str name = helper_join(&own.user, q, home);
	const char *user = name.at;
	struct pam_conv conv = { converse, (char *)arena_str(home, q->secret).at };
	pam_handle_t *pam = NULL;
	int said;

	if (!helper_is_c_string(q->secret) || !helper_is_c_string(name) || name.len == 0) {
		helper_denied(a, PIPE_CREDENTIALS);
		return;
	}
	said = begin(user, &conv, &pam);
	if (said != PAM_SUCCESS) {
		helper_broken(a, home, "service %s cannot be begun: %s", own.service,
			      pam_strerror(pam, said));
		return;
	}
	introduce(pam, q, home);
	said = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	judge(pam, AUTHENTICATION, said, "authentication", a, home);
	if (said == PAM_SUCCESS) {
		said = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
		judge(pam, ACCOUNT, said, "account", a, home);
	}
	if (said == PAM_SUCCESS) {
		a->verdict = PIPE_OK;
		take_name(pam, user, a, home);
	}
	pam_end(pam, said);
}

static const struct helper_program PAM = { .name = "pam", .open = open_settings, .answer = answer };

int main(void)
{
	return helper_main(&PAM);
}
