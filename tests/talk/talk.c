/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk: play transcripts against one side of a protocol, without a socket. Arguments: folders of transcripts,
 *named after protocols.
 *
 * A transcript is a text file whose name begins with "front" or "back". Its lines:
 *	; what the stage is like: a directive, or another setting that scene.h names; before everything else
 *	> what the other side says, with CRLF behind it; several such lines in a row come in one piece
 *(pipelined)
 *	>. the same without CRLF
 *	< what we must answer, line by line; every line must be accounted for
 *	<~ the same as a shell pattern, for challenges
 *	= what the dialog must want now: input, tls, auth, relay, give-up, close; nothing but input may stay
 *unsaid ! what the session tells the dialog: secured, logged-in, denied, …
 *	@ a field of the login and what it must hold; "left" is input that was not heard, "complaint" and "at"
 *are the dialog's : a field of the login and what it is set to ? what must have been noted for the log # a
 *comment
 *
 * In texts, \r \n \s (blank) \\ and \xNN stand for bytes. Every transcript is played twice, with its input in
 *one piece and byte by byte, and must run alike; "; whole" spares the second where the pieces matter.
 */
#include "scene.h"

#include "base/must.h"
#include "proto/imap/imap.h"
#include "proto/pop3/pop3.h"
#include "proto/smtp/smtp.h"
#include <fnmatch.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct protocol *const PROTOCOLS[] = { &imap_protocol, &pop3_protocol, &smtp_protocol };

static const char *const WANTS[] = { "input", "tls", "auth", "relay", "give-up", "close" };
static const char *const NEWS[NEWS_KINDS] = { "secured",	 "logged-in",	   "denied",
					      "broken",		 "refused",	   "forbidden",
					      "bad-certificate", "no-certificate", "too-long",
					      "early-input",	 "shutdown",	   "unavailable",
					      "backend-denied" };
static const char *const FAILURES[FAILURE_KINDS] = { "none",  "credentials", "unclear", "account",
						     "limit", "temporary",   "config" };

enum pieces { WHOLE, BYTE_BY_BYTE };

struct play {
	struct scene scene;
	enum pieces pieces;
	enum want want;
	bool open, want_seen, whole_only;
	size_t said, noted; /* how much of output and notes has been accounted for */
	struct buf coming, unheard;
};

/* Resolve escapes in place. */
static struct str unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] != '\\')
			*to++ = *p;
		else if (*++p == 'x')
			*to++ = (char)strtol((char[]){ p[1], p[2], '\0' }, NULL, 16), p += 2;
		else
			*to++ = *p == 'r' ? '\r' : *p == 'n' ? '\n' : *p == 's' ? ' ' : *p;
	}
	return (struct str){ text, (size_t)(to - text) };
}

static void hear_unheard(struct play *p)
{
	struct str in = buf_text(&p->unheard);

	p->want = dialog_heard(p->scene.dialog, &in);
	p->want_seen = p->want == WANT_INPUT;
	buf_drop(&p->unheard, p->unheard.len - in.len);
}

/* Let come what has been collected from "> " lines. */
static void deliver(struct play *p)
{
	struct str coming = buf_text(&p->coming);
	size_t step = p->pieces == WHOLE ? coming.len : 1;

	while (coming.len != 0) {
		buf_put(&p->unheard, (struct str){ coming.at, step });
		coming = str_skip(coming, step);
		if (p->want == WANT_INPUT)
			hear_unheard(p);
	}
	buf_clear(&p->coming);
}

static bool said(struct play *p, char *text)
{
	bool pattern = text[0] == '~';
	struct str rest = str_skip(buf_text(&p->scene.out), p->said), line;
	size_t before = rest.len;
	char copy[4096];

	if (!str_line(&rest, &line) || line.len >= sizeof(copy))
		return false;
	p->said += before - rest.len;
	if (!pattern)
		return line.at[line.len] == '\r' && str_eq(line, unescape(text + 1));
	memcpy(copy, line.at, line.len);
	copy[line.len] = '\0';
	return fnmatch(text + 2, copy, 0) == 0;
}

static bool noted(struct play *p, char *text)
{
	struct str rest = str_skip(buf_text(&p->scene.notes), p->noted), line;
	size_t before = rest.len;

	if (!str_line(&rest, &line))
		return false;
	p->noted += before - rest.len;
	return str_eq(line, unescape(text));
}

static bool wants(struct play *p, const char *text)
{
	p->want_seen = true;
	return strcmp(WANTS[p->want], text) == 0;
}

static void tell(struct play *p, enum news what, struct str text)
{
	p->want = dialog_told(p->scene.dialog, what, text);
	p->want_seen = p->want == WANT_INPUT;
	if (p->want == WANT_INPUT && p->unheard.len != 0)
		hear_unheard(p);
}

static bool told(struct play *p, char *text)
{
	struct str rest = unescape(text), word = str_cut(&rest, ' ');

	for (unsigned i = 0; i < NEWS_KINDS; i++) {
		if (!str_eq(str_of(NEWS[i]), word))
			continue;
		tell(p, (enum news)i, rest);
		return true;
	}
	return false;
}

/* A login's field by name; NULL if it is none that is a buffer. */
static struct buf *field(struct play *p, struct str name)
{
	struct login *l = &p->scene.login;
	const struct {
		const char *name;
		struct buf *buf;
	} fields[] = {
		{ "user", &l->user },
		{ "secret", &l->secret },
		{ "salt", &l->salt },
		{ "master", &l->master },
		{ "id", &l->id },
		{ "tag", &l->tag },
		{ "helo", &l->helo },
		{ "mail", &l->mail },
		{ "rcpt", &l->rcpt },
		{ "answer", &l->answer },
		{ "refusal", &l->refusal.text },
		{ "code", &l->refusal.code },
		{ "sasl", &l->refusal.sasl },
		{ "left", &p->unheard },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (str_eq(name, str_of(fields[i].name)))
			return fields[i].buf;
	return NULL;
}

static bool holds(struct play *p, char *text)
{
	const struct login *l = &p->scene.login;
	struct str value = unescape(text), name = str_cut(&value, ' ');
	struct buf *b = field(p, name);

	if (b != NULL)
		return str_eq(buf_text(b), value);
	if (str_eq(name, STR("method")))
		return str_eq(str_of(sasl_auth_method(l->method)), value);
	if (str_eq(name, STR("esmtp")))
		return l->esmtp == str_eq(value, STR("yes"));
	if (str_eq(name, STR("presentable")))
		return l->presentable == str_eq(value, STR("yes"));
	if (str_eq(name, STR("exposed")))
		return l->exposed == str_eq(value, STR("yes"));
	if (str_eq(name, STR("asked_capability")))
		return l->asked_capability == str_eq(value, STR("yes"));
	if (str_eq(name, STR("failure")))
		return str_eq(str_of(FAILURES[l->failure]), value);
	if (str_eq(name, STR("complaint")))
		return str_eq(str_of(p->scene.dialog->complaint), value);
	return str_eq(name, STR("at")) && str_eq(str_of(p->scene.dialog->at->name), value);
}

static bool set_failure(struct login *l, struct str name)
{
	for (unsigned i = 0; i < FAILURE_KINDS; i++)
		if (str_eq(str_of(FAILURES[i]), name))
			l->failure = (enum failure)i;
	return true;
}

static bool set(struct play *p, char *text)
{
	struct login *l = &p->scene.login;
	struct str value = unescape(text), name = str_cut(&value, ' ');
	struct buf *b = field(p, name);

	if (b != NULL)
		buf_set(b, value);
	else if (str_eq(name, STR("final")))
		l->refusal.final = str_eq(value, STR("yes"));
	else if (str_eq(name, STR("esmtp")))
		l->esmtp = str_eq(value, STR("yes"));
	else if (str_eq(name, STR("asked_capability")))
		l->asked_capability = str_eq(value, STR("yes"));
	else if (str_eq(name, STR("failure")))
		return set_failure(l, value);
	else if (str_eq(name, STR("method")))
		l->method = str_eq(value, STR("none")) ? SASL_NONE : sasl_method(sasl_find(value));
	else if (str_eq(name, STR("back_method")))
		l->back_method = sasl_method(sasl_find(value));
	else
		return false;
	return true;
}

static bool stage(struct play *p, char *text)
{
	if (strcmp(text, "whole") == 0)
		return p->whole_only = true;
	return scene_set(&p->scene, str_of(text));
}

/* The dialog opens as late as it can: what is told "before open" comes before. */
static void open(struct play *p, char kind)
{
	if (p->open || kind == ':' || kind == '!' || p->want != WANT_INPUT)
		return;
	p->open = true;
	p->want = dialog_open(p->scene.dialog);
	p->want_seen = p->want == WANT_INPUT;
}

static bool come(struct play *p, char *text)
{
	bool end = text[0] != '.';

	buf_put(&p->coming, unescape(text + (end ? 1 : 2)));
	if (end)
		buf_put(&p->coming, STR("\r\n"));
	return true;
}

static bool everything_seen(const struct play *p)
{
	return p->want_seen && p->said == p->scene.out.len && p->noted == p->scene.notes.len;
}

static bool act(struct play *p, char kind, char *text)
{
	switch (kind) {
	case '>':
		return come(p, text);
	case '<':
		return said(p, text);
	case '=':
		return wants(p, text + 1);
	case '!':
		return told(p, text + 1);
	case '@':
		return holds(p, text + 1);
	case ':':
		return set(p, text + 1);
	case '?':
		return noted(p, text + 1);
	default:
		return false;
	}
}

static bool step(struct play *p, char *line, bool back)
{
	if (line[0] == '#' || line[0] == '\0')
		return true;
	if (line[0] == ';')
		return stage(p, line + 2);
	if (p->scene.dialog == NULL)
		scene_cast(&p->scene, back ? p->scene.protocol->back : p->scene.protocol->front);
	open(p, line[0]);
	if (line[0] != '>')
		deliver(p);
	if (strchr(">!", line[0]) != NULL && p->coming.len == 0 && p->open && !everything_seen(p))
		return false;
	return act(p, line[0], line + 1);
}

static void report(const struct play *p, const char *file, int number, const char *line)
{
	struct str rest = str_skip(buf_text(&p->scene.out), p->said),
		   notes = str_skip(buf_text(&p->scene.notes), p->noted);

	print_error("%s:%d: not so%s: %s (state %s, wants %s; said: %.*s; noted: %.*s)\n", file, number,
		    p->pieces == WHOLE ? "" : ", byte by byte", line,
		    p->scene.dialog != NULL ? p->scene.dialog->at->name : "none", WANTS[p->want],
		    STR_ARG(rest), STR_ARG(notes));
}

static const struct protocol *protocol_of(const char *file)
{
	for (size_t i = 0; i < sizeof(PROTOCOLS) / sizeof(*PROTOCOLS); i++) {
		char folder[32];

		snprintf(folder, sizeof(folder), "/%s/", PROTOCOLS[i]->name);
		if (strstr(file, folder) != NULL)
			return PROTOCOLS[i];
	}
	return NULL;
}

/* Play to the end. False, and reported, when something was not so. */
static bool play(struct play *p, const char *file)
{
	bool back = strncmp(strrchr(file, '/') + 1, "back", 4) == 0, good = true;
	FILE *script = fopen(file, "r");
	char line[16384] = "";
	int number = 0;

	must(script != NULL);
	while (good && fgets(line, sizeof(line), script) != NULL) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		good = step(p, line, back);
	}
	fclose(script);
	if (good) {
		strcpy(line, "(nothing more)");
		deliver(p);
		good = everything_seen(p);
	}
	if (!good)
		report(p, file, number, line);
	return good;
}

static bool play_in(const char *file, enum pieces pieces, bool *whole_only)
{
	struct play p = { .pieces = pieces };
	bool good;

	scene_init(&p.scene, protocol_of(file));
	buf_init(&p.coming, 1 << 20);
	buf_init(&p.unheard, 1 << 20);
	good = play(&p, file);
	*whole_only = p.whole_only;
	buf_done(&p.coming);
	buf_done(&p.unheard);
	scene_done(&p.scene);
	return good;
}

static void test_transcript(void **state)
{
	const char *file = *state;
	bool whole_only;

	assert_true(play_in(file, WHOLE, &whole_only));
	if (!whole_only)
		assert_true(play_in(file, BYTE_BY_BYTE, &whole_only));
}

static const char *short_name(const char *file)
{
	const char *name = strrchr(file, '/');

	while (name > file && name[-1] != '/')
		name--;
	return name;
}

int main(int argc, char **argv)
{
	glob_t files = { 0 };
	struct CMUnitTest *tests;
	int failed;

	for (int i = 1; i < argc; i++) {
		char pattern[4096];

		snprintf(pattern, sizeof(pattern), "%s/*", argv[i]);
		must(glob(pattern, i > 1 ? GLOB_APPEND : 0, NULL, &files) == 0);
	}
	tests = calloc(files.gl_pathc, sizeof(*tests));
	must(tests != NULL);
	for (size_t i = 0; i < files.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){ short_name(files.gl_pathv[i]), test_transcript, NULL, NULL,
						files.gl_pathv[i] };
	failed = _cmocka_run_group_tests("transcripts", tests, files.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&files);
	return failed;
}
