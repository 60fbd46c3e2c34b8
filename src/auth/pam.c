/* SPDX-License-Identifier: BSD-2-Clause */
/* The directive auth_pam and the order for its helpers; what they do stands in helpers/pam.c. */
#include "auth/pam.h"

#include "auth/pipe.h"
#include "auth/source_text.h"
#include "base/text.h"

struct pam_conf {
	struct str service;
	struct str folder;	 /* of the service files; at NULL: the system's */
	struct source_text user; /* whom PAM is asked about */
};

struct pam_settings {
	const struct pam_conf *given;
};

static directive_set_fn pam_set;

static const struct directive ROWS[] = {
	{ .name = "auth_pam",
	  .where = IN_MAIL | IN_SERVER,
	  .min = 1,
	  .max = 3,
	  .slot = SLOT_CUSTOM,
	  .offset = offsetof(struct pam_settings, given),
	  .size = sizeof(const struct pam_conf *),
	  .set = pam_set,
	  .args = "service [user=text] [folder=path]",
	  .help = "Users and passwords are those of PAM, whose service file of that name is asked to "
		  "authenticate, and whether the account may be used. user= says with variables which name "
		  "PAM hears, such as $login_local; folder= where the service file lies instead of in "
		  "/etc/pam.d. The helpers run as the user that started postern, since most of PAM's "
		  "modules need root." },
	{ .name = NULL }
};

const struct module auth_pam_module = {
	.name = "auth_pam",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct pam_settings),
	.directives = ROWS,
};

/* A file name, never a path. */
static bool good_service(struct str name)
{
	return name.len != 0 && name.len <= 64 && !str_has(name, '/') && !str_starts(name, STR(".")) &&
	       has_no_controls(name);
}

static bool pam_parameter(struct conf *c, struct pam_conf *p, struct str text)
{
	if (str_starts(text, STR("user=")))
		return source_text_read(c, &p->user, str_skip(text, 5));
	if (!str_starts(text, STR("folder=")))
		return conf_fault(c, "invalid parameter \"%.*s\" of auth_pam, it must be user= or folder=",
				  STR_ARG(text));
	p->folder = conf_path(c, str_skip(text, 7));
	return true;
}

static bool pam_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct pam_conf *p = arena_take(conf_arena(c), sizeof(*p));

	(void)d;
#ifndef WITH_PAM
	return conf_fault(c, "auth_pam: this postern was built without PAM");
#endif
	p->service = w->at[1];
	if (!good_service(p->service))
		return conf_fault(
			c, "invalid service \"%.*s\" of auth_pam, it is the name of a file in /etc/pam.d",
			STR_ARG(p->service));
	if (!source_text_read(c, &p->user, STR("$login")))
		return false;
	for (size_t i = 2; i < w->len; i++)
		if (!pam_parameter(c, p, w->at[i]))
			return false;
	((struct pam_settings *)settings)->given = p;
	return true;
}

static bool pam_helper(const struct scope *server, struct helper_order *o)
{
	const struct pam_settings *s = scope_settings(server, &auth_pam_module);

	pipe_order_numbers(o, server);
	o->privileged = true;
	helper_setting(o, "service", s->given->service);
	helper_setting(o, "folder", s->given->folder);
	source_text_order(o, "user", &s->given->user);
	helper_setting_variables(o);
	return true;
}

static struct auth_source *pam_make(const struct auth_tools *tools, const struct scope *server)
{
	return pipe_make(&auth_pam_kind, tools, server);
}

const struct auth_kind auth_pam_kind = {
	.name = "pam",
	.directive = "auth_pam",
	.module = &auth_pam_module,
	.methods = SASL_PLAIN | SASL_LOGIN,
	.make = pam_make,
	.ask = pipe_ask,
	.cancel = pipe_cancel,
	.free = pipe_free,
	.helper = pam_helper,
};
