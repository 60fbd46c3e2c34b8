/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCRE2's only door.
 *
 * Compiled code lies in the configuration's arena: the library's allocator takes from there and never gives
 * back. What a match needs comes from the heap and goes at once. There is no JIT: its code would have to be
 * released by hand, and needs memory that is both written and executed.
 */
#include "vars/regex.h"

#include <stdio.h>
#include <string.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What one match may try (steps), and take (KiB). Honest expressions need a few hundred. */
enum { MATCH_STEPS = 100000, MATCH_KIB = 1024 };

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	unsigned groups;
};

const bool regex_there = true;

static void *take(size_t size, void *arena)
{
	return arena_take(arena, size);
}

static void keep(void *memory, void *arena)
{
	(void)memory;
	(void)arena;
}

static void tell(char why[static REGEX_WHY], int error, size_t offset)
{
	PCRE2_UCHAR text[REGEX_WHY / 2] = "";

	pcre2_get_error_message(error, text, sizeof(text));
	snprintf(why, REGEX_WHY, "%s at byte %zu", (const char *)text, offset + 1);
}

const struct regex *regex_new(struct arena *home, struct str pattern, bool fold, char why[static REGEX_WHY])
{
	pcre2_general_context *memory = pcre2_general_context_create(take, keep, home);
	pcre2_compile_context *context = pcre2_compile_context_create(memory);
	struct regex *re = arena_take(home, sizeof(*re));
	uint32_t groups = 0, options = PCRE2_NEVER_BACKSLASH_C | (fold ? PCRE2_CASELESS : 0);
	int error;
	PCRE2_SIZE offset;

	re->code = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len, options, &error, &offset, context);
	if (re->code == NULL) {
		tell(why, error, offset);
		return NULL;
	}
	pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups >= REGEX_GROUPS) {
		snprintf(why, REGEX_WHY, "it has more than %d groups", REGEX_GROUPS - 1);
		return NULL;
	}
	re->groups = groups;
	re->limits = pcre2_match_context_create(memory);
	pcre2_set_match_limit(re->limits, MATCH_STEPS);
	pcre2_set_heap_limit(re->limits, MATCH_KIB);
	return re;
}

unsigned regex_groups(const struct regex *re)
{
	return re->groups;
}

unsigned regex_group(const struct regex *re, struct str name)
{
	char text[64];
	int number;

	if (name.len >= sizeof(text))
		return 0;
	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	number = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)text);
	return number > 0 ? (unsigned)number : 0;
}

enum regex_result regex_match(const struct regex *re, struct str subject,
			      struct str groups[static REGEX_GROUPS])
{
	pcre2_match_data *data = pcre2_match_data_create(REGEX_GROUPS, NULL);
	const char *at = subject.len != 0 ? subject.at : "";
	const PCRE2_SIZE *ends;
	int count;

	if (data == NULL)
		return REGEX_GAVE_UP;
	count = pcre2_match(re->code, (PCRE2_SPTR)at, subject.len, 0, 0, data, re->limits);
	ends = pcre2_get_ovector_pointer(data);
	for (int i = 0; i < REGEX_GROUPS; i++) {
		groups[i] = (struct str){ at, 0 };
		if (i < count && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1])
			groups[i] = (struct str){ at + ends[2 * i], ends[2 * i + 1] - ends[2 * i] };
	}
	pcre2_match_data_free(data);
	return count > 0 ? REGEX_YES : count == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_GAVE_UP;
}
