/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of modules: what a new protocol or source adds a line to. */
#include "main/modules.h"

#include "auth/kind.h"
#include "auth/ldap.h"
#include "auth/pam.h"
#include "auth/pipe.h"
#include "auth/stored.h"
#include "auth/sql.h"
#include "conf/errorlog.h"
#include "main/core.h"
#include "net/tls_client.h"
#include "proto/imap/imap.h"
#include "proto/pop3/pop3.h"
#include "proto/smtp/smtp.h"
#include "vars/vars.h"
#include "upstream/upstream.h"

const struct protocol *const protocols[] = { &imap_protocol, &pop3_protocol, &smtp_protocol, NULL };

const struct auth_kind *const auth_kinds[] = { &auth_http_kind,	  &auth_dovecot_kind, &auth_pam_kind,
					       &auth_sqlite_kind, &auth_file_kind,    &auth_mysql_kind,
					       &auth_pgsql_kind,  &auth_ldap_kind,    NULL };

/* One on each line. */
/* clang-format off */
const struct module *const modules[] = {
	&core_module,
	&events_module,
	&error_log_module,
	&mail_module,
	&upstream_module,
	&backend_module,
	&vars_module,
	&tls_module,
	&proxy_tls_module,
	&auth_module,
	&auth_cache_module,
	&auth_http_module,
	&auth_dovecot_module,
	&auth_pipe_module,
	&auth_pam_module,
	&auth_sqlite_module,
	&auth_file_module,
	&auth_sql_module,
	&auth_ldap_module,
	&imap_protocol.module,
	&pop3_protocol.module,
	&smtp_protocol.module,
	NULL,
};
/* clang-format on */
