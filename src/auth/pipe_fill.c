/* SPDX-License-Identifier: BSD-2-Clause */
/* The request's facts for a helper; see pipe_fill.h. */
#include "auth/pipe_fill.h"

#include "vars/vars.h"

void pipe_fill(const struct auth_request *r, const struct helper_order *o, struct pipe_question *q)
{
	*q = (struct pipe_question){
		.user = buf_text(&r->login->user),
		.secret = buf_text(&r->login->secret),
		.salt = buf_text(&r->login->salt),
		.protocol = str_of(r->protocol),
		.client_ip = r->client_ip,
		.server_ip = r->server_ip,
		.session = r->session_id,
		.client_port = r->client_port,
		.server_port = r->server_port,
		.method = r->login->method,
		.tls = r->tls.on,
		.values_len = o->variables.len,
	};
	for (size_t i = 0; i < o->variables.len; i++)
		q->values[i] = r->vars != NULL ? template_fill(o->values[i], r->vars) : STR("");
}
