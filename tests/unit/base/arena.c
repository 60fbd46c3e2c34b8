/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas, and the allocation under them: pieces that do not touch, in zeroed and aligned memory. */
#include "base/arena.h"

#include "base/mem.h"
#include "unit.h"
#include <stdalign.h>
#include <string.h>

enum { PIECES = 500 };

static bool all_bytes(const char *at, size_t len, char c)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != c)
			return false;
	return true;
}

/* Each piece is filled with a byte of its own; afterwards all still hold what was put there. */
static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct dice dice = { seed };
		struct arena *a = arena_new(dice_roll(&dice, 300));
		char *at[PIECES];
		size_t len[PIECES];

		for (size_t i = 0; i < PIECES; i++) {
			len[i] = dice_roll(&dice, dice_roll(&dice, 20) == 0 ? 100000 : 200);
			at[i] = arena_take(a, len[i]);
			assert_non_null(at[i]);
			assert_int_equal((uintptr_t)at[i] % alignof(max_align_t), 0);
			assert_true(all_bytes(at[i], len[i], 0));
			memset(at[i], (int)(i % 256), len[i]);
		}
		for (size_t i = 0; i < PIECES; i++)
			assert_true(all_bytes(at[i], len[i], (char)(i % 256)));
		arena_free(a);
	}
}

/* The piece goes beside; what is free in the chunk at hand stays in use, and the next chunk is no larger for
 * it. */
static void a_large_piece_costs_its_size(void **state)
{
	struct arena *a = arena_new(1024);
	char *small = arena_take(a, 16);
	size_t before = arena_size(a), with_large;

	(void)state;
	memset(arena_take(a, 1 << 20), 1, 1 << 20);
	with_large = arena_size(a);
	assert_in_range(with_large - before, 1 << 20, (1 << 20) + 256);
	assert_ptr_equal(arena_take(a, 16), small + 16);
	memset(arena_take(a, 1100), 2, 1100);
	assert_true(arena_size(a) - with_large < 4096);
	arena_free(a);
}

static void a_chunk_is_used_up(void **state)
{
	struct arena *a = arena_new(64);
	size_t size = arena_size(a);

	(void)state;
	for (int i = 0; i < 4; i++)
		arena_take(a, 16);
	assert_int_equal(arena_size(a), size);
	arena_take(a, 0);
	assert_int_equal(arena_size(a), size);
	arena_take(a, 1);
	assert_true(arena_size(a) > size);
	arena_free(a);
}

static void chunks_double(void **state)
{
	struct arena *a = arena_new(64);
	size_t size = arena_size(a);
	int chunks = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		arena_take(a, 16);
		chunks += arena_size(a) != size;
		size = arena_size(a);
	}
	assert_in_range(chunks, 5, 20);
	arena_free(a);
}

static void texts(void **state)
{
	struct arena *a = arena_new(16);
	struct str empty = arena_str(a, (struct str){ NULL, 0 }), bytes = arena_str(a, STR("a\0b"));
	struct str text = arena_format(a, "%s-%d", "x", 12), nothing = arena_format(a, "%s", "");

	(void)state;
	assert_str(empty, STR(""));
	assert_int_equal(empty.at[0], '\0');
	assert_str(bytes, STR("a\0b"));
	assert_int_equal(bytes.at[3], '\0');
	assert_string_equal(text.at, "x-12");
	assert_int_equal(text.len, 4);
	assert_string_equal(nothing.at, "");
	assert_int_equal(nothing.len, 0);
	arena_free(a);
	arena_free(NULL);
}

static void take_too_much(void *a)
{
	arena_take(a, SIZE_MAX - 8);
}

static void overflow_new(void *none)
{
	(void)none;
	arena_free(arena_new(SIZE_MAX - 8));
}

static void overflow_array(void *none)
{
	(void)none;
	free(mem_array(SIZE_MAX / 4, 8));
}

static void resize_to_nothing(void *none)
{
	(void)none;
	free(mem_resize(mem_new(8), 0));
}

static void sizes_cannot_overflow(void **state)
{
	struct arena *a = arena_new(64);

	(void)state;
	assert_aborts(take_too_much, a);
	assert_aborts(overflow_new, NULL);
	assert_aborts(overflow_array, NULL);
	assert_aborts(resize_to_nothing, NULL);
	arena_free(a);
}

static void plain_memory(void **state)
{
	char *at = mem_array(7, 100);

	(void)state;
	assert_true(all_bytes(at, 700, 0));
	memset(at, 'x', 700);
	at = mem_resize(at, 7000);
	assert_true(all_bytes(at, 700, 'x'));
	mem_wipe(at + 1, 698);
	assert_true(at[0] == 'x' && at[699] == 'x' && all_bytes(at + 1, 698, 0));
	mem_wipe(NULL, 0);
	free(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(a_large_piece_costs_its_size),
		cmocka_unit_test(a_chunk_is_used_up),
		cmocka_unit_test(chunks_double),
		cmocka_unit_test(texts),
		cmocka_unit_test(sizes_cannot_overflow),
		cmocka_unit_test(plain_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
