/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives of auth_cache. Zones are named like those of the proxy we replace, and a name has one size.
 */
#include "auth/cache.h"

#include "auth/cache_key.h"
#include "base/text.h"

static directive_set_fn zone_set, valid_set;
static bool check(struct conf *c, struct scope *in, void *settings);

static const struct choice FACTS[] = { { "client", CACHE_IGNORE_CLIENT },
				       { "server", CACHE_IGNORE_SERVER },
				       { "tls", CACHE_IGNORE_TLS },
				       { "envelope", CACHE_IGNORE_ENVELOPE },
				       { NULL, 0 } };

#define FIELD(member) .offset = offsetof(struct cache_conf, member)
#define BOTH	      .where = IN_MAIL | IN_SERVER

static const struct directive ROWS[] = {
	{ .name = "auth_cache",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_CUSTOM,
	  FIELD(zone),
	  .size = sizeof(struct cache_zone_conf),
	  .set = zone_set,
	  .args = "name:size | off",
	  .help = "A zone of memory, shared by all workers, in which the answers of the sources are kept for "
		  "further logins. It outlives reloads; a configuration that has changed begins with none. "
		  "Off by default." },
	{ .name = "auth_cache_valid",
	  BOTH,
	  .min = 2,
	  .max = 4,
	  .slot = SLOT_CUSTOM,
	  FIELD(valid),
	  .size = sizeof(struct cache_valid),
	  .set = valid_set,
	  .preset = "ok 5m denied 10s",
	  .args = "[ok time] [denied time]",
	  .help = "How long a yes and a no are kept, unless the source says it of an answer. What is not "
		  "named "
		  "is not kept." },
	{ .name = "auth_cache_stale",
	  BOTH,
	  .min = 1,
	  .max = 1,
	  .slot = SLOT_MSEC,
	  FIELD(stale_ms),
	  .preset = "1h",
	  .most = (uint64_t)30 * 24 * 3600 * 1000,
	  .args = "time",
	  .help = "For so long after its time a yes serves on when the sources are unable to answer. With 0 "
		  "it does not." },
	{ .name = "auth_cache_ignore",
	  BOTH,
	  .min = 1,
	  .max = 4,
	  .slot = SLOT_BITS,
	  .choices = FACTS,
	  FIELD(ignore),
	  .args = "client | server | tls | envelope",
	  .help = "An answer serves only for a login in which all facts are the same that the sources were "
		  "told, but for those named here: only where no source looks at them." },
	{ .name = NULL }
};

const struct module auth_cache_module = {
	.name = "auth_cache",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct cache_conf),
	.directives = ROWS,
	.check = check,
};

const struct cache_conf *cache_conf(const struct scope *s)
{
	return scope_settings(s, &auth_cache_module);
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
			return false;
	}
	return s.len != 0 && s.len <= CACHE_NAME_MOST;
}

static bool zone_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct cache_conf *s = settings;
	struct str size = w->at[1], name;
	uint64_t bytes;

	if (str_eq(size, STR("off")))
		return true;
	name = str_cut(&size, ':');
	if (!is_name(name))
		return conf_fault(c, "invalid zone name \"%.*s\" in \"%s\"", STR_ARG(name), d->name);
	if (!conf_read_size(size, &bytes))
		return conf_fault(c, "invalid zone size \"%.*s\" in \"%s\"", STR_ARG(size), d->name);
	if (bytes < CACHE_ZONE_LEAST || bytes > CACHE_SHARED_SIZE / 2)
		return conf_fault(c, "zone size in \"%s\" must be between %dk and %dm", d->name,
				  CACHE_ZONE_LEAST >> 10, CACHE_SHARED_SIZE >> 21);
	s->zone = (struct cache_zone_conf){ name, bytes };
	return true;
}

static bool valid_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct cache_conf *s = settings;

	if (w->len % 2 == 0)
		return conf_fault(c, "invalid number of arguments in \"%s\" directive", d->name);
	s->valid = (struct cache_valid){ 0, 0 };
	for (size_t i = 1; i < w->len; i += 2) {
		bool ok = str_eq(w->at[i], STR("ok"));
		uint64_t *ms = ok ? &s->valid.ok_ms : &s->valid.denied_ms;

		if (!ok && !str_eq(w->at[i], STR("denied")))
			return conf_fault(c, "\"%.*s\" is neither \"ok\" nor \"denied\"", STR_ARG(w->at[i]));
		if (!conf_read_msec(w->at[i + 1], ms) || *ms > (uint64_t)30 * 24 * 3600 * 1000)
			return conf_fault(c, "invalid time \"%.*s\" in \"%s\"", STR_ARG(w->at[i + 1]),
					  d->name);
	}
	return true;
}

/* One name, one size: with a zone of a mail block as much as with those of its servers. */
static bool check(struct conf *c, struct scope *in, void *settings)
{
	const struct cache_zone_conf *mine = &((const struct cache_conf *)settings)->zone, *other;
	const struct scope *mail = scope_place(in) == IN_MAIL ? in : scope_outer(in);

	for (const struct scope *s = mail; s != in;) {
		other = &cache_conf(s)->zone;
		if (mine->bytes != 0 && other->bytes != 0 && other->bytes != mine->bytes &&
		    str_eq(other->name, mine->name))
			return conf_fault(c, "the zone \"%.*s\" of \"auth_cache\" has another size elsewhere",
					  STR_ARG(mine->name));
		s = s == mail ? scope_first(mail, IN_SERVER) : scope_next(s);
	}
	return true;
}

bool auth_cache_claim(struct conf *c, struct auth_shared *shared, const struct scope *server)
{
	const struct cache_zone_conf *zone = &cache_conf(server)->zone;
	const struct scope *at = server;
	const struct words *w;
	struct cache_zone ignored;

	if (zone->bytes == 0)
		return true;
	if (shared != NULL && auth_shared_zone(shared, zone->name, zone->bytes, &ignored))
		return true;
	while (!scope_given(at, &auth_cache_module, "auth_cache"))
		at = scope_outer(at);
	w = scope_directive(at, &auth_cache_module, "auth_cache");
	return conf_fault_at(
		c, w->file, w->line,
		"no memory is left for the zone \"%.*s\" of \"auth_cache\"; a restart gives back "
		"what zones of other names and sizes had",
		STR_ARG(zone->name));
}

static void add_file(void *to, struct str key, struct str content)
{
	uint8_t hash[SHA256_SIZE];

	digest_sha256(key, hash);
	buf_put(to, (struct str){ (const char *)hash, sizeof(hash) });
	digest_sha256(content, hash);
	buf_put(to, (struct str){ (const char *)hash, sizeof(hash) });
}

struct str auth_identity(struct conf *c, struct arena *home)
{
	uint8_t hash[SHA256_SIZE];
	struct buf list;
	struct str text;

	buf_init(&list, SIZE_MAX / 8);
	bundle_each(conf_bundle(c), BUNDLE_CONF, add_file, &list);
	digest_sha256(buf_text(&list), hash);
	buf_clear(&list);
	hex_put(&list, (struct str){ (const char *)hash, sizeof(hash) });
	text = arena_str(home, buf_text(&list));
	buf_done(&list);
	return text;
}
