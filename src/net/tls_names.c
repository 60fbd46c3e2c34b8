/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which context serves a client that names the server it wants (SNI, RFC 6066).
 *
 * The name must decide before anything else is looked at: a session or ticket must be judged by the context
 * that will serve the client, with its versions, its keys and its demand for certificates. Exchanging the
 * context of a session that has begun leaves some of the old one in place, so the session stops at the
 * ClientHello and another one begins (see tls_link.c).
 */
#include "net/tls_inside.h"

#include "base/must.h"
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 255 };

/* One name of the table, sorted by `star`, then by name. */
struct tls_named {
	struct str name; /* lower case, without "*." */
	bool star;
	size_t position; /* among the names as given: of equal ones the first counts */
	const struct tls_context *context;
};

/* --- the table ------------------------------------------------------------------------------------- */

static int order(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare(const struct tls_named *a, const struct tls_named *b)
{
	size_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
	int bytes = len != 0 ? memcmp(a->name.at, b->name.at, len) : 0;

	if (a->star != b->star)
		return order(a->star, b->star);
	return bytes != 0 ? bytes : order(a->name.len, b->name.len);
}

static int by_name(const void *a, const void *b)
{
	return compare(a, b);
}

static int by_name_and_position(const void *a, const void *b)
{
	int names = compare(a, b);

	return names != 0 ? names
			  : order(((const struct tls_named *)a)->position,
				  ((const struct tls_named *)b)->position);
}

/* Lower case, and without the dot that may end a name in DNS; nothing if it is too long for a name. */
static struct str plain(struct str name, char to[static NAME_MOST])
{
	if (name.len != 0 && name.at[name.len - 1] == '.')
		name.len--;
	if (name.len > NAME_MOST)
		return STR("");
	for (size_t i = 0; i < name.len; i++)
		to[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i]);
	return (struct str){ to, name.len };
}

static size_t without_doubles(struct tls_named *names, size_t len)
{
	size_t kept = 1;

	for (size_t i = 1; i < len; i++)
		if (compare(&names[i], &names[kept - 1]) != 0)
			names[kept++] = names[i];
	return kept;
}

struct tls_context *tls_by_name(struct tls_context *const *contexts, const struct str *names, size_t len)
{
	struct arena *home = arena_new(len * 64);
	struct tls_context *t = arena_take(home, sizeof(*t));
	char text[NAME_MOST];

	must(len != 0);
	*t = (struct tls_context){ .home = home, .shared = contexts[0]->shared, .fallback = contexts[0] };
	t->names = arena_take(home, len * sizeof(*t->names));
	for (size_t i = 0; i < len; i++) {
		bool star = str_starts(names[i], STR("*."));
		struct str name = arena_str(home, plain(str_skip(names[i], star ? 2 : 0), text));

		t->names[i] = (struct tls_named){
			.name = name, .star = star, .position = i, .context = contexts[i]
		};
	}
	qsort(t->names, len, sizeof(*t->names), by_name_and_position);
	t->names_len = without_doubles(t->names, len);
	return t;
}

static const struct tls_context *find(const struct tls_context *t, struct str name, bool star)
{
	struct tls_named key = { .name = name, .star = star };
	const struct tls_named *found = bsearch(&key, t->names, t->names_len, sizeof(key), by_name);

	return found != NULL ? found->context : NULL;
}

/* "a.b.c" is itself, or one of "*.b.c", "*.c", in this order. */
const struct tls_context *tls_named(const struct tls_context *t, struct str name)
{
	char text[NAME_MOST];
	struct str rest = plain(name, text);
	const struct tls_context *found = find(t, rest, false);

	while (found == NULL && str_has(rest, '.')) {
		str_cut(&rest, '.');
		found = find(t, rest, true);
	}
	return found != NULL ? found : t->fallback;
}

/* --- the question ---------------------------------------------------------------------------------- */

/* A list of one entry of type 0. What is not quite one names nobody; the library refuses it for itself. */
struct str tls_name_in(struct str extension)
{
	enum { HEAD = 5 };
	size_t list, name;

	if (extension.len < HEAD)
		return STR("");
	list = (size_t)(uint8_t)extension.at[0] << 8 | (uint8_t)extension.at[1];
	name = (size_t)(uint8_t)extension.at[3] << 8 | (uint8_t)extension.at[4];
	if (extension.at[2] != TLSEXT_NAMETYPE_host_name || list != extension.len - 2 ||
	    name != extension.len - HEAD)
		return STR("");
	return str_skip(extension, HEAD);
}

static struct str asked_for(SSL *ssl)
{
	const unsigned char *at;
	size_t len;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &len) != 1)
		return STR("");
	return tls_name_in((struct str){ (const char *)at, len });
}

static int choose(SSL *ssl, int *alert, void *arg)
{
	const struct tls_context *first = arg;
	struct tls_link *t = first->shared->current;
	struct tls_opening *o = t->opening;
	const struct tls_context *wish;

	(void)alert;
	if (o == NULL || o->names == NULL || o->heard.full)
		return SSL_CLIENT_HELLO_SUCCESS;
	wish = tls_named(o->names, asked_for(ssl));
	o->names = NULL;
	if (wish == t->context)
		return SSL_CLIENT_HELLO_SUCCESS;
	o->wish = wish;
	return SSL_CLIENT_HELLO_RETRY;
}

/* RFC 6066 section 3: a server that made use of the name says so. */
static int acknowledge(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

void tls_names_serve(struct ssl_ctx_st *ssl)
{
	SSL_CTX_set_client_hello_cb(ssl, choose, tls_context_of(ssl));
	SSL_CTX_set_tlsext_servername_callback(ssl, acknowledge);
}
