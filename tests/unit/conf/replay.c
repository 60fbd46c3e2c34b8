/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the master reads from files, a worker reads from the bundle alone: with the same result, and after the
 * files are gone.
 */
#include "conf/errorlog.h"

#include "trial.h"
#include <string.h>
#include <sys/stat.h>

static const struct module *const MODULES[] = { &sample_module, &error_log_module, NULL };

static void put_strs(struct buf *to, const struct str *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_format(to, "[%.*s]", STR_ARG(at[i]));
	buf_put(to, STR(" "));
}

static void put_settings(struct buf *to, const struct sample *s)
{
	buf_format(to, "%d %llu %llu %llu %llu %llu %u %u ", s->flag, (unsigned long long)s->number,
		   (unsigned long long)s->size, (unsigned long long)s->offset, (unsigned long long)s->msec,
		   (unsigned long long)s->sec, s->choice, s->bits);
	put_strs(to, s->list.at, s->list.len);
	put_strs(to, s->rows.at, s->rows.len);
	put_strs(to, s->custom, 2);
	put_strs(to, (struct str[]){ s->text, s->path, s->prefix_path, s->twice, s->computed }, 5);
}

/* All that was loaded, as text. */
static void put_all(struct buf *to, struct conf *c)
{
	size_t outputs;
	const struct log_output *o = error_log_outputs(c, &outputs);
	struct scope *mail = scope_first(conf_top(c), IN_MAIL);

	put_settings(to, scope_settings(mail, &sample_module));
	for (struct scope *s = scope_first(mail, IN_SERVER); s != NULL; s = scope_next(s)) {
		buf_format(to, "\n%s:%u ", scope_file(s), scope_line(s));
		put_settings(to, scope_settings(s, &sample_module));
	}
	for (size_t i = 0; i < outputs; i++)
		buf_format(to, "\n%d %.*s", (int)o[i].kind, STR_ARG(o[i].path));
}

static void hear(void *to, enum log_level level, const char *text)
{
	buf_format(to, "[%s] %s\n", log_level_names[level], text);
}

/* Load, and put into `to` what was said and what came of it. The bundle stays the caller's. */
static bool load(const char *folder, struct bundle *b, struct buf *to)
{
	char file[96], prefix[96];
	struct conf_source source = {
		.modules = MODULES,
		.bundle = b,
		.file = file,
		.prefix = prefix,
		.globals = "vain 5s;",
		.say = hear,
		.to = to,
	};
	struct conf *c;

	snprintf(file, sizeof(file), "%s/main.conf", folder);
	snprintf(prefix, sizeof(prefix), "%s/", folder);
	c = conf_load(&source);
	if (c != NULL)
		put_all(to, c);
	conf_free(c);
	return c != NULL;
}

static const struct {
	const char *name, *text;
} FILES[] = {
	{ "main.conf", "error_log a info;\nhttp { x; }\nmail {\nlist a 'b c';\nmap m { k v; include rows; }\n"
		       "include servers/*.conf; include none/*; bits one one;\nserver { path p; }\n}\n" },
	{ "rows", "1 2;\n3 4;\n" },
	{ "servers/2.conf", "server { number 2; error_log b; }\n" },
	{ "servers/1.conf", "server { number 1; list; }\n" },
	{ "servers/1.conf", "server { number 1; list x; custom \"\\t\" z; }\n" },
};

enum { FILES_LEN = sizeof(FILES) / sizeof(FILES[0]), BAD = 3 };

static void put_file(const char *folder, size_t i)
{
	char path[128];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s", folder, FILES[i].name);
	to = fopen(path, "we");
	assert_non_null(to);
	assert_true(fputs(FILES[i].text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static void remove_all(const char *folder)
{
	char path[128];

	for (size_t i = 0; i < FILES_LEN; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, FILES[i].name);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/servers", folder);
	rmdir(path);
	rmdir(folder);
}

/* Load from files that are gone afterwards, then from what the bundle has of them. */
static bool twice(size_t last, struct buf *first, struct buf *second)
{
	char folder[64] = "/tmp/postern-replay-XXXXXX", path[96];
	struct bundle *b = bundle_record(), *again;
	bool fine;
	int fd;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/servers", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i <= last; i++)
		put_file(folder, i);
	fine = load(folder, b, first);
	remove_all(folder);
	fd = bundle_seal(b);
	bundle_free(b);
	again = bundle_replay(fd);
	close(fd);
	assert_non_null(again);
	assert_int_equal(load(folder, again, second), fine);
	bundle_free(again);
	return fine;
}

static void a_worker_sees_what_the_master_saw(void **state)
{
	struct buf first, second;

	(void)state;
	buf_init(&first, 1 << 16);
	buf_init(&second, 1 << 16);
	assert_true(twice(FILES_LEN - 1, &first, &second));
	assert_str(buf_text(&second), buf_text(&first));
	buf_put_byte(&first, '\0');
	assert_non_null(strstr(first.at, "[warn] duplicate value \"one\""));
	assert_non_null(strstr(first.at, "[k|v][1|2][3|4]"));
	assert_non_null(strstr(first.at, "/servers/2.conf:1 "));
	buf_done(&first);
	buf_done(&second);
}

static void the_same_faults_too(void **state)
{
	struct buf first, second;

	(void)state;
	buf_init(&first, 1 << 16);
	buf_init(&second, 1 << 16);
	assert_false(twice(BAD, &first, &second));
	assert_str(buf_text(&second), buf_text(&first));
	buf_put_byte(&first, '\0');
	assert_non_null(strstr(first.at, "[emerg] invalid number of arguments in \"list\" directive in "));
	buf_done(&first);
	buf_done(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_sees_what_the_master_saw),
		cmocka_unit_test(the_same_faults_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
