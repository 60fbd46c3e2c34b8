/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a configuration. The first byte says what they are:
 *
 * - a main file, with what stands behind the first 0xFF as the file "sub" that it may include, and what
 * stands behind the next one as the text of -g; read from a bundle as a worker reads it, so the machine is
 * not asked;
 * - a bundle;
 * - a size, a time, an address.
 *
 * The directives are of every kind of slot, and those of error_log.
 */
#include "base/must.h"
#include "conf/errorlog.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct all {
	bool flag;
	uint64_t number, size, offset, msec, sec;
	struct str text, path, custom;
	unsigned choice, bits;
	struct strs list;
	size_t rows;
};

static bool custom_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct all *s = settings;
	struct addr found[4];
	size_t len;

	(void)d;
	s->custom = w->at[w->len - 1];
	if (conf_addresses(c, s->custom, 25, found, 4, &len) != NULL)
		conf_say(c, LOG_WARN, "no address: \"%.*s\"", STR_ARG(s->custom));
	return s->custom.len < 100 || conf_fault(c, "too long");
}

static bool map_row(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct all *s = settings;

	(void)c;
	(void)d;
	must(w->len > 0);
	s->rows++;
	return true;
}

/* clang-format off */
static const struct choice CHOICES[] = { { "one", 1 }, { "two", 2 }, { NULL, 0 } };

#define ANY .where = IN_MAIL | IN_SERVER
#define ONE .min = 1, .max = 1
#define FIELD(member) .offset = offsetof(struct all, member)

static const struct directive ROWS[] = {
	{ .name = "mail", .where = IN_MAIN, .flags = CONF_BLOCK, .opens = IN_MAIL },
	{ .name = "server", .where = IN_MAIL, .flags = CONF_BLOCK | CONF_REPEATS, .opens = IN_SERVER },
	{ .name = "http", .where = IN_MAIN | IN_MAIL, .flags = CONF_BLOCK | CONF_SKIPPED },
	{ .name = "load", .where = IN_MAIN, ONE, .flags = CONF_SKIPPED | CONF_REPEATS },
	{ .name = "map", ANY, .max = 1, .flags = CONF_BLOCK | CONF_REPEATS, .row = map_row },
	{ .name = "flag", ANY, ONE, .slot = SLOT_FLAG, FIELD(flag), .preset = "on" },
	{ .name = "number", ANY, ONE, .slot = SLOT_NUMBER, FIELD(number), .least = 1, .most = 9,
	  .preset = "5" },
	{ .name = "size", ANY, ONE, .slot = SLOT_SIZE, FIELD(size), .preset = "4k" },
	{ .name = "offset", ANY, ONE, .slot = SLOT_OFFSET, FIELD(offset), .preset = "1g" },
	{ .name = "msec", ANY, ONE, .slot = SLOT_MSEC, FIELD(msec), .preset = "60s" },
	{ .name = "sec", ANY, ONE, .slot = SLOT_SEC, FIELD(sec), .preset = "1M" },
	{ .name = "text", ANY, ONE, .flags = CONF_REPEATS, .slot = SLOT_TEXT, FIELD(text), .preset = "x" },
	{ .name = "choice", ANY, ONE, .slot = SLOT_ENUM, FIELD(choice), .choices = CHOICES, .preset = "two" },
	{ .name = "bits", ANY, .min = 1, .flags = CONF_UNLIMITED, .slot = SLOT_BITS, FIELD(bits),
	  .choices = CHOICES },
	{ .name = "list", ANY, .min = 1, .flags = CONF_UNLIMITED, .slot = SLOT_LIST, FIELD(list),
	  .preset = "a b" },
	{ .name = "path", ANY, ONE, .slot = SLOT_PATH, FIELD(path), .preset = "x" },
	{ .name = "custom", ANY, .min = 1, .max = 7, .slot = SLOT_CUSTOM, FIELD(custom),
	  .size = sizeof(struct str),
	  .set = custom_set, .preset = "localhost" },
	{ .name = "vain", .where = IN_MAIN, ONE, .slot = SLOT_MSEC, .flags = CONF_NO_EFFECT },
	{ .name = NULL }
};
/* clang-format on */

static const struct module ALL = {
	.name = "all",
	.places = IN_MAIL | IN_SERVER,
	.size = sizeof(struct all),
	.directives = ROWS,
};

/* What is said must be one line that a terminal survives. */
static void hear(void *to, enum log_level level, const char *text)
{
	(void)to;
	must(level >= LOG_EMERG && level <= LOG_DEBUG);
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= 0x20 && *text != 0x7f);
}

/* Read every value that was loaded, so that a sanitizer sees what they point at. */
static uint64_t look_at(const struct scope *s)
{
	const struct all *a = scope_settings(s, &ALL);
	uint64_t sum =
		a->flag + a->number + a->size + a->offset + a->msec + a->sec + a->choice + a->bits + a->rows;

	sum += str_has(a->text, 'x') + str_has(a->path, 'x') + str_has(a->custom, 'x');
	for (size_t i = 0; i < a->list.len; i++)
		sum += str_has(a->list.at[i], 'x');
	for (size_t i = 0; i < error_log_uses(s).len; i++)
		sum += error_log_uses(s).at[i].output;
	return sum;
}

static uint64_t look_at_all(struct conf *c)
{
	struct scope *mail = scope_first(conf_top(c), IN_MAIL);
	uint64_t sum = 0;

	if (mail == NULL)
		return 0;
	for (struct scope *s = scope_first(mail, IN_SERVER); s != NULL; s = scope_next(s))
		sum += look_at(s);
	return sum + look_at(mail);
}

static void load(struct bundle *b, const char *globals)
{
	const struct module *const modules[] = { &ALL, &error_log_module, NULL };
	const struct conf_source source = {
		.modules = modules,
		.bundle = b,
		.file = "/c/main",
		.prefix = "/p/",
		.globals = globals,
		.say = hear,
	};
	struct conf *c = conf_load(&source);
	static volatile uint64_t kept;

	if (c != NULL)
		kept = look_at_all(c);
	(void)kept;
	conf_free(c);
}

static void as_files(struct str input)
{
	struct bundle *b = bundle_record(), *sealed;
	struct str main_file = str_cut(&input, '\xff'), sub = str_cut(&input, '\xff');
	char globals[4096] = "";
	int fd;

	bundle_put(b, BUNDLE_CONF, STR("/c/main"), main_file);
	bundle_put(b, BUNDLE_CONF, STR("/c/sub"), sub);
	bundle_put(b, BUNDLE_GLOB, STR("/c/*"), STR("/c/main\0/c/sub\0"));
	bundle_put(b, BUNDLE_HOST, STR("localhost"), STR("127.0.0.1\0::1\0"));
	memcpy(globals, input.at, input.len < sizeof(globals) ? input.len : 0);
	fd = bundle_seal(b);
	sealed = bundle_replay(fd);
	must(sealed != NULL);
	close(fd);
	load(sealed, globals);
	bundle_free(sealed);
	bundle_free(b);
}

static void as_bundle(struct str input)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct bundle *b;

	must(fd >= 0 && write(fd, input.at, input.len) == (ssize_t)input.len);
	must(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
	b = bundle_replay(fd);
	close(fd);
	if (b != NULL)
		load(b, NULL);
	bundle_free(b);
}

static void as_values(struct str input)
{
	uint64_t n = 0;

	if (conf_read_size(input, &n))
		must(n <= INT64_MAX);
	if (conf_read_offset(input, &n))
		must(n <= INT64_MAX);
	if (conf_read_msec(input, &n))
		must(n <= INT64_MAX);
	if (conf_read_sec(input, &n))
		must(n <= INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	if (data[0] == 'B')
		as_bundle(input);
	else if (data[0] == 'V')
		as_values(input);
	else
		as_files(input);
	return 0;
}
