/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual: what is printed for a row, and for a name that has none. */
#include "trial.h"

#include <string.h>

static void one_directive(void **state)
{
	struct buf got;

	(void)state;
	buf_init(&got, 1 << 16);
	assert_true(manual_text(sample_modules, STR("size"), &got));
	assert_str(buf_text(&got), STR("size size;\n"
				       "    default  4k\n"
				       "    context  mail, server\n"
				       "    A size.\n\n"));
	buf_clear(&got);
	assert_true(manual_text(sample_modules, STR("vain"), &got));
	assert_str(buf_text(&got), STR("vain time;\n"
				       "    default  none\n"
				       "    context  main, mail, server\n"
				       "    A relic. Checked, but without effect on mail.\n\n"));
	buf_clear(&got);
	assert_true(manual_text(sample_modules, STR("http"), &got));
	assert_str(buf_text(&got), STR("http { … }\n"
				       "    context  main\n"
				       "    Not ours. Skipped with a notice.\n\n"));
	buf_clear(&got);
	assert_true(manual_text(sample_modules, STR("computed"), &got));
	assert_str(buf_text(&got), STR("computed text;\n"
				       "    default  see below\n"
				       "    context  mail, server\n"
				       "    By default it is computed.\n\n"));
	buf_done(&got);
}

static void long_help_is_wrapped(void **state)
{
	struct buf got;
	struct str rest, line;

	(void)state;
	buf_init(&got, 1 << 16);
	assert_true(manual_text(sample_modules, STR("include"), &got));
	rest = buf_text(&got);
	assert_true(str_line(&rest, &line));
	assert_str(line, STR("include file | pattern;"));
	while (str_line(&rest, &line)) {
		assert_true(line.len <= 78);
		assert_true(line.len == 0 || str_starts(line, STR("    ")));
	}
	buf_done(&got);
}

static void unknown_names(void **state)
{
	struct buf got;

	(void)state;
	buf_init(&got, 1 << 16);
	assert_false(manual_text(sample_modules, STR("sise"), &got));
	assert_str(buf_text(&got), STR("unknown directive \"sise\", did you mean \"size\"?\n"));
	buf_clear(&got);
	assert_false(manual_text(sample_modules, STR("xyzzy"), &got));
	assert_str(buf_text(&got), STR("unknown directive \"xyzzy\"\n"));
	buf_done(&got);
}

/* Every row once, in order, whichever form. */
static void all_directives(void **state)
{
	struct buf text, markdown;
	struct str rest;

	(void)state;
	buf_init(&text, 1 << 16);
	buf_init(&markdown, 1 << 16);
	assert_true(manual_text(sample_modules, STR(""), &text));
	manual_markdown(sample_modules, &markdown);
	rest = buf_text(&markdown);
	for (const struct directive *d = sample_module.directives; d->name != NULL; d++) {
		char row[64], entry[64];
		const char *at;

		snprintf(entry, sizeof(entry), "\n\n%s %s", d->name, d->args);
		buf_put_byte(&text, '\0');
		assert_non_null(strstr(text.at, entry));
		text.len--;
		snprintf(row, sizeof(row), "\n| `%s` | ", d->name);
		at = memmem(rest.at, rest.len, row, strlen(row));
		assert_non_null(at);
		rest = str_skip(rest, (size_t)(at - rest.at) + 1);
		assert_null(memmem(rest.at, rest.len, row, strlen(row)));
	}
	buf_done(&text);
	buf_done(&markdown);
}

static void markdown_rows(void **state)
{
	static const char *const rows[] = {
		"\n## configuration\n\n| directive | context | arguments | default | meaning |\n",
		"\n| `include` | any | `file \\| pattern` |  | Reads ",
		"\n## sample\n\n| directive | context | arguments | default | meaning |\n",
		"\n| `flag` | mail, server | `on \\| off` | `on` | A flag. |\n",
		"\n| `computed` | mail, server | `text` | see text | By default it is computed. |\n",
		"\n| `path` | mail, server | `file` |  | A file. |\n",
		"\n| `http` | main | `{ … }` |  | Not ours. Skipped with a notice. |\n",
	};
	struct buf got;

	(void)state;
	buf_init(&got, 1 << 16);
	manual_markdown(sample_modules, &got);
	buf_put_byte(&got, '\0');
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_non_null(strstr(got.at, rows[i]));
	buf_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_directive), cmocka_unit_test(long_help_is_wrapped),
		cmocka_unit_test(unknown_names), cmocka_unit_test(all_directives),
		cmocka_unit_test(markdown_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
