/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words out of a configuration's text, by nginx's rules of blanks, comments, quotes and backslashes.
 *
 * The lexer never stops at a fault: it says what is wrong and how the directive ended, so the parser can go
 * on behind it and report the next fault of the file too.
 */
#pragma once
#include "conf/conf.h"

enum token {
	TOKEN_END,   /* the text is over */
	TOKEN_LINE,  /* words, ended by ';' */
	TOKEN_OPEN,  /* words, ended by '{' */
	TOKEN_CLOSE, /* '}' */
};

struct lexer {
	struct str text;
	const char *file;   /* NULL: the command line, whose parameters may be of any length */
	struct arena *home; /* of the words */
	size_t at;	    /* the next byte to read */
	size_t open;	    /* how many blocks of the text are open */
	unsigned line;
	char wrong[96]; /* the fault in the last directive, without its place; empty: none */
	unsigned wrong_line;
	bool cut_short; /* the end of the text was a fault that has been told */

	/* of the directive being read */
	size_t start; /* where the word, quoted text or comment at hand begins */
	unsigned start_line;
	size_t count; /* words so far */
	char quote;   /* inside of quotes: which; else 0 */
	bool passing; /* words are of no interest, nor is their length */
	bool too_long;
};

/* `text` must outlive the lexer; words are copied to `home`. */
void lexer_init(struct lexer *l, struct str text, const char *file, struct arena *home);

/*
 * Read one directive. With an empty l->wrong, `w` holds its words (none for TOKEN_END and TOKEN_CLOSE); else
 * they are void, and the token tells how the faulty directive ended: a block stands open behind TOKEN_OPEN,
 * nothing can be read behind TOKEN_END.
 */
enum token lexer_next(struct lexer *l, struct words *w);

/*
 * Pass over the rest of the block that was opened last, inner blocks included, whatever its directives are.
 * False when the text ends before.
 */
bool lexer_pass_block(struct lexer *l);

/* Does each block that is open now have its '}' in the rest of the text? */
bool lexer_closes_all(const struct lexer *l);
