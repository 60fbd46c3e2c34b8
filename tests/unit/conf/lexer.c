/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words, comments, quotes, backslashes and limits, as the peer has them: each case was compared with what
 * that says of the same file.
 */
#include "conf/lexer.h"

#include "base/mem.h"
#include "unit.h"
#include <string.h>

/*
 * What the lexer makes of a text: words in brackets, what ended them, "!FAULT@LINE!" in front of a faulty
 * one.
 */
static void dump(struct lexer *l, struct buf *to)
{
	static const char *const ends[] = {
		[TOKEN_END] = ".", [TOKEN_LINE] = ";", [TOKEN_OPEN] = "{", [TOKEN_CLOSE] = "}"
	};
	struct words w;
	enum token t;

	do {
		t = lexer_next(l, &w);
		if (l->wrong[0] != '\0')
			buf_format(to, "!%s@%u!", l->wrong, l->wrong_line);
		for (size_t i = 0; i < w.len && l->wrong[0] == '\0'; i++) {
			buf_put(to, STR("["));
			buf_put(to, w.at[i]);
			buf_put(to, STR("]"));
		}
		buf_put(to, str_of(ends[t]));
	} while (t != TOKEN_END);
}

static void check(struct str text, const char *file, const char *want)
{
	struct arena *home = arena_new(4096);
	struct lexer l;
	struct buf got;

	buf_init(&got, 1 << 20);
	lexer_init(&l, text, file, home);
	dump(&l, &got);
	assert_str(buf_text(&got), str_of(want));
	buf_done(&got);
	arena_free(home);
}

static void words_and_ends(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "." },
		{ " \t\r\n", "." },
		{ "a;", "[a];." },
		{ "a b  c\t\r\nd ;", "[a][b][c][d];." },
		{ "server{listen 1;}", "[server]{[listen][1];}." },
		{ "a {b {} }", "[a]{[b]{}}." },
		{ "a}b;", "[a}b];." },
		{ "a b}c};", "[a][b}c}];." },
		{ "a'b\"c;", "[a'b\"c];." },
		{ "# nothing", "." },
		{ "# a; b {\nc;", "[c];." },
		{ "a#b;", "[a#b];." },
		{ "a #b;\nc;", "[a][c];." },
		{ "a;#b\n#c\nd;", "[a];[d];." },
		{ "a # b", "!unexpected end of file, expecting \";\" or \"}\"@1!." },
		{ "a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17;",
		  "[a][1][2][3][4][5][6][7][8][9][10][11][12][13][14][15][16][17];." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(str_of(cases[i].text), "f", cases[i].want);
}

static void quotes(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a \"b c\";", "[a][b c];." },
		{ "a 'b c';", "[a][b c];." },
		{ "a \"\" '';", "[a][][];." },
		{ "\"a\"{}", "[a]{}." },
		{ "a \"b'c\" 'd\"e';", "[a][b'c][d\"e];." },
		{ "a \"b;{}#c\";", "[a][b;{}#c];." },
		{ "a \"b\nc\" d;", "[a][b\nc][d];." },
		{ "a \"b\")c;", "[a][b][)c];." },
		{ "a \"b\");", "[a][b][)];." },
		{ "a (b;", "[a][(b];." },
		{ "a \"b\"c;d;", "!unexpected \"c\"@1!;[d];." },
		{ "a \"b\"\"c\";d;", "!unexpected \"\"\"@1!;[d];." },
		{ "a\n\"b\"}\nc;", "!unexpected \"}\"@2!}[c];." },
		{ "a \"b\"#c\n;", "!unexpected \"#\"@1!;." },
		{ "a \"b", "!unexpected end of file, expecting \";\" or \"}\"@1!." },
		{ "a \"b\"", "!unexpected end of file, expecting \";\" or \"}\"@1!." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(str_of(cases[i].text), "f", cases[i].want);
}

static void backslashes_and_dollars(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a \"\\\"\\'\\\\\";", "[a][\"'\\];." },
		{ "a \\\"b\\';", "[a][\"b'];." },
		{ "a \\t\\r\\n;", "[a][\t\r\n];." },
		{ "a \\;\\{\\ \\x;", "[a][\\;\\{\\ \\x];." },
		{ "a b\\;c;", "[a][b\\;c];." },
		{ "a \\\\;", "[a][\\];." },
		{ "a \"\\\\\";", "[a][\\];." },
		{ "\\#a;", "[\\#a];." },
		{ "\\}a;", "[\\}a];." },
		{ "a\\\nb;", "[a\\\nb];." },
		{ "a \\", "!unexpected end of file, expecting \";\" or \"}\"@1!." },
		{ "a $b;", "[a][$b];." },
		{ "a ${b};", "[a][${b}];." },
		{ "a x${b}y;", "[a][x${b}y];." },
		{ "a ${{{b;", "[a][${{{b];." },
		{ "a ${b{}", "[a][${b]{}." },
		{ "a $\\{b;", "[a][$\\{b];." },
		{ "a $ {}", "[a][$]{}." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(str_of(cases[i].text), "f", cases[i].want);
}

static void misplaced_punctuation(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ ";a;", "!unexpected \";\"@1!;[a];." },
		{ "\n{a;}", "!unexpected \"{\"@2!{[a];}." },
		{ "}a;", "}[a];." },
		{ "a b }c;", "!unexpected \"}\"@1!}[c];." },
		{ "a\nb", "!unexpected end of file, expecting \";\" or \"}\"@2!." },
		{ "a;\n;\n}", "[a];!unexpected \";\"@2!;}." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(str_of(cases[i].text), "f", cases[i].want);
}

static void command_line(void **state)
{
	char *text = mem_new(9001);

	(void)state;
	check(STR("a b"), NULL, "!unexpected end of parameter, expecting \";\"@1!.");
	check(STR("a \"b"), NULL, "!unexpected end of parameter, expecting \";\"@1!.");
	check(STR("a b; # c"), NULL, "[a][b];.");
	memset(text, 'a', 9000);
	check((struct str){ text, 9000 }, NULL, "!unexpected end of parameter, expecting \";\"@1!.");
	free(text);
}

static void bytes_of_all_kinds(void **state)
{
	static const char text[] = "a\0b \xff\x01\x7f;";
	struct arena *home = arena_new(256);
	struct lexer l;
	struct words w;

	(void)state;
	lexer_init(&l, (struct str)LIT(text), "f", home);
	assert_int_equal(lexer_next(&l, &w), TOKEN_LINE);
	assert_int_equal(w.len, 2);
	assert_str(w.at[0], STR("a\0b"));
	assert_str(w.at[1], STR("\xff\x01\x7f"));
	arena_free(home);
}

/* "PREFIX aaa…SUFFIX" with `len` times 'a'. */
static struct str stretched(const char *prefix, size_t len, const char *suffix)
{
	char *text = mem_new(strlen(prefix) + len + strlen(suffix) + 1);

	memcpy(text, prefix, strlen(prefix));
	memset(text + strlen(prefix), 'a', len);
	memcpy(text + strlen(prefix) + len, suffix, strlen(suffix));
	return (struct str){ text, strlen(prefix) + len + strlen(suffix) };
}

/* The fault at a length, or NULL. */
static const char *fault_at_length(const char *prefix, size_t len, const char *suffix)
{
	static char fault[128];
	struct arena *home = arena_new(4096);
	struct str text = stretched(prefix, len, suffix);
	struct lexer l;
	struct words w;

	lexer_init(&l, text, "f", home);
	fault[0] = '\0';
	while (lexer_next(&l, &w) != TOKEN_END)
		assert_true(l.wrong[0] == '\0');
	if (l.wrong[0] != '\0')
		snprintf(fault, sizeof(fault), "%s@%u", l.wrong, l.wrong_line);
	free((char *)text.at);
	arena_free(home);
	return fault;
}

/*
 * The longest word depends on what stands behind it, since the peer looks for room when it wants the next
 * byte.
 */
static void longest_parameter(void **state)
{
	static const struct {
		const char *prefix, *suffix;
		size_t fits;
		const char *fault;
	} cases[] = {
		{ "\nb ", ";", 4095, "too long parameter \"aaaaaaaaaa...\" started@2" },
		{ "\nb ", " ;", 4094, "too long parameter \"aaaaaaaaaa...\" started@2" },
		{ "b \"", "\";", 4094, "too long parameter \"aaaaaaaaaa...\" started@1" },
		{ "b \"", "\n\";", 4093, "too long parameter \"aaaaaaaaaa...\" started@1" },
		{ "\n#", "\nb;", 4094, "too long parameter \"#aaaaaaaaa...\" started@2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t fits = cases[i].fits;

		assert_string_equal(fault_at_length(cases[i].prefix, fits, cases[i].suffix), "");
		assert_string_equal(fault_at_length(cases[i].prefix, fits + 1, cases[i].suffix),
				    cases[i].fault);
	}
	assert_string_equal(fault_at_length("b\n \"", 4096, "\";"),
			    "too long parameter, probably missing terminating \"\"\" character@2");
	assert_string_equal(fault_at_length("b '", 100000, "';"),
			    "too long parameter, probably missing terminating \"'\" character@1");
	assert_string_equal(fault_at_length("b ", 4096, ""),
			    "unexpected end of file, expecting \";\" or \"}\"@1");
	assert_string_equal(fault_at_length("#", 4095, ""), "");
}

static void passing_a_block(void **state)
{
	static const struct {
		const char *text;
		bool fine;
		const char *behind;
	} cases[] = {
		{ "} a;", true, "[a];." },
		{ "b; c { d {} } } a;", true, "[a];." },
		{ "\"}\" ; # }\n '}' ; } a;", true, "[a];." },
		{ "b \"c\"d; ;; {} } a;", true, "[a];." },
		{ "b c } a;", true, "[a];." },
		{ "b {", false, "." },
		{ "b \"", false, "." },
		{ "", false, "." },
	};
	struct arena *home = arena_new(256);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lexer l;
		struct buf got;
		struct words w;
		char text[64];

		snprintf(text, sizeof(text), "x {%s", cases[i].text);
		buf_init(&got, 4096);
		lexer_init(&l, str_of(text), "f", home);
		assert_int_equal(lexer_next(&l, &w), TOKEN_OPEN);
		assert_int_equal(lexer_closes_all(&l), cases[i].fine);
		assert_int_equal(lexer_pass_block(&l), cases[i].fine);
		dump(&l, &got);
		assert_str(buf_text(&got), str_of(cases[i].behind));
		buf_done(&got);
	}
	arena_free(home);
}

static void whether_all_blocks_are_closed(void **state)
{
	struct arena *home = arena_new(256);
	struct lexer l;
	struct words w;

	(void)state;
	lexer_init(&l, STR("a { b { } c { x; } }"), "f", home);
	assert_true(lexer_closes_all(&l));
	for (int i = 0; i < 2; i++)
		assert_int_equal(lexer_next(&l, &w), TOKEN_OPEN);
	assert_int_equal(l.open, 2);
	assert_true(lexer_closes_all(&l));
	assert_int_equal(l.open, 2);
	assert_int_equal(lexer_next(&l, &w), TOKEN_CLOSE);
	assert_int_equal(lexer_next(&l, &w), TOKEN_OPEN);
	assert_int_equal(l.open, 2);
	lexer_init(&l, STR("a { b { } c;"), "f", home);
	assert_int_equal(lexer_next(&l, &w), TOKEN_OPEN);
	assert_false(lexer_closes_all(&l));
	lexer_init(&l, STR("} } a { }"), "f", home);
	assert_int_equal(lexer_next(&l, &w), TOKEN_CLOSE);
	assert_int_equal(l.open, 0);
	assert_true(lexer_closes_all(&l));
	arena_free(home);
}

static void lines_are_counted(void **state)
{
	struct arena *home = arena_new(256);
	struct lexer l;
	struct words w;

	(void)state;
	lexer_init(&l, STR("a\n \"b\n\" # c\n;\nd{\n}"), "f", home);
	lexer_next(&l, &w);
	assert_int_equal(w.line, 4);
	lexer_next(&l, &w);
	assert_int_equal(w.line, 5);
	lexer_next(&l, &w);
	assert_int_equal(w.line, 6);
	arena_free(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_ends),
		cmocka_unit_test(quotes),
		cmocka_unit_test(backslashes_and_dollars),
		cmocka_unit_test(misplaced_punctuation),
		cmocka_unit_test(command_line),
		cmocka_unit_test(bytes_of_all_kinds),
		cmocka_unit_test(longest_parameter),
		cmocka_unit_test(passing_a_block),
		cmocka_unit_test(whether_all_blocks_are_closed),
		cmocka_unit_test(lines_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
