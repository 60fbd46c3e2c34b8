/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as map, geo and text with variables. What stands before the first 0xFF is the inside of mail{}
 * (`say TEXT` and `loose TEXT` are templates), behind it the file "sub" that it may include, behind the next
 * one the client's address, and at last the login, which every other fact is too.
 */
#include "base/must.h"
#include "vars/vars.h"
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct texts {
	const struct template *say, *loose;
};

static bool loose_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct texts *t = settings;

	(void)d;
	t->loose = template_new_loose(c, w->at[1]);
	must(t->loose != NULL);
	return true;
}

/* clang-format off */
static const struct directive ROWS[] = {
	{ .name = "mail", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_MAIL },
	{ .name = "say", .where = IN_MAIL, .min = 1, .max = 1, .flags = CONF_REPEATS,
	  SLOT_TEMPLATE(struct texts, say) },
	{ .name = "loose", .where = IN_MAIL, .min = 1, .max = 1, .flags = CONF_REPEATS, .slot = SLOT_CUSTOM,
	  .offset = offsetof(struct texts, loose), .size = sizeof(const struct template *),
	  .set = loose_set },
	{ .name = NULL }
};
/* clang-format on */

static const struct module TEXTS = {
	.name = "texts", .places = IN_MAIL, .size = sizeof(struct texts), .directives = ROWS
};

struct facts {
	struct vars vars;
	struct str login;
};

static bool fact(const struct vars *v, enum var which, struct str *to)
{
	must(which < VARS_LEN);
	*to = ((const struct facts *)(const void *)v)->login;
	return to->len != 0;
}

/* What is said must be one line that a log survives. */
static void printable(const char *text)
{
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void note(const struct vars *v, const char *what)
{
	(void)v;
	printable(what);
}

static void hear(void *to, enum log_level level, const char *text)
{
	(void)to;
	must(level >= LOG_EMERG && level <= LOG_DEBUG);
	printable(text);
}

static void fill(const struct template *t, const struct facts *f)
{
	struct str fixed, filled;

	if (t == NULL)
		return;
	filled = template_fill(t, &f->vars);
	must(template_fixed(t, &fixed) ? str_eq(fixed, filled) : filled.len <= VALUE_MAX);
}

static void fill_all(struct conf *c, struct str ip, struct str login)
{
	const struct texts *t = scope_settings(scope_first(conf_top(c), IN_MAIL), &TEXTS);
	struct facts f = { .vars = { .home = arena_new(4096), .fact = fact, .note = note }, .login = login };
	struct addr client = { 0 };

	if (addr_parse_ip(ip, &client))
		f.vars.client = &client;
	fill(t->say, &f);
	fill(t->loose, &f);
	for (int i = 0; i < VARS_LEN; i++)
		must(vars_get(&f.vars, i).len <= login.len);
	arena_free(f.vars.home);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct module *const modules[] = { &TEXTS, &vars_module, NULL };
	struct str input = { (const char *)data, size }, inside = str_cut(&input, '\xff');
	struct str sub = str_cut(&input, '\xff'), ip = str_cut(&input, '\xff');
	struct conf_source source = { .modules = modules, .file = "/c/main", .prefix = "/p/", .say = hear };
	struct bundle *b = bundle_record(), *sealed;
	struct buf text;
	struct conf *c;
	int fd;

	buf_init(&text, size + 16);
	buf_put(&text, STR("mail {"));
	buf_put(&text, inside);
	buf_put(&text, STR("}"));
	bundle_put(b, BUNDLE_CONF, STR("/c/main"), buf_text(&text));
	bundle_put(b, BUNDLE_CONF, STR("/c/sub"), sub);
	buf_done(&text);
	fd = bundle_seal(b);
	source.bundle = sealed = bundle_replay(fd);
	must(sealed != NULL);
	close(fd);
	c = conf_load(&source);
	if (c != NULL && scope_first(conf_top(c), IN_MAIL) != NULL)
		fill_all(c, ip, input);
	conf_free(c);
	bundle_free(sealed);
	bundle_free(b);
	return 0;
}
