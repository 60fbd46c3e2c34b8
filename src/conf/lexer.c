/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lexer; see lexer.h. The rules are those of the configuration files that we must read unchanged,
 * oddities included:
 *
 * - a word begins at any byte but a blank, ';', '{', '}' or '#', and ends before a blank, ';' or '{'; so '}',
 *   '#' and quotes inside of a word are ordinary, and "${" keeps its brace;
 * - a backslash keeps the byte behind it from ending the word; when the word is copied, only \" \' \\ \t \r
 *   \n are replaced;
 * - behind a closing quote must follow a blank, ';', '{', or ')', which begins a new word;
 * - no word, quoted text or comment may be longer than the peer's read buffer, because a file that loads here
 *   must load there.
 */
#include "conf/lexer.h"

#include "base/must.h"
#include <stdio.h>
#include <string.h>

enum { PARAMETER_MAX = 4096, PARAMETER_SHOWN = 10, FIRST_WORDS = 8 };

void lexer_init(struct lexer *l, struct str text, const char *file, struct arena *home)
{
	*l = (struct lexer){ .text = text, .file = file, .home = home, .line = 1 };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The first fault of a directive counts; what follows may be its consequence. */
static void wrong(struct lexer *l, unsigned line, const char *before, struct str what, const char *after)
{
	if (l->wrong[0] != '\0')
		return;
	snprintf(l->wrong, sizeof(l->wrong), "%s%.*s%s", before, STR_ARG(what), after);
	l->wrong_line = line;
}

static void unexpected(struct lexer *l, char c)
{
	wrong(l, l->line, "unexpected \"", (struct str){ &c, 1 }, "\"");
}

/*
 * Read one byte. False at the end of the text, or when what began at `start` is too long: then nothing behind
 * it can be trusted.
 */
static bool take(struct lexer *l, char *c)
{
	if (l->at == l->text.len)
		return false;
	if (l->at - l->start == PARAMETER_MAX && l->file != NULL && !l->passing) {
		l->too_long = true;
		l->at = l->text.len;
		return false;
	}
	*c = l->text.at[l->at++];
	if (*c == '\n')
		l->line++;
	return true;
}

/* Something begins at the byte that was taken last. */
static void starts_here(struct lexer *l)
{
	l->start = l->at - 1;
	l->start_line = l->line;
}

/* The next byte that is neither blank nor part of a comment. */
static bool take_visible(struct lexer *l, char *c)
{
	bool comment = false;

	while (take(l, c)) {
		if (comment && *c != '\n')
			continue;
		comment = *c == '#';
		starts_here(l);
		if (!comment && !is_blank(*c))
			return true;
	}
	return false;
}

/* What a backslash and `c` stand for; 0: for themselves, both of them. */
static char unescaped(char c)
{
	static const char from[] = "\"'\\trn", to[] = "\"'\\\t\r\n";
	const char *p = c != '\0' ? strchr(from, c) : NULL;

	return p != NULL ? to[p - from] : '\0';
}

static struct str copy_word(struct arena *home, struct str raw)
{
	char *to = arena_take(home, raw.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < raw.len; i++) {
		char meant = raw.at[i] == '\\' && i + 1 < raw.len ? unescaped(raw.at[i + 1]) : '\0';

		to[len++] = meant != '\0' ? meant : raw.at[i];
		i += meant != '\0';
	}
	return (struct str){ to, len };
}

/*
 * Keep what lies between `start` and `end` as a word. Room doubles, so the number of words is a power of two
 * when it is full.
 */
static void add_word(struct lexer *l, struct words *w, size_t end)
{
	struct str raw = { l->text.at + l->start, end - l->start };

	l->count++;
	if (l->passing)
		return;
	if (w->len == 0 || (w->len >= FIRST_WORDS && (w->len & (w->len - 1)) == 0)) {
		size_t room = w->len != 0 ? 2 * w->len : FIRST_WORDS;
		struct str *more = arena_take(l->home, room * sizeof(*more));

		if (w->len != 0)
			memcpy(more, w->at, w->len * sizeof(*more));
		w->at = more;
	}
	((struct str *)w->at)[w->len++] = copy_word(l->home, raw);
}

/* How a word ended: with the directive, in the middle of it, or not at all. */
enum ending { ENDS_LINE, ENDS_OPEN, ENDS_WORD, ENDS_NOT };

static enum ending ending_of(char c)
{
	return c == ';' ? ENDS_LINE : c == '{' ? ENDS_OPEN : ENDS_WORD;
}

/* The rest of a word without quotes that began with `c`. */
static enum ending read_plain(struct lexer *l, char c, struct words *w)
{
	bool escaped = c == '\\', dollar = c == '$';

	while (take(l, &c)) {
		if (escaped) {
			escaped = false;
			continue;
		}
		if (c == '{' && dollar)
			continue;
		escaped = c == '\\';
		dollar = c == '$';
		if (is_blank(c) || c == ';' || c == '{') {
			add_word(l, w, l->at - 1);
			return ending_of(c);
		}
	}
	return ENDS_NOT;
}

/* A quoted word whose opening quote was taken. */
static enum ending read_quoted(struct lexer *l, char quote, struct words *w)
{
	bool escaped = false;
	char c;

	l->start = l->at;
	l->quote = quote;
	while (take(l, &c)) {
		if (!escaped && c == quote) {
			l->quote = '\0';
			break;
		}
		escaped = !escaped && c == '\\';
	}
	if (l->quote != '\0')
		return ENDS_NOT;
	add_word(l, w, l->at - 1);
	if (!take(l, &c))
		return ENDS_NOT;
	if (is_blank(c) || c == ';' || c == '{')
		return ending_of(c);
	if (c != ')')
		unexpected(l, c);
	l->at--;
	return ENDS_WORD;
}

/* No more bytes. Fine between directives, else a fault. */
static enum token text_over(struct lexer *l, bool inside)
{
	if (l->too_long && l->quote != '\0')
		wrong(l, l->start_line, "too long parameter, probably missing terminating \"",
		      (struct str){ &l->quote, 1 }, "\" character");
	else if (l->too_long)
		wrong(l, l->start_line, "too long parameter \"",
		      (struct str){ l->text.at + l->start, PARAMETER_SHOWN }, "...\" started");
	else if (inside)
		wrong(l, l->line, "unexpected end of ", l->file != NULL ? STR("file") : STR("parameter"),
		      l->file != NULL ? ", expecting \";\" or \"}\"" : ", expecting \";\"");
	l->cut_short = l->cut_short || l->wrong[0] != '\0';
	return TOKEN_END;
}

/* ';', '{' or '}' where a word could begin. */
static enum token punctuation(struct lexer *l, char c)
{
	bool fine = c == '}' ? l->count == 0 : l->count != 0;

	if (!fine)
		unexpected(l, c);
	return c == '}' ? TOKEN_CLOSE : c == '{' ? TOKEN_OPEN : TOKEN_LINE;
}

static enum token read_words(struct lexer *l, struct words *w)
{
	char c;

	while (take_visible(l, &c)) {
		enum ending end;

		if (c == ';' || c == '{' || c == '}')
			return punctuation(l, c);
		end = c == '"' || c == '\'' ? read_quoted(l, c, w) : read_plain(l, c, w);
		if (end == ENDS_NOT)
			return text_over(l, true);
		if (end != ENDS_WORD)
			return end == ENDS_OPEN ? TOKEN_OPEN : TOKEN_LINE;
	}
	return text_over(l, l->count != 0);
}

enum token lexer_next(struct lexer *l, struct words *w)
{
	enum token t;

	*w = (struct words){ .file = l->file };
	l->wrong[0] = '\0';
	l->start = l->at;
	l->start_line = l->line;
	l->count = 0;
	l->quote = '\0';
	l->too_long = false;
	t = read_words(l, w);
	w->line = l->line;
	if (t == TOKEN_OPEN)
		l->open++;
	else if (t == TOKEN_CLOSE && l->open > 0)
		l->open--;
	return t;
}

bool lexer_pass_block(struct lexer *l)
{
	size_t outside = l->open - 1;
	struct words none;

	must(l->open > 0);
	l->passing = true;
	while (l->open > outside && lexer_next(l, &none) != TOKEN_END)
		continue;
	l->passing = false;
	l->cut_short = false;
	l->wrong[0] = '\0';
	return l->open == outside;
}

bool lexer_closes_all(const struct lexer *l)
{
	struct lexer rest = *l;

	while (rest.open > 0)
		if (!lexer_pass_block(&rest))
			return false;
	return true;
}
